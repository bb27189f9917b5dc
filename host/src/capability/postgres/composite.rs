//! Decimals, ranges and arrays in Postgres' binary format.

use super::RangeBoundKind;
use super::value::Bytes;

const NUMERIC_NEGATIVE: u16 = 0x4000;
const NUMERIC_NAN: u16 = 0xC000;
const NUMERIC_INFINITY: u16 = 0xD000;
const NUMERIC_NEGATIVE_INFINITY: u16 = 0xF000;

const RANGE_EMPTY: u8 = 0x01;
const RANGE_LOWER_INCLUSIVE: u8 = 0x02;
const RANGE_UPPER_INCLUSIVE: u8 = 0x04;
const RANGE_LOWER_INFINITE: u8 = 0x08;
const RANGE_UPPER_INFINITE: u8 = 0x10;

/// One end of a range; none is unbounded.
pub type Bound<T> = Option<(T, RangeBoundKind)>;

/// The decimal text of a `numeric`, with as many digits as the server keeps: no precision is lost.
pub fn decimal_text(bytes: &[u8]) -> Option<String> {
    let mut bytes = Bytes(bytes);
    let count = usize::try_from(bytes.i16()?).ok()?;
    let weight = i32::from(bytes.i16()?);
    let sign = u16::from_be_bytes(bytes.array()?);
    let scale = usize::try_from(bytes.i16()?).ok()?;
    match sign {
        NUMERIC_NAN => return Some("NaN".to_owned()),
        NUMERIC_INFINITY => return Some("Infinity".to_owned()),
        NUMERIC_NEGATIVE_INFINITY => return Some("-Infinity".to_owned()),
        _ => {}
    }
    let digits = (0..count).map(|_| bytes.i16()).collect::<Option<Vec<i16>>>()?;
    // The group of four digits that stands for 10000 to the power of `position`.
    let group = |position: i32| {
        usize::try_from(weight - position).ok().and_then(|index| digits.get(index)).copied().unwrap_or(0)
    };
    let mut text = String::with_capacity(count * 4 + scale + 3);
    if sign == NUMERIC_NEGATIVE {
        text.push('-');
    }
    if weight < 0 {
        text.push('0');
    }
    for position in (0..=weight).rev() {
        let part = group(position).to_string();
        text.extend(std::iter::repeat_n('0', if position == weight { 0 } else { 4_usize.saturating_sub(part.len()) }));
        text.push_str(&part);
    }
    if scale > 0 {
        text.push('.');
        let end = text.len() + scale;
        let mut position = -1;
        while text.len() < end {
            text.push_str(&format!("{:04}", group(position)));
            position -= 1;
        }
        text.truncate(end);
    }
    Some(text)
}

/// Writes decimal text as a `numeric`. None when it is not plain digits (then the server shall judge it).
pub fn write_decimal(text: &str, buffer: &mut Vec<u8>) -> Option<()> {
    let (negative, unsigned) = match text.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, text.strip_prefix('+').unwrap_or(text)),
    };
    let (whole, fraction) = unsigned.split_once('.').unwrap_or((unsigned, ""));
    let plain = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
    if whole.len() + fraction.len() == 0 || !plain(whole) || !plain(fraction) {
        return None;
    }
    let whole = whole.trim_start_matches('0');
    let padded = format!("{}{whole}", "0".repeat((4 - whole.len() % 4) % 4));
    let tail = format!("{fraction}{}", "0".repeat((4 - fraction.len() % 4) % 4));
    let whole_groups = padded.len() / 4;
    let mut groups = Vec::with_capacity((padded.len() + tail.len()) / 4);
    for chunk in padded.as_bytes().chunks(4).chain(tail.as_bytes().chunks(4)) {
        groups.push(chunk.iter().fold(0_i16, |sum, digit| sum * 10 + i16::from(digit - b'0')));
    }
    let leading = groups.iter().take_while(|group| **group == 0).count();
    let trailing = groups.iter().rev().take_while(|group| **group == 0).count();
    let kept = groups.get(leading..groups.len().saturating_sub(trailing).max(leading)).unwrap_or(&[]);
    let weight =
        if kept.is_empty() { 0 } else { i16::try_from(whole_groups).ok()? - 1 - i16::try_from(leading).ok()? };
    buffer.extend_from_slice(&i16::try_from(kept.len()).ok()?.to_be_bytes());
    buffer.extend_from_slice(&weight.to_be_bytes());
    buffer.extend_from_slice(&(if negative && !kept.is_empty() { NUMERIC_NEGATIVE } else { 0 }).to_be_bytes());
    buffer.extend_from_slice(&i16::try_from(fraction.len()).ok()?.to_be_bytes());
    for group in kept {
        buffer.extend_from_slice(&group.to_be_bytes());
    }
    Some(())
}

