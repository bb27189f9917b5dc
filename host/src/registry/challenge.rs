//! How a registry says that it wants a password, and where: `WWW-Authenticate`.

/// What it wants.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Challenge {
    /// Name and password with each request.
    Basic,
    /// A token, which is had for name and password.
    Bearer {
        /// Where.
        realm: String,
        /// For whom.
        service: Option<String>,
    },
}

impl Challenge {
    /// The first of a header's challenges that is understood; a token goes before the password itself.
    pub fn of<'a>(headers: impl IntoIterator<Item = &'a str>) -> Option<Self> {
        let mut basic = None;
        for (scheme, parameters) in headers.into_iter().flat_map(challenges) {
            let parameter = |name: &str| {
                parameters.iter().find(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value.clone())
            };
            if scheme.eq_ignore_ascii_case("basic") {
                basic = Some(Self::Basic);
            } else if let Some(realm) = parameter("realm").filter(|_| scheme.eq_ignore_ascii_case("bearer")) {
                return Some(Self::Bearer { realm, service: parameter("service") });
            }
        }
        basic
    }
}

/// A scheme with its parameters.
type Read = (String, Vec<(String, String)>);

/// `Scheme key=value, key="value", Scheme …`: what stands before a `=` is a key, and else a scheme.
fn challenges(header: &str) -> Vec<Read> {
    let mut found: Vec<Read> = Vec::new();
    let mut rest = header;
    loop {
        rest = rest.trim_start_matches([' ', '\t', ',']);
        let end = rest.find([' ', '\t', ',', '=']).unwrap_or(rest.len());
        let (word, behind) = rest.split_at(end);
        if word.is_empty() && behind.is_empty() {
            return found;
        }
        match behind.trim_start().strip_prefix('=') {
            None => {
                found.push((word.to_owned(), Vec::new()));
                rest = behind;
            }
            Some(behind) => {
                let (value, behind) = value(behind.trim_start());
                if let Some((_, parameters)) = found.last_mut() {
                    parameters.push((word.to_owned(), value));
                }
                rest = behind;
            }
        }
    }
}

/// A value, quoted or not, and what stands behind it.
fn value(text: &str) -> (String, &str) {
    let Some(quoted) = text.strip_prefix('"') else {
        let end = text.find([',', ' ', '\t']).unwrap_or(text.len());
        let (value, behind) = text.split_at(end);
        return (value.to_owned(), behind);
    };
    let (mut value, mut escaped) = (String::new(), false);
    for (place, letter) in quoted.char_indices() {
        match letter {
            _ if escaped => {
                value.push(letter);
                escaped = false;
            }
            '\\' => escaped = true,
            '"' => return (value, quoted.get(place + 1..).unwrap_or_default()),
            _ => value.push(letter),
        }
    }
    (value, "")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bearer(realm: &str, service: Option<&str>) -> Option<Challenge> {
        Some(Challenge::Bearer { realm: realm.to_owned(), service: service.map(str::to_owned) })
    }

    #[test]
    fn what_registries_ask_for_is_understood() {
        let docker = r#"Bearer realm="https://auth.docker.io/token",service="registry.docker.io""#;
        assert_eq!(Challenge::of([docker]), bearer("https://auth.docker.io/token", Some("registry.docker.io")));
        let loose = r#"bearer  Realm = "https://a/t,\"x\"" , scope=pull"#;
        assert_eq!(Challenge::of([loose]), bearer(r#"https://a/t,"x""#, None));
        assert_eq!(Challenge::of(["Basic realm=\"here\""]), Some(Challenge::Basic));
        for both in [vec![r#"Basic realm="x", Bearer realm="https://a/t""#], vec!["Basic", "Bearer realm=https://a/t"]]
        {
            assert_eq!(Challenge::of(both), bearer("https://a/t", None));
        }
    }

    #[test]
    fn what_nobody_understands_is_no_challenge() {
        for header in ["", "Negotiate abc==", "Bearer", "Bearer service=x", "=", "\"", "a=\"b", ",,,=,="] {
            assert_eq!(Challenge::of([header]), None, "{header}");
        }
    }
}
