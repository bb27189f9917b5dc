use proptest::prelude::*;

use super::*;

/// What 64 bits can hold, and `None` for what they cannot.
fn fits(minor: i128) -> Option<Money> {
    i64::try_from(minor).ok().map(Money::from_minor)
}

proptest! {
    #[test]
    fn every_amount_reads_back_as_what_it_was(minor in i64::MIN + 1..) {
        let money = Money::from_minor(minor);
        prop_assert_eq!(money.to_string().parse(), Ok(money));
        let json = serde_json::to_string(&money).unwrap();
        prop_assert_eq!(&json, &money.to_string());
        prop_assert_eq!(serde_json::from_str::<Money>(&json).unwrap(), money);
    }

    #[test]
    fn arithmetic_is_exact_or_says_that_it_is_not(one: i64, other: i64) {
        let (a, b) = (i128::from(one), i128::from(other));
        let (one, other_money) = (Money::from_minor(one), Money::from_minor(other));
        prop_assert_eq!(one.checked_add(other_money), fits(a + b));
        prop_assert_eq!(one.checked_sub(other_money), fits(a - b));
        prop_assert_eq!(one.checked_mul(other), fits(a * b));
    }

    #[test]
    fn whatever_is_read_is_shown_with_two_decimals_and_means_the_same(text in "-?[0-9]{0,21}(\\.[0-9]{0,4})?|\\PC{0,12}") {
        if let Ok(money) = text.parse::<Money>() {
            let shown = money.to_string();
            prop_assert_eq!(shown.parse(), Ok(money));
            prop_assert_eq!(shown.split_once('.').map(|(_, cents)| cents.len()), Some(2));
        }
    }
}
