//! What a manifest says, once it has been read and found sound.

use std::{
    borrow::Cow,
    collections::BTreeMap,
    fmt,
    path::{Path, PathBuf},
};

use semver::{Version, VersionReq};

use super::template::Template;
use crate::limits::ComponentLimits;

/// An application: what one `spin.toml` describes.
#[derive(Debug, Clone)]
pub struct App {
    /// `application.name`.
    pub name: String,
    /// `application.version`.
    pub version: Option<String>,
    /// `application.description`.
    pub description: Option<String>,
    /// The manifest's own path; relative paths in it start from its folder.
    pub manifest: PathBuf,
    /// The application's variables by name.
    pub variables: BTreeMap<String, Variable>,
    /// Variables that the host makes at the first start where nobody sets them.
    pub generate: BTreeMap<String, Generate>,
    /// HTTP triggers in the manifest's order.
    pub routes: Vec<RouteTrigger>,
    /// Routes that the host answers itself.
    pub static_routes: Vec<StaticRoute>,
    /// Redis triggers in the manifest's order.
    pub channels: Vec<ChannelTrigger>,
    /// Components by id.
    pub components: BTreeMap<String, Component>,
}

impl App {
    /// Everything that is to be fetched.
    pub fn downloads(&self) -> Vec<&Download> {
        let components = self.components.values();
        let dependencies = components.clone().flat_map(|one| {
            let parts = one.parts().map(|(_, part)| part);
            parts.chain(one.under_spin.values())
        });
        let sources = components.map(|component| &component.download);
        let mut downloads = Vec::new();
        for download in sources.chain(dependencies.map(|dependency| &dependency.download)).flatten() {
            if !downloads.contains(&download) {
                downloads.push(download);
            }
        }
        downloads
    }

    /// The folder from which the manifest's relative paths start.
    pub fn base(&self) -> &Path {
        self.manifest.parent().unwrap_or(Path::new("."))
    }
}

/// One of `[variables]`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Variable {
    /// Used where nobody sets it; `None` means that it is required.
    pub default: Option<String>,
    /// Its value is neither printed nor logged.
    pub secret: bool,
}

/// How the host makes a variable's value (`[application.tool.plaza.generate]`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Generate {
    /// A password for a person: printed once, to stdout.
    Password,
    /// A random 256-bit token.
    Token,
    /// An Ed25519 key pair: `<name>` is the private seed, `<name>_public` the public key, both in base64url.
    Ed25519,
}

/// An HTTP trigger: a route and who serves it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RouteTrigger {
    /// The component's id.
    pub component: String,
    /// The route.
    pub route: Route,
}

/// A Redis trigger: a channel and who hears it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChannelTrigger {
    /// The component's id.
    pub component: String,
    /// The channel, templates allowed.
    pub channel: Template,
    /// The server, templates allowed; it may have a password in it.
    pub address: Template,
}

impl ChannelTrigger {
    /// Whether channel or address name this variable.
    pub fn names(&self, variable: &str) -> bool {
        [&self.channel, &self.address].into_iter().any(|template| template.variables().any(|name| name == variable))
    }
}

/// An HTTP trigger without a component.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StaticRoute {
    /// The path pattern.
    pub pattern: String,
    /// What is answered there.
    pub response: StaticResponse,
}

/// An answer that is always the same.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StaticResponse {
    /// The status, 200 to 599.
    pub status: u16,
    /// Sound names and values, in the manifest's order.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: String,
}

impl StaticResponse {
    /// What stands for the component where one is named: no component has a name with a blank.
    pub const NAME: &str = "static response";
}

/// Where a component is reached.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Route {
    /// A path pattern: `/exact`, `/users/:id`, `/static/...`.
    Path(String),
    /// Reached by other components only (`route = { private = true }`).
    Private,
}

/// A component and what it is granted.
#[derive(Debug, Clone)]
pub struct Component {
    /// Its id in the manifest.
    pub id: String,
    /// Free text.
    pub description: Option<String>,
    /// The `.wasm` file, as an absolute path or one from the working folder.
    pub source: PathBuf,
    /// What that file is fetched from, where it is not the application's own.
    pub download: Option<Download>,
    /// How to build it.
    pub build: Option<Build>,
    /// Environment variables, as they stand in the manifest: nothing in them is a template, as under Spin.
    pub environment: BTreeMap<String, String>,
    /// The variables it may read, by the name it knows them by.
    pub variables: BTreeMap<String, Template>,
    /// Files it may read.
    pub files: Vec<FileMount>,
    /// Glob patterns left out of `files`.
    pub exclude_files: Vec<String>,
    /// Addresses it may call, templates allowed. Resolve, then parse with [`super::grant::AllowedHosts`].
    pub allowed_outbound_hosts: Vec<Template>,
    /// Key-value stores it may open, by their names.
    pub key_value_stores: Vec<String>,
    /// SQLite databases it may open, by their names.
    pub sqlite_databases: Vec<String>,
    /// Imports that are calls into other components of the application, by import name
    /// (`example:users/directory@1.0.0` or `example:users`): the lines under `tool.plaza`.
    pub links: BTreeMap<String, String>,
    /// What is composed in for other imports, by Spin's names of them: its lines, but those for which there is a link.
    pub composed: BTreeMap<String, Composed>,
    /// Spin's lines of those imports for which there is a link: what Spin composes in there.
    pub under_spin: BTreeMap<String, Composed>,
    /// What stands around it for its HTTP triggers, outermost first.
    pub middleware: Vec<Composed>,
    /// Its own settings for this host.
    pub plaza: PlazaSettings,
}

