//! Which line of the file each key and list entry stands in.

use std::collections::BTreeMap;

use toml::{
    Spanned,
    de::{DeTable, DeValue},
};

/// Line numbers, from 1, by the path of keys that leads to a value. Entries of lists go by their number, from 0.
#[derive(Debug, Clone, Default)]
pub struct Lines(BTreeMap<Vec<String>, usize>);

impl Lines {
    /// Notes every key of a document.
    pub(super) fn read(text: &str, table: &DeTable<'_>) -> Self {
        let starts = Starts::of(text);
        let mut lines = BTreeMap::new();
        note_table(&starts, &mut Vec::new(), table, &mut lines);
        Self(lines)
    }

    /// The line of a key; where it is not there, that of the nearest table around it.
    pub fn of(&self, path: &[&str]) -> Option<usize> {
        let mut path: Vec<String> = path.iter().map(|key| (*key).to_owned()).collect();
        while !path.is_empty() {
            if let Some(line) = self.0.get(&path) {
                return Some(*line);
            }
            path.pop();
        }
        None
    }

    /// The line of a key, if it is there.
    pub fn exact(&self, path: &[&str]) -> Option<usize> {
        self.0.get(&path.iter().map(|key| (*key).to_owned()).collect::<Vec<_>>()).copied()
    }

    /// Lets everything under `from` be found under `to` as well: for a component written into its trigger.
    pub(super) fn graft(&mut self, from: &[&str], to: &[&str]) {
        let grafted: Vec<_> = self
            .0
            .iter()
            .filter(|(path, _)| path.iter().zip(from).filter(|(a, b)| a == *b).count() == from.len())
            .map(|(path, line)| {
                let rest = path.iter().skip(from.len()).cloned();
                (to.iter().map(|key| (*key).to_owned()).chain(rest).collect(), *line)
            })
            .collect();
        self.0.extend(grafted);
    }
}

/// Where each line of a text begins.
pub(super) struct Starts(Vec<usize>);

impl Starts {
    /// Reads a text's line breaks.
    pub(super) fn of(text: &str) -> Self {
        Self(std::iter::once(0).chain(text.match_indices('\n').map(|(at, _)| at + 1)).collect())
    }

    /// The line, from 1, in which a byte stands.
    pub(super) fn line(&self, byte: usize) -> usize {
        self.0.partition_point(|start| *start <= byte)
    }
}

fn note_table(starts: &Starts, path: &mut Vec<String>, table: &DeTable<'_>, lines: &mut BTreeMap<Vec<String>, usize>) {
    for (key, value) in table.iter() {
        note(starts, path, key.get_ref().as_ref(), key.span().start, value, lines);
    }
}

fn note(
    starts: &Starts,
    path: &mut Vec<String>,
    key: &str,
    at: usize,
    value: &Spanned<DeValue<'_>>,
    lines: &mut BTreeMap<Vec<String>, usize>,
) {
    path.push(key.to_owned());
    lines.insert(path.clone(), starts.line(at));
    match value.get_ref() {
        DeValue::Table(table) => note_table(starts, path, table, lines),
        DeValue::Array(entries) => {
            for (index, entry) in entries.iter().enumerate() {
                note(starts, path, &index.to_string(), entry.span().start, entry, lines);
            }
        }
        _ => {}
    }
    path.pop();
}
