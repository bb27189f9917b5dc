//! A block of IP addresses.

use std::net::IpAddr;

/// The addresses that begin with the same bits: `10.0.0.0/8`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Network {
    address: IpAddr,
    bits: u8,
}

impl Network {
    /// The block in which `address` is, of which the first `bits` count; none where it has not that many.
    pub fn new(address: IpAddr, bits: u8) -> Option<Self> {
        let most = if address.is_ipv4() { 32 } else { 128 };
        (bits <= most).then_some(Self { address, bits })
    }

    /// Reads `address/bits`.
    pub fn parse(text: &str) -> Option<Self> {
        let (address, bits) = text.split_once('/')?;
        if !bits.bytes().all(|byte| byte.is_ascii_digit()) {
            return None;
        }
        Self::new(address.parse().ok()?, bits.parse().ok()?)
    }

    /// Whether an address is one of them. None of IPv4 is in a block of IPv6, nor the other way round.
    pub fn contains(self, address: IpAddr) -> bool {
        let bits = u32::from(self.bits);
        match (address, self.address) {
            (IpAddr::V4(address), IpAddr::V4(network)) => {
                let differing = u32::from(address) ^ u32::from(network);
                differing.checked_shr(32 - bits).unwrap_or(0) == 0
            }
            (IpAddr::V6(address), IpAddr::V6(network)) => {
                let differing = u128::from(address) ^ u128::from(network);
                differing.checked_shr(128 - bits).unwrap_or(0) == 0
            }
            _ => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn contains(network: &str, address: &str) -> bool {
        Network::parse(network).unwrap().contains(address.parse().unwrap())
    }

    #[test]
    fn the_first_bits_count_and_the_others_do_not() {
        assert!(contains("10.9.9.9/8", "10.1.2.3") && !contains("10.0.0.0/8", "11.1.2.3"));
        assert!(contains("1.1.1.1/32", "1.1.1.1") && !contains("1.1.1.1/32", "1.1.1.0"));
        assert!(contains("fd00::/8", "fd12::1") && !contains("::1/128", "::2"));
    }

    #[test]
    fn a_block_of_all_addresses_is_one_of_its_kind_alone() {
        assert!(contains("0.0.0.0/0", "255.1.2.3") && !contains("0.0.0.0/0", "::1"));
        assert!(contains("::/0", "fd12::1") && !contains("::/0", "1.2.3.4"));
    }
}
