//! The words of a statement, as PostgreSQL's lexer separates them from everything that is not one.

/// The words of a statement, without comments, strings, quoted names, numbers and punctuation.
#[derive(Clone)]
pub struct Words<'a> {
    rest: &'a str,
}

impl<'a> Iterator for Words<'a> {
    type Item = &'a str;

    fn next(&mut self) -> Option<&'a str> {
        loop {
            let first = *self.rest.as_bytes().first()?;
            match first {
                b'-' if self.rest.starts_with("--") => self.skip_line(),
                b'/' if self.rest.starts_with("/*") => self.skip_comment(),
                b'\'' => self.skip_quoted(b'\'', false),
                b'"' => self.skip_quoted(b'"', false),
                b'$' => self.skip_dollar(),
                b'0'..=b'9' => {
                    let _number = self.take_word();
                }
                b'e' | b'E' if self.rest.as_bytes().get(1) == Some(&b'\'') => {
                    self.skip_bytes(1);
                    self.skip_quoted(b'\'', true);
                }
                byte if byte.is_ascii_alphabetic() || byte == b'_' || byte >= 0x80 => {
                    return Some(self.take_word());
                }
                _ => self.skip_bytes(1),
            }
        }
    }
}

impl<'a> Words<'a> {
    /// Those of `sql`.
    pub fn of(sql: &'a str) -> Self {
        Self { rest: sql }
    }

    fn skip_bytes(&mut self, count: usize) {
        self.rest = self.rest.get(count..).unwrap_or("");
    }

    fn take_word(&mut self) -> &'a str {
        let is_part = |byte: &u8| byte.is_ascii_alphanumeric() || *byte == b'_' || *byte == b'$' || *byte >= 0x80;
        let length = self.rest.bytes().position(|byte| !is_part(&byte)).unwrap_or(self.rest.len());
        let (word, rest) = self.rest.split_at_checked(length).unwrap_or((self.rest, ""));
        self.rest = rest;
        word
    }

    fn skip_line(&mut self) {
        self.rest = self.rest.split_once('\n').map_or("", |(_, rest)| rest);
    }

    /// Skips a block comment; they nest.
    fn skip_comment(&mut self) {
        let bytes = self.rest.as_bytes();
        let (mut index, mut depth) = (2, 1_usize);
        while depth > 0 {
            match (bytes.get(index), bytes.get(index + 1)) {
                (Some(b'/'), Some(b'*')) => {
                    depth += 1;
                    index += 2;
                }
                (Some(b'*'), Some(b'/')) => {
                    depth -= 1;
                    index += 2;
                }
                (Some(_), _) => index += 1,
                (None, _) => break,
            }
        }
        self.rest = self.rest.get(index..).unwrap_or("");
    }

    fn skip_quoted(&mut self, quote: u8, backslash_escapes: bool) {
        let bytes = self.rest.as_bytes();
        let mut index = 1;
        while let Some(byte) = bytes.get(index) {
            if *byte == b'\\' && backslash_escapes {
                index += 2;
            } else if *byte != quote {
                index += 1;
            } else if bytes.get(index + 1) == Some(&quote) {
                index += 2;
            } else {
                break;
            }
        }
        self.rest = self.rest.get(index + 1..).unwrap_or("");
    }

    /// Skips `$tag$ … $tag$`, or the `$` of a parameter.
    fn skip_dollar(&mut self) {
        let body = self.rest.get(1..).unwrap_or("");
        let end = body.bytes().position(|byte| !(byte.is_ascii_alphanumeric() || byte == b'_' || byte >= 0x80));
        let tag = match end {
            Some(end) if body.as_bytes().get(end) == Some(&b'$') && !body.starts_with(|c: char| c.is_ascii_digit()) => {
                self.rest.get(..end + 2).unwrap_or("$")
            }
            _ => return self.skip_bytes(1),
        };
        let after = self.rest.get(tag.len()..).unwrap_or("");
        self.rest = after.split_once(tag).map_or("", |(_, rest)| rest);
    }
}
