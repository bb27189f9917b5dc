//! Bytes in JSON.

use base64::{Engine, prelude::BASE64_STANDARD};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error};

/// A `list<u8>`, written in base64: as a JSON array of numbers it would be four times as long.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Octets(pub Vec<u8>);

impl Serialize for Octets {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&BASE64_STANDARD.encode(&self.0))
    }
}

impl<'de> Deserialize<'de> for Octets {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        BASE64_STANDARD.decode(text).map(Self).map_err(D::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_survive_their_journey() {
        let bytes = Octets(vec![0, 255, b'a']);
        let text = serde_json::to_string(&bytes).unwrap();
        assert_eq!(text, r#""AP9h""#);
        assert_eq!(serde_json::from_str::<Octets>(&text).unwrap(), bytes);
        assert!(serde_json::from_str::<Octets>(r#""*""#).is_err());
    }
}
