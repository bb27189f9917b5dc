//! Reading an object field by field, so that one answer names every field that cannot be read.

use serde::de::DeserializeOwned;
use serde_json::{Map, Value};
use serde_path_to_error::Segment;

use crate::{Faults, Problem, faults::FAULTS_MAX};

/// A JSON body that was read but not yet checked, for inputs whose check depends on more than themselves. What could not
/// be read is remembered, so that [`Unchecked::check`] tells of it beside everything else.
#[derive(Debug)]
pub struct Unchecked<T> {
    /// What could be read; `None` where nothing could.
    raw: Option<T>,
    faults: Faults,
}

impl<T> Unchecked<T> {
    /// The same input, of which these faults are known already.
    pub(super) fn noting(mut self, known: Faults) -> Self {
        let found = std::mem::replace(&mut self.faults, known);
        self.faults.extend(found);
        self
    }

    /// The sound input, or a problem with every fault: of reading it, and of the check.
    pub fn check<C>(mut self, check: impl FnOnce(T, &mut Faults) -> Option<C>) -> Result<C, Problem> {
        match self.raw.and_then(|raw| check(raw, &mut self.faults)) {
            Some(value) if self.faults.is_empty() => Ok(value),
            _ => Err(Problem::invalid(self.faults)),
        }
    }
}

/// What to do with fields that the input does not know.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unknown {
    /// They are faults.
    Refused,
    /// They are read over.
    Ignored,
}

/// Reads field by field: a field that cannot be read is noted and left out, and the rest is read again, so that one
/// answer names all of them.
pub fn read_fields<T: DeserializeOwned>(fields: Map<String, Value>, unknown: Unknown) -> Unchecked<T> {
    let mut faults = Faults::new();
    let mut input = Value::Object(fields);
    for _ in 0..=FAULTS_MAX {
        let error = match serde_path_to_error::deserialize::<_, T>(&input) {
            Ok(raw) => return Unchecked { raw: Some(raw), faults },
            Err(error) => error,
        };
        let message = error.inner().to_string();
        let mut path: Vec<Segment> = error.path().iter().cloned().collect();
        let stranger = unknown_name(&message);
        if let Some(name) = stranger {
            name_last(&mut path, name);
        }
        if stranger.is_none() || unknown == Unknown::Refused {
            faults.add(spelled(&path), message);
        }
        if !remove(&mut input, &path) {
            break;
        }
    }
    Unchecked { raw: None, faults }
}

/// The name in serde's message about a field that it does not know.
fn unknown_name(message: &str) -> Option<&str> {
    let rest = message.strip_prefix("unknown field `")?;
    rest.split('`').next()
}

/// Makes the path end in the unknown field, whether or not it already did.
fn name_last(path: &mut Vec<Segment>, name: &str) {
    let named = matches!(path.last(), Some(Segment::Map { key }) if key == name);
    if !named {
        path.push(Segment::Map { key: name.to_owned() });
    }
}

/// `items[0].quantity`.
fn spelled(path: &[Segment]) -> String {
    let mut text = String::new();
    for segment in path {
        match segment {
            Segment::Seq { index } => text.push_str(&format!("[{index}]")),
            Segment::Map { key } | Segment::Enum { variant: key } => {
                if !text.is_empty() {
                    text.push('.');
                }
                text.push_str(key);
            }
            Segment::Unknown => {}
        }
    }
    if text.is_empty() { "body".to_owned() } else { text }
}

/// Takes the value at this path out of its object; `false` where there is none to take. In a list it leaves an empty
/// object behind, so that the places of the others stay the same; where that cannot be read either, the list goes.
fn remove(input: &mut Value, path: &[Segment]) -> bool {
    let Some((last, way)) = path.split_last() else {
        return false;
    };
    let mut place = &mut *input;
    for segment in way {
        let next = match segment {
            Segment::Map { key } => place.get_mut(key),
            Segment::Seq { index } => place.get_mut(index),
            _ => None,
        };
        match next {
            Some(next) => place = next,
            None => return false,
        }
    }
    match (last, place) {
        (Segment::Map { key }, Value::Object(fields)) => fields.remove(key).is_some(),
        (Segment::Seq { index }, Value::Array(list)) => match list.get_mut(*index) {
            Some(Value::Object(fields)) if fields.is_empty() => remove(input, way),
            Some(element) => {
                *element = Value::Object(Map::new());
                true
            }
            None => false,
        },
        _ => false,
    }
}