/// Reads a range. An empty one becomes `(zero, zero)`, both exclusive, which is empty too: the interface has no word
/// for it.
pub fn read_range<T>(
    bytes: &[u8],
    zero: impl Fn() -> T,
    read: impl Fn(&[u8]) -> Option<T>,
) -> Option<(Bound<T>, Bound<T>)> {
    let mut bytes = Bytes(bytes);
    let [flags] = bytes.array()?;
    if flags & RANGE_EMPTY != 0 {
        let bound = || Some((zero(), RangeBoundKind::Exclusive));
        return Some((bound(), bound()));
    }
    let mut bound = |infinite: u8, inclusive: u8| -> Option<Bound<T>> {
        if flags & infinite != 0 {
            return Some(None);
        }
        let value = read(bytes.field()??)?;
        let kind = if flags & inclusive != 0 { RangeBoundKind::Inclusive } else { RangeBoundKind::Exclusive };
        Some(Some((value, kind)))
    };
    let lower = bound(RANGE_LOWER_INFINITE, RANGE_LOWER_INCLUSIVE)?;
    let upper = bound(RANGE_UPPER_INFINITE, RANGE_UPPER_INCLUSIVE)?;
    Some((lower, upper))
}

/// Writes a range whose bounds `write` puts into the buffer.
pub fn write_range<T>(
    (lower, upper): &(Bound<T>, Bound<T>),
    buffer: &mut Vec<u8>,
    write: impl Fn(&T, &mut Vec<u8>) -> Option<()>,
) -> Option<()> {
    let flag = |bound: &Bound<T>, infinite: u8, inclusive: u8| match bound {
        None => infinite,
        Some((_, RangeBoundKind::Inclusive)) => inclusive,
        Some((_, RangeBoundKind::Exclusive)) => 0,
    };
    buffer.push(
        flag(lower, RANGE_LOWER_INFINITE, RANGE_LOWER_INCLUSIVE)
            | flag(upper, RANGE_UPPER_INFINITE, RANGE_UPPER_INCLUSIVE),
    );
    for (value, _) in [lower, upper].into_iter().flatten() {
        write_field(buffer, |buffer| write(value, buffer))?;
    }
    Some(())
}

/// Reads an array of one dimension; none for more of them, or broken bytes.
pub fn read_array<T>(bytes: &[u8], read: impl Fn(&[u8]) -> Option<T>) -> Option<Vec<Option<T>>> {
    let mut bytes = Bytes(bytes);
    let dimensions = bytes.i32()?;
    let (_has_nulls, _element_type) = (bytes.i32()?, bytes.i32()?);
    match dimensions {
        0 => return Some(Vec::new()),
        1 => {}
        _ => return None,
    }
    let length = usize::try_from(bytes.i32()?).ok()?;
    let _lower_bound = bytes.i32()?;
    // The length comes from outside: no memory is set aside for it before the elements are there.
    (0..length)
        .map(|_| match bytes.field()? {
            None => Some(None),
            Some(element) => read(element).map(Some),
        })
        .collect()
}

/// Writes an array of one dimension whose elements have the type number `element_oid`.
pub fn write_array<T>(
    elements: &[Option<T>],
    element_oid: u32,
    buffer: &mut Vec<u8>,
    write: impl Fn(&T, &mut Vec<u8>) -> Option<()>,
) -> Option<()> {
    let has_nulls = elements.iter().any(Option::is_none);
    buffer.extend_from_slice(&i32::from(!elements.is_empty()).to_be_bytes());
    buffer.extend_from_slice(&i32::from(has_nulls).to_be_bytes());
    buffer.extend_from_slice(&element_oid.to_be_bytes());
    if elements.is_empty() {
        return Some(());
    }
    buffer.extend_from_slice(&i32::try_from(elements.len()).ok()?.to_be_bytes());
    buffer.extend_from_slice(&1_i32.to_be_bytes());
    for element in elements {
        match element {
            None => buffer.extend_from_slice(&(-1_i32).to_be_bytes()),
            Some(value) => write_field(buffer, |buffer| write(value, buffer))?,
        }
    }
    Some(())
}

/// Writes a value with its length before it.
fn write_field(buffer: &mut Vec<u8>, write: impl FnOnce(&mut Vec<u8>) -> Option<()>) -> Option<()> {
    let start = buffer.len();
    buffer.extend_from_slice(&[0; 4]);
    write(buffer)?;
    let length = i32::try_from(buffer.len() - start - 4).ok()?;
    buffer.get_mut(start..start + 4)?.copy_from_slice(&length.to_be_bytes());
    Some(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn decimals_go_there_and_back() {
        for text in [
            "0",
            "1",
            "-1",
            "9999",
            "10000",
            "100000000",
            "0.1",
            "0.0001",
            "0.00001",
            "-0.000000001",
            "1.10",
            "123.456",
            "12345678901234567890123456789012345678901234567890.12345678901234567890123456789012345678901",
            "0.00",
            "10000.0000",
            "-9999.9999",
            "1000000000000000000000000000000",
        ] {
            let mut buffer = Vec::new();
            write_decimal(text, &mut buffer).unwrap();
            assert_eq!(decimal_text(&buffer).as_deref(), Some(text));
        }
    }

    #[test]
    fn text_that_is_no_plain_decimal_is_left_to_the_server() {
        for text in ["", ".", "1e5", "NaN", "1,5", " 1", "--1", "1.2.3"] {
            assert!(write_decimal(text, &mut Vec::new()).is_none(), "{text}");
        }
    }

    #[test]
    fn broken_bytes_end_in_none() {
        assert!(decimal_text(&[0, 5]).is_none());
        assert!(
            read_array(&[0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0x7f, 0xff, 0xff, 0xff, 0, 0, 0, 1], |_| Some(()))
                .is_none()
        );
        assert!(read_range(&[0, 0], || (), |_| Some(())).is_none());
    }
}
