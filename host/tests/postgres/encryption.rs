//! `sslmode` against a server that lets only encrypted connections in.

use super::server::{PASSWORD, Server};
use super::{Fixture, value};
use plaza::capability::postgres::{Authorities, Connection, DbValue, Error, PoolSettings, Pools};
use plaza::manifest::grant::AllowedHosts;
use std::sync::{Arc, OnceLock};

/// The server that these tests share.
pub fn encrypted_server() -> &'static Server {
    static SERVER: OnceLock<Server> = OnceLock::new();
    SERVER.get_or_init(Server::start_encrypted)
}

/// Pools of a component that may connect to the server under both of its names.
fn pools(authorities: Authorities) -> Pools {
    let port = encrypted_server().port;
    let hosts = ["localhost", "127.0.0.1"].map(|host| format!("postgres://{host}:{port}"));
    Pools::trusting(
        authorities,
        PoolSettings {
            component: "tested".to_owned(),
            grants: Arc::new(AllowedHosts::parse(hosts).unwrap()),
            blocked: Arc::default(),
            own_server: None,
            max_connections: 2,
            query_bytes: 1024,
            on_write: None,
        },
    )
}

/// Connects as `user` to `host`: `Ok` says whether the connection is encrypted, `Err` why there is none.
async fn connect(
    authorities: &Authorities,
    (user, host, mode): (&str, &str, &str),
    ca_root: Option<&str>,
) -> Result<bool, String> {
    let port = encrypted_server().port;
    let address = format!("postgres://{user}:{PASSWORD}@{host}:{port}/postgres?sslmode={mode}");
    let pools = pools(authorities.clone());
    let said = |failure: Box<Error>| match *failure {
        Error::ConnectionFailed(text) => text,
        other => panic!("{other:?}"),
    };
    let connection = Connection::open(&pools, &address, ca_root).map_err(said)?;
    let sql = "SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()";
    match value(&connection, sql, &[]).await.map_err(said)? {
        DbValue::Boolean(encrypted) => Ok(encrypted),
        other => panic!("{other:?}"),
    }
}

/// The server's own authority.
fn own() -> Authorities {
    Authorities::Pem(encrypted_server().authority())
}

/// Nobody's authority but Mozilla's.
fn nobody() -> Authorities {
    Authorities::OfEnvironment
}

fn refused(outcome: Result<bool, String>, reason: &str) {
    let message = outcome.expect_err("connected");
    assert!(message.contains(reason), "{message}");
}

#[tokio::test]
async fn disable_never_encrypts() {
    refused(connect(&own(), ("postgres", "localhost", "disable"), None).await, "no encryption");
}

#[tokio::test]
async fn allow_and_prefer_encrypt_where_the_server_wants_it_and_check_nothing() {
    for mode in ["allow", "prefer"] {
        assert_eq!(connect(&nobody(), ("postgres", "localhost", mode), None).await, Ok(true), "{mode}");
    }
}

#[tokio::test]
async fn allow_and_prefer_do_without_where_the_server_wants_that() {
    let admin = Fixture::on(encrypted_server(), "postgres", |_| {});
    admin.execute(&format!("CREATE ROLE plain LOGIN PASSWORD '{PASSWORD}'")).await;
    for mode in ["disable", "allow", "prefer"] {
        assert_eq!(connect(&nobody(), ("plain", "localhost", mode), None).await, Ok(false), "{mode}");
    }
    refused(connect(&nobody(), ("plain", "localhost", "require"), None).await, "pg_hba.conf");
}

#[tokio::test]
async fn require_encrypts_and_checks_the_authority_where_the_operator_names_one() {
    assert_eq!(connect(&nobody(), ("postgres", "127.0.0.1", "require"), None).await, Ok(true));
    assert_eq!(connect(&own(), ("postgres", "127.0.0.1", "require"), None).await, Ok(true));
    let stranger = Authorities::Pem(Server::start_encrypted().authority());
    refused(connect(&stranger, ("postgres", "127.0.0.1", "require"), None).await, "certificate");
}

#[tokio::test]
async fn verify_ca_checks_the_authority_and_not_the_name() {
    assert_eq!(connect(&own(), ("postgres", "127.0.0.1", "verify-ca"), None).await, Ok(true));
    refused(connect(&nobody(), ("postgres", "localhost", "verify-ca"), None).await, "PGSSLROOTCERT");
}

#[tokio::test]
async fn verify_full_checks_authority_and_name() {
    assert_eq!(connect(&own(), ("postgres", "localhost", "verify-full"), None).await, Ok(true));
    refused(connect(&own(), ("postgres", "127.0.0.1", "verify-full"), None).await, "certificate");
    refused(connect(&nobody(), ("postgres", "localhost", "verify-full"), None).await, "certificate");
}

#[tokio::test]
async fn an_authority_that_the_guest_names_must_vouch_for_the_name_too() {
    let authority = encrypted_server().authority();
    for mode in ["allow", "prefer", "require", "verify-ca", "verify-full"] {
        let connected = connect(&nobody(), ("postgres", "localhost", mode), Some(&authority)).await;
        assert_eq!(connected, Ok(true), "{mode}");
        refused(connect(&nobody(), ("postgres", "127.0.0.1", mode), Some(&authority)).await, "certificate");
    }
}

#[tokio::test]
async fn a_server_without_encryption_is_refused_where_encryption_is_required() {
    let fixture = Fixture::new().await;
    for mode in ["require", "verify-full"] {
        let address = format!("{}?sslmode={mode}", fixture.address);
        let connection = Connection::open(&fixture.pools, &address, None).unwrap();
        let error = value(&connection, "SELECT 1", &[]).await.unwrap_err();
        assert!(matches!(&*error, Error::ConnectionFailed(text) if text.contains("TLS")), "{mode}: {error:?}");
    }
    for mode in ["allow", "prefer"] {
        let address = format!("{}?sslmode={mode}", fixture.address);
        let connection = Connection::open(&fixture.pools, &address, None).unwrap();
        assert_eq!(value(&connection, "SELECT 1", &[]).await.unwrap(), DbValue::Int32(1), "{mode}");
    }
}
