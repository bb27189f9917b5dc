//! An event as a message: key, value, and the attributes of CloudEvents 1.0 in headers (the binary mode of its Kafka binding).

use chrono::DateTime;
use rdkafka::{
    Message,
    message::{Header, Headers, OwnedHeaders},
};
use serde::de::IgnoredAny;
use uuid::Uuid;

use crate::events::Event;

/// The headers of an event.
pub(super) fn headers(event: &Event) -> OwnedHeaders {
    let id = event.id.to_string();
    let always = [
        ("ce_specversion", "1.0"),
        ("ce_id", &id),
        ("ce_source", &event.source),
        ("ce_type", &event.kind),
        ("ce_time", &event.time),
        ("content-type", "application/json"),
    ];
    let trace = event.traceparent.as_deref().map(|parent| ("traceparent", parent));
    always.into_iter().chain(trace).fold(OwnedHeaders::new_with_capacity(7), |headers, (key, value)| {
        headers.insert(Header { key, value: Some(value) })
    })
}

/// The event in a message, whoever wrote it; or why there is none.
pub(super) fn read(message: &impl Message) -> Result<Event, String> {
    let attribute = |name: &str| header(message, name)?.ok_or_else(|| format!("the header `{name}` is missing"));
    if let Some(version) = header(message, "ce_specversion")?
        && !version.starts_with("1.")
    {
        return Err(format!("`ce_specversion` is {version:?}, not 1.0"));
    }
    let id = attribute("ce_id")?;
    let id = Uuid::parse_str(&id).map_err(|_| format!("`ce_id` is {id:?}, not a UUID"))?;
    let (kind, source) = (attribute("ce_type")?, attribute("ce_source")?);
    let time = match header(message, "ce_time")? {
        Some(time) if DateTime::parse_from_rfc3339(&time).is_err() => {
            return Err(format!("`ce_time` is {time:?}, not a time of RFC 3339"));
        }
        Some(time) => time,
        // CloudEvents leaves it to the producer whether there is one; the broker's own says nearly the same.
        None => message
            .timestamp()
            .to_millis()
            .and_then(DateTime::from_timestamp_millis)
            .map_or_else(|| Event::time_of(DateTime::UNIX_EPOCH), Event::time_of),
    };
    let key = match message.key() {
        Some(key) => str::from_utf8(key).map_err(|_| "the key is not UTF-8")?.to_owned(),
        None => id.to_string(),
    };
    let value = message.payload().ok_or("there is no value")?;
    let value = str::from_utf8(value).map_err(|_| "the value is not UTF-8")?;
    serde_json::from_str::<IgnoredAny>(value).map_err(|error| format!("the value is not JSON: {error}"))?;
    Ok(Event {
        id,
        topic: message.topic().to_owned(),
        key,
        kind,
        source,
        time,
        traceparent: header(message, "traceparent")?,
        value: value.to_owned(),
    })
}

/// The text of a header.
fn header(message: &impl Message, name: &str) -> Result<Option<String>, String> {
    let Some(headers) = message.headers() else { return Ok(None) };
    let found = headers.iter().find(|header| header.key.eq_ignore_ascii_case(name));
    let Some(value) = found.and_then(|header| header.value) else { return Ok(None) };
    let text = str::from_utf8(value).map_err(|_| format!("the header `{name}` is not UTF-8"))?;
    Ok(Some(text.to_owned()))
}

#[cfg(test)]
mod tests {
    use rdkafka::{Timestamp, message::OwnedMessage};

    use super::*;

    fn event() -> Event {
        Event {
            id: Uuid::from_u128(7),
            topic: "desk-events".to_owned(),
            key: "desk-1".to_owned(),
            kind: "DESK_MOVED".to_owned(),
            source: "/desks".to_owned(),
            time: "2026-01-02T03:04:05.000006Z".to_owned(),
            traceparent: Some("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01".to_owned()),
            value: r#"{"type":"DESK_MOVED","data":{}}"#.to_owned(),
        }
    }

    fn message(key: Option<&str>, value: Option<&[u8]>, headers: OwnedHeaders) -> OwnedMessage {
        let time = Timestamp::CreateTime(1_000);
        let (value, key) = (value.map(<[u8]>::to_vec), key.map(|key| key.as_bytes().to_vec()));
        OwnedMessage::new(value, key, "desk-events".to_owned(), time, 0, 0, Some(headers))
    }

    fn with(names: &[(&str, &str)]) -> OwnedHeaders {
        names
            .iter()
            .fold(OwnedHeaders::new(), |headers, (key, value)| headers.insert(Header { key, value: Some(*value) }))
    }

    #[test]
    fn what_is_written_is_read_again() {
        let event = event();
        let written = message(Some(&event.key), Some(event.value.as_bytes()), headers(&event));
        assert_eq!(read(&written), Ok(event));
    }

    #[test]
    fn what_need_not_be_there_is_made_up_for() {
        let id = Uuid::from_u128(7).to_string();
        let least = with(&[("ce_id", &id), ("ce_type", "DESK_MOVED"), ("ce_source", "urn:elsewhere")]);
        let event = read(&message(None, Some(b"{}"), least)).unwrap();
        assert_eq!((event.key, event.time.as_str(), event.traceparent), (id, "1970-01-01T00:00:01.000000Z", None));
    }

    #[test]
    fn what_cannot_be_read_says_why() {
        let id = Uuid::from_u128(7).to_string();
        let sound = [("ce_id", id.as_str()), ("ce_type", "DESK_MOVED"), ("ce_source", "/desks")];
        type Case<'a> = (&'a [(&'a str, &'a str)], Option<&'a [u8]>, &'a str);
        let cases: [Case<'_>; 8] = [
            (&sound[1..], Some(b"{}"), "the header `ce_id` is missing"),
            (&[("ce_id", "7"), sound[1], sound[2]], Some(b"{}"), "not a UUID"),
            (&sound[..2], Some(b"{}"), "`ce_source` is missing"),
            (&[sound[0], sound[1], sound[2], ("ce_specversion", "2.0")], Some(b"{}"), "not 1.0"),
            (&[sound[0], sound[1], sound[2], ("ce_time", "yesterday")], Some(b"{}"), "not a time"),
            (&sound, None, "there is no value"),
            (&sound, Some(b"\xff"), "not UTF-8"),
            (&sound, Some(b"{\"type\":"), "not JSON"),
        ];
        for (headers, value, reason) in cases {
            let error = read(&message(Some("key"), value, with(headers))).unwrap_err();
            assert!(error.contains(reason), "{error} instead of {reason}");
        }
    }
}
