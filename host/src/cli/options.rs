//! Flags that several commands have. Their names are Spin's where Spin has the flag.

use std::{
    net::{Ipv4Addr, SocketAddr, ToSocketAddrs},
    path::{Path, PathBuf},
};

use anyhow::Context;
use clap::Args;

use crate::{
    manifest::{
        self, Fault,
        runtime_config::{self, RuntimeConfig},
    },
    registry::{Hold, hold, is_application},
    server::{Proxies, TrustedProxies},
    tls::{Identity, TlsError},
};

/// Which application.
#[derive(Debug, Args)]
pub struct ManifestFlag {
    /// The manifest, or the folder it is in
    #[arg(short = 'f', long = "from", aliases = ["file", "from-file"], value_name = "MANIFEST", default_value = "spin.toml")]
    manifest: PathBuf,

    /// The build profile: components that have it take what it says in place of their own
    #[arg(long, value_name = "NAME")]
    profile: Option<String>,
}

impl ManifestFlag {
    /// The manifest's path.
    pub fn path(&self) -> PathBuf {
        if self.manifest.is_dir() { self.manifest.join("spin.toml") } else { self.manifest.clone() }
    }

    /// What `--from` says.
    pub fn named(&self) -> &Path {
        &self.manifest
    }

    /// Puts a folder in its place.
    pub fn is_in(&mut self, folder: PathBuf) {
        self.manifest = folder;
    }

    /// Holds the manifest's folder, where that is an application that was pulled, so that it is not pruned.
    ///
    /// # Errors
    /// When the system refuses.
    pub fn hold(&self) -> anyhow::Result<Option<Hold>> {
        let path = self.path();
        let folder = path.parent().filter(|folder| is_application(folder));
        Ok(folder.map(hold).transpose()?.flatten())
    }

    /// The manifest with the profile.
    pub fn source(&self) -> manifest::Source {
        manifest::Source { profile: self.profile.clone(), ..manifest::Source::plain(self.path()) }
    }
}

/// The file beside the manifest that says where its stores and databases are, who sets its variables, and which networks are closed to it.
#[derive(Debug, Args)]
pub struct RuntimeConfigFlag {
    /// A runtime config in Spin's format: where the key-value stores and SQLite databases are that the manifest names, who
    /// sets its variables, and which networks no component may connect to
    #[arg(long, value_name = "FILE", env = "RUNTIME_CONFIG_FILE")]
    runtime_config_file: Option<PathBuf>,
}

impl RuntimeConfigFlag {
    /// What the file says; nothing where there is none.
    ///
    /// # Errors
    /// Everything that is wrong with it.
    pub fn read(&self) -> Result<RuntimeConfig, Vec<Fault>> {
        self.runtime_config_file.as_deref().map_or_else(|| Ok(RuntimeConfig::default()), runtime_config::read)
    }
}

/// What stands in front of the host.
#[derive(Debug, Args)]
pub struct ProxyFlag {
    /// A proxy in front of this host, or a network of them: what these say of where a request comes from is believed (Forwarded,
    /// X-Forwarded-For, X-Forwarded-Proto), and from anybody else it is dropped. Several with commas in between, or each with a flag
    #[arg(long = "trusted-proxy", value_name = "CIDR,…", env = "PLAZA_TRUSTED_PROXY", value_delimiter = ',')]
    trusted_proxies: Vec<String>,
}

impl ProxyFlag {
    /// The proxies that were named.
    ///
    /// # Errors
    /// Which of the texts names none.
    pub fn read(&self) -> anyhow::Result<TrustedProxies> {
        // A variable that is set to nothing says nothing.
        let named = self.trusted_proxies.iter().filter(|text| !text.is_empty());
        named.map(|text| text.parse::<Proxies>().with_context(|| format!("--trusted-proxy: {text:?}"))).collect()
    }
}

/// Whether the application is served over TLS.
#[derive(Debug, Args)]
pub struct TlsFlags {
    /// A PEM file with the certificate to serve the application with, and those between it and its authority; with it HTTPS is
    /// spoken, and HTTP is not. Both files are read again when they change
    #[arg(long, value_name = "FILE", env = "SPIN_TLS_CERT", requires = "tls_key")]
    tls_cert: Option<PathBuf>,

    /// A PEM file with the private key of --tls-cert
    #[arg(long, value_name = "FILE", env = "SPIN_TLS_KEY", requires = "tls_cert")]
    tls_key: Option<PathBuf>,
}

impl TlsFlags {
    /// What the application shows of itself, if it is served over TLS.
    ///
    /// # Errors
    /// Files that cannot be read or do not go together.
    pub fn identity(&self) -> Result<Option<Identity>, TlsError> {
        let files = self.tls_cert.as_deref().zip(self.tls_key.as_deref());
        files.map(|(certificates, key)| Identity::read(certificates, key)).transpose()
    }
}