impl Component {
    /// Everything that becomes part of it, each with what it is called: a dependency by its import, middleware by `middleware.` and its
    /// number, from 0.
    pub fn parts(&self) -> impl Iterator<Item = (Cow<'_, str>, &Composed)> {
        let dependencies = self.composed.iter().map(|(key, part)| (Cow::Borrowed(key.as_str()), part));
        let middleware = self.middleware.iter().enumerate();
        dependencies.chain(middleware.map(|(number, part)| (Cow::Owned(layer_name(number)), part)))
    }

    /// Whether something becomes part of it.
    pub fn has_parts(&self) -> bool {
        !self.composed.is_empty() || !self.middleware.is_empty()
    }

    /// Whether it has something to do though nobody calls it: events to take in, or ticks.
    pub fn works_by_itself(&self) -> bool {
        !self.plaza.subscribe.is_empty() || self.plaza.tick_seconds.is_some()
    }

    /// Whether a grant or a value of it names this variable.
    pub fn names(&self, variable: &str) -> bool {
        let mut templates = self.variables.values().chain(&self.allowed_outbound_hosts);
        templates.any(|template| template.variables().any(|name| name == variable))
    }
}

/// What the middleware of this number, from 0, is called. No import has a dot in its name but behind a version's `@`.
pub fn layer_name(number: usize) -> String {
    format!("{MIDDLEWARE}.{number}")
}

/// Where a part stands that is called so, below its component in [`super::Lines`].
pub fn part_place(name: &str) -> [&str; 2] {
    match name.split_once('.') {
        Some((MIDDLEWARE, number)) => [MIDDLEWARE, number],
        _ => ["dependencies", name],
    }
}

/// The key of a trigger's `dependencies`.
pub const MIDDLEWARE: &str = "middleware";

/// A dependency that becomes part of its component, or what stands around it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Composed {
    /// The component of the application that it is, where the manifest names one.
    pub component: Option<String>,
    /// Its `.wasm` file; empty where that component does not exist.
    pub file: PathBuf,
    /// What that file is fetched from, where it is not the application's own.
    pub download: Option<Download>,
    /// The export that serves the import, where it has another name.
    pub export: Option<String>,
    /// What it gets of its component's grants.
    pub inherit: Inherit,
}

/// A `.wasm` file that is fetched before it is used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Download {
    /// By its address.
    Url {
        /// The address.
        url: String,
        /// What it must be: the 64 digits of its SHA-256.
        sha256: String,
    },
    /// By its name in a registry.
    Package {
        /// `host` or `host:port`; where none is named, this user's settings for packages say it.
        registry: Option<String>,
        /// What stands before the colon of its name.
        namespace: String,
        /// What stands behind it.
        name: String,
        /// Which will do.
        versions: Versions,
    },
}

/// Which versions of a package will do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Versions {
    /// This one.
    Exactly(Version),
    /// The newest that there is of these.
    Newest(VersionReq),
}

impl Download {
    /// Where it is put, from the manifest's folder.
    pub fn file(&self) -> PathBuf {
        let folder = Path::new(".plaza/fetched");
        match self {
            Self::Url { sha256, .. } => folder.join(format!("{sha256}.wasm")),
            Self::Package { registry, namespace, name, versions } => {
                // No registry is called so: but for `localhost`, a name without a dot has a port.
                let registry = registry.as_deref().unwrap_or("unnamed");
                folder.join(registry).join(namespace).join(name).join(format!("{versions}.wasm"))
            }
        }
    }
}

impl fmt::Display for Versions {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Exactly(version) => version.fmt(formatter),
            Self::Newest(these) => these.fmt(formatter),
        }
    }
}

impl fmt::Display for Download {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Url { url, .. } => formatter.write_str(url),
            Self::Package { registry, namespace, name, versions } => {
                write!(formatter, "{namespace}:{name}@{versions}")?;
                registry.iter().try_for_each(|registry| write!(formatter, " in {registry}"))
            }
        }
    }
}

/// Which grants of its component a dependency gets.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Inherit {
    /// All of them, and its links.
    All,
    /// What stands in the manifest under these keys.
    These(Vec<String>),
}

/// `[component.<id>.build]`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Build {
    /// Commands for the shell, in order.
    pub commands: Vec<String>,
    /// Where they run, from the manifest's folder.
    pub workdir: PathBuf,
    /// Globs of source files, for `--watch`.
    pub watch: Vec<String>,
}

/// One entry of `files`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FileMount {
    /// A glob from the manifest's folder; files keep their relative path.
    Pattern(String),
    /// A file, or a folder with all that is in it, placed at a path of the guest.
    Placement {
        /// File or folder on the host.
        source: PathBuf,
        /// Absolute path in the guest.
        destination: String,
    },
}

/// `[component.<id>.tool.plaza]`.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct PlazaSettings {
    /// The database to create for it; fills the variables `<database>_url` and `<database>_host`.
    pub database: Option<String>,
    /// Folder of numbered `.sql` files.
    pub migrations: Option<PathBuf>,
    /// The table to relay events from.
    pub outbox: Option<String>,
    /// Topics it subscribes to.
    pub subscribe: Vec<String>,
    /// Seconds between two ticks.
    pub tick_seconds: Option<u64>,
    /// That nothing uses it may be meant so: it is left out without a warning, and looked at all the same.
    pub optional: bool,
    /// Variables of the application that are required where it is served, whatever default they have elsewhere.
    pub requires: Vec<String>,
    /// Its bounds.
    pub limits: ComponentLimits,
}
