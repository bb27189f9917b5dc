//! What serde lets pass in a JSON text: a name given twice, of which it would take the last, and the character that no
//! database column takes.

use std::{collections::HashSet, fmt};

use serde::de::{DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};

use crate::Faults;

/// Why a text with it is refused. PostgreSQL has no such character in its texts.
pub const NUL_FAULT: &str = "must not contain the character U+0000";
/// Why a name that stands twice is refused: nobody can know which of the two is meant (RFC 7493, 2.3).
pub const TWICE_FAULT: &str = "is given twice";

/// Reads over a JSON text that is known to be sound, and notes these faults with their places.
pub fn look_over(bytes: &[u8], faults: &mut Faults) -> Result<(), serde_json::Error> {
    let mut reader = serde_json::Deserializer::from_slice(bytes);
    Place { path: String::new(), faults }.deserialize(&mut reader)
}

struct Place<'a> {
    path: String,
    faults: &'a mut Faults,
}

impl Place<'_> {
    fn note(&mut self, detail: &str) {
        let field = if self.path.is_empty() { "body" } else { &self.path };
        self.faults.add(field, detail);
    }

    fn inside(&mut self, path: String) -> Place<'_> {
        Place { path, faults: self.faults }
    }
}

impl<'de> DeserializeSeed<'de> for Place<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Place<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_str<E: Error>(mut self, text: &str) -> Result<(), E> {
        if text.contains('\0') {
            self.note(NUL_FAULT);
        }
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(mut self, mut list: A) -> Result<(), A::Error> {
        let mut index = 0_usize;
        loop {
            let path = format!("{}[{index}]", self.path);
            if list.next_element_seed(self.inside(path))?.is_none() {
                return Ok(());
            }
            index += 1;
        }
    }

    fn visit_map<A: MapAccess<'de>>(mut self, mut object: A) -> Result<(), A::Error> {
        let mut names = HashSet::new();
        while let Some(name) = object.next_key::<String>()? {
            let path = if self.path.is_empty() { name.clone() } else { format!("{}.{name}", self.path) };
            let mut place = self.inside(path);
            if !names.insert(name) {
                place.note(TWICE_FAULT);
            }
            object.next_value_seed(place)?;
        }
        Ok(())
    }

    fn visit_bool<E: Error>(self, _: bool) -> Result<(), E> {
        Ok(())
    }

    fn visit_i64<E: Error>(self, _: i64) -> Result<(), E> {
        Ok(())
    }

    fn visit_u64<E: Error>(self, _: u64) -> Result<(), E> {
        Ok(())
    }

    fn visit_f64<E: Error>(self, _: f64) -> Result<(), E> {
        Ok(())
    }

    fn visit_unit<E: Error>(self) -> Result<(), E> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(text: &str) -> Vec<(String, String)> {
        let mut faults = Faults::new();
        look_over(text.as_bytes(), &mut faults).unwrap();
        faults.into_list().into_iter().map(|fault| (fault.field, fault.detail)).collect()
    }

    #[test]
    fn an_everyday_text_has_no_such_fault() {
        assert_eq!(
            found(r#"{"a":[1,2.5,-3,1e400,true,null,"x",{"b":{},"c":[]}],"b":123456789012345678901234567890}"#),
            []
        );
    }

    #[test]
    fn they_are_named_by_their_place() {
        let text = r#"{"a":"x\u0000","b":[{"c":1,"c":2},"\u0000"],"d":{"e":0,"f":1,"e":2}}"#;
        let places: Vec<String> = found(text).into_iter().map(|(place, _)| place).collect();
        assert_eq!(places, ["a", "b[0].c", "b[1]", "d.e"]);
        assert_eq!(found(r#""\u0000""#), [("body".to_owned(), NUL_FAULT.to_owned())]);
    }
}
