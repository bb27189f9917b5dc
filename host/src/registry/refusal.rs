//! What the answers of a registry mean that are not what was asked for.

use std::error::Error;

use http::StatusCode;
use oci_client::errors::{DigestError, OciDistributionError, OciEnvelope, OciErrorCode};

use super::error::RegistryError;

/// Who was asked, and where else a password may be.
#[derive(Debug, Clone, Copy)]
pub struct Asked<'a> {
    /// `host` or `host:port`.
    pub registry: &'a str,
    /// Why the program did not help that has the passwords.
    pub helper: Option<&'a str>,
}

impl Asked<'_> {
    /// A password is missing or wrong.
    pub fn unauthorised(self) -> RegistryError {
        RegistryError::Unauthorised { registry: self.registry.to_owned(), helper: self.helper.map(str::to_owned) }
    }

    fn absent(self, what: &str) -> RegistryError {
        RegistryError::Absent { what: what.to_owned(), registry: self.registry.to_owned() }
    }

    /// Another answer than there should be.
    pub fn refused(self, cause: String) -> RegistryError {
        RegistryError::Refused { registry: self.registry.to_owned(), cause }
    }

    /// What a status, with what is said beside it, means to whoever asked for `what`.
    pub fn answered(self, what: &str, status: StatusCode, words: &[u8]) -> RegistryError {
        match (status.as_u16(), serde_json::from_slice::<OciEnvelope>(words)) {
            (401 | 403, _) => self.unauthorised(),
            (404, _) => self.absent(what),
            (400..=499, Ok(envelope)) => self.said(what, &envelope),
            _ => self.refused(format!("{} {}", status.as_u16(), String::from_utf8_lossy(words))),
        }
    }

    fn said(self, what: &str, envelope: &OciEnvelope) -> RegistryError {
        let says = |codes: &[OciErrorCode]| envelope.errors.iter().any(|error| codes.contains(&error.code));
        let missing = [
            OciErrorCode::ManifestUnknown,
            OciErrorCode::NameUnknown,
            OciErrorCode::NotFound,
            OciErrorCode::BlobUnknown,
        ];
        if says(&[OciErrorCode::Unauthorized, OciErrorCode::Denied]) {
            self.unauthorised()
        } else if says(&missing) {
            self.absent(what)
        } else {
            self.refused(envelope.to_string())
        }
    }

    /// The same of what the client for pushing says.
    pub fn failed(self, what: &str, error: OciDistributionError) -> RegistryError {
        match error {
            OciDistributionError::RequestError(error) => match error.status().map(|status| status.as_u16()) {
                Some(401 | 403) => self.unauthorised(),
                Some(404) => self.absent(what),
                _ => unanswered(self.registry.to_owned(), error),
            },
            OciDistributionError::UnauthorizedError { .. }
            | OciDistributionError::AuthenticationFailure(_)
            | OciDistributionError::ServerError { code: 401 | 403, .. } => self.unauthorised(),
            OciDistributionError::ImageManifestNotFoundError(_)
            | OciDistributionError::ServerError { code: 404, .. } => self.absent(what),
            OciDistributionError::RegistryError { envelope, .. } => self.said(what, &envelope),
            OciDistributionError::DigestError(DigestError::VerificationError { expected, actual }) => {
                RegistryError::Changed { expected, found: actual }
            }
            OciDistributionError::ServerError { code, message, .. } => self.refused(format!("{code} {message}")),
            other => self.refused(other.to_string()),
        }
    }
}

/// No answer at all.
pub fn unanswered(registry: String, error: reqwest::Error) -> RegistryError {
    // An address may have a token in it.
    let error = error.without_url();
    let cause = causes(&error);
    let about_tls = ["InvalidContentType", "certificate", "TLS", "tls", "UnknownIssuer", "handshake"];
    if about_tls.iter().any(|word| cause.contains(word)) {
        RegistryError::NoTls { registry, cause }
    } else {
        RegistryError::Away { registry, cause }
    }
}

/// An error with all that is behind it, without what is said twice.
pub fn causes(error: &dyn Error) -> String {
    let mut said = vec![error.to_string()];
    let mut behind = error.source();
    while let Some(cause) = behind {
        let text = cause.to_string();
        if !said.iter().any(|earlier| earlier.contains(&text)) {
            said.push(text);
        }
        behind = cause.source();
    }
    said.join(": ")
}

#[cfg(test)]
mod tests {
    use super::*;

    const ASKED: Asked<'_> = Asked { registry: "ghcr.io", helper: None };

    #[test]
    fn what_a_registry_says_is_told_short_and_without_what_moves_a_terminal() {
        let words = format!("\u{1b}[2J\u{202e}gone{}", "x".repeat(100_000));
        let status = StatusCode::INTERNAL_SERVER_ERROR;
        let told = ASKED.answered("app", status, words.as_bytes()).to_string();
        assert!(told.contains("500 [2Jgone") && told.contains("try again later"), "{told}");
        assert!(told.len() < 1000 && !told.contains(['\u{1b}', '\u{202e}']), "{told}");
        let envelope = format!(r#"{{"errors":[{{"code":"TOOMANYREQUESTS","message":"\u001b[31m{words}"}}]}}"#);
        let told = ASKED.answered("app", StatusCode::TOO_MANY_REQUESTS, envelope.as_bytes()).to_string();
        assert!(told.len() < 1000 && !told.contains('\u{1b}'), "{told}");
    }

    #[test]
    fn who_leaves_passwords_to_a_program_is_told_why_it_did_not_help() {
        let asked = Asked { helper: Some("docker-credential-desktop cannot be run"), ..ASKED };
        let told = asked.answered("app", StatusCode::UNAUTHORIZED, b"").to_string();
        assert!(told.contains("plaza registry login ghcr.io`, since docker-credential-desktop cannot"), "{told}");
        assert!(!ASKED.unauthorised().to_string().contains("since"));
    }
}
