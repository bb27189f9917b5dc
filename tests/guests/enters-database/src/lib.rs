//! Opens its own database and answers its name. With `?database=NAME` it tries another one on the same server, with
//! `?server=HOST:PORT` another server, both with its own credentials; with `?password=` its own without the password.
//! It answers the database's name, with `?setting=NAME` that setting, or the error.

use spin_sdk::{
    http::{IntoResponse, Request},
    http_service,
    pg::{Connection, Decode},
    variables,
};

#[http_service]
async fn handle(request: Request) -> anyhow::Result<impl IntoResponse> {
    let own = variables::get("url").await?;
    let address = match request.uri().query().and_then(|query| query.split_once('=')) {
        Some(("database", name)) => own.rsplit_once('/').map(|(server, _)| format!("{server}/{name}")),
        Some(("server", place)) => replace_server(&own, place),
        Some(("password", _)) => without_password(&own),
        _ => Some(own),
    };
    let address = address.ok_or_else(|| anyhow::anyhow!("the address has no such part"))?;
    let setting = request.uri().query().and_then(|query| query.strip_prefix("setting="));
    let asked = match setting {
        Some(setting) => ask(&address, &format!("SELECT current_setting('{setting}')")).await,
        None => ask(&address, "SELECT current_database()::text").await,
    };
    Ok(asked.unwrap_or_else(|error| format!("error {error}")))
}

/// The address with another `host:port`.
fn replace_server(address: &str, place: &str) -> Option<String> {
    let (credentials, rest) = address.rsplit_once('@')?;
    let (_, database) = rest.split_once('/')?;
    Some(format!("{credentials}@{place}/{database}"))
}

/// The address without its password.
fn without_password(address: &str) -> Option<String> {
    let (credentials, place) = address.rsplit_once('@')?;
    let (user, _) = credentials.rsplit_once(':')?;
    Some(format!("{user}@{place}"))
}

/// The one text that a query on the database behind an address returns.
async fn ask(address: &str, query: &str) -> anyhow::Result<String> {
    let connection = Connection::open(address).await?;
    let rows = connection.query(query, &[]).await?.collect().await?;
    let row = rows.first().ok_or_else(|| anyhow::anyhow!("no row came"))?;
    Ok(String::decode(&row[0])?)
}
