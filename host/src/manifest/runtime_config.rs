//! The runtime config, Spin's second file: where the stores and databases are that a manifest only names, who sets its variables,
//! and which networks no component may connect to.
//!
//! It belongs to whoever runs an application, as the manifest belongs to whoever wrote it.

mod bounds;
mod provider;

use std::{
    cell::RefCell,
    collections::BTreeMap,
    path::{Path, PathBuf},
    sync::Arc,
};

pub use provider::{PREFIX, Provider};
use toml::de::{DeTable, DeValue};

use super::{
    Fault, Reading,
    lines::Starts,
    name,
    section::{Document, Node, Section},
    syntax_faults,
};
use crate::{blocked_networks::BlockedNetworks, redis_connection::RedisAddress};

/// What a runtime config says; the default is one that says nothing.
#[derive(Debug, Clone, Default)]
pub struct RuntimeConfig {
    /// Key-value stores by name.
    pub key_value_stores: BTreeMap<String, StorePlace>,
    /// SQLite databases by name.
    pub sqlite_databases: BTreeMap<String, Place>,
    /// Where no component may connect to.
    pub blocked_networks: Arc<BlockedNetworks>,
    /// Who sets variables, the strongest first.
    pub providers: Vec<Provider>,
    /// Tables that are served in another way than they say, without a loss.
    pub passed_over: Vec<&'static str>,
}

/// Where a key-value store is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum StorePlace {
    /// With SQLite.
    Sqlite(Place),
    /// On a Redis server.
    Redis(RedisAddress),
    /// In the host's own database, which Spin has not.
    Postgres,
}

/// Where a database is kept, and what else SQLite keeps.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Place {
    /// In memory: it ends with the host.
    Memory,
    /// In a file of SQLite.
    File(PathBuf),
}

impl RuntimeConfig {
    /// Whether a store is kept in the host's own database.
    pub fn keeps_in_postgres(&self) -> bool {
        self.key_value_stores.values().any(|place| *place == StorePlace::Postgres)
    }
}

impl Place {
    /// Its file, if it has one.
    pub fn path(&self) -> Option<&Path> {
        match self {
            Self::Memory => None,
            Self::File(path) => Some(path),
        }
    }
}

/// The store and the database that need no description.
pub const DEFAULT: &str = "default";

const TOP: &[&str] = &[
    "key_value_store",
    "sqlite_database",
    "state_dir",
    "log_dir",
    "variables_provider",
    "config_provider",
    "llm_compute",
    "client_tls",
    "outbound_networking",
    "outbound_http",
    "outbound_pg",
    "outbound_redis",
    "outbound_mysql",
    "outbound_mqtt",
    "blob_store",
];
const NETWORKING: &[&str] = &["block_networks", "max_socket_connections", "max_total_connections"];
const STORE_TYPES: &[&str] = &["azure_cosmos", "aws_dynamo"];
const DATABASE_TYPES: &[&str] = &["libsql"];

/// Reads a runtime config.
///
/// # Errors
/// Everything that is wrong with it.
pub fn read(file: &Path) -> Result<RuntimeConfig, Vec<Fault>> {
    let text = std::fs::read_to_string(file).map_err(|error| {
        let remedy = "name the file with `--runtime-config-file`, or leave the flag out";
        vec![Fault::new(file, None, format!("cannot be read: {error}"), remedy)]
    })?;
    let (table, errors) = DeTable::parse_recoverable(&text);
    let starts = Starts::of(&text);
    if !errors.is_empty() {
        return Err(syntax_faults(file, &starts, &errors));
    }
    let document = Document { file, starts, faults: RefCell::default() };
    let root = DeValue::Table(table.into_inner());
    let mut config = RuntimeConfig::default();
    if let Some(root) = Node::root(&document, &root).section(TOP) {
        refuse(&root);
        // As under Spin: a store's path starts from this file's folder, a database's from the working folder.
        let folder = file.parent().unwrap_or(Path::new(""));
        config.key_value_stores = read_all(&root, "key_value_store", |node| read_store(node, folder));
        config.sqlite_databases =
            read_all(&root, "sqlite_database", |node| read_place(node, Path::new(""), &["spin"], DATABASE_TYPES));
        config.blocked_networks = Arc::new(read_blocked(&root));
        config.providers = provider::read(&root);
        config.passed_over = bounds::passed_over(&root);
    }
    let mut faults = document.faults.into_inner();
    faults.sort_by_key(|fault| fault.line);
    if faults.is_empty() { Ok(config) } else { Err(faults) }
}

