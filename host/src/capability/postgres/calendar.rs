//! Postgres' dates and times (days and microseconds since 2000-01-01) as calendar fields.
//!
//! Written out rather than taken from a library because Postgres' range (to the year 294276, dates to 5874897) is
//! larger than most libraries'. The calendar is the proleptic Gregorian one, years are astronomical (0 is 1 BC).

/// (year, month, day).
pub type Date = (i32, u8, u8);
/// (hour, minute, second, nanosecond).
pub type Time = (u8, u8, u8, u32);
/// (year, month, day, hour, minute, second, nanosecond).
pub type DateTime = (i32, u8, u8, u8, u8, u8, u32);

const MICROS_PER_SECOND: i64 = 1_000_000;
const MICROS_PER_DAY: i64 = 86_400 * MICROS_PER_SECOND;

/// Days from 1970-01-01 to 2000-01-01.
const EPOCH_DAYS: i64 = 10_957;
/// Days from 0000-03-01 to 1970-01-01.
const ERA_DAYS: i64 = 719_468;

/// The date so many days after 2000-01-01; none for `infinity` and `-infinity`.
pub fn date_from_days(days: i32) -> Option<Date> {
    (days != i32::MAX && days != i32::MIN).then(|| civil(i64::from(days) + EPOCH_DAYS))?
}

/// The days from 2000-01-01 to a date; none when there is no such date.
pub fn days_from_date((year, month, day): Date) -> Option<i32> {
    if !(1..=12).contains(&month) || day == 0 || day > month_length(year, month) {
        return None;
    }
    let (year, month, day) = (i64::from(year), i64::from(month), i64::from(day));
    let shifted_year = if month <= 2 { year - 1 } else { year };
    let era = shifted_year.div_euclid(400);
    let year_of_era = shifted_year.rem_euclid(400);
    let day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    i32::try_from(era * 146_097 + day_of_era - ERA_DAYS - EPOCH_DAYS).ok()
}

/// The time of day after so many microseconds. 24:00:00 is one, as it is in Postgres.
pub fn time_from_micros(micros: i64) -> Option<Time> {
    if !(0..=MICROS_PER_DAY).contains(&micros) {
        return None;
    }
    let seconds = micros / MICROS_PER_SECOND;
    let nanos = u32::try_from(micros % MICROS_PER_SECOND * 1_000).ok()?;
    Some((
        u8::try_from(seconds / 3_600).ok()?,
        u8::try_from(seconds / 60 % 60).ok()?,
        u8::try_from(seconds % 60).ok()?,
        nanos,
    ))
}

/// The microseconds since midnight; none when there is no such time. Nanoseconds are cut off to microseconds.
pub fn micros_from_time((hour, minute, second, nanosecond): Time) -> Option<i64> {
    let is_midnight = (hour, minute, second, nanosecond) == (24, 0, 0, 0);
    if !is_midnight && (hour > 23 || minute > 59 || second > 59 || nanosecond > 999_999_999) {
        return None;
    }
    let seconds = i64::from(hour) * 3_600 + i64::from(minute) * 60 + i64::from(second);
    Some(seconds * MICROS_PER_SECOND + i64::from(nanosecond / 1_000))
}

/// The instant so many microseconds after 2000-01-01; none for `infinity` and `-infinity`.
pub fn datetime_from_micros(micros: i64) -> Option<DateTime> {
    if micros == i64::MAX || micros == i64::MIN {
        return None;
    }
    let (year, month, day) = civil(micros.div_euclid(MICROS_PER_DAY) + EPOCH_DAYS)?;
    let (hour, minute, second, nanosecond) = time_from_micros(micros.rem_euclid(MICROS_PER_DAY))?;
    Some((year, month, day, hour, minute, second, nanosecond))
}

/// The microseconds from 2000-01-01 to an instant; none when there is no such instant.
pub fn micros_from_datetime((year, month, day, hour, minute, second, nanosecond): DateTime) -> Option<i64> {
    let days = i64::from(days_from_date((year, month, day))?);
    days.checked_mul(MICROS_PER_DAY)?.checked_add(micros_from_time((hour, minute, second, nanosecond))?)
}

/// The microseconds from 2000-01-01 to so many seconds after 1970-01-01.
pub fn micros_from_unix_seconds(seconds: i64) -> Option<i64> {
    seconds.checked_sub(EPOCH_DAYS * 86_400)?.checked_mul(MICROS_PER_SECOND)
}

/// The microseconds from 2000-01-01 to an instant written as in RFC 3339.
pub fn micros_from_rfc3339(text: &str) -> Option<i64> {
    let instant = chrono::DateTime::parse_from_rfc3339(text).ok()?;
    instant.timestamp_micros().checked_sub(EPOCH_DAYS * MICROS_PER_DAY)
}

/// The date so many days after 1970-01-01.
fn civil(days: i64) -> Option<Date> {
    let shifted = days + ERA_DAYS;
    let era = shifted.div_euclid(146_097);
    let day_of_era = shifted.rem_euclid(146_097);
    let year_of_era = (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted_month = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * shifted_month + 2) / 5 + 1;
    let month = if shifted_month < 10 { shifted_month + 3 } else { shifted_month - 9 };
    let year = year_of_era + era * 400 + i64::from(month <= 2);
    Some((i32::try_from(year).ok()?, u8::try_from(month).ok()?, u8::try_from(day).ok()?))
}

fn month_length(year: i32, month: u8) -> u8 {
    let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    match month {
        2 => 28 + u8::from(leap),
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_day_of_eight_centuries_goes_there_and_back() {
        for days in -146_097..146_097 {
            let date = date_from_days(days).unwrap();
            assert_eq!(days_from_date(date), Some(days));
        }
        assert_eq!(date_from_days(0), Some((2000, 1, 1)));
        assert_eq!(date_from_days(-10_957), Some((1970, 1, 1)));
        assert_eq!(date_from_days(i32::MAX), None);
    }

    #[test]
    fn dates_that_do_not_exist_are_refused() {
        assert_eq!(days_from_date((2023, 2, 29)), None);
        assert_eq!(days_from_date((2023, 13, 1)), None);
        assert_eq!(micros_from_time((24, 0, 1, 0)), None);
        assert_eq!(micros_from_time((23, 60, 0, 0)), None);
    }

    #[test]
    fn instants_before_the_epoch_keep_their_time_of_day() {
        assert_eq!(datetime_from_micros(-1), Some((1999, 12, 31, 23, 59, 59, 999_999_000)));
        assert_eq!(micros_from_datetime((1999, 12, 31, 23, 59, 59, 999_999_000)), Some(-1));
        assert_eq!(micros_from_rfc3339("1999-12-31T23:59:59.999999Z"), Some(-1));
        assert_eq!(micros_from_unix_seconds(946_684_800), Some(0));
    }
}
