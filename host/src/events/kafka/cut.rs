//! A dead letter that the brokers do not take as it came: most of it is left out, and it says so.

use rdkafka::{
    Message,
    message::{Header, OwnedMessage},
};

/// The header that says what was left out.
pub(super) const HEADER: &str = "dlq_cut";

/// What is kept of a value: enough to see what it was, and far below what brokers take.
const VALUE_BYTES: usize = 64 * 1024;

/// What is kept of a key.
const KEY_BYTES: usize = 1024;

/// The longest header that is kept; the attributes of an event are shorter.
const HEADER_BYTES: usize = 256;

/// How many of those are kept.
pub(super) const HEADERS: usize = 64;

/// What is kept of a message.
pub(super) struct Cut<'a> {
    pub key: Option<&'a [u8]>,
    pub value: Option<&'a [u8]>,
    /// What was left out.
    pub told: String,
}

impl<'a> Cut<'a> {
    pub(super) fn of(message: &'a OwnedMessage) -> Self {
        let told = format!(
            "of a value of {} bytes {VALUE_BYTES} are kept, of a key of {} bytes {KEY_BYTES}, and of the headers {HEADERS} of up to {HEADER_BYTES} bytes",
            message.payload().map_or(0, <[u8]>::len),
            message.key().map_or(0, <[u8]>::len),
        );
        let first = |bytes: &'a [u8], most: usize| bytes.get(..most).unwrap_or(bytes);
        Self {
            key: message.key().map(|key| first(key, KEY_BYTES)),
            value: message.payload().map(|value| first(value, VALUE_BYTES)),
            told,
        }
    }

    /// Whether a header of the message is kept.
    pub(super) fn keeps(&self, header: &Header<'_, &[u8]>) -> bool {
        header.key.len() + header.value.map_or(0, <[u8]>::len) <= HEADER_BYTES
    }
}

#[cfg(test)]
mod tests {
    use rdkafka::Timestamp;

    use super::*;

    #[test]
    fn what_is_long_is_cut_and_what_is_short_stays() {
        let message = |key: &[u8], value: Option<Vec<u8>>| {
            OwnedMessage::new(value, Some(key.to_vec()), "desk-events".to_owned(), Timestamp::NotAvailable, 0, 0, None)
        };
        let long = message(b"desk-1", Some(vec![b'7'; VALUE_BYTES + 1]));
        let cut = Cut::of(&long);
        assert_eq!((cut.key, cut.value.map(<[u8]>::len)), (Some(&b"desk-1"[..]), Some(VALUE_BYTES)));
        assert!(cut.told.starts_with("of a value of 65537 bytes 65536 are kept"), "{}", cut.told);
        let odd = message(&[b'k'; 2 * KEY_BYTES], None);
        let cut = Cut::of(&odd);
        assert_eq!((cut.key.map(<[u8]>::len), cut.value), (Some(KEY_BYTES), None));
        let header = |bytes: usize| cut.keeps(&Header { key: "ce_id", value: Some(vec![0; bytes].as_slice()) });
        assert!(header(36) && !header(HEADER_BYTES));
    }
}
