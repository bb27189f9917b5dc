use chrono::{DateTime, SecondsFormat, Utc};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// One event, as a bus carries it. `id`, `source`, `kind` and `time` are the CloudEvents 1.0 attributes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Event {
    /// Unique; a subscriber's inbox remembers it.
    #[serde(with = "as_text")]
    pub id: Uuid,
    /// Where it is published.
    pub topic: String,
    /// Events of one key keep their order.
    pub key: String,
    /// What happened (CloudEvents `type`).
    #[serde(rename = "type")]
    pub kind: String,
    /// `/<component>` that published it.
    pub source: String,
    /// When it happened, RFC 3339 in UTC.
    pub time: String,
    /// The W3C trace context of the request that caused it.
    pub traceparent: Option<String>,
    /// JSON: `{"type": …, "data": …}`.
    pub value: String,
}

impl Event {
    /// A value of `type` and `data`. The data stay as the database wrote them: no number loses a digit on the way.
    pub(super) fn value_of(kind: &str, data: &str) -> String {
        format!("{{\"type\":{},\"data\":{data}}}", serde_json::Value::from(kind))
    }

    /// Bytes of it, more or less: those of its value and its key.
    pub(super) fn bytes(&self) -> usize {
        self.value.len() + self.key.len()
    }

    /// Where the events of a component come from, as `source` holds it.
    pub(super) fn source_of(component: &str) -> String {
        format!("/{component}")
    }

    /// A time as `time` holds it.
    pub(super) fn time_of(time: DateTime<Utc>) -> String {
        time.to_rfc3339_opts(SecondsFormat::Micros, true)
    }
}

/// An id as JSON has it.
mod as_text {
    use serde::{Deserialize, Deserializer, Serializer, de::Error};
    use uuid::Uuid;

    pub(super) fn serialize<S: Serializer>(id: &Uuid, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(id)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Uuid, D::Error> {
        Uuid::parse_str(&String::deserialize(deserializer)?).map_err(D::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_keeps_every_digit() {
        let value = Event::value_of("ORDER \"1\"", r#"{"price": 12345678901234567890.10}"#);
        assert_eq!(value, r#"{"type":"ORDER \"1\"","data":{"price": 12345678901234567890.10}}"#);
    }

    #[test]
    fn a_time_is_rfc_3339_in_utc() {
        let time = DateTime::from_timestamp(0, 1_000).unwrap();
        assert_eq!(Event::time_of(time), "1970-01-01T00:00:00.000001Z");
    }
}
