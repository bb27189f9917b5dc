//! Strict reading: every key is known, every value has its type, and every fault is noted, not just the first.

use std::{cell::RefCell, path::Path};

use toml::{
    Spanned,
    de::{DeTable, DeValue},
};

use super::{fault::Fault, lines::Starts, name};

/// The file that is read, and the faults found in it so far.
pub(super) struct Document<'a> {
    pub(super) file: &'a Path,
    pub(super) starts: Starts,
    pub(super) faults: RefCell<Vec<Fault>>,
}

/// A value, where it stands, and its full name.
#[derive(Clone)]
pub(super) struct Node<'a> {
    document: &'a Document<'a>,
    name: String,
    line: usize,
    value: &'a DeValue<'a>,
}

/// A table whose keys have been checked.
pub(super) struct Section<'a> {
    pub(super) node: Node<'a>,
    table: &'a DeTable<'a>,
}

impl<'a> Node<'a> {
    /// The whole document.
    pub(super) fn root(document: &'a Document<'a>, value: &'a DeValue<'a>) -> Self {
        Self { document, name: String::new(), line: 1, value }
    }

    /// Notes a fault at this value.
    pub(super) fn fault(&self, message: impl Into<String>, remedy: impl Into<String>) {
        let fault = Fault::new(self.document.file, Some(self.line), message, remedy);
        self.document.faults.borrow_mut().push(fault);
    }

    /// Its name from the top: `component.orders.source`.
    pub(super) fn name(&self) -> &str {
        &self.name
    }

    /// Its line, from 1.
    pub(super) fn line(&self) -> usize {
        self.line
    }

    pub(super) fn is_string(&self) -> bool {
        self.value.is_str()
    }

    pub(super) fn is_table(&self) -> bool {
        self.value.is_table()
    }

    pub(super) fn is_list(&self) -> bool {
        self.value.is_array()
    }

    /// `[]`, `{}` or `""`: says nothing.
    pub(super) fn is_empty(&self) -> bool {
        match self.value {
            DeValue::Array(entries) => entries.is_empty(),
            DeValue::Table(table) => table.is_empty(),
            DeValue::String(text) => text.is_empty(),
            _ => false,
        }
    }

    pub(super) fn string(&self) -> Option<String> {
        self.value.as_str().map(str::to_owned).or_else(|| self.wrong("a text in quotes"))
    }

    pub(super) fn boolean(&self) -> Option<bool> {
        self.value.as_bool().or_else(|| self.wrong("`true` or `false`"))
    }

    /// A whole number in a range.
    pub(super) fn number(&self, least: u64, most: u64) -> Option<u64> {
        let expected = format!("a whole number from {least} to {most}");
        let Some(integer) = self.value.as_integer() else {
            return self.wrong(&expected);
        };
        match u64::from_str_radix(integer.as_str(), integer.radix()) {
            Ok(number) if (least..=most).contains(&number) => Some(number),
            _ => {
                self.fault(format!("`{}` is {integer}", self.name), format!("write {expected}"));
                None
            }
        }
    }

    /// The entries of a list.
    pub(super) fn list(&self) -> Vec<Node<'a>> {
        let Some(entries) = self.value.as_array() else {
            return self.wrong("a list in `[ ]`").unwrap_or_default();
        };
        entries.iter().map(|entry| self.child(self.name.clone(), entry.span().start, entry)).collect()
    }

    /// The texts of a list.
    pub(super) fn strings(&self) -> Vec<String> {
        self.list().iter().filter_map(Node::string).collect()
    }

    /// The entries of a table whose keys are free.
    pub(super) fn entries(&self) -> Vec<(String, Node<'a>)> {
        let Some(table) = self.value.as_table() else {
            return self.wrong("a table").unwrap_or_default();
        };
        table.iter().map(|(key, value)| self.entry(key, value)).collect()
    }

    /// A table with these keys and no others.
    pub(super) fn section(&self, known: &[&str]) -> Option<Section<'a>> {
        let Some(table) = self.value.as_table() else {
            return self.wrong("a table");
        };
        for (key, value) in table.iter() {
            let key_text = key.get_ref().as_ref();
            if !known.contains(&key_text) {
                let (_, node) = self.entry(key, value);
                node.fault(format!("unknown key `{}`", node.name), name::did_you_mean(key_text, known.iter().copied()));
            }
        }
        Some(Section { node: self.clone(), table })
    }

    fn entry(
        &self,
        key: &'a Spanned<std::borrow::Cow<'a, str>>,
        value: &'a Spanned<DeValue<'a>>,
    ) -> (String, Node<'a>) {
        let text = key.get_ref().to_string();
        let plain = text.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-'));
        let shown = if plain { text.clone() } else { format!("\"{text}\"") };
        let name = if self.name.is_empty() { shown } else { format!("{}.{shown}", self.name) };
        (text, self.child(name, key.span().start, value))
    }

    fn child(&self, name: String, at: usize, value: &'a Spanned<DeValue<'a>>) -> Node<'a> {
        Node { document: self.document, name, line: self.document.starts.line(at), value: value.get_ref() }
    }

    fn wrong<T>(&self, expected: &str) -> Option<T> {
        let found = match self.value {
            DeValue::String(_) => "a text",
            DeValue::Integer(_) => "a whole number",
            DeValue::Float(_) => "a decimal number",
            DeValue::Boolean(_) => "true or false",
            DeValue::Datetime(_) => "a date",
            DeValue::Array(_) => "a list",
            DeValue::Table(_) => "a table",
        };
        self.fault(format!("`{}` is {found}", self.name), format!("write {expected}"));
        None
    }
}

impl<'a> Section<'a> {
    /// The value of a key, where it is there.
    pub(super) fn get(&self, key: &str) -> Option<Node<'a>> {
        let (key, value) = self.table.iter().find(|(name, _)| name.get_ref() == key)?;
        Some(self.node.entry(key, value).1)
    }

    /// The value of a key that must be there; `example` shows how to write it.
    pub(super) fn require(&self, key: &str, example: &str) -> Option<Node<'a>> {
        let found = self.get(key);
        if found.is_none() {
            let place = match self.node.name.as_str() {
                "" => "the manifest".to_owned(),
                name => format!("`{name}`"),
            };
            self.node.fault(format!("{place} lacks the key `{key}`"), format!("add `{example}`"));
        }
        found
    }

    pub(super) fn string(&self, key: &str) -> Option<String> {
        self.get(key)?.string()
    }

    pub(super) fn strings(&self, key: &str) -> Vec<String> {
        self.get(key).map(|node| node.strings()).unwrap_or_default()
    }

    /// Refuses a key that Spin knows and this host does not serve, unless it says nothing.
    pub(super) fn refuse(&self, key: &str, remedy: &str) {
        if let Some(node) = self.get(key).filter(|node| !node.is_empty()) {
            node.fault(format!("`{}` is not served yet", node.name), remedy);
        }
    }
}
