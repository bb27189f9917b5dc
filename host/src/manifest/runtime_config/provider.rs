//! `[[variables_provider]]`: who sets the manifest's variables, beside the command line.

use std::{collections::BTreeMap, fmt, path::PathBuf};

use super::super::{
    name,
    section::{Node, Section},
};

/// Whom the values of variables are asked of.
#[derive(Clone, PartialEq, Eq)]
pub enum Provider {
    /// The environment.
    Environment {
        /// `<prefix>_<NAME>` sets the variable `<name>`.
        prefix: String,
        /// Where the environment does not say, lines of this file do.
        file: Option<PathBuf>,
    },
    /// The runtime config itself, by the variables' names.
    Fixed(BTreeMap<String, String>),
}

/// Without the values: they may be secrets.
impl fmt::Debug for Provider {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Environment { prefix, file } => {
                formatter.debug_struct("Environment").field("prefix", prefix).field("file", file).finish()
            }
            Self::Fixed(values) => formatter.debug_tuple("Fixed").field(&values.keys()).finish(),
        }
    }
}

/// What the names of environment variables begin with, where nothing says otherwise.
pub const PREFIX: &str = "SPIN_VARIABLE";

const KEYS: [&str; 2] = ["variables_provider", "config_provider"];
const TYPES: [&str; 2] = ["env", "static"];
const REFUSED: &[&str] = &["vault", "open_bao", "azure_key_vault"];

/// The providers, the first that has a value counting. The older key is read where the newer is not there.
pub(super) fn read(root: &Section<'_>) -> Vec<Provider> {
    let [newer, older] = KEYS.map(|key| root.get(key));
    if let (Some(_), Some(older)) = (&newer, &older) {
        older.fault("`config_provider` is an older name of `variables_provider`", "write all of them under the newer");
    }
    let providers = newer.or(older).map(|node| node.list()).unwrap_or_default();
    providers.iter().filter_map(provider).collect()
}

fn provider(node: &Node<'_>) -> Option<Provider> {
    let entries = node.entries();
    let Some((_, kind)) = entries.iter().find(|(key, _)| key == "type") else {
        node.fault(format!("`{}` lacks the key `type`", node.name()), "add `type = \"env\"`, or `\"static\"`");
        return None;
    };
    match kind.string()?.as_str() {
        "env" => environment(node),
        "static" => fixed(node),
        // What else stands there belongs to that type.
        other if REFUSED.contains(&other) => {
            kind.fault(
                format!("the type `{other}` is not served yet"),
                "let what starts this host ask for its secrets, and set SPIN_VARIABLE_<NAME> or `--variable name=@file`",
            );
            None
        }
        other => {
            kind.fault(format!("unknown type `{other}`"), name::did_you_mean(other, TYPES));
            None
        }
    }
}

fn environment(node: &Node<'_>) -> Option<Provider> {
    let section = node.section(&["type", "prefix", "dotenv_path"])?;
    let prefix = section.string("prefix").unwrap_or_else(|| PREFIX.to_owned());
    // As under Spin: from the working folder.
    let file = section.string("dotenv_path").map(PathBuf::from);
    Some(Provider::Environment { prefix, file })
}

fn fixed(node: &Node<'_>) -> Option<Provider> {
    let section = node.section(&["type", "values"])?;
    let values = section.require("values", "values = { name = \"value\" }")?.entries();
    Some(Provider::Fixed(values.into_iter().filter_map(|(name, node)| Some((name, node.string()?))).collect()))
}
