//! An address in the form of words: `host=db.example user=ada password='a b'`.

use super::{AddressError, Parts};

/// Reads libpq's `key = 'value'` words.
pub fn from_words(text: &str) -> Result<Parts, AddressError> {
    let mut parts = Parts::default();
    let mut rest = text.trim_start();
    while !rest.is_empty() {
        let (key, after) = rest.split_once('=').ok_or(AddressError::Form)?;
        let (value, after) = word(after.trim_start())?;
        parts.set(key.trim(), value)?;
        rest = after.trim_start();
    }
    Ok(parts)
}

/// One value, quoted or not, and what follows it.
fn word(text: &str) -> Result<(String, &str), AddressError> {
    let quoted = text.starts_with('\'');
    let body = if quoted { text.get(1..).unwrap_or("") } else { text };
    let mut value = String::new();
    let mut characters = body.char_indices();
    while let Some((index, character)) = characters.next() {
        match character {
            '\\' => value.extend(characters.next().map(|(_, escaped)| escaped)),
            '\'' if quoted => return Ok((value, body.get(index + 1..).unwrap_or(""))),
            other if !quoted && other.is_whitespace() => {
                return Ok((value, body.get(index..).unwrap_or("")));
            }
            other => value.push(other),
        }
    }
    if quoted { Err(AddressError::Form) } else { Ok((value, "")) }
}
