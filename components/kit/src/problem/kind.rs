//! Kinds of problems: what programs tell apart, and what the documents list.

use http::StatusCode;

/// A kind of problem. Each is a constant beside the code that answers with it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Kind {
    /// The status of its answers.
    pub status: StatusCode,
    /// What its `type` ends in, `email-taken` for `/problems/email-taken`; `None` where the status says all that a
    /// program needs.
    pub name: Option<&'static str>,
    /// When it is answered and what to do about it: a sentence for the documents.
    pub meaning: &'static str,
}

impl Kind {
    /// A kind that programs may tell apart from others of its status.
    pub const fn named(status: StatusCode, name: &'static str, meaning: &'static str) -> Self {
        Self { status, name: Some(name), meaning }
    }

    /// A kind of which the status says all.
    pub const fn plain(status: StatusCode, meaning: &'static str) -> Self {
        Self { status, name: None, meaning }
    }

    /// The problem's `type`: a URI reference, `about:blank` where the status says it all.
    pub fn uri(&self) -> String {
        self.name.map_or_else(|| "about:blank".to_owned(), |name| format!("/problems/{name}"))
    }

    /// The kind in words.
    pub fn title(&self) -> String {
        let Some(name) = self.name else {
            return self.status.canonical_reason().unwrap_or("Error").to_owned();
        };
        let mut title = name.replace('-', " ");
        if let Some(first) = title.get_mut(0..1) {
            first.make_ascii_uppercase();
        }
        title
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_kind_has_a_uri_and_a_title() {
        let taken = Kind::named(StatusCode::CONFLICT, "email-taken", "");
        assert_eq!((taken.uri().as_str(), taken.title().as_str()), ("/problems/email-taken", "Email taken"));
        let plain = Kind::plain(StatusCode::NOT_FOUND, "");
        assert_eq!((plain.uri().as_str(), plain.title().as_str()), ("about:blank", "Not Found"));
    }
}
