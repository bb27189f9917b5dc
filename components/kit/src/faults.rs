//! What is wrong with an input, field by field.

use std::fmt::Display;

use serde::Serialize;
use utoipa::ToSchema;

/// How many faults one answer lists at most: every field of the largest body, an order of a hundred lines with two fields each,
/// and what stands beside the lines. Fields that nobody knows may be many more.
pub const FAULTS_MAX: usize = 256;

/// One wrong field.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct Fault {
    /// Where it stands: `email`, `items[0].quantity`.
    pub field: String,
    /// What is wrong and what would be right.
    pub detail: String,
}

/// The wrong fields of one input. The first fault of a field counts, for what is inside of it as well.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Faults {
    list: Vec<Fault>,
}

impl Faults {
    /// No fault so far.
    pub fn new() -> Self {
        Self::default()
    }

    /// Notes a fault, unless the field already has one or the list is full.
    pub fn add(&mut self, field: impl Into<String>, detail: impl Display) {
        let field = field.into();
        if self.list.len() < FAULTS_MAX && !self.has(&field) {
            self.list.push(Fault { field, detail: detail.to_string() });
        }
    }

    /// The value, or `None` after noting why there is none.
    pub fn take<T, E: Display>(&mut self, field: &str, result: Result<T, E>) -> Option<T> {
        result.map_err(|error| self.add(field, error)).ok()
    }

    /// The value of a field that must be there, or `None` after noting that it is missing.
    pub fn required<T>(&mut self, field: &str, value: Option<T>) -> Option<T> {
        if value.is_none() {
            self.add(field, "is required");
        }
        value
    }

    /// A required field, parsed.
    pub fn parse<R, T, E: Display>(
        &mut self,
        field: &str,
        value: Option<R>,
        parse: impl FnOnce(R) -> Result<T, E>,
    ) -> Option<T> {
        let value = self.required(field, value)?;
        self.take(field, parse(value))
    }

    /// A field that may be absent, parsed where it is there.
    pub fn parse_optional<R, T, E: Display>(
        &mut self,
        field: &str,
        value: Option<R>,
        parse: impl FnOnce(R) -> Result<T, E>,
    ) -> Option<T> {
        value.and_then(|value| self.take(field, parse(value)))
    }

    /// Notes the faults of a part of the input.
    pub fn extend(&mut self, others: Faults) {
        for fault in others.list {
            self.add(fault.field, fault.detail);
        }
    }

    /// Whether this field, or what holds it, already has a fault.
    pub fn has(&self, field: &str) -> bool {
        let holds = |outer: &str| field.strip_prefix(outer).is_some_and(|rest| rest.starts_with(['.', '[']));
        self.list.iter().any(|fault| fault.field == field || holds(&fault.field))
    }

    /// Whether nothing is wrong.
    pub fn is_empty(&self) -> bool {
        self.list.is_empty()
    }

    /// The faults in the order in which they were found.
    pub fn into_list(self) -> Vec<Fault> {
        self.list
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wrong_field_speaks_for_what_is_inside_of_it() {
        let mut faults = Faults::new();
        faults.add("items[1]", "must be an object");
        assert!(faults.has("items[1].quantity"));
        assert!(!faults.has("items[10].quantity") && !faults.has("items"));
    }

    #[test]
    fn the_first_fault_of_a_field_counts() {
        let mut faults = Faults::new();
        faults.add("name", "must be a string");
        assert_eq!(faults.required::<i64>("name", None), None);
        assert_eq!(faults.parse("age", Some("x"), str::parse::<i64>), None);
        let fields: Vec<_> = faults.into_list().into_iter().map(|f| f.field).collect();
        assert_eq!(fields, ["name", "age"]);
    }
}
