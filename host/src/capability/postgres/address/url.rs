//! An address in the form of a URL: `postgres://user:password@host:port/database?key=value`.

use super::{AddressError, Parts, port};

/// Reads what follows `postgres://`.
pub fn from_url(rest: &str) -> Result<Parts, AddressError> {
    let (place, query) = rest.split_once('?').unwrap_or((rest, ""));
    let (credentials, place) = place.rsplit_once('@').map_or((None, place), |(left, right)| (Some(left), right));
    let (authority, database) = place.split_once('/').unwrap_or((place, ""));
    let mut parts = Parts::default();
    if let Some(credentials) = credentials {
        let (user, password) = credentials.split_once(':').map_or((credentials, None), |(u, p)| (u, Some(p)));
        parts.user = Some(decoded(user)?);
        parts.password = password.map(decoded).transpose()?;
    }
    set_authority(&mut parts, authority)?;
    if !database.is_empty() {
        parts.database = Some(decoded(database)?);
    }
    for pair in query.split('&').filter(|pair| !pair.is_empty()) {
        let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
        parts.set(&decoded(key)?, decoded(value)?)?;
    }
    Ok(parts)
}

fn set_authority(parts: &mut Parts, authority: &str) -> Result<(), AddressError> {
    if authority.contains(',') {
        return Err(AddressError::SeveralHosts);
    }
    let (host, port_text) = match authority.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
        Some((host, rest)) => (host, rest.strip_prefix(':')),
        None => authority.rsplit_once(':').map_or((authority, None), |(host, port)| (host, Some(port))),
    };
    if !host.is_empty() {
        parts.host = Some(decoded(host)?);
    }
    if let Some(text) = port_text {
        parts.port = Some(port(text)?);
    }
    Ok(())
}

/// Undoes percent-encoding.
fn decoded(text: &str) -> Result<String, AddressError> {
    if !text.contains('%') {
        return Ok(text.to_owned());
    }
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        if byte != b'%' {
            bytes.push(byte);
            continue;
        }
        let mut digit = || rest.next().and_then(|digit| char::from(digit).to_digit(16));
        let (high, low) = digit().zip(digit()).ok_or(AddressError::Encoding)?;
        bytes.push(u8::try_from(high * 16 + low).map_err(|_| AddressError::Encoding)?);
    }
    String::from_utf8(bytes).map_err(|_| AddressError::Encoding)
}
