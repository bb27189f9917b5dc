//! Flags of `spin up` that say how an application is run.

use std::{collections::BTreeMap, fs, path::Path, time::Duration};

use anyhow::{Context, bail, ensure};
use clap::Args;

use crate::{
    app::{Initial, Sql},
    limits::ComponentLimits,
    manifest::{Given, runtime_config::DEFAULT},
};

/// Bytes of a MiB.
const MIB: u64 = 1024 * 1024;

/// Those that are served, and those that are told what to use in their place.
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
    refused: Refused,
}

/// Those that are not served.
#[derive(Debug, Args)]
struct Refused {
    #[arg(long, short = 'L', hide = true)]
    log_dir: Option<String>,
    #[arg(long, hide = true)]
    truncate_logs: bool,
    #[arg(long, hide = true)]
    follow: Vec<String>,
    #[arg(long, hide = true)]
    cache: Option<String>,
    #[arg(long, hide = true)]
    disable_cache: bool,
    #[arg(long, hide = true)]
    cache_dir: Option<String>,
    #[arg(long, alias = "tmp", hide = true)]
    temp: Option<String>,
    #[arg(long, hide = true)]
    disable_pooling: bool,
    #[arg(long, hide = true)]
    direct_mounts: bool,
    #[arg(long, hide = true)]
    allow_transient_write: bool,
    #[arg(long, hide = true)]
    idle_instance_timeout: Option<String>,
    #[arg(long, hide = true)]
    format: Option<String>,
    #[arg(long, hide = true)]
    from_registry: Option<String>,
    #[arg(long, short = 'k', hide = true)]
    insecure: bool,
}