impl Reading {
    /// A fault for every store and database that is granted and of which nobody says where it is.
    pub fn unknown_stores(&self, config: &RuntimeConfig) -> Vec<Fault> {
        let mut faults = Vec::new();
        for component in self.app.components.values() {
            let stores = undescribed(&component.key_value_stores, &config.key_value_stores)
                .map(|name| ("key_value_stores", "key_value_store", name));
            let databases = undescribed(&component.sqlite_databases, &config.sqlite_databases)
                .map(|name| ("sqlite_databases", "sqlite_database", name));
            faults.extend(stores.chain(databases).map(|(key, table, name)| {
                let message = format!("`{}` is granted `{name}`, of which nothing says where it is", component.id);
                let remedy = format!(
                    "write `[{table}.{name}]` with `type = \"spin\"` and a `path` into a file, and name that with --runtime-config-file"
                );
                self.fault(&component.id, &[key], message, remedy)
            }));
        }
        faults
    }
}

/// Those of the granted names that need a description and have none.
fn undescribed<'a, P>(
    granted: &'a [String],
    described: &'a BTreeMap<String, P>,
) -> impl Iterator<Item = &'a String> + use<'a, P> {
    granted.iter().filter(|name| *name != DEFAULT && !described.contains_key(*name))
}

fn refuse(root: &Section<'_>) {
    root.refuse("state_dir", "name the folder with `--state-dir`");
    root.refuse("log_dir", "take it out; what components print stands in the host's log");
    root.refuse("llm_compute", "call a model over HTTP and grant its address in `allowed_outbound_hosts`");
    root.refuse("client_tls", "take it out; components trust the authorities that the host trusts");
    root.refuse("blob_store", "take it out; there are no blob stores");
}

/// `[outbound_networking]`.
fn read_blocked(root: &Section<'_>) -> BlockedNetworks {
    let mut blocked = BlockedNetworks::default();
    let Some(section) = root.get("outbound_networking").and_then(|node| node.section(NETWORKING)) else {
        return blocked;
    };
    for bound in ["max_socket_connections", "max_total_connections"] {
        section.refuse(bound, "take it out; the host bounds the connections of components itself");
    }
    for entry in section.get("block_networks").map(|node| node.list()).unwrap_or_default() {
        if let Some(text) = entry.string().filter(|text| !blocked.add(text)) {
            entry
                .fault(format!("`{text}` is no network"), "write a block of addresses like `10.0.0.0/8`, or `private`");
        }
    }
    blocked
}

fn read_all<P>(root: &Section<'_>, key: &str, read: impl Fn(&Node<'_>) -> Option<P>) -> BTreeMap<String, P> {
    let entries = root.get(key).map(|node| node.entries()).unwrap_or_default();
    entries.into_iter().filter_map(|(name, node)| Some((name, read(&node)?))).collect()
}

fn read_store(node: &Node<'_>, folder: &Path) -> Option<StorePlace> {
    match kind(node) {
        Some((_, text)) if text == "redis" => read_server(node).map(StorePlace::Redis),
        Some((_, text)) if text == "postgres" => node.section(&["type"]).map(|_| StorePlace::Postgres),
        _ => read_place(node, folder, &["spin", "redis", "postgres"], STORE_TYPES).map(StorePlace::Sqlite),
    }
}

/// A Redis server, of which no fault repeats the address: there may be a password in it.
fn read_server(node: &Node<'_>) -> Option<RedisAddress> {
    let section = node.section(&["type", "url"])?;
    let url = section.require("url", "url = \"redis://localhost:6379\"")?;
    match RedisAddress::parse(&url.string()?) {
        Ok(address) => Some(address),
        Err(error) => {
            url.fault(format!("`{}` is no address of a Redis server", url.name()), error.to_string());
            None
        }
    }
}

/// The type of a store or database, and where it stands.
fn kind<'a>(node: &Node<'a>) -> Option<(Node<'a>, String)> {
    let (_, kind) = node.entries().into_iter().find(|(key, _)| key == "type")?;
    if !kind.is_string() {
        return None;
    }
    let text = kind.string()?;
    Some((kind, text))
}

