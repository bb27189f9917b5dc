use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::events::Event;

/// An event that a component rejected, or what was to be one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeadLetter {
    /// What it is called; it stays so.
    pub name: String,
    /// The component.
    pub component: String,
    /// The topic that it was published on.
    pub topic: String,
    /// What keeps its order.
    pub key: String,
    /// The event, or why there is none to be read.
    pub event: Result<Event, String>,
    /// Why it is here: what the component said last.
    pub reason: String,
    /// Since when.
    pub at: DateTime<Utc>,
    /// How often it was replayed and came back.
    pub replays: u32,
    /// What stood beside it on a topic, in its order; escaped where it is no text.
    pub headers: Vec<(String, String)>,
    /// What it says.
    pub body: Body,
}

/// What a message says.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Body {
    /// Nothing.
    #[default]
    Nothing,
    /// Text.
    Text(String),
    /// Bytes that are no text, escaped as a literal of Rust is: `\xff`.
    Escaped(String),
}

impl Body {
    /// What these bytes say.
    pub fn of(bytes: Option<&[u8]>) -> Self {
        match bytes.map(|bytes| (bytes, str::from_utf8(bytes))) {
            None => Self::Nothing,
            Some((_, Ok(text))) => Self::Text(text.to_owned()),
            Some((bytes, Err(_))) => Self::Escaped(bytes.escape_ascii().to_string()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_that_are_no_text_are_escaped() {
        assert_eq!(Body::of(None), Body::Nothing);
        assert_eq!(Body::of(Some("für".as_bytes())), Body::Text("für".to_owned()));
        assert_eq!(Body::of(Some(b"a\xff\n")), Body::Escaped(r"a\xff\n".to_owned()));
    }
}
