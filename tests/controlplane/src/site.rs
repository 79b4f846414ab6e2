//! The addresses that one control plane and everything around it use.
//!
//! Tests run in several processes at once, and each wants nodes, pods and load balancers with addresses that are
//! known in advance. So the loopback network is divided into slots, and each process takes one for as long as it
//! lives. In slot *n*:
//!
//! | what | as Kubernetes and the cloud name it | where it really listens |
//! |---|---|---|
//! | node *k* | `10.n.0.(10+k)` | `127.n.0.(10+k)` |
//! | pods of node *k* (its alias range) | `10.n.(1+k).0/24` | `127.n.(1+k).0/24` |
//! | API server | `127.n.0.254:6443` | the same |
//! | emulator | `127.n.0.252:8787` | the same |
//! | load balancers | `127.(128+n).0.0/16` | the same |
//!
//! Kubernetes refuses loopback addresses in `EndpointSlices`, hence the 10.x names; the emulator dials them through
//! the translation `10.0.0.0/8=127.0.0.0/8`, which keeps the low bits. Nothing ever leaves the machine.
//!
//! A slot is held by a listening socket on its own loopback address: the kernel frees it however the process ends.

use std::io;
use std::net::{IpAddr, Ipv4Addr, SocketAddr, SocketAddrV4, TcpListener};

/// Slot 0 is 127.0.x.x, which belongs to everybody; above 126 the load balancers' second byte would overflow.
const SLOTS: std::ops::RangeInclusive<u8> = 1..=126;

/// The port whose being bound on `127.n.0.253` means that slot n is taken.
const LOCK_PORT: u16 = 7253;

/// Where the API server of the slot listens, on `127.n.0.254`.
const API_SERVER_PORT: u16 = 6443;

/// Where the controller manager of the slot listens, on `127.n.0.254`.
const CONTROLLER_MANAGER_PORT: u16 = 10257;

/// Where the emulator of the slot listens, on `127.n.0.252`.
const EMULATOR_PORT: u16 = 8787;

/// No slot could be had.
#[derive(Debug, thiserror::Error)]
pub enum SiteError {
    /// All of them are held by running processes.
    #[error("reserving loopback addresses: all {} slots are taken; stop other test runs or clusters", SLOTS.len())]
    NoneFree,
    /// The system does not have the addresses at all.
    #[error(
        "reserving loopback addresses: {address} cannot be bound. Linux answers on all of 127.0.0.0/8; on other \
         systems each address must be added to the loopback interface first"
    )]
    Refused {
        /// The address.
        address: SocketAddr,
        /// Why not.
        #[source]
        source: io::Error,
    },
}

/// A slot of addresses, held until this is dropped.
#[derive(Debug)]
pub struct Site {
    slot: u8,
    _lock: TcpListener,
}

impl Site {
    /// Takes the first free slot.
    pub fn reserve() -> Result<Self, SiteError> {
        for slot in SLOTS {
            let address = SocketAddr::from(([127, slot, 0, 253], LOCK_PORT));
            match TcpListener::bind(address) {
                // A process that was killed frees its slot a moment before its API server is gone too.
                Ok(lock) if TcpListener::bind(api_server(slot)).is_ok() => {
                    return Ok(Self { slot, _lock: lock });
                }
                Ok(_) => {}
                Err(error) if error.kind() == io::ErrorKind::AddrInUse => {}
                Err(source) => return Err(SiteError::Refused { address, source }),
            }
        }
        Err(SiteError::NoneFree)
    }

    /// The number of the slot.
    #[must_use]
    pub fn slot(&self) -> u8 {
        self.slot
    }

    /// The address of a node, as Kubernetes knows it.
    #[must_use]
    pub fn node(&self, index: u8) -> Ipv4Addr {
        Ipv4Addr::new(10, self.slot, 0, 10 + index)
    }

    /// The pod range of a node, as Kubernetes and the cloud know it.
    #[must_use]
    pub fn pod_range(&self, index: u8) -> PodRange {
        PodRange { slot: self.slot, node: 1 + index }
    }

    /// The pool that load balancers take their addresses from.
    #[must_use]
    pub fn load_balancer_pool(&self) -> String {
        format!("127.{}.0.0/16", 128 + self.slot)
    }

    /// One address of that pool, the last.
    #[must_use]
    pub fn a_load_balancer(&self) -> Ipv4Addr {
        Ipv4Addr::new(127, 128 + self.slot, 255, 254)
    }

    /// Where the API server listens.
    #[must_use]
    pub fn api_server(&self) -> SocketAddr {
        api_server(self.slot)
    }

    /// The API server's address as its own `kubernetes` Service shows it, where loopback is refused.
    #[must_use]
    pub fn advertised_api_server(&self) -> Ipv4Addr {
        Ipv4Addr::new(10, self.slot, 0, 254)
    }

    /// Where the controller manager listens.
    #[must_use]
    pub fn controller_manager(&self) -> SocketAddr {
        SocketAddr::from(([127, self.slot, 0, 254], CONTROLLER_MANAGER_PORT))
    }

    /// Where the emulator's API and admin path listen.
    #[must_use]
    pub fn emulator(&self) -> SocketAddr {
        SocketAddr::from(([127, self.slot, 0, 252], EMULATOR_PORT))
    }

    /// The translation to give to the emulator with `--dial`.
    #[must_use]
    pub fn dial(&self) -> &'static str {
        "10.0.0.0/8=127.0.0.0/8"
    }
}

fn api_server(slot: u8) -> SocketAddr {
    SocketAddr::V4(SocketAddrV4::new(Ipv4Addr::new(127, slot, 0, 254), API_SERVER_PORT))
}

/// Where a 10.x address of a node or pod really listens. Other addresses are not of a site.
#[must_use]
pub fn translate(address: Ipv4Addr) -> Option<Ipv4Addr> {
    match address.octets() {
        [10, b, c, d] => Some(Ipv4Addr::new(127, b, c, d)),
        _ => None,
    }
}

/// As [`translate`], for an address that came as text.
#[must_use]
pub fn translate_text(address: &str) -> Option<IpAddr> {
    address.parse().ok().and_then(translate).map(IpAddr::V4)
}

/// The pods' addresses of one node.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PodRange {
    slot: u8,
    node: u8,
}

impl PodRange {
    /// The range as a CIDR.
    #[must_use]
    pub fn cidr(self) -> String {
        format!("10.{}.{}.0/24", self.slot, self.node)
    }

    /// One of its addresses; the first and the last of the range are not for pods.
    #[must_use]
    pub fn address(self, host: u8) -> Ipv4Addr {
        Ipv4Addr::new(10, self.slot, self.node, host)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_sites_never_share_an_address() {
        let (one, other) = (Site::reserve().unwrap(), Site::reserve().unwrap());
        assert_ne!(one.slot(), other.slot());
        assert_ne!(one.node(0), other.node(0));
        assert_ne!(one.load_balancer_pool(), other.load_balancer_pool());
        assert_ne!(one.api_server(), other.api_server());
    }

    #[test]
    fn what_is_advertised_translates_to_where_it_listens() {
        let site = Site::reserve().unwrap();
        assert_eq!(translate(site.advertised_api_server()).map(IpAddr::V4), Some(site.api_server().ip()));
        let pod = site.pod_range(3).address(7);
        assert_eq!(pod, Ipv4Addr::new(10, site.slot(), 4, 7));
        assert_eq!(translate(pod), Some(Ipv4Addr::new(127, site.slot(), 4, 7)));
        assert_eq!(translate(Ipv4Addr::new(192, 0, 2, 1)), None);
    }
}
