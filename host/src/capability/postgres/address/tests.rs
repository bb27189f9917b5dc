//! Addresses, good and bad.

use std::path::PathBuf;

use super::*;

fn parse(address: &str) -> Result<Address, AddressError> {
    super::parse(address, None, &Authorities::OfEnvironment)
}

#[test]
fn a_url_is_taken_apart() {
    let address = parse("postgres://sh%40p:p%3Ass@db.example:6000/papers?sslmode=disable").unwrap();
    assert_eq!((address.host.as_str(), address.port), ("db.example", 6000));
    assert_eq!(address.options.get_username(), "sh@p");
    assert_eq!(address.options.get_database(), Some("papers"));
    assert!(matches!(address.options.get_ssl_mode(), PgSslMode::Disable));
}

#[test]
fn key_value_words_are_taken_apart() {
    let address = parse(r"host=localhost user = 'an\'a' password='a b' dbname=x").unwrap();
    assert_eq!((address.host.as_str(), address.port), ("localhost", 5432));
    assert_eq!(address.options.get_username(), "an'a");
}

#[test]
fn an_ipv6_host_keeps_its_colons() {
    let address = parse("postgresql://a@[::1]:7000/x").unwrap();
    assert_eq!((address.host.as_str(), address.port), ("::1", 7000));
}

#[test]
fn tricks_that_would_escape_the_grant_are_refused() {
    let refused = |text: &str| parse(text).unwrap_err();
    assert_eq!(refused("postgres://u@a,b/x"), AddressError::SeveralHosts);
    assert_eq!(refused("postgres://u@a:1,b:2/x"), AddressError::SeveralHosts);
    assert_eq!(refused("host=a,b user=u"), AddressError::SeveralHosts);
    assert_eq!(refused("postgres://u@%2Frun%2Fpostgresql/x"), AddressError::UnixSocket);
    assert_eq!(refused("host=/run user=u"), AddressError::UnixSocket);
    assert_eq!(refused("host=a hostaddr=10.0.0.1 user=u"), AddressError::Key("hostaddr".into()));
    assert_eq!(refused("postgres://u@a/x?sslrootcert=/etc/passwd"), AddressError::Key("sslrootcert".into()));
    assert_eq!(refused("postgres:///x?user=u"), AddressError::NoHost);
    assert_eq!(refused("nonsense"), AddressError::Form);
}

#[test]
fn the_last_host_given_is_the_one_that_is_checked() {
    let address = parse("postgres://u@granted/x?host=other").unwrap();
    assert_eq!(address.host, "other");
    assert_eq!(address.options.get_host(), "other");
}

#[test]
fn files_of_the_host_cannot_be_named() {
    for key in ["sslrootcert", "sslcert", "sslkey", "sslcrl", "passfile", "service", "requirepeer", "sslpassword"] {
        let refused = Err(AddressError::Key(key.to_owned()));
        assert_eq!(parse(&format!("postgres://u@a/x?{key}=/etc/hostname")).map(|_| ()), refused, "{key}");
        assert_eq!(parse(&format!("host=a user=u {key}=/etc/hostname")).map(|_| ()), refused, "{key}");
    }
}

#[test]
fn settings_are_taken_apart_at_blanks_only() {
    let options = |text: &str| parse(text).unwrap().options.get_options().map(str::to_owned);
    assert_eq!(options("postgres://u@a/x?options="), None);
    assert_eq!(
        options("postgres://u@a/x?options=-c%20search_path%3Dmy-cool%20-cgeqo%3Doff").as_deref(),
        Some("-c search_path=my-cool -c geqo=off")
    );
    assert_eq!(options(r"host=a user=u options='-c a.b=one\\ two'").as_deref(), Some(r"-c a.b=one\ two"));
    for text in ["-d 5", "-c", "-c geqo", "geqo=off"] {
        let refused = parse(&format!("host=a user=u options='{text}'")).map(|_| ());
        assert_eq!(refused, Err(AddressError::Key("options".into())), "{text}");
    }
}

#[test]
fn who_insists_on_encryption_does_not_take_the_socket() {
    let folder = Path::new("/run/database");
    let by_socket = |mode: &str| {
        let address = parse(&format!("postgres://u@a/x?sslmode={mode}")).unwrap().by_socket(folder);
        (address.options.get_socket().map(PathBuf::as_path) == Some(folder), address.second.is_some())
    };
    for mode in ["disable", "allow", "prefer"] {
        assert_eq!(by_socket(mode), (true, false), "{mode}");
    }
    for mode in ["require", "verify-full"] {
        assert_eq!(by_socket(mode), (false, false), "{mode}");
    }
}

#[test]
fn every_sslmode_means_what_libpq_says() {
    use PgSslMode::{Allow, Disable, Prefer, Require, VerifyCa, VerifyFull};
    let own = Authorities::Pem("own".to_owned());
    let nobody = Authorities::OfEnvironment;
    let modes = [Disable, Allow, Prefer, Require, VerifyCa, VerifyFull];
    let decide = |guest: Option<&str>, authorities: &Authorities| {
        let names = |mode: PgSslMode| match encryption(mode, guest, authorities) {
            Ok(Encryption { first, second, authorities }) => format!("{first:?} {second:?} {authorities:?}"),
            Err(error) => format!("{error:?}"),
        };
        modes.map(names)
    };
    let plain = "Disable None None";
    let (allow, prefer) = ("Disable Some(Require) None", "Prefer Some(Disable) None");
    assert_eq!(
        decide(None, &nobody),
        [plain, allow, prefer, "Require None None", "NoAuthority", "VerifyFull None None"]
    );
    let verified = ["VerifyCa None Some(\"own\")", "VerifyCa None Some(\"own\")", "VerifyFull None Some(\"own\")"];
    let [require, verify_ca, verify_full] = verified;
    assert_eq!(decide(None, &own), [plain, allow, prefer, require, verify_ca, verify_full]);
    let full = "VerifyFull None Some(\"guest\")";
    assert_eq!(decide(Some("guest"), &own), [plain, full, full, full, full, full]);
}
