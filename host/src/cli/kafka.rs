//! Flags that say where Kafka is.

use std::path::PathBuf;

use anyhow::Context;
use clap::{
    Args,
    builder::{FalseyValueParser, RangedU64ValueParser as Range},
};

use super::options::text_in;
use crate::events::{KafkaSettings, Login, Mechanism, Trust};

/// The variable that holds the password, which is no flag: whoever lists processes sees their arguments.
const PASSWORD: &str = "PLAZA_KAFKA_PASSWORD";

/// Where Kafka is, and how it is spoken to.
#[derive(Debug, Args)]
#[command(next_help_heading = "Kafka")]
pub struct KafkaFlags {
    /// Brokers of Kafka, which carries the events then; without it they stay in this process
    #[arg(long = "kafka", value_name = "HOST:PORT,…", env = "PLAZA_KAFKA")]
    brokers: Option<String>,

    /// Partitions of the topics that are made; one that is there already keeps its own
    #[arg(long = "kafka-partitions", value_name = "COUNT", env = "PLAZA_KAFKA_PARTITIONS", default_value_t = 8,
        value_parser = Range::<u16>::new().range(1..=1000))]
    partitions: u16,

    /// The user to log in as (SASL); the password is in PLAZA_KAFKA_PASSWORD or in the file of --kafka-password-file
    #[arg(long = "kafka-user", value_name = "NAME", env = "PLAZA_KAFKA_USER", requires = "brokers")]
    user: Option<String>,

    /// A file that holds the password and nothing else
    #[arg(long = "kafka-password-file", value_name = "FILE", env = "PLAZA_KAFKA_PASSWORD_FILE", requires = "user")]
    password_file: Option<PathBuf>,

    /// How the password is shown
    #[arg(long = "kafka-mechanism", value_enum, ignore_case = true, env = "PLAZA_KAFKA_MECHANISM", default_value_t)]
    mechanism: Mechanism,

    /// Speak TLS, and trust whom this machine trusts
    #[arg(long = "kafka-tls", env = "PLAZA_KAFKA_TLS", requires = "brokers",
        value_parser = FalseyValueParser::new())]
    tls: bool,

    /// Speak TLS, and trust the authorities in this file (PEM) alone
    #[arg(long = "kafka-ca", value_name = "FILE", env = "PLAZA_KAFKA_CA", requires = "brokers")]
    authorities: Option<PathBuf>,
}

impl KafkaFlags {
    /// What they say; nothing where Kafka is not to be used.
    pub fn settings(self) -> anyhow::Result<Option<KafkaSettings>> {
        // A variable that is set to nothing says nothing.
        let Some(brokers) = self.brokers.filter(|brokers| !brokers.is_empty()) else { return Ok(None) };
        let tls = match (self.authorities, self.tls) {
            (Some(file), _) => {
                std::fs::metadata(&file).with_context(|| format!("--kafka-ca: cannot read {}", file.display()))?;
                Some(Trust::File(file))
            }
            (None, true) => Some(Trust::Machine),
            (None, false) => None,
        };
        let login = match self.user {
            Some(user) => {
                let password = password(self.password_file)?;
                Some(Login { user, password, mechanism: self.mechanism })
            }
            None => None,
        };
        if login.is_some() && self.mechanism == Mechanism::Plain && tls.is_none() {
            anyhow::bail!(
                "PLAIN shows the password to everybody on the way: add --kafka-tls or --kafka-ca, or use SCRAM"
            );
        }
        Ok(Some(KafkaSettings { brokers, partitions: self.partitions, login, tls }))
    }
}

fn password(file: Option<PathBuf>) -> anyhow::Result<String> {
    let Some(file) = file else {
        return std::env::var(PASSWORD).with_context(|| {
            format!("--kafka-user needs a password: set {PASSWORD}, or name a file with --kafka-password-file")
        });
    };
    text_in(&file)
}
