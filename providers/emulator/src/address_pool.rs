//! Loopback addresses for load balancers to listen on.

use crate::config::Config;
use crate::in_process::Sockets;
use ipnet::Ipv4Net;
use std::collections::{BTreeSet, HashMap};
use std::io::ErrorKind;
use std::net::{Ipv4Addr, Ipv6Addr, TcpListener, UdpSocket};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Mutex, PoisonError};

/// Ports that every load balancer may want; an address on which another process has one of them is of no use.
const USUAL_PORTS: [u16; 2] = [80, 443];

/// The UDP port that is held on an address for as long as an emulator counts it as its own, so that several emulators can
/// share one pool, whether or not anything listens on the address yet. Nothing is ever sent or received there, and the
/// system lets go of it when the process ends, however it ends.
const CLAIM_PORT: u16 = 42_080;

/// The IPv6 address of every load balancer: there is only one that is loopback.
pub(crate) const IPV6: Ipv6Addr = Ipv6Addr::LOCALHOST;

/// Hands out addresses one after the other, so that an address that was just released is not reused at once.
#[derive(Debug)]
pub(crate) struct AddressPool {
    net: Ipv4Net,
    port_offset: u16,
    sockets: Sockets,
    next: AtomicU32,
    claims: Mutex<HashMap<Ipv4Addr, UdpSocket>>,
}

impl AddressPool {
    pub(crate) fn new(config: &Config) -> Self {
        Self {
            net: config.address_pool,
            port_offset: config.port_offset,
            sockets: config.sockets,
            next: AtomicU32::new(1),
            claims: Mutex::default(),
        }
    }

    /// The next address that nobody holds: neither a resource (`held`) nor another process.
    pub(crate) fn allocate(&self, held: &BTreeSet<Ipv4Addr>) -> Option<Ipv4Addr> {
        let mut claims = self.claims.lock().unwrap_or_else(PoisonError::into_inner);
        claims.retain(|address, _| held.contains(address));
        let size = u64::from(u32::MAX >> self.net.prefix_len()) + 1;
        for _ in 0..size {
            let offset = u64::from(self.next.fetch_add(1, Ordering::Relaxed)) % size;
            let candidate =
                Ipv4Addr::from(u32::from(self.net.network()) + u32::try_from(offset).unwrap_or(0));
            // .0 and .255 would work, but look wrong to people.
            let [.., last] = candidate.octets();
            if (last == 0 || last == 255) && size > 4 {
                continue;
            }
            if held.contains(&candidate) {
                continue;
            }
            // Where nothing listens, nobody else can be in the way.
            if self.sockets == Sockets::None {
                return Some(candidate);
            }
            if !self.is_free(candidate) {
                continue;
            }
            match UdpSocket::bind((candidate, CLAIM_PORT)) {
                Ok(claim) => {
                    claims.insert(candidate, claim);
                }
                Err(error) if error.kind() == ErrorKind::AddrInUse => continue,
                // Out of file descriptors, most likely. The address is good without a claim.
                Err(error) => tracing::warn!(%error, address = %candidate, "could not claim an address"),
            }
            return Some(candidate);
        }
        None
    }

    /// Claims addresses that resources have already. One that another emulator has claimed meanwhile stays with both: the
    /// forwarding rule that cannot listen there says so.
    pub(crate) fn adopt(&self, addresses: impl IntoIterator<Item = Ipv4Addr>) {
        let mut claims = self.claims.lock().unwrap_or_else(PoisonError::into_inner);
        claims.clear();
        if self.sockets == Sockets::None {
            return;
        }
        for address in addresses {
            if !self.net.contains(&address) || claims.contains_key(&address) {
                continue;
            }
            match UdpSocket::bind((address, CLAIM_PORT)) {
                Ok(claim) => {
                    claims.insert(address, claim);
                }
                Err(error) => tracing::warn!(%error, %address, "could not claim an address"),
            }
        }
    }

    /// Whether the usual ports are free. Only "in use" counts: a port that may not be bound at all is told at start.
    fn is_free(&self, address: Ipv4Addr) -> bool {
        USUAL_PORTS.iter().all(|port| {
            let Some(port) = port.checked_add(self.port_offset) else { return true };
            match TcpListener::bind((address, port)) {
                Ok(_) => true,
                Err(error) => error.kind() != ErrorKind::AddrInUse,
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pool(net: &str, port_offset: u16) -> AddressPool {
        AddressPool::new(&Config { address_pool: net.parse().unwrap(), port_offset, ..Config::default() })
    }

    #[test]
    fn an_address_that_is_held_is_skipped_and_the_end_is_said() {
        let pool = pool("127.240.9.0/30", 20_000);
        let first = pool.allocate(&BTreeSet::new()).unwrap();
        let mut held = BTreeSet::from([first]);
        while let Some(address) = pool.allocate(&held) {
            assert!(held.insert(address), "{address} was handed out twice");
        }
        assert_eq!(held.len(), 4);
    }

    #[test]
    fn an_address_whose_port_another_process_has_is_skipped() {
        let offset = 20_010;
        let _taken = TcpListener::bind(("127.240.9.9", 443 + offset)).unwrap();
        let pool = pool("127.240.9.9/31", offset);
        for _ in 0..4 {
            // Nobody keeps what was given out, so it is given out again.
            assert_eq!(pool.allocate(&BTreeSet::new()), Some(Ipv4Addr::new(127, 240, 9, 8)));
        }
    }

    #[test]
    fn two_pools_of_one_range_give_out_different_addresses() {
        let (one, two) = (pool("127.240.10.0/30", 20_020), pool("127.240.10.0/30", 20_020));
        let mut held = [BTreeSet::new(), BTreeSet::new()];
        for _ in 0..2 {
            let address = one.allocate(&held[0]).unwrap();
            held[0].insert(address);
            let address = two.allocate(&held[1]).unwrap();
            held[1].insert(address);
        }
        assert!(held[0].is_disjoint(&held[1]), "{held:?}");
        assert_eq!(one.allocate(&held[0]), None);
        // What one lets go of, the other can have.
        held[0].clear();
        assert!(one.allocate(&held[0]).is_some());
        assert!(two.allocate(&held[1]).is_some());
    }
}
