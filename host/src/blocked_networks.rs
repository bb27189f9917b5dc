//! Networks that no component connects to, whatever its manifest grants: `[outbound_networking] block_networks` of the runtime
//! config, with Spin's meaning.
//!
//! A name is judged by the addresses that it resolves to, and what is connected to is one of those that were judged: a name that
//! somebody else controls is no way in.

use std::{
    io,
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr},
};

use crate::network::Network;

/// The networks that are blocked; none, unless an operator says so.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct BlockedNetworks {
    networks: Vec<Network>,
    /// All that are not the public internet's.
    private: bool,
}

/// All addresses of what was to be connected to are blocked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("it leads into a network that the runtime config blocks (`block_networks` in `[outbound_networking]`)")]
pub struct Blocked;

impl BlockedNetworks {
    /// Blocks one more: a block of addresses like `10.0.0.0/8`, or `private` for all that are not the public internet's. Answers
    /// whether `entry` is either.
    #[must_use]
    pub fn add(&mut self, entry: &str) -> bool {
        match Network::parse(entry) {
            _ if entry == "private" => self.private = true,
            Some(network) => self.networks.push(network),
            None => return false,
        }
        true
    }

    /// Whether nothing is blocked.
    pub fn is_empty(&self) -> bool {
        !self.private && self.networks.is_empty()
    }

    /// Whether no component may connect to this address. An address of IPv4 in the clothes of IPv6 is both.
    pub fn blocks(&self, address: IpAddr) -> bool {
        // What is no address of a machine leads to this one.
        let itself = match address {
            IpAddr::V4(address) if address.is_unspecified() => Some(IpAddr::V4(Ipv4Addr::LOCALHOST)),
            IpAddr::V6(address) if address.is_unspecified() => Some(IpAddr::V6(Ipv6Addr::LOCALHOST)),
            _ => None,
        };
        if itself.is_some_and(|itself| self.blocks(itself)) {
            return true;
        }
        let is_blocked = (self.private && is_private(address)) || self.networks.iter().any(|one| one.contains(address));
        match address {
            IpAddr::V6(address) if !is_blocked => address.to_ipv4().is_some_and(|inner| self.blocks(IpAddr::V4(inner))),
            _ => is_blocked,
        }
    }

    /// Those of the addresses of a name that may be connected to.
    ///
    /// # Errors
    /// [`Blocked`] where there were some and none may.
    pub fn pass(&self, found: impl IntoIterator<Item = SocketAddr>) -> Result<Vec<SocketAddr>, Blocked> {
        let (blocked, passed): (Vec<_>, Vec<_>) = found.into_iter().partition(|found| self.blocks(found.ip()));
        if passed.is_empty() && !blocked.is_empty() { Err(Blocked) } else { Ok(passed) }
    }
}

impl From<Blocked> for io::Error {
    fn from(blocked: Blocked) -> Self {
        Self::new(io::ErrorKind::PermissionDenied, blocked)
    }
}

/// Whether `address` is not one of the public internet's (IANA special-purpose registries, RFC 6890).
fn is_private(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => is_private_v4(address),
        IpAddr::V6(address) => is_private_v6(address),
    }
}

fn is_private_v4(address: Ipv4Addr) -> bool {
    let [first, second, third, _] = address.octets();
    address.is_private()
        || address.is_loopback()
        || address.is_link_local()
        || address.is_documentation()
        || address.is_multicast()
        || first == 0
        || first >= 240
        || (first == 100 && (64..128).contains(&second)) // shared by a provider's customers
        || (first == 192 && second == 0 && third == 0)
        || (first == 198 && (18..20).contains(&second)) // benchmarks
}

