//! An event as a request: CloudEvents 1.0 in its binary mode
//! (<https://github.com/cloudevents/spec/blob/v1.0.2/cloudevents/bindings/http-protocol-binding.md>).

use std::fmt::Write;

use http::{HeaderMap, HeaderName, HeaderValue, header};

use crate::events::Event;

/// All of an event but its value, which is the body. Its key is `ce-partitionkey`; `ce-topic` and `ce-attempt` are attributes of
/// our own.
pub(super) fn headers(event: &Event, attempt: u32) -> HeaderMap {
    let mut headers = HeaderMap::new();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    let (id, attempt) = (event.id.to_string(), attempt.to_string());
    let request_id = format!("event-{id}");
    for (name, value) in [
        ("ce-specversion", "1.0"),
        ("ce-id", &*id),
        ("ce-source", &*event.source),
        ("ce-type", &*event.kind),
        ("ce-time", &*event.time),
        ("ce-topic", &*event.topic),
        ("ce-partitionkey", &*event.key),
        ("ce-attempt", &*attempt),
        ("x-request-id", &*request_id),
        ("traceparent", event.traceparent.as_deref().unwrap_or_default()),
    ] {
        headers.extend(encoded(value).map(|value| (HeaderName::from_static(name), value)));
    }
    headers
}

/// A value as section 3.1.3.2 has it: blanks, quotes, percent signs and all that is no printable ASCII are escaped, byte by byte.
/// None where it is empty, which no attribute may be.
fn encoded(value: &str) -> Option<HeaderValue> {
    let mut text = String::with_capacity(value.len());
    for byte in value.bytes() {
        match byte {
            b'"' | b'%' => _ = write!(text, "%{byte:02X}"),
            b'!'..=b'~' => text.push(char::from(byte)),
            _ => _ = write!(text, "%{byte:02X}"),
        }
    }
    HeaderValue::from_str(&text).ok().filter(|_| !text.is_empty())
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;

    #[test]
    fn an_event_stands_in_headers_with_what_they_cannot_hold_escaped() {
        let event = Event {
            id: Uuid::nil(),
            topic: "desk-events".to_owned(),
            key: "desk 100% \"ä\"\n".to_owned(),
            kind: "DESK_MOVED".to_owned(),
            source: "/desks".to_owned(),
            time: "2026-01-02T03:04:05.000000Z".to_owned(),
            traceparent: Some("00-aa-bb-01".to_owned()),
            value: "{}".to_owned(),
        };
        let headers = headers(&event, 3);
        for (name, value) in [
            ("content-type", "application/json"),
            ("ce-specversion", "1.0"),
            ("ce-id", "00000000-0000-0000-0000-000000000000"),
            ("ce-source", "/desks"),
            ("ce-type", "DESK_MOVED"),
            ("ce-time", "2026-01-02T03:04:05.000000Z"),
            ("ce-topic", "desk-events"),
            ("ce-partitionkey", "desk%20100%25%20%22%C3%A4%22%0A"),
            ("ce-attempt", "3"),
            ("x-request-id", "event-00000000-0000-0000-0000-000000000000"),
            ("traceparent", "00-aa-bb-01"),
        ] {
            assert_eq!(headers.get(name).unwrap(), value, "{name}");
        }
        assert_eq!(headers.len(), 11);
    }

    #[test]
    fn what_an_event_does_not_say_has_no_header() {
        let event = Event {
            id: Uuid::nil(),
            topic: "desk-events".to_owned(),
            key: String::new(),
            kind: "DESK_MOVED".to_owned(),
            source: "/desks".to_owned(),
            time: String::new(),
            traceparent: None,
            value: "{}".to_owned(),
        };
        let headers = headers(&event, 1);
        for name in ["ce-partitionkey", "ce-time", "traceparent"] {
            assert_eq!(headers.get(name), None, "{name}");
        }
    }
}
