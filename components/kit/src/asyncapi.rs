//! The AsyncAPI document of a service, made from its code: the events that it publishes.
//!
//! An event's value is `{"type": …, "data": …}`; what surrounds it are the attributes of CloudEvents 1.0. Within a major
//! version of the document nothing is taken away and nothing changes its meaning; members may be added, so whoever reads
//! an event ignores what it does not know.

use serde_json::{Map, Value, json};
use utoipa::{
    ToSchema,
    openapi::{RefOr, Schema},
};

use crate::openapi::golden_text;

/// The version of the specification.
const ASYNCAPI: &str = "3.0.0";

/// A topic and what is published on it.
pub struct Topic {
    /// Its name: `order-events`.
    pub name: &'static str,
    /// Who publishes on it: `orders`. Events carry it as their source, `/orders`.
    pub publisher: &'static str,
    /// What it is about.
    pub description: &'static str,
    /// What the keys look like, up to the number in them: `order-`. Events of one key keep their order.
    pub key_prefix: &'static str,
    /// Its events.
    pub events: Vec<Event>,
}

/// A kind of event.
pub struct Event {
    kind: &'static str,
    meaning: &'static str,
    data: String,
    schemas: Vec<(String, RefOr<Schema>)>,
    always: Vec<&'static str>,
    example: Value,
}

impl Event {
    /// An event of this type, with data of type `T`.
    pub fn of<T: ToSchema>(kind: &'static str, meaning: &'static str, example: Value) -> Self {
        let data = T::name().into_owned();
        let mut schemas = vec![(data.clone(), T::schema())];
        T::schemas(&mut schemas);
        Self { kind, meaning, data, schemas, always: Vec::new(), example }
    }

    /// The same event, in whose data this member is never missing, though others of the same form lack it.
    pub fn always_with(mut self, member: &'static str) -> Self {
        self.always.push(member);
        self
    }

    /// The schema of the value.
    fn payload(&self) -> Value {
        let reference = json!({ "$ref": format!("#/components/schemas/{}", self.data) });
        let data = match self.always.is_empty() {
            true => reference,
            false => json!({ "allOf": [reference, { "required": self.always }] }),
        };
        json!({
            "type": "object",
            "description": self.meaning,
            "required": ["type", "data"],
            "properties": { "type": { "type": "string", "const": self.kind }, "data": data },
            "examples": [self.value()],
        })
    }

    fn value(&self) -> Value {
        json!({ "type": self.kind, "data": self.example })
    }
}

/// The document as it is committed, indented.
pub fn document(topic: &Topic) -> String {
    let channel = format!("#/channels/{}", topic.name);
    let refer = |place: &str| -> Map<String, Value> {
        let kinds = topic.events.iter().map(|event| event.kind);
        kinds.map(|kind| (kind.to_owned(), json!({ "$ref": format!("{place}/{kind}") }))).collect()
    };
    let messages: Map<String, Value> =
        topic.events.iter().map(|event| (event.kind.to_owned(), message(topic, event))).collect();
    let document = json!({
        "asyncapi": ASYNCAPI,
        "info": {
            "title": format!("Events of the {}", topic.publisher),
            "version": env!("CARGO_PKG_VERSION"),
            "description": topic.description,
            "license": { "name": "Apache-2.0" },
        },
        "defaultContentType": "application/json",
        "channels": { topic.name: {
            "address": topic.name,
            "title": topic.name,
            "description": topic.description,
            "messages": refer("#/components/messages"),
        }},
        "operations": { format!("publish-{}", topic.name): {
            "action": "send",
            "title": format!("Publish {}", topic.name),
            "summary": format!("The component `{}` publishes these.", topic.publisher),
            "channel": { "$ref": channel },
            "messages": refer(&format!("{channel}/messages")).values().collect::<Vec<_>>(),
        }},
        "components": { "messages": messages, "schemas": schemas(topic) },
    });
    golden_text(&document)
}

fn message(topic: &Topic, event: &Event) -> Value {
    json!({
        "name": event.kind,
        "title": event.kind,
        "summary": event.meaning,
        "contentType": "application/json",
        "headers": { "$ref": "#/components/schemas/EventHeaders" },
        "payload": { "$ref": format!("#/components/schemas/{}", event.kind) },
        "bindings": { "kafka": {
            "bindingVersion": "0.5.0",
            "key": {
                "type": "string",
                "pattern": format!("^{}[1-9][0-9]*$", topic.key_prefix),
                "description": "Events of one key keep their order.",
            },
        }},
        "examples": [{
            "name": event.kind.to_lowercase(),
            "headers": {
                "ce_id": "8e03978e-40d5-43e8-bc93-6894a57f9324",
                "ce_source": format!("/{}", topic.publisher),
                "ce_type": event.kind,
                "ce_time": "2026-11-24T09:30:00.123456Z",
            },
            "payload": event.value(),
        }],
    })
}

fn schemas(topic: &Topic) -> Map<String, Value> {
    let of_data = topic.events.iter().flat_map(|event| &event.schemas);
    let mut schemas: Map<String, Value> =
        of_data.map(|(name, schema)| (name.clone(), serde_json::to_value(schema).unwrap_or_default())).collect();
    schemas.extend(topic.events.iter().map(|event| (event.kind.to_owned(), event.payload())));
    schemas.insert("EventHeaders".to_owned(), headers());
    schemas
}

/// The attributes of CloudEvents 1.0 that every event has. A subscribing component gets them as the members of its event.
fn headers() -> Value {
    json!({
        "type": "object",
        "description": "The attributes of CloudEvents 1.0.",
        "required": ["ce_id", "ce_source", "ce_type", "ce_time"],
        "properties": {
            "ce_id": {
                "type": "string", "format": "uuid",
                "description": "The same each time the event is delivered, which is at least once.",
            },
            "ce_source": { "type": "string", "format": "uri-reference", "description": "The component that published it." },
            "ce_type": { "type": "string", "description": "What happened; the same as the value's `type`." },
            "ce_time": { "type": "string", "format": "date-time", "description": "When it happened, in UTC." },
            "traceparent": { "type": "string", "description": "W3C Trace Context of the request that caused it." },
        },
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(ToSchema)]
    #[expect(dead_code, reason = "it is there to be described")]
    struct Rained {
        millimetres: i64,
        wind: Option<String>,
    }

    fn described() -> Value {
        let rained = Event::of::<Rained>("RAINED", "It rained.", json!({"millimetres": 3})).always_with("wind");
        let topic =
            Topic { name: "weather", publisher: "sky", description: "", key_prefix: "place-", events: vec![rained] };
        serde_json::from_str(&document(&topic)).unwrap()
    }

    #[test]
    fn every_reference_leads_somewhere() {
        let document = described();
        let text = document.to_string();
        let references: Vec<&str> =
            text.split("\"$ref\":\"#").skip(1).filter_map(|rest| rest.split('"').next()).collect();
        assert!(references.len() > 4, "{text}");
        for reference in references {
            assert!(document.pointer(reference).is_some(), "{reference}");
        }
    }

    #[test]
    fn an_event_is_its_type_and_its_data() {
        let payload = described().pointer("/components/schemas/RAINED").cloned().unwrap();
        assert_eq!(payload["properties"]["type"]["const"], "RAINED");
        assert_eq!(payload["properties"]["data"]["allOf"][1]["required"], json!(["wind"]));
        assert_eq!(payload["examples"][0]["data"]["millimetres"], 3);
    }
}
