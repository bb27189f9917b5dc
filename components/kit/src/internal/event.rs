//! An event as it comes over HTTP, to those who subscribe to its topic.

use http::HeaderMap;
use serde::Deserialize;

/// One event: the record `event` of `plaza:events/subscriber`. It comes as a JSON object of these fields, or in the binary mode of
/// CloudEvents (<https://github.com/cloudevents/spec/blob/v1.0.2/cloudevents/bindings/http-protocol-binding.md>): its attributes
/// are headers, the body is its value. There `ce-topic` and `ce-attempt` are attributes of the shop's own, the key is
/// `ce-partitionkey`, and the trace `ce-traceparent` or else the header `traceparent`.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Event {
    /// UUID, the same each time the event is delivered.
    pub id: String,
    /// Where it was published: `order-events`.
    pub topic: String,
    /// Events of one key come in order.
    #[serde(default)]
    pub key: String,
    /// What happened: `ORDER_CREATED`.
    #[serde(rename = "type")]
    pub kind: String,
    /// Which component published it.
    #[serde(default)]
    pub source: String,
    /// When it happened, RFC 3339 in UTC.
    #[serde(default)]
    pub time: String,
    /// W3C trace context of the cause.
    #[serde(default)]
    pub traceparent: Option<String>,
    /// JSON: `{"type": …, "data": …}`.
    pub value: String,
    /// Which delivery this is, from 1.
    #[serde(default = "first")]
    pub attempt: u32,
}

/// Why an event was not taken in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Refusal {
    /// Not now; it may come again.
    Retry(String),
    /// Never.
    Reject(String),
}

impl Event {
    /// The event in a request, or what is wrong with it.
    pub(super) fn read(headers: &HeaderMap, body: &[u8]) -> Result<Self, String> {
        if !headers.contains_key("ce-id") {
            return serde_json::from_slice(body).map_err(|error| format!("The body is no event: {error}."));
        }
        let attribute = |name: &str| headers.get(name).and_then(|value| decoded(value.as_bytes()));
        let required =
            |name: &str| attribute(name).ok_or_else(|| format!("The header `{name}` is missing or no text."));
        let attempt = attribute("ce-attempt").map_or(Ok(first()), |text| text.parse());
        Ok(Self {
            id: required("ce-id")?,
            topic: required("ce-topic")?,
            key: attribute("ce-partitionkey").unwrap_or_default(),
            kind: required("ce-type")?,
            source: attribute("ce-source").unwrap_or_default(),
            time: attribute("ce-time").unwrap_or_default(),
            traceparent: attribute("ce-traceparent").or_else(|| attribute("traceparent")),
            value: String::from_utf8(body.to_vec()).map_err(|_| "The body is no text.".to_owned())?,
            attempt: attempt.map_err(|_| "The header `ce-attempt` is no number.".to_owned())?,
        })
    }
}

fn first() -> u32 {
    1
}

/// A header's value without the percent-encoding of the binding's section 3.1.3.2, where it is text.
fn decoded(value: &[u8]) -> Option<String> {
    let mut bytes = Vec::with_capacity(value.len());
    let mut rest = value;
    while let [byte, after @ ..] = rest {
        let escaped = after.get(..2).and_then(|digits| u8::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok());
        match escaped.filter(|_| *byte == b'%') {
            Some(escaped) => {
                bytes.push(escaped);
                rest = after.get(2..).unwrap_or_default();
            }
            None => {
                bytes.push(*byte);
                rest = after;
            }
        }
    }
    String::from_utf8(bytes).ok()
}

/// Gives an [`Event`] to the component's `plaza:events/subscriber`, whose bindings are in this module.
#[macro_export]
macro_rules! deliver {
    ($event:expr, $component:ty, $($module:ident)::+) => {{
        use $($module)::+ as subscriber;
        let $crate::internal::Event { id, topic, key, kind, source, time, traceparent, value, attempt } = $event;
        let event = subscriber::Event { id, topic, key, type_: kind, source, time, traceparent, value, attempt };
        <$component as subscriber::Guest>::handle(event).await.map_err(|failure| match failure {
            subscriber::Failure::Retry(why) => $crate::internal::Refusal::Retry(why),
            subscriber::Failure::Reject(why) => $crate::internal::Refusal::Reject(why),
        })
    }};
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(pairs: &[(&'static str, &'static str)]) -> HeaderMap {
        pairs.iter().map(|(name, value)| (name.parse().unwrap(), value.parse().unwrap())).collect()
    }

    #[test]
    fn an_event_may_be_one_json_object() {
        let body = br#"{"id": "1", "topic": "order-events", "type": "ORDER_CREATED", "value": "{}", "key": "order-1"}"#;
        let event = Event::read(&HeaderMap::new(), body).unwrap();
        assert_eq!((&*event.id, &*event.key, &*event.kind, event.attempt), ("1", "order-1", "ORDER_CREATED", 1));
        let faults = [r#"{"id": "1"}"#, "[]", "", r#"{"id":"1","topic":"t","type":"T","value":"{}","more":1}"#];
        for wrong in faults {
            assert!(Event::read(&HeaderMap::new(), wrong.as_bytes()).is_err(), "{wrong}");
        }
    }

    #[test]
    fn an_event_may_have_its_attributes_in_headers() {
        let sent = [
            ("ce-id", "1"),
            ("ce-topic", "order-events"),
            ("ce-type", "ORDER_CREATED"),
            ("ce-partitionkey", "order%2017"),
            ("ce-attempt", "3"),
            ("traceparent", "00-aa-bb-01"),
        ];
        let event = Event::read(&headers(&sent), b"{\"data\":1}").unwrap();
        assert_eq!((&*event.key, &*event.value, event.attempt), ("order 17", "{\"data\":1}", 3));
        assert_eq!(event.traceparent.as_deref(), Some("00-aa-bb-01"));
        let traced = headers(&[&sent[..], &[("ce-traceparent", "00-cc-dd-01")]].concat());
        assert_eq!(Event::read(&traced, b"").unwrap().traceparent.as_deref(), Some("00-cc-dd-01"));
        assert!(Event::read(&headers(&sent[..2]), b"{}").unwrap_err().contains("ce-type"));
        let uncounted = headers(&[&sent[..3], &[("ce-attempt", "often")]].concat());
        assert!(Event::read(&uncounted, b"{}").unwrap_err().contains("ce-attempt"));
    }

    #[test]
    fn what_is_no_escape_stays_as_it_is() {
        for (value, text) in [("100%", "100%"), ("%zz", "%zz"), ("%c3%A4%25", "ä%"), ("", ""), ("%2", "%2")] {
            assert_eq!(decoded(value.as_bytes()).as_deref(), Some(text), "{value}");
        }
        assert_eq!(decoded(b"%ff"), None);
    }
}
