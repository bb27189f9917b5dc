use proptest::prelude::*;

use super::*;

/// Digits that pass the check, 13 to 19 of them: the last is chosen to fit the others.
fn card() -> impl Strategy<Value = Vec<u32>> {
    let others = proptest::collection::vec(0..10_u32, 12..=18)
        .prop_filter("some digit", |digits| digits.iter().any(|d| *d != 0));
    others.prop_map(|mut digits| {
        digits.push(0);
        let fitting = (0..10).find(|last| {
            *digits.last_mut().unwrap() = *last;
            passes_luhn(&digits)
        });
        assert!(fitting.is_some());
        digits
    })
}

fn written(digits: &[u32], separator: &str, group: usize) -> String {
    let groups: Vec<String> = digits.chunks(group).map(|group| group.iter().map(u32::to_string).collect()).collect();
    groups.join(separator)
}

proptest! {
    #[test]
    fn a_card_number_is_found_in_any_text_and_any_grouping(
        digits in card(),
        separator in "[ .\u{a0}-]{0,3}",
        group in 1..7_usize,
        before in "([^0-9 .\u{a0}\t-]{0,8}|\\PC{0,8}[a-z\":]|([0-9]{1,20}[ .-]{1,3}){0,3})",
        after in "([^0-9 .\u{a0}\t-]{0,8}|[a-z\":]\\PC{0,8}|([ .-]{1,3}[0-9]{1,20}){0,3})",
    ) {
        prop_assume!(!before.ends_with(|c: char| c.is_ascii_digit()) && !after.starts_with(|c: char| c.is_ascii_digit()));
        let text = format!("{before}{}{after}", written(&digits, &separator, group));
        prop_assert!(holds_a_card_number(&text), "{}", text);
    }

    #[test]
    fn one_wrong_digit_makes_it_no_card(digits in card(), place: prop::sample::Index, by in 1..10_u32) {
        let mut digits = digits;
        let place = place.index(digits.len());
        digits[place] = (digits[place] + by) % 10;
        prop_assert!(!holds_a_card_number(&written(&digits, "", 4)));
    }

    #[test]
    fn too_few_digits_are_no_card(text in "[0-9 -]{0,12}") {
        prop_assert!(!holds_a_card_number(&text));
    }
}
