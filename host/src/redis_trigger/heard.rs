//! What a server sends to those who subscribed. Pure.

use redis::Value;

use crate::redis_connection::told;

/// What a server sends to those who subscribed.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Heard {
    /// One listens from now on.
    Subscribed,
    /// A message.
    Message(Vec<u8>),
    /// The server lets one not listen.
    Refused(String),
    /// That it is still there.
    Nothing,
}

impl From<Value> for Heard {
    fn from(value: Value) -> Self {
        let parts = match value {
            Value::ServerError(error) => return Self::Refused(told(&error)),
            Value::Array(parts) => parts,
            _ => return Self::Nothing,
        };
        let mut parts = parts.into_iter();
        match (parts.next(), parts.next(), parts.next()) {
            (Some(Value::BulkString(kind)), Some(_), Some(Value::BulkString(message))) if kind == b"message" => {
                Self::Message(message)
            }
            (Some(Value::BulkString(kind)), ..) if kind == b"subscribe" => Self::Subscribed,
            _ => Self::Nothing,
        }
    }
}

#[cfg(test)]
mod tests {
    use redis::parse_redis_value;

    use super::*;

    fn heard(sent: &str) -> Heard {
        parse_redis_value(sent.as_bytes()).unwrap().into()
    }

    #[test]
    fn messages_are_told_from_what_else_a_server_sends() {
        assert_eq!(heard("*3\r\n$9\r\nsubscribe\r\n$4\r\nnews\r\n:1\r\n"), Heard::Subscribed);
        assert_eq!(heard("*3\r\n$7\r\nmessage\r\n$4\r\nnews\r\n$5\r\nhello\r\n"), Heard::Message(b"hello".to_vec()));
        assert_eq!(heard("*3\r\n$7\r\nmessage\r\n$4\r\nnews\r\n$0\r\n\r\n"), Heard::Message(Vec::new()));
        assert_eq!(heard("*2\r\n$4\r\npong\r\n$0\r\n\r\n"), Heard::Nothing);
        let refused = heard("-NOPERM this user has no permissions\r\n");
        assert_eq!(refused, Heard::Refused("NOPERM this user has no permissions".to_owned()));
    }
}