fn is_private_v6(address: Ipv6Addr) -> bool {
    let [first, second, .., sixth, seventh, eighth] = address.segments();
    let v4 = |high: u16, low: u16| is_private_v4(Ipv4Addr::from((u32::from(high) << 16) | u32::from(low)));
    match address.segments() {
        [0, 0, 0, 0, 0, 0, ..] => true,
        [0, 0, 0, 0, 0, 0xffff, ..] => v4(seventh, eighth),
        [0x64, 0xff9b, 0, 0, 0, 0, ..] => v4(seventh, eighth),
        [0x64, 0xff9b, 1, ..] => true,
        [0x2002, third, fourth, ..] => v4(third, fourth),
        _ => {
            address.is_unique_local()
                || address.is_unicast_link_local()
                || address.is_multicast()
                || (first & 0xffc0) == 0xfec0
                || (first == 0x2001 && second == 0x0db8)
                || (first == 0x100 && second == 0 && sixth == 0)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn blocking(entries: &[&str]) -> BlockedNetworks {
        let mut blocked = BlockedNetworks::default();
        assert!(entries.iter().all(|entry| blocked.add(entry)), "{entries:?}");
        blocked
    }

    fn blocks(blocked: &BlockedNetworks, address: &str) -> bool {
        blocked.blocks(address.parse().unwrap())
    }

    #[test]
    fn nothing_is_blocked_unless_an_entry_says_so() {
        let none = BlockedNetworks::default();
        assert!(none.is_empty() && !blocks(&none, "127.0.0.1") && !blocks(&none, "::1") && !blocks(&none, "1.1.1.1"));
    }

    #[test]
    fn what_is_no_address_of_a_machine_is_blocked_with_this_one() {
        assert!(blocks(&blocking(&["127.0.0.0/8"]), "0.0.0.0") && !blocks(&blocking(&["10.0.0.0/8"]), "0.0.0.0"));
        assert!(blocks(&blocking(&["::1/128"]), "::") && !blocks(&blocking(&["fd00::/8"]), "::"));
    }

    #[test]
    fn a_network_is_blocked_in_either_spelling_of_its_addresses_and_no_other_is() {
        let blocked = blocking(&["123.123.7.7/16", "2001::/96"]);
        for address in ["123.123.123.123", "::ffff:123.123.123.123", "2001::1000"] {
            assert!(blocks(&blocked, address), "{address}");
        }
        for address in ["123.100.100.100", "127.0.0.1", "2002::1000"] {
            assert!(!blocks(&blocked, address), "{address}");
        }
    }

    #[test]
    fn what_is_neither_a_block_nor_private_is_no_entry() {
        for entry in
            ["", "Private", "1.1.1.1", "1.1.1.1/33", "example.com", "[fd00::]/8", "10.0.0.0/8:80", "1.1.1.1/+8"]
        {
            assert!(!BlockedNetworks::default().add(entry), "{entry}");
        }
    }

    #[test]
    fn of_several_addresses_those_are_left_that_are_not_blocked() {
        let [inner, outer] = ["127.0.0.1:80", "1.1.1.1:80"].map(|address| address.parse::<SocketAddr>().unwrap());
        let blocked = blocking(&["private"]);
        assert_eq!(blocked.pass([inner, outer]), Ok(vec![outer]));
        assert_eq!(blocked.pass([inner]), Err(Blocked));
        assert_eq!(blocked.pass([]), Ok(vec![]));
    }

    #[test]
    fn this_machine_and_private_networks_are_private() {
        for address in [
            "127.0.0.1",
            "10.1.2.3",
            "172.16.0.1",
            "192.168.1.1",
            "169.254.169.254",
            "0.0.0.0",
            "100.64.0.1",
            "255.255.255.255",
            "224.0.0.1",
            "::1",
            "::",
            "fe80::1",
            "fd00::1",
            "ff02::1",
            "::ffff:127.0.0.1",
            "::ffff:10.0.0.1",
            "64:ff9b::7f00:1",
            "2002:7f00:1::",
            "::7f00:1",
        ] {
            assert!(blocks(&blocking(&["private"]), address), "{address}");
        }
    }

    #[test]
    fn the_internet_is_public() {
        for address in ["1.1.1.1", "93.184.215.14", "172.32.0.1", "100.128.0.1", "2606:4700::1111", "::ffff:1.1.1.1"] {
            assert!(!blocks(&blocking(&["private"]), address), "{address}");
        }
    }
}