/// What SQLite keeps; of other types it is told whether they are `refused` or not even known, as the `served` ones are.
fn read_place(node: &Node<'_>, folder: &Path, served: &[&str], refused: &[&str]) -> Option<Place> {
    if let Some((kind, text)) = kind(node).filter(|(_, text)| text != "spin") {
        // What else stands there belongs to that type.
        match refused.contains(&text.as_str()) {
            true => kind.fault(
                format!("the type `{text}` is not served yet"),
                "write `type = \"spin\"` and a `path`: it is kept in a file of SQLite",
            ),
            false => {
                kind.fault(format!("unknown type `{text}`"), name::did_you_mean(&text, served.iter().copied()));
            }
        }
        return None;
    }
    let section = node.section(&["type", "path"])?;
    section.require("type", "type = \"spin\"")?;
    match section.get("path") {
        None => Some(Place::Memory),
        Some(path) if path.is_empty() => {
            path.fault(format!("`{}` is empty", path.name()), "name a file, or leave it out to keep it in memory");
            None
        }
        Some(path) => path.string().map(|path| Place::File(folder.join(path))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read_text(text: &str) -> Result<RuntimeConfig, Vec<String>> {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("runtime-config.toml");
        std::fs::write(&file, text).unwrap();
        let shown = |fault: &Fault| format!("{}: {}", fault.line.unwrap_or_default(), fault.message);
        let read = read(&file).map_err(|faults| faults.iter().map(shown).collect());
        read.map(|mut config| {
            // So that the folder's name does not matter.
            for place in config.key_value_stores.values_mut() {
                if let StorePlace::Sqlite(Place::File(path)) = place {
                    *path = path.strip_prefix(folder.path()).map(Path::to_owned).unwrap_or_else(|_| path.clone());
                }
            }
            config
        })
    }

    #[test]
    fn stores_and_databases_are_found_where_spin_finds_them() {
        let config = read_text(
            r#"
            [key_value_store.sessions]
            type = "spin"
            path = "sessions.db"
            [key_value_store.cache]
            type = "spin"
            [key_value_store.shared]
            type = "redis"
            url = "redis://:secret@cache:6380/2"
            [key_value_store.kept]
            type = "postgres"
            [sqlite_database.archive]
            type = "spin"
            path = "archive.db"
            "#,
        );
        let config = config.unwrap();
        assert_eq!(config.key_value_stores["kept"], StorePlace::Postgres);
        assert!(config.keeps_in_postgres() && !RuntimeConfig::default().keeps_in_postgres());
        assert_eq!(config.key_value_stores["sessions"], StorePlace::Sqlite(Place::File("sessions.db".into())));
        assert_eq!(config.key_value_stores["cache"], StorePlace::Sqlite(Place::Memory));
        let server = RedisAddress::parse("redis://:secret@cache:6380/2").unwrap();
        assert_eq!(config.key_value_stores["shared"], StorePlace::Redis(server));
        assert_eq!(config.sqlite_databases["archive"], Place::File("archive.db".into()));
    }

    #[test]
    fn networks_are_blocked_as_spin_reads_them() {
        let config =
            read_text("[outbound_networking]\nblock_networks = [\"1.1.1.1/32\", \"8.8.8.8/16\", \"private\"]\n");
        let blocked = config.unwrap().blocked_networks;
        let blocks = |address: &str| blocked.blocks(address.parse().unwrap());
        assert!(blocks("1.1.1.1") && blocks("8.8.4.4") && blocks("127.0.0.1") && !blocks("9.9.9.9"));
        for nothing in ["", "[outbound_networking]", "[outbound_networking]\nblock_networks = []"] {
            assert!(read_text(nothing).unwrap().blocked_networks.is_empty(), "{nothing}");
        }
    }

    #[test]
    fn what_is_no_network_is_told_with_its_line_and_so_is_what_bounds_connections() {
        let faults = read_text(
            "[outbound_networking]\nblock_networks = [\n\"1.1.1.1/32\",\n\"localhost\",\n7]\nmax_total_connections = 9\n",
        );
        let faults = faults.unwrap_err();
        assert_eq!(faults.len(), 3, "{faults:?}");
        assert_eq!(faults[0], "4: `localhost` is no network");
        assert!(faults[2].contains("`outbound_networking.max_total_connections` is not served yet"), "{faults:?}");
    }

    #[test]
    fn what_is_not_served_is_told_in_one_go() {
        let faults = read_text(
            r#"
state_dir = ".spin"
[key_value_store.sessions]
type = "azure_cosmos"
key = "k"
[key_value_store.other]
type = "spn"
[key_value_store.nothing]
path = "x"
[sqlite_database.far]
type = "libsql"
url = "https://example.com"
token = "t"
[sqlite_database.empty]
type = "spin"
path = ""
[[variables_provider]]
type = "vault"
[unheard_of]
"#,
        );
        assert_eq!(
            faults.unwrap_err(),
            [
                "2: `state_dir` is not served yet",
                "4: the type `azure_cosmos` is not served yet",
                "7: unknown type `spn`",
                "8: `key_value_store.nothing` lacks the key `type`",
                "11: the type `libsql` is not served yet",
                "16: `sqlite_database.empty.path` is empty",
                "18: the type `vault` is not served yet",
                "19: unknown key `unheard_of`",
            ]
        );
    }

    #[test]
    fn providers_of_variables_stand_in_their_order() {
        let config = read_text(
            r#"
            [[variables_provider]]
            type = "static"
            values = { colour = "red", size = "9" }
            [[variables_provider]]
            type = "env"
            prefix = "HOUSE"
            dotenv_path = "house.env"
            [[variables_provider]]
            type = "env"
            "#,
        );
        let providers = config.unwrap().providers;
        let fixed = [("colour", "red"), ("size", "9")].map(|(name, value)| (name.to_owned(), value.to_owned()));
        let environment = |prefix: &str, file: Option<&str>| Provider::Environment {
            prefix: prefix.to_owned(),
            file: file.map(PathBuf::from),
        };
        let expected =
            [Provider::Fixed(fixed.into()), environment("HOUSE", Some("house.env")), environment(PREFIX, None)];
        assert_eq!(providers, expected);
        assert!(!format!("{providers:?}").contains("red"), "{providers:?}");
        let older = read_text("[[config_provider]]\ntype = \"env\"\n").unwrap();
        assert_eq!(older.providers, [environment(PREFIX, None)]);
    }

    #[test]
    fn providers_that_are_not_written_as_they_must_be_are_told_by_their_lines() {
        let faults = read_text(
            r#"
[[variables_provider]]
type = "azure_key_vault"
vault_url = "https://example.com"
[[variables_provider]]
type = "statik"
[[variables_provider]]
type = "static"
[[variables_provider]]
type = "static"
values = { size = 9 }
[[variables_provider]]
prefix = "HOUSE"
[[variables_provider]]
type = "env"
dotenv = ".env"
[[config_provider]]
type = "env"
"#,
        );
        assert_eq!(
            faults.unwrap_err(),
            [
                "3: the type `azure_key_vault` is not served yet",
                "6: unknown type `statik`",
                "7: `variables_provider` lacks the key `values`",
                "11: `variables_provider.values.size` is a whole number",
                "12: `variables_provider` lacks the key `type`",
                "16: unknown key `variables_provider.dotenv`",
                "17: `config_provider` is an older name of `variables_provider`",
            ]
        );
    }

    #[test]
    fn bounds_of_connections_are_passed_over_unless_they_forbid_any() {
        let config = read_text(
            "[outbound_http]\nconnection_pooling = false\nmax_concurrent_requests = 0\n[outbound_pg]\n[outbound_mqtt]\nmax_connections = 5\n",
        );
        assert_eq!(config.unwrap().passed_over, ["outbound_http", "outbound_mqtt"]);
        let faults = read_text("[outbound_redis]\nmax_connections = 0\n[outbound_http]\nmax_conections = 9\n");
        let expected = ["2: `outbound_redis.max_connections` is 0", "4: unknown key `outbound_http.max_conections`"];
        assert_eq!(faults.unwrap_err(), expected);
    }

    #[test]
    fn a_store_on_redis_needs_an_address_which_no_fault_repeats() {
        let faults = read_text(
            "[key_value_store.a]\ntype = \"redis\"\n[key_value_store.b]\ntype = \"redis\"\nurl = \"http://:secret@b\"\n\
             path = \"b.db\"\n[sqlite_database.c]\ntype = \"redis\"\n",
        );
        assert_eq!(
            faults.unwrap_err(),
            [
                "1: `key_value_store.a` lacks the key `url`",
                "5: `key_value_store.b.url` is no address of a Redis server",
                "6: unknown key `key_value_store.b.path`",
                "8: unknown type `redis`",
            ]
        );
    }

    #[test]
    fn a_file_that_is_not_there_or_is_no_toml_is_refused() {
        assert!(read(Path::new("/nowhere/config.toml")).unwrap_err()[0].message.starts_with("cannot be read"));
        assert!(read_text("[key_value_store").unwrap_err()[0].contains("is no TOML"));
    }
}
