//! What can be read off an operation's form, and which problems follow from it.

use serde_json::{Map, Value};

use crate::problem::{Kind, kinds};

/// An operation's form.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Facts {
    /// An access token may be sent, or has to be.
    takes_token: bool,
    /// The token has to be an administrator's.
    for_admins: bool,
    /// The path names something.
    names_something: bool,
    /// There are parameters in the query.
    has_query: bool,
    /// A body is taken.
    has_body: bool,
    /// The body is read as JSON of one schema. One that is taken as it stands has its schema written out in place.
    reads_json: bool,
    /// It may be made to depend on a version.
    has_if_match: bool,
    /// It is done once for each key.
    pub has_idempotency_key: bool,
}

impl Facts {
    /// What this operation's description tells.
    pub fn of(operation: &Map<String, Value>) -> Self {
        let requirements = operation.get("security").and_then(Value::as_array);
        let roles: Vec<&Value> =
            requirements.into_iter().flatten().filter_map(|requirement| requirement.get("bearer")).collect();
        let for_admins = roles.iter().filter_map(|roles| roles.as_array()).flatten().any(|role| role == "admin");
        let parameters = operation.get("parameters").and_then(Value::as_array);
        let has = |place: &str, name: Option<&str>| {
            parameters.into_iter().flatten().any(|parameter| {
                parameter.get("in").is_some_and(|at| at == place)
                    && name.is_none_or(|name| parameter.get("name").is_some_and(|it| it == name))
            })
        };
        let body = operation.get("requestBody");
        let reference = body.and_then(|body| body.pointer("/content/application~1json/schema/$ref"));
        Self {
            takes_token: !roles.is_empty(),
            for_admins,
            names_something: has("path", None),
            has_query: has("query", None),
            has_body: body.is_some(),
            reads_json: reference.is_some(),
            has_if_match: has("header", Some("If-Match")),
            has_idempotency_key: has("header", Some("Idempotency-Key")),
        }
    }

    /// The problems that follow.
    pub fn kinds(&self) -> Vec<Kind> {
        let table: [(bool, &[Kind]); 9] = [
            (self.takes_token, &[kinds::UNAUTHORIZED]),
            (self.for_admins, &[kinds::ADMINS_ONLY]),
            (self.names_something, &[kinds::NOT_FOUND]),
            (self.reads_json, &[kinds::NO_JSON, kinds::NOT_JSON]),
            (self.has_body, &[kinds::TOO_LARGE]),
            (self.reads_json || self.has_query, &[kinds::INVALID_INPUT]),
            (self.has_if_match, &[kinds::NO_ENTITY_TAG, kinds::CHANGED]),
            (
                self.has_idempotency_key,
                &[
                    kinds::IDEMPOTENCY_KEY_MISSING,
                    kinds::NO_IDEMPOTENCY_KEY,
                    kinds::REQUEST_IN_FLIGHT,
                    kinds::IDEMPOTENCY_KEY_REUSED,
                ],
            ),
            (true, &[kinds::INTERNAL, kinds::UNAVAILABLE, kinds::TOO_SLOW]),
        ];
        table.into_iter().filter(|(holds, _)| *holds).flat_map(|(_, kinds)| kinds.iter().copied()).collect()
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn statuses(operation: Value) -> Vec<u16> {
        let facts = Facts::of(operation.as_object().unwrap());
        let mut statuses: Vec<u16> = facts.kinds().iter().map(|kind| kind.status.as_u16()).collect();
        statuses.sort_unstable();
        statuses.dedup();
        statuses
    }

    #[test]
    fn whatever_an_operation_takes_may_be_wrong() {
        assert_eq!(statuses(json!({})), [500, 503, 504]);
        let read = json!({"security": [{"bearer": ["admin"]}], "parameters": [{"in": "path", "name": "id"}]});
        assert_eq!(statuses(read), [401, 403, 404, 500, 503, 504]);
        let list = json!({"security": [{}, {"bearer": []}], "parameters": [{"in": "query", "name": "limit"}]});
        assert_eq!(statuses(list), [401, 422, 500, 503, 504]);
        let write = json!({
            "parameters": [{"in": "header", "name": "If-Match"}, {"in": "header", "name": "Idempotency-Key"}],
            "requestBody": {"content": {"application/json": {"schema": {"$ref": "#/x"}}}},
        });
        assert_eq!(statuses(write), [400, 409, 412, 413, 415, 422, 500, 503, 504]);
        let raw = json!({"requestBody": {"content": {"application/json": {"schema": {"type": "object"}}}}});
        assert_eq!(statuses(raw), [413, 500, 503, 504]);
    }
}
