//! TCP and UDP of WASI 0.2 and 0.3, to the addresses that the manifest grants for the schemes `tcp` and `udp`.
//!
//! Those in a network that the runtime config blocks are granted to nobody. A component connects and sends; it listens nowhere. Names are
//! looked up only by who may connect to every host, for what is looked up is told to whoever answers for it. An instance has so many open
//! and no more.

mod open;

use std::{net::SocketAddr, sync::Arc};

pub use open::{Access, OpenSockets, add_to_linker};

use wasmtime_wasi::{WasiCtxBuilder, sockets::SocketAddrUse};

use crate::{blocked_networks::BlockedNetworks, manifest::grant::AllowedHosts};

/// Gives a store's WASI the sockets that are granted.
pub fn grant(wasi: &mut WasiCtxBuilder, grants: &Arc<AllowedHosts>, blocked: &Arc<BlockedNetworks>) {
    let (tcp, udp) = (grants.any_by("tcp"), grants.any_by("udp"));
    if !tcp && !udp {
        return;
    }
    wasi.allow_tcp(tcp).allow_udp(udp);
    wasi.allow_ip_name_lookup(grants.every_host_by("tcp") || grants.every_host_by("udp"));
    let (grants, blocked) = (grants.clone(), blocked.clone());
    wasi.socket_addr_check(move |address, purpose| {
        let granted = allows(&grants, &blocked, address, purpose);
        Box::pin(std::future::ready(granted))
    });
}

fn allows(grants: &AllowedHosts, blocked: &BlockedNetworks, address: SocketAddr, purpose: SocketAddrUse) -> bool {
    // IPv4 that is written as IPv6 is granted as what it is.
    let host = address.ip().to_canonical().to_string();
    let to = |scheme| grants.allows(scheme, &host, address.port()) && !blocked.blocks(address.ip());
    match purpose {
        // What the system does by itself before it connects or sends.
        SocketAddrUse::TcpBind | SocketAddrUse::UdpBind => address.ip().is_unspecified() && address.port() == 0,
        SocketAddrUse::TcpConnect => to("tcp"),
        SocketAddrUse::UdpSend | SocketAddrUse::UdpReceive => to("udp"),
        SocketAddrUse::TcpListen | SocketAddrUse::TcpAccept => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn granted(entry: &str, address: &str, purpose: SocketAddrUse) -> bool {
        allows(&AllowedHosts::parse([entry]).unwrap(), &BlockedNetworks::default(), address.parse().unwrap(), purpose)
    }

    #[test]
    fn a_component_connects_where_scheme_address_and_port_are_granted() {
        let connects = |entry, address| granted(entry, address, SocketAddrUse::TcpConnect);
        assert!(connects("*://127.0.0.1:5000", "127.0.0.1:5000"));
        assert!(connects("tcp://127.0.0.0/24:5000", "127.0.0.9:5000"));
        assert!(connects("tcp://127.0.0.1:5000", "[::ffff:127.0.0.1]:5000"));
        assert!(!connects("tcp://127.0.0.1:5000", "127.0.0.1:5001"));
        assert!(!connects("tcp://127.0.0.1:5000", "127.0.0.2:5000"));
        assert!(!connects("http://127.0.0.1:5000", "127.0.0.1:5000"));
        assert!(!connects("udp://127.0.0.1:5000", "127.0.0.1:5000"));
        assert!(granted("udp://127.0.0.1:53", "127.0.0.1:53", SocketAddrUse::UdpSend));
        assert!(granted("udp://127.0.0.1:53", "127.0.0.1:53", SocketAddrUse::UdpReceive));
        assert!(!granted("tcp://127.0.0.1:53", "127.0.0.1:53", SocketAddrUse::UdpSend));
    }

    #[test]
    fn what_is_in_a_blocked_network_is_granted_to_nobody() {
        let mut blocked = BlockedNetworks::default();
        assert!(blocked.add("127.0.0.0/8"));
        let grants = AllowedHosts::parse(["*://*:*", "tcp://127.0.0.1:5000"]).unwrap();
        let connects = |address: &str| allows(&grants, &blocked, address.parse().unwrap(), SocketAddrUse::TcpConnect);
        assert!(!connects("127.0.0.1:5000") && !connects("[::ffff:127.0.0.1]:5000"));
        assert!(connects("10.0.0.1:5000"));
    }

    #[test]
    fn it_listens_nowhere_and_takes_no_port_of_its_own_choice() {
        for purpose in [SocketAddrUse::TcpBind, SocketAddrUse::UdpBind] {
            assert!(granted("*://*:*", "0.0.0.0:0", purpose) && granted("*://*:*", "[::]:0", purpose));
            assert!(!granted("*://*:*", "127.0.0.1:0", purpose) && !granted("*://*:*", "0.0.0.0:80", purpose));
        }
        assert!(!granted("*://*:*", "0.0.0.0:0", SocketAddrUse::TcpListen));
        assert!(!granted("*://*:*", "127.0.0.1:9", SocketAddrUse::TcpAccept));
    }

    #[test]
    fn only_who_may_connect_to_every_host_looks_names_up() {
        let every = |entry| AllowedHosts::parse([entry]).unwrap().every_host_by("tcp");
        assert!(every("*://*:*") && every("tcp://*:443"));
        assert!(!every("http://*:*") && !every("tcp://*.example.com:1") && !every("tcp://0.0.0.0/0:1"));
    }
}
