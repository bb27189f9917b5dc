//! Whose word counts on where a request comes from.

use std::{
    net::{IpAddr, SocketAddr},
    str::FromStr,
};

use http::HeaderMap;
use ipnet::IpNet;

use super::forwarded::{self, Hop};

/// The proxies in front of the host. Each is believed to add the address by which it was asked, and to let nobody else say so.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TrustedProxies(Vec<Proxies>);

/// A network of proxies, or one of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Proxies(IpNet);

/// A text that names no proxies.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ProxiesError {
    /// It is something else.
    #[error("write an address, such as 192.0.2.7, or a network in CIDR notation, such as 10.0.0.0/8 or fd00::/8")]
    NoNetwork,
    /// More of the address is given than the network has.
    #[error("the network of this address is {0}: write that, or the address alone")]
    AddressInside(IpNet),
}

impl FromStr for Proxies {
    type Err = ProxiesError;

    fn from_str(text: &str) -> Result<Self, ProxiesError> {
        let text = text.trim();
        if let Ok(address) = text.parse::<IpAddr>() {
            return Ok(Self(address.to_canonical().into()));
        }
        let network = text.parse::<IpNet>().map_err(|_| ProxiesError::NoNetwork)?;
        match network.trunc() {
            whole if whole == network => Ok(Self(network)),
            whole => Err(ProxiesError::AddressInside(whole)),
        }
    }
}

impl FromIterator<Proxies> for TrustedProxies {
    fn from_iter<I: IntoIterator<Item = Proxies>>(proxies: I) -> Self {
        Self(proxies.into_iter().collect())
    }
}

/// Where a request comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Origin {
    /// The client's address: the nearest that is no trusted proxy's. Its port is 0 where a proxy does not tell it.
    pub client: SocketAddr,
    /// Whether the client spoke TLS: to this host, or, as the proxies say, to them.
    pub by_tls: bool,
}

impl TrustedProxies {
    /// Where a request comes from that `peer` has sent. What its headers say beyond that is taken out of them.
    ///
    /// Most proxies write one of the two lists and hand on the other as it came from the client. So where both are there and
    /// do not name the same client, neither is believed, and the proxy's own address counts.
    pub fn origin(&self, peer: SocketAddr, headers: &mut HeaderMap) -> Origin {
        let nobody = Origin { client: peer, by_tls: false };
        if !self.contain(peer.ip()) {
            forwarded::remove(headers);
            return nobody;
        }
        let (standard, usual) = (forwarded::forwarded(headers), forwarded::x_forwarded(headers));
        let (standard_known, usual_known) = (self.known(&standard), self.known(&usual));
        let origin = match (standard.is_empty(), usual.is_empty()) {
            (true, true) => Some(Origin { by_tls: forwarded::nearest_by_tls(headers), ..nobody }),
            (false, true) => origin_of(standard_known),
            (true, false) => origin_of(usual_known),
            (false, false) => origin_of(standard_known).zip(origin_of(usual_known)).and_then(agreed),
        };
        match origin {
            Some(origin) => forwarded::keep(headers, standard_known, usual_known, origin.by_tls),
            None => forwarded::remove(headers),
        }
        origin.unwrap_or(nobody)
    }

    /// The hops that trusted proxies have written, as far as they name addresses: from the client on.
    fn known<'a>(&self, hops: &'a [Hop]) -> &'a [Hop] {
        let is_proxy = |hop: &Hop| hop.client.is_some_and(|client| self.contain(client.ip()));
        let proxies = hops.iter().rev().take_while(|hop| is_proxy(hop)).count();
        let client = hops.iter().rev().nth(proxies).is_some_and(|hop| hop.client.is_some());
        let unknown = hops.len() - proxies - usize::from(client);
        hops.get(unknown..).unwrap_or_default()
    }

    fn contain(&self, address: IpAddr) -> bool {
        // An IPv4 client of a socket of IPv6 has an address that is mapped into it.
        let address = address.to_canonical();
        self.0.iter().any(|proxies| proxies.0.contains(&address))
    }
}

fn origin_of(known: &[Hop]) -> Option<Origin> {
    let hop = known.first()?;
    Some(Origin { client: hop.client?, by_tls: hop.by_tls == Some(true) })
}

fn agreed((one, other): (Origin, Origin)) -> Option<Origin> {
    let is_same = one.client.ip().to_canonical() == other.client.ip().to_canonical();
    is_same.then_some(Origin { by_tls: one.by_tls || other.by_tls, ..other })
}

#[cfg(test)]
mod tests;
