use proptest::prelude::*;

use super::*;

/// Texts that often are addresses.
const NEARLY: &str = "[ \t]{0,2}[A-Za-z0-9ÄéßІÅ.+_'-]{1,20}@[A-Za-z0-9ÄéßІÅ.-]{1,20}\\.[A-Za-zÄéß]{2,6}[ \t]{0,2}";

proptest! {
    #[test]
    fn what_is_normal_stays_as_it_is(text in prop_oneof![4 => NEARLY, 1 => "\\PC{0,30}"]) {
        if let Ok(email) = text.parse::<Email>() {
            prop_assert_eq!(email.as_str().parse::<Email>(), Ok(email.clone()));
            prop_assert_eq!(email.as_str().trim(), email.as_str());
            prop_assert_eq!(email.as_str().to_lowercase(), email.as_str());
        }
    }

    #[test]
    fn one_mailbox_is_one_account_however_it_is_typed(text in "[a-z0-9+_-]{1,20}@[a-z0-9]{1,10}\\.[a-z]{2,6}") {
        let (first, rest) = text.split_at(1);
        let forms = [text.clone(), text.to_uppercase(), first.to_uppercase() + rest, format!("  {text}\n")];
        for form in forms {
            let email: Email = form.parse().unwrap();
            prop_assert_eq!(email.as_str(), &text);
        }
    }
}
