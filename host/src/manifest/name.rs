//! Which names are good, and which known one a wrong one was meant to be.

/// A component's id: words of letters and digits joined by `-`, the first starting with a letter, no word in mixed case.
pub(super) fn is_component(name: &str) -> bool {
    name.starts_with(|first: char| first.is_ascii_alphabetic()) && name.split('-').all(is_word)
}

/// A variable's name: small letters and digits joined by single `_`, starting with a letter.
pub(super) fn is_variable(name: &str) -> bool {
    name.starts_with(|first: char| first.is_ascii_lowercase())
        && name
            .split('_')
            .all(|word| !word.is_empty() && word.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit()))
}

/// A store's name: words of letters and digits joined by `_`, or by `-`, the first starting with a letter, no word in mixed case.
pub(super) fn is_store(name: &str) -> bool {
    let in_words =
        |joint| name.starts_with(|first: char| first.is_ascii_alphabetic()) && name.split(joint).all(is_word);
    in_words('_') || in_words('-')
}

/// A topic as Kafka allows it: 1 to 249 letters, digits, `.`, `_` and `-`.
pub(super) fn is_topic(name: &str) -> bool {
    (1..=249).contains(&name.len())
        && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'-'))
        && name != "."
        && name != ".."
}

/// A name that PostgreSQL takes without quotes and without cutting it.
pub(super) fn is_sql(name: &str) -> bool {
    name.len() <= 63 && is_variable(name)
}

/// The known name that lies nearest to `wrong`, if one is near enough to be meant.
pub(super) fn nearest<'a>(wrong: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let wrong = wrong.to_lowercase();
    let furthest = wrong.chars().count() / 3 + 1;
    known
        .into_iter()
        .map(|name| (strsim::osa_distance(&wrong, name), name))
        .filter(|(distance, name)| *distance <= furthest && *distance < name.chars().count())
        .min()
        .map(|(_, name)| name)
}

/// What to do about a name that is not among the known ones.
pub fn did_you_mean<'a>(wrong: &str, known: impl IntoIterator<Item = &'a str>) -> String {
    let known: Vec<&str> = known.into_iter().collect();
    match nearest(wrong, known.iter().copied()) {
        Some(name) => format!("did you mean `{name}`?"),
        None if known.is_empty() => "there is none; take the line out".to_owned(),
        None => format!("there are: {}", list(known)),
    }
}

/// Names in backticks, joined by commas.
pub(super) fn list<'a>(names: impl IntoIterator<Item = &'a str>) -> String {
    names.into_iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ")
}

fn is_word(word: &str) -> bool {
    let all = |good: fn(&u8) -> bool| word.bytes().all(|byte| good(&byte) || byte.is_ascii_digit());
    !word.is_empty() && (all(u8::is_ascii_lowercase) || all(u8::is_ascii_uppercase))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn component_ids_are_kebab_case() {
        assert!(["a", "orders", "payment-sandbox", "v2-API", "a-1"].into_iter().all(is_component));
        assert!(!["", "-a", "a-", "a--b", "1a", "a_b", "aB", "a.b", "ä"].into_iter().any(is_component));
    }

    #[test]
    fn variable_names_are_snake_case() {
        assert!(["a", "orders_database_url", "a1_2"].into_iter().all(is_variable));
        assert!(!["", "_a", "a_", "a__b", "1a", "a-b", "A"].into_iter().any(is_variable));
    }

    #[test]
    fn stores_are_in_snake_case_or_in_kebab_case() {
        assert!(["a", "my_store", "my-store", "v2_API"].into_iter().all(is_store));
        assert!(!["", "my_other-store", "a--b", "_a", "1a", "aB"].into_iter().any(is_store));
    }

    #[test]
    fn a_slip_of_the_finger_finds_its_key_and_nonsense_finds_none() {
        let keys = ["source", "description", "build"];
        assert_eq!(nearest("sorce", keys), Some("source"));
        assert_eq!(nearest("Build", keys), Some("build"));
        assert_eq!(nearest("qqq", keys), None);
    }
}
