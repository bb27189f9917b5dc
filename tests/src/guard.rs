//! What a broker asks of its clients: TLS with a certificate of the test's own, and a password.

use std::{
    path::{Path, PathBuf},
    process::Command,
};

/// A user that every broker of the tests knows; `make broker` has told it.
pub const USER: &str = "plaza";

/// Its password.
pub const PASSWORD: &str = "the-broker-knows-it";

/// What protects the broker's own key, which nobody else sees.
const STORE_PASSWORD: &str = "changeit";

/// A certificate for 127.0.0.1, and the settings of a listener that shows it.
pub(crate) struct Guard {
    folder: PathBuf,
}

impl Guard {
    /// Makes a certificate in this folder.
    pub(crate) fn in_folder(folder: &Path) -> Self {
        let guard = Self { folder: folder.to_owned() };
        let store = guard.store();
        let store = [
            "-keystore",
            &store.display().to_string(),
            "-storepass",
            STORE_PASSWORD,
            "-storetype",
            "PKCS12",
            "-alias",
            "broker",
        ]
        .map(str::to_owned);
        let make = ["-genkeypair", "-keyalg", "RSA", "-dname", "CN=127.0.0.1", "-ext", "san=ip:127.0.0.1"];
        keytool(&make, &store);
        let authority = guard.authority().display().to_string();
        keytool(&["-exportcert", "-rfc", "-file", &authority], &store);
        guard
    }

    /// Who has signed the certificate: itself, in PEM form.
    pub(crate) fn authority(&self) -> PathBuf {
        self.folder.join("authority.pem")
    }

    /// The settings of the broker's listener `SASL_SSL`.
    pub(crate) fn settings(&self) -> String {
        format!(
            "sasl.enabled.mechanisms=SCRAM-SHA-512\n\
             listener.name.sasl_ssl.scram-sha-512.sasl.jaas.config=org.apache.kafka.common.security.scram.ScramLoginModule required;\n\
             ssl.keystore.type=PKCS12\n\
             ssl.keystore.location={}\n\
             ssl.keystore.password={STORE_PASSWORD}\n",
            self.store().display()
        )
    }

    fn store(&self) -> PathBuf {
        self.folder.join("broker.p12")
    }
}

/// Runs the tool for certificates that comes with Java.
fn keytool(arguments: &[&str], store: &[String]) {
    let output = Command::new("keytool").args(arguments).args(store).output().expect("keytool can be run");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
}
