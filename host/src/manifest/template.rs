//! Text with `{{ variable }}` in it.

use std::{collections::BTreeMap, fmt};

use super::name;

/// A value of the manifest that may name variables.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Template(Vec<Part>);

#[derive(Debug, Clone, PartialEq, Eq)]
enum Part {
    Text(String),
    Variable(String),
}

/// Why a template cannot be read or filled in.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TemplateError {
    /// `{{` without its `}}`.
    #[error("`{{{{` at character {at} is never closed; write `}}}}` after the variable's name")]
    Unclosed {
        /// Position of the opening braces, in characters from 1.
        at: usize,
    },
    /// What stands between the braces is no variable's name.
    #[error(
        "`{{{{ {name} }}}}` names no variable: a name has small letters, digits and single underscores and starts with a letter"
    )]
    BadName {
        /// What was found.
        name: String,
    },
    /// Nobody gave the variable a value.
    #[error("the variable `{name}` has no value; set it with `--variable {name}=…`")]
    Unset {
        /// The variable.
        name: String,
    },
}

impl Template {
    /// A text that names no variable, whatever stands in it.
    pub fn plain(text: &str) -> Self {
        Self(vec![Part::Text(text.to_owned())])
    }

    /// Reads a template; text without `{{` is one piece.
    pub fn parse(text: &str) -> Result<Self, TemplateError> {
        let mut parts = Vec::new();
        let mut rest = text;
        while let Some((before, after)) = rest.split_once("{{") {
            let Some((inside, following)) = after.split_once("}}") else {
                let read = text.len() - after.len() - 2;
                let at = text.get(..read).map_or(0, |head| head.chars().count()) + 1;
                return Err(TemplateError::Unclosed { at });
            };
            let name = inside.trim();
            if !name::is_variable(name) {
                return Err(TemplateError::BadName { name: name.to_owned() });
            }
            if !before.is_empty() {
                parts.push(Part::Text(before.to_owned()));
            }
            parts.push(Part::Variable(name.to_owned()));
            rest = following;
        }
        if !rest.is_empty() {
            parts.push(Part::Text(rest.to_owned()));
        }
        Ok(Self(parts))
    }

    /// The variables it names, in order, repeated where it repeats them.
    pub fn variables(&self) -> impl Iterator<Item = &str> {
        self.0.iter().filter_map(|part| match part {
            Part::Variable(name) => Some(name.as_str()),
            Part::Text(_) => None,
        })
    }

    /// The text itself where it names no variable.
    pub fn as_plain(&self) -> Option<&str> {
        match self.0.as_slice() {
            [] => Some(""),
            [Part::Text(text)] => Some(text),
            _ => None,
        }
    }

    /// The text with every variable replaced by its value.
    pub fn resolve(&self, values: &BTreeMap<String, String>) -> Result<String, TemplateError> {
        self.fill(|name| values.get(name).map(String::as_str))
    }

    /// As [`Self::resolve`], with a function that knows the values.
    pub fn fill<'a>(&self, value: impl Fn(&str) -> Option<&'a str>) -> Result<String, TemplateError> {
        let mut filled = String::new();
        for part in &self.0 {
            match part {
                Part::Text(text) => filled.push_str(text),
                Part::Variable(name) => {
                    let value = value(name).ok_or_else(|| TemplateError::Unset { name: name.clone() })?;
                    filled.push_str(value);
                }
            }
        }
        Ok(filled)
    }
}

impl fmt::Display for Template {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|part| match part {
            Part::Text(text) => formatter.write_str(text),
            Part::Variable(name) => write!(formatter, "{{{{ {name} }}}}"),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn values() -> BTreeMap<String, String> {
        [("host", "db.example"), ("port", "5432")].map(|(name, value)| (name.to_owned(), value.to_owned())).into()
    }

    #[test]
    fn variables_are_replaced_wherever_they_stand() {
        let template = Template::parse("postgres://{{ host }}:{{port}}/x").unwrap();
        assert_eq!(template.variables().collect::<Vec<_>>(), ["host", "port"]);
        assert_eq!(template.resolve(&values()).unwrap(), "postgres://db.example:5432/x");
        assert_eq!(Template::parse("{{host}}{{host}}").unwrap().resolve(&values()).unwrap(), "db.exampledb.example");
    }

    #[test]
    fn plain_text_stays_as_it_is() {
        for text in ["", "x", "{ \"json\": {} }", "}} {"] {
            let template = Template::parse(text).unwrap();
            assert_eq!(template.as_plain(), Some(text));
            assert_eq!(template.resolve(&BTreeMap::new()).unwrap(), text);
            assert_eq!(template.to_string(), text);
        }
    }

    #[test]
    fn an_open_brace_tells_where_it_stands() {
        assert_eq!(Template::parse("é{{ host }} {{ port"), Err(TemplateError::Unclosed { at: 13 }));
    }

    #[test]
    fn what_is_no_name_is_refused() {
        for text in ["{{ }}", "{{ Host }}", "{{ a-b }}", "{{ 1a }}", "{{ a b }}", "{{ a__b }}", "{{ _a }}"] {
            assert!(matches!(Template::parse(text), Err(TemplateError::BadName { .. })), "{text}");
        }
    }

    #[test]
    fn a_variable_without_value_is_named() {
        let template = Template::parse("{{ token }}").unwrap();
        assert_eq!(template.resolve(&values()), Err(TemplateError::Unset { name: "token".into() }));
    }
}