/// Where an application's data is, and what its variables are.
#[derive(Debug, Args)]
pub struct DataFlags {
    #[command(flatten)]
    pub server: ServerFlags,

    /// Set a variable of the application: name=value, name=@file for what is in a file, or @file.toml or @file.json for many;
    /// goes before SPIN_VARIABLE_<NAME>, which goes before a file .env in the working folder, and then one beside the manifest
    // Taken apart later: what an argument's own parser refuses is repeated, and this may be a secret.
    #[arg(long = "variable", value_name = "NAME=VALUE")]
    pub variables: Vec<String>,
}

/// Where an application's data is.
#[derive(Debug, Args)]
pub struct ServerFlags {
    /// The folder for the embedded database, the compile cache and the control token
    #[arg(long, value_name = "FOLDER", default_value = ".plaza")]
    pub state_dir: PathBuf,

    /// A PostgreSQL server to use in place of the embedded one; its user must be allowed to create databases and roles. Of libpq's
    /// variables only PGSSLROOTCERT counts: whom connections with sslmode=verify-full, verify-ca or require trust
    #[arg(long, value_name = "URL", env = "PLAZA_DATABASE_URL", hide_env_values = true)]
    database_url: Option<String>,

    /// A file that holds the password for --database-url and nothing else
    #[arg(long, value_name = "FILE", env = "PLAZA_DATABASE_PASSWORD_FILE", requires = "database_url")]
    database_password_file: Option<PathBuf>,

    /// Where PostgreSQL's programs for the embedded database are; they are installed there if it is empty [default: those on this
    /// machine; where it has none they are installed into the state folder]
    #[arg(long, value_name = "FOLDER", env = "PLAZA_POSTGRES_DIR")]
    pub postgres_dir: Option<PathBuf>,
}

impl ServerFlags {
    /// The server outside, with its password, if there is one.
    ///
    /// # Errors
    /// When the password's file cannot be read, or there is no place for it in the address.
    pub fn database_url(&self) -> anyhow::Result<Option<String>> {
        let whole = |url: &String| with_password_in(url, self.database_password_file.as_deref());
        self.database_url.as_ref().map(whole).transpose()
    }
}

/// The address of a database server with the password that a file holds, where one is named.
///
/// # Errors
/// When the file cannot be read, or there is no place for a password in the address.
pub fn with_password_in(address: &str, file: Option<&Path>) -> anyhow::Result<String> {
    file.map_or_else(|| Ok(address.to_owned()), |file| with_password(address, &text_in(file)?))
}

/// The password, or any other text, that a file holds, without the end of its line.
///
/// # Errors
/// When it cannot be read.
pub fn text_in(file: &Path) -> anyhow::Result<String> {
    let text = std::fs::read_to_string(file).with_context(|| format!("cannot read {}", file.display()))?;
    Ok(text.trim_end_matches(['\r', '\n']).to_owned())
}

/// The address with this password. It may hold another one, so the message does not repeat it.
fn with_password(address: &str, password: &str) -> anyhow::Result<String> {
    let advice = "--database-password-file: write --database-url as postgres://user@host/database";
    let mut url = reqwest::Url::parse(address).context(advice)?;
    anyhow::ensure!(!url.username().is_empty(), advice);
    url.set_password(Some(password)).map_err(|()| anyhow::anyhow!(advice))?;
    Ok(url.into())
}

/// An address with its port, or a name that has one; of its addresses 127.0.0.1 goes first, as under Spin.
///
/// # Errors
/// When it has none.
pub fn listening(text: &str) -> Result<SocketAddr, String> {
    let found = text.to_socket_addrs().map_err(|error| format!("it is no address with its port: {error}"))?;
    let addresses: Vec<SocketAddr> = found.collect();
    let local = addresses.iter().find(|address| address.ip() == Ipv4Addr::LOCALHOST);
    local.or(addresses.first()).copied().ok_or_else(|| "the name has no address".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_listened_on_as_is_an_address() {
        assert_eq!(listening("localhost:3000").unwrap().to_string(), "127.0.0.1:3000");
        assert_eq!(listening("[::1]:0").unwrap().to_string(), "[::1]:0");
        for wrong in ["localhost", "3000", "127.0.0.1:70000", ""] {
            assert!(listening(wrong).unwrap_err().contains("no address with its port"), "{wrong}");
        }
    }

    #[test]
    fn a_password_finds_its_place_in_the_address_whatever_it_is_made_of() {
        let whole =
            with_password("postgres://admin@db.example.com:5433/postgres?sslmode=require", "a/b@c:d e").unwrap();
        assert_eq!(whole, "postgres://admin:a%2Fb%40c%3Ad%20e@db.example.com:5433/postgres?sslmode=require");
        for address in ["postgres://db.example.com/postgres", "db.example.com", "unix:/run"] {
            let error = with_password(address, "hidden word").unwrap_err().to_string();
            assert!(error.contains("postgres://user@host/database") && !error.contains("hidden"), "{error}");
        }
    }
}
