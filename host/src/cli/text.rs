//! Showing what somebody else has written: a terminal obeys what it is sent.

use serde::de::IgnoredAny;

/// The text with whatever a terminal might obey escaped: `\u{1b}`. Line breaks are escaped, too.
pub(super) fn harmless(text: &str) -> String {
    let mut harmless = String::with_capacity(text.len());
    for letter in text.chars() {
        if is_harmless(letter) {
            harmless.push(letter);
        } else {
            harmless.extend(letter.escape_default());
        }
    }
    harmless
}

/// JSON with a line for each member and element; other text as it is. No number changes on the way.
pub(super) fn pretty(text: &str) -> String {
    if serde_json::from_str::<IgnoredAny>(text).is_err() {
        return harmless(text);
    }
    let mut pretty = String::with_capacity(text.len() * 2);
    let mut depth = 0_usize;
    let (mut in_string, mut escaped) = (false, false);
    let mut letters = text.chars().filter(|letter| *letter != '\r' && *letter != '\n').peekable();
    while let Some(letter) = letters.next() {
        if in_string {
            pretty.push_str(&harmless(letter.encode_utf8(&mut [0; 4])));
            in_string = escaped || letter != '"';
            escaped = !escaped && letter == '\\';
            continue;
        }
        match letter {
            ' ' | '\t' => {}
            '{' | '[' => {
                pretty.push(letter);
                while letters.next_if(|next| *next == ' ' || *next == '\t').is_some() {}
                if let Some(end) = letters.next_if(|next| *next == '}' || *next == ']') {
                    pretty.push(end);
                } else {
                    depth += 1;
                    begin_line(&mut pretty, depth);
                }
            }
            '}' | ']' => {
                depth = depth.saturating_sub(1);
                begin_line(&mut pretty, depth);
                pretty.push(letter);
            }
            ',' => {
                pretty.push(letter);
                begin_line(&mut pretty, depth);
            }
            ':' => pretty.push_str(": "),
            other => {
                pretty.push(other);
                in_string = other == '"';
            }
        }
    }
    pretty
}

fn begin_line(text: &mut String, depth: usize) {
    text.push('\n');
    text.extend(std::iter::repeat_n("  ", depth));
}

/// Neither a control character nor one that turns the direction of what follows (UAX #9).
fn is_harmless(letter: char) -> bool {
    !letter.is_control()
        && !matches!(letter, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_terminal_might_obey_is_escaped() {
        assert_eq!(harmless("für \"7\"\n\x1b[31m\u{202e}"), "für \"7\"\\n\\u{1b}[31m\\u{202e}");
    }

    #[test]
    fn json_gets_a_line_for_each_member_and_keeps_its_digits() {
        let text = r#"{"a":[1,{"b" : 12345678901234567890.10}],"c":{},"d":[ ],"e":"x,{\"}"}"#;
        let lines = [
            "{",
            "  \"a\": [",
            "    1,",
            "    {",
            "      \"b\": 12345678901234567890.10",
            "    }",
            "  ],",
            "  \"c\": {},",
            "  \"d\": [],",
            "  \"e\": \"x,{\\\"}\"",
            "}",
        ];
        assert_eq!(pretty(text), lines.join("\n"));
        assert_eq!(pretty("{\"a\":\x1b"), "{\"a\":\\u{1b}");
    }
}
