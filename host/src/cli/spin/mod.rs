//! Flags of `spin up` that say how an application is run.

mod idle;
mod refused;
#[cfg(test)]
mod tests;

use std::{collections::BTreeMap, fs, path::Path, time::Duration};

use anyhow::{Context, bail, ensure};
use clap::Args;

use self::{idle::Idle, refused::Refused};
use crate::{
    app::{Initial, Sql},
    limits::ComponentLimits,
    manifest::{Given, runtime_config::DEFAULT},
};

/// Bytes of a MiB.
const MIB: u64 = 1024 * 1024;

/// Those that are served, and with them those that are told what to use in their place.
#[derive(Debug, Args)]
pub struct SpinFlags {
    /// An environment variable for all components
    #[arg(short = 'e', long = "env", value_name = "NAME=VALUE")]
    environment: Vec<String>,

    /// Serve this component alone, and those that it depends on; or several, each with a flag
    #[arg(short = 'c', long = "component-id", value_name = "ID")]
    components: Vec<String>,

    /// Where the port of --listen is taken, take the next that is not
    #[arg(long)]
    pub find_free_port: bool,

    /// Run a statement on the SQLite database `default` before anything is served, or @FILE, or @FILE:DATABASE
    #[arg(long, value_name = "STATEMENT")]
    sqlite: Vec<String>,

    /// Set a key of the key-value store `default` before anything is served
    #[arg(long, value_name = "KEY=VALUE")]
    key_value: Vec<String>,

    /// Requests that an instance takes before another takes its place, where the manifest does not say
    #[arg(long, value_name = "COUNT")]
    max_instance_reuse_count: Option<String>,

    /// Requests under way at once in one instance, where the manifest does not say
    #[arg(long, value_name = "COUNT")]
    max_instance_concurrent_reuse_count: Option<String>,

    /// Time until an answer begins, such as 5s or 500ms, where the manifest does not say
    #[arg(long, value_name = "TIME")]
    request_timeout: Option<String>,

    /// Bytes of memory of an instance, where the manifest does not say
    #[arg(long, value_name = "BYTES", env = "SPIN_MAX_INSTANCE_MEMORY")]
    max_instance_memory: Option<u64>,

    #[command(flatten)]
    idle: Idle,

    #[command(flatten)]
    refused: Refused,
}

impl SpinFlags {
    /// What they say of the application beside its manifest.
    ///
    /// # Errors
    /// What is not written as it must be, and flags that are not served.
    pub fn given(&self) -> anyhow::Result<Given> {
        self.refused.none()?;
        self.idle.warn();
        let mut limits = ComponentLimits::default();
        if let Some(text) = &self.max_instance_reuse_count {
            limits.reuse = count(text).context("--max-instance-reuse-count")?;
        }
        if let Some(text) = &self.max_instance_concurrent_reuse_count {
            limits.concurrent_per_instance = count(text).context("--max-instance-concurrent-reuse-count")?;
        }
        if let Some(text) = &self.request_timeout {
            limits.request_ms = milliseconds(text).context("--request-timeout")?;
        }
        if let Some(bytes) = self.max_instance_memory {
            limits.memory_mib = u32::try_from(bytes.div_ceil(MIB))
                .ok()
                .filter(|mib| (1..=4096).contains(mib))
                .context("--max-instance-memory: give a number of bytes from 1 to 4 GiB")?;
        }
        Ok(Given { environment: pairs(&self.environment).context("--env")?, only: self.components.clone(), limits })
    }

    /// What stores and databases are given at the start.
    ///
    /// # Errors
    /// A file that cannot be read, and what is not written as it must be.
    pub fn initial(&self) -> anyhow::Result<Initial> {
        let sql = self.sqlite.iter().map(|text| sql(text).context("--sqlite")).collect::<Result<_, _>>()?;
        Ok(Initial { key_values: pairs(&self.key_value).context("--key-value")?, sql })
    }
}

/// A number; of a range, out of which Spin draws for each instance, the largest that it may draw.
fn count(text: &str) -> anyhow::Result<usize> {
    let largest = match text.split_once("..") {
        None => text.parse().ok(),
        Some((start, end)) => {
            let bounds = start.parse::<usize>().ok().zip(end.parse::<usize>().ok());
            bounds.filter(|(start, end)| start < end).map(|(_, end)| end - 1)
        }
    };
    let count = largest.filter(|count| (1..=1_000_000).contains(count));
    count.with_context(|| format!("{text:?} is no number from 1 to 1000000, and no range of them such as 1..8"))
}

/// A time; of a range, its end.
fn milliseconds(text: &str) -> anyhow::Result<u64> {
    let longest = match text.split_once("..") {
        None => time(text),
        Some((start, end)) => time(start).zip(time(end)).filter(|(start, end)| start < end).map(|(_, end)| end),
    };
    let milliseconds = longest.and_then(|time| u64::try_from(time.as_millis()).ok());
    let sound = milliseconds.filter(|milliseconds| (1..=24 * 60 * 60 * 1000).contains(milliseconds));
    sound.with_context(|| {
        format!("{text:?} is no time from 1ms to a day such as 5s or 500ms, and no range such as 1..8s")
    })
}

fn time(text: &str) -> Option<Duration> {
    let digits = text.trim_end_matches(|letter: char| letter.is_alphabetic());
    let number: Option<u64> = digits.parse().ok();
    match (number, text.get(digits.len()..)) {
        (Some(seconds), Some("" | "s")) => Some(Duration::from_secs(seconds)),
        (Some(milliseconds), Some("ms")) => Some(Duration::from_millis(milliseconds)),
        (Some(microseconds), Some("us" | "μs" | "µs")) => Some(Duration::from_micros(microseconds)),
        (Some(nanoseconds), Some("ns")) => Some(Duration::from_nanos(nanoseconds)),
        _ => None,
    }
}

/// `name=value` each, the last one of a name counting.
fn pairs(texts: &[String]) -> anyhow::Result<BTreeMap<String, String>> {
    let mut pairs = BTreeMap::new();
    for (text, place) in texts.iter().zip(1..) {
        match text.split_once('=') {
            // It may be a secret, so it is not repeated.
            Some((name, value)) if !name.is_empty() && !text.contains('\0') => {
                pairs.insert(name.to_owned(), value.to_owned())
            }
            _ => bail!("number {place} is not written as name=value"),
        };
    }
    Ok(pairs)
}

fn sql(text: &str) -> anyhow::Result<Sql> {
    let Some(named) = text.strip_prefix('@') else {
        return Ok(Sql { database: DEFAULT.to_owned(), statements: text.to_owned() });
    };
    let (file, database) = named.split_once(':').unwrap_or((named, DEFAULT));
    let (file, database) = (file.trim(), database.trim());
    ensure!(!file.is_empty() && !database.is_empty(), "{text:?} is not written as @file or @file:database");
    let statements = fs::read_to_string(Path::new(file)).with_context(|| format!("cannot read {file}"))?;
    Ok(Sql { database: database.to_owned(), statements })
}
