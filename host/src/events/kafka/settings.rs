use std::{fmt, path::PathBuf};

use rdkafka::{ClientConfig, config::RDKafkaLogLevel};

/// Where Kafka is, and how it is spoken to.
#[derive(Clone)]
pub struct KafkaSettings {
    /// `host:port`, separated by commas; those that are reached name the others.
    pub brokers: String,
    /// Partitions of topics that are made.
    pub partitions: u16,
    /// Who the host says that it is; nobody where the brokers do not ask.
    pub login: Option<Login>,
    /// Whether the connection is encrypted, and whom it trusts.
    pub tls: Option<Trust>,
}

/// A user and what proves it.
#[derive(Clone)]
pub struct Login {
    /// The user.
    pub user: String,
    /// Its password.
    pub password: String,
    /// How it is shown.
    pub mechanism: Mechanism,
}

/// How a password is shown to a broker (SASL).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, clap::ValueEnum)]
pub enum Mechanism {
    /// RFC 5802 with SHA-512: the broker never sees the password.
    #[default]
    #[value(name = "SCRAM-SHA-512")]
    ScramSha512,
    /// RFC 7677.
    #[value(name = "SCRAM-SHA-256")]
    ScramSha256,
    /// RFC 4616: the password as it is, hence over TLS only.
    #[value(name = "PLAIN")]
    Plain,
}

/// Whose certificates are believed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Trust {
    /// Of the authorities that this machine trusts.
    Machine,
    /// Of those in this file, in PEM form.
    File(PathBuf),
}

impl KafkaSettings {
    /// What every client is made with.
    pub(super) fn client(&self) -> ClientConfig {
        let mut config = ClientConfig::new();
        config
            .set_log_level(RDKafkaLogLevel::Warning)
            .set("client.id", "plaza")
            .set("bootstrap.servers", &self.brokers)
            .set("socket.keepalive.enable", "true")
            // A broker that is back is found soon, however long it was away.
            .set("reconnect.backoff.max.ms", "2000")
            .set("security.protocol", self.protocol());
        if let Some(login) = &self.login {
            config
                .set("sasl.mechanism", login.mechanism.name())
                .set("sasl.username", &login.user)
                .set("sasl.password", &login.password);
        }
        match &self.tls {
            Some(Trust::File(file)) => config.set("ssl.ca.location", file.to_string_lossy()),
            // An OpenSSL that is part of the program knows of no folder, so the usual ones are looked into.
            Some(Trust::Machine) => config.set("ssl.ca.location", "probe"),
            None => &mut config,
        };
        config
    }

    fn protocol(&self) -> &'static str {
        match (&self.login, &self.tls) {
            (None, None) => "plaintext",
            (None, Some(_)) => "ssl",
            (Some(_), None) => "sasl_plaintext",
            (Some(_), Some(_)) => "sasl_ssl",
        }
    }
}

impl Mechanism {
    fn name(self) -> &'static str {
        match self {
            Self::ScramSha512 => "SCRAM-SHA-512",
            Self::ScramSha256 => "SCRAM-SHA-256",
            Self::Plain => "PLAIN",
        }
    }
}

impl fmt::Debug for KafkaSettings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("KafkaSettings")
            .field("brokers", &self.brokers)
            .field("partitions", &self.partitions)
            .field("user", &self.login.as_ref().map(|login| &login.user))
            .field("tls", &self.tls)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings(login: Option<Mechanism>, tls: Option<Trust>) -> KafkaSettings {
        let login = login.map(|mechanism| Login { user: "plaza".into(), password: "hidden word".into(), mechanism });
        KafkaSettings { brokers: "127.0.0.1:9092".into(), partitions: 8, login, tls }
    }

    #[test]
    fn the_protocol_follows_from_login_and_tls() {
        let file = || Some(Trust::File("ca.pem".into()));
        for (login, tls, protocol) in [
            (None, None, "plaintext"),
            (None, Some(Trust::Machine), "ssl"),
            (Some(Mechanism::ScramSha256), None, "sasl_plaintext"),
            (Some(Mechanism::Plain), file(), "sasl_ssl"),
        ] {
            let config = settings(login, tls).client();
            assert_eq!(config.get("security.protocol"), Some(protocol));
            assert_eq!(config.get("sasl.mechanism"), login.map(Mechanism::name));
        }
        assert_eq!(settings(None, file()).client().get("ssl.ca.location"), Some("ca.pem"));
    }

    #[test]
    fn the_library_knows_every_mechanism_and_tls() {
        for mechanism in [Mechanism::ScramSha512, Mechanism::ScramSha256, Mechanism::Plain] {
            let config = settings(Some(mechanism), Some(Trust::Machine)).client();
            assert!(config.create::<rdkafka::producer::BaseProducer>().is_ok(), "{mechanism:?}");
        }
    }

    #[test]
    fn a_password_is_not_printed() {
        let printed = format!("{:?}", settings(Some(Mechanism::Plain), None));
        assert!(printed.contains("plaza") && !printed.contains("hidden word"), "{printed}");
    }
}
