//! Opens its own database and answers its name. With `?database=NAME` it tries another one on the same server, with
//! `?server=HOST:PORT` another server, both with its own credentials; it answers the database's name or the error.

use spin_sdk::{
    http::{IntoResponse, Request},
    http_service,
    pg::Connection,
    variables,
};

#[http_service]
async fn handle(request: Request) -> anyhow::Result<impl IntoResponse> {
    let own = variables::get("url").await?;
    let address = match request.uri().query().and_then(|query| query.split_once('=')) {
        Some(("database", name)) => own.rsplit_once('/').map(|(server, _)| format!("{server}/{name}")),
        Some(("server", place)) => replace_server(&own, place),
        _ => Some(own),
    };
    let address = address.ok_or_else(|| anyhow::anyhow!("the address has no such part"))?;
    Ok(name(&address).await.unwrap_or_else(|error| format!("error {error}")))
}

/// The address with another `host:port`.
fn replace_server(address: &str, place: &str) -> Option<String> {
    let (credentials, rest) = address.rsplit_once('@')?;
    let (_, database) = rest.split_once('/')?;
    Some(format!("{credentials}@{place}/{database}"))
}

/// The name of the database behind an address.
async fn name(address: &str) -> anyhow::Result<String> {
    let connection = Connection::open(address).await?;
    let rows = connection.query("SELECT current_database()::text", &[]).await?.collect().await?;
    let row = rows.first().ok_or_else(|| anyhow::anyhow!("no row came"))?;
    row.get::<String>("current_database").ok_or_else(|| anyhow::anyhow!("no name came"))
}