impl SpinFlags {
    /// What they say of the application beside its manifest.
    ///
    /// # Errors
    /// What is not written as it must be, and flags that are not served.
    pub fn given(&self) -> anyhow::Result<Given> {
        self.refused.none()?;
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

impl Refused {
    /// None of them is there.
    fn none(&self) -> anyhow::Result<()> {
        let log = "take it out: what components print stands in the log, under their names";
        let disk = "take it out: what is compiled is kept in the folder of --state-dir, and nothing else is";
        let given = [
            ("--log-dir", self.log_dir.is_some(), log),
            ("--truncate-logs", self.truncate_logs, log),
            ("--follow", !self.follow.is_empty(), log),
            ("--cache", self.cache.is_some(), disk),
            ("--disable-cache", self.disable_cache, disk),
            ("--cache-dir", self.cache_dir.is_some(), disk),
            ("--temp", self.temp.is_some(), disk),
            ("--disable-pooling", self.disable_pooling, "take it out, and set --instances to what there is memory for"),
            ("--direct-mounts", self.direct_mounts, "take it out: `plaza apply` takes changed files over"),
            (
                "--allow-transient-write",
                self.allow_transient_write,
                "take it out: the files of a component are read-only",
            ),
            (
                "--idle-instance-timeout",
                self.idle_instance_timeout.is_some(),
                "take it out: what stands idle ends when another needs its room",
            ),
            ("--format", self.format.is_some(), "take it out: the first http:// address printed is the application's"),
            ("--from-registry", self.from_registry.is_some(), "fetch the application, and name its manifest with -f"),
            ("--insecure", self.insecure, "take it out: nothing is fetched"),
        ];
        let faults: Vec<String> = given
            .into_iter()
            .filter(|(_, is_there, _)| *is_there)
            .map(|(flag, _, advice)| format!("{flag} of `spin up` is not served; {advice}"))
            .collect();
        ensure!(faults.is_empty(), faults.join("\n"));
        Ok(())
    }
}

/// Spin also takes a range, out of which it draws for each instance.
fn count(text: &str) -> anyhow::Result<usize> {
    let count = text.parse().ok().filter(|count| (1..=1_000_000).contains(count));
    count.with_context(|| format!("{text:?} is no number from 1 to 1000000; a range is not served"))
}

fn milliseconds(text: &str) -> anyhow::Result<u64> {
    let digits = text.trim_end_matches(|letter: char| letter.is_alphabetic());
    let number: Option<u64> = digits.parse().ok();
    let time = match (number, text.get(digits.len()..)) {
        (Some(seconds), Some("" | "s")) => Some(Duration::from_secs(seconds)),
        (Some(milliseconds), Some("ms")) => Some(Duration::from_millis(milliseconds)),
        (Some(microseconds), Some("us" | "μs" | "µs")) => Some(Duration::from_micros(microseconds)),
        (Some(nanoseconds), Some("ns")) => Some(Duration::from_nanos(nanoseconds)),
        _ => None,
    };
    let milliseconds = time.and_then(|time| u64::try_from(time.as_millis()).ok());
    let sound = milliseconds.filter(|milliseconds| (1..=24 * 60 * 60 * 1000).contains(milliseconds));
    sound.with_context(|| format!("{text:?} is no time from 1ms to a day, such as 5s or 500ms; a range is not served"))
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

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    #[derive(Parser)]
    struct Flags {
        #[command(flatten)]
        spin: SpinFlags,
    }

    fn flags(given: &[&str]) -> SpinFlags {
        Flags::try_parse_from(["up"].iter().chain(given)).map(|flags| flags.spin).unwrap()
    }

    #[test]
    fn they_set_limits_variables_and_components() {
        let given = flags(&[
            "-e",
            "COLOUR=red=blue",
            "-e",
            "EMPTY=",
            "-c",
            "one",
            "-c",
            "two",
            "--max-instance-reuse-count",
            "7",
            "--max-instance-concurrent-reuse-count",
            "3",
            "--request-timeout",
            "500ms",
            "--max-instance-memory",
            "1048577",
        ]);
        let given = given.given().unwrap();
        let environment: Vec<_> =
            given.environment.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        assert_eq!(environment, [("COLOUR", "red=blue"), ("EMPTY", "")]);
        assert_eq!(given.only, ["one", "two"]);
        let limits = given.limits;
        assert_eq!(
            (limits.reuse, limits.concurrent_per_instance, limits.request_ms, limits.memory_mib),
            (7, 3, 500, 2)
        );
        assert_eq!(milliseconds("30").unwrap(), 30_000);
        assert_eq!(milliseconds("2s").unwrap(), 2_000);
    }

    #[test]
    fn what_is_not_written_as_it_must_be_is_refused() {
        for (wrong, part) in [
            (["-e", "hunter2"], "--env: number 1 is not written as name=value"),
            (["--max-instance-reuse-count", "1..8"], "a range is not served"),
            (["--max-instance-reuse-count", "0"], "no number from 1"),
            (["--request-timeout", "5m"], "no time"),
            (["--request-timeout", "1us"], "no time"),
            (["--max-instance-memory", "0"], "from 1 to 4 GiB"),
        ] {
            let error = format!("{:#}", flags(&wrong).given().unwrap_err());
            assert!(error.contains(part) && !error.contains("hunter2"), "{error}");
        }
    }

    #[test]
    fn statements_are_given_or_in_a_file_and_go_to_a_database() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("first.sql");
        fs::write(&file, "CREATE TABLE a (b)").unwrap();
        let file = file.display();
        let initial =
            flags(&["--sqlite", &format!("@{file}:archive"), "--sqlite", "SELECT 1", "--sqlite", &format!("@{file}")]);
        let found: Vec<_> =
            initial.initial().unwrap().sql.into_iter().map(|sql| (sql.database, sql.statements)).collect();
        let expected = [("archive", "CREATE TABLE a (b)"), ("default", "SELECT 1"), ("default", "CREATE TABLE a (b)")];
        assert_eq!(found, expected.map(|(database, statements)| (database.to_owned(), statements.to_owned())));
        for wrong in ["@", "@file:", "@:archive", "@/nowhere.sql"] {
            flags(&["--sqlite", wrong]).initial().unwrap_err();
        }
    }

    #[test]
    fn what_is_not_served_is_told_with_what_to_do_instead() {
        let error = flags(&["--log-dir", "logs", "--disable-pooling", "-k"]).given().unwrap_err().to_string();
        for part in ["--log-dir of `spin up` is not served; take it out", "--instances", "--insecure"] {
            assert!(error.contains(part), "{error}");
        }
    }

    #[test]
    fn every_flag_of_the_table_is_known_and_refused_where_it_says_so() {
        let table = include_str!("../../../docs/spin-up.md");
        let rows = table.lines().filter_map(|line| line.strip_prefix("| `--")?.split_once("` | "));
        let up = <super::super::Command as clap::CommandFactory>::command();
        let up = up.find_subcommand("up").unwrap();
        let mut refused = 0;
        for (flag, meaning) in rows {
            let names = |arg: &clap::Arg| {
                arg.get_long().into_iter().chain(arg.get_all_aliases().unwrap_or_default()).any(|name| name == flag)
            };
            let arg = up.get_arguments().find(|arg| names(arg)).unwrap_or_else(|| panic!("--{flag} is unknown"));
            assert_eq!(arg.is_hide_set(), meaning.starts_with("refused"), "--{flag}");
            refused += usize::from(arg.is_hide_set());
        }
        assert_eq!(refused, 14);
    }
}
