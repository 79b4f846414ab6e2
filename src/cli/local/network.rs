//! Which loopback addresses this process uses.
//!
//! Nodes and pods have the same 10.x addresses on every machine and in every run, so that what is made is the same too. Where they
//! really listen depends on the process: several may run at once. So there are sixteen slots, and a process takes the first that is
//! free. In slot *n*:
//!
//! | what | as Kubernetes and the cloud name it | where it really listens |
//! |---|---|---|
//! | supplied nodes | 10.128.0.0/20 | 127.127.(16 *n*).0/20 |
//! | their pods | 10.4.0.0/16 | 127.(144 + *n*).0.0/16 |
//! | load balancers | 127.0.(100 + *n*).0/24 | the same |
//!
//! Other private addresses, of nodes and `EndpointSlices` in the folder, keep their low bits: 10.x is 127.x, and two processes that
//! use the same ones get into each other's way.

use std::io::ErrorKind;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};

use emulator::DialTranslation;
use emulator::dataplane::dial::DialTable;
use ipnet::Ipv4Net;

const SLOTS: u8 = 16;
/// The port whose being bound, on the last address of a slot's nodes, means that the slot is taken.
const LOCK_PORT: u16 = 7253;

/// The loopback addresses of one process, held until this is dropped.
#[derive(Debug)]
pub(super) struct Network {
    /// For the forwarding rules.
    pub(super) pool: Ipv4Net,
    /// Where nodes and pods are really found.
    pub(super) dial: Vec<DialTranslation>,
    table: DialTable,
    _lock: TcpListener,
}

/// No addresses could be had.
#[derive(Debug, thiserror::Error, miette::Diagnostic)]
pub(super) enum NetworkError {
    /// Sixteen processes run already.
    #[error("reserving loopback addresses: {SLOTS} others run already")]
    #[diagnostic(help("stop one of them"))]
    NoneFree,
    /// The system does not have the addresses at all.
    #[error("reserving loopback addresses: {address} cannot be bound")]
    #[diagnostic(help(
        "Linux answers on all of 127.0.0.0/8; on other systems each address must be added to the loopback interface first"
    ))]
    Refused {
        /// The address.
        address: SocketAddr,
        /// Why not.
        #[source]
        source: std::io::Error,
    },
}

impl Network {
    /// Takes the first free slot.
    pub(super) fn reserve() -> Result<Self, NetworkError> {
        for slot in 0..SLOTS {
            let address = SocketAddr::from(([127, 127, 16 * slot + 15, 254], LOCK_PORT));
            match TcpListener::bind(address) {
                Ok(lock) => return Ok(Self::of_slot(slot, lock)),
                Err(error) if error.kind() == ErrorKind::AddrInUse => {}
                Err(source) => return Err(NetworkError::Refused { address, source }),
            }
        }
        Err(NetworkError::NoneFree)
    }

    fn of_slot(slot: u8, lock: TcpListener) -> Self {
        let (nodes, pods) = (16 * slot, 144 + slot);
        let dial: Vec<DialTranslation> = [
            format!("10.128.0.0/20=127.127.{nodes}.0/20"),
            format!("10.4.0.0/16=127.{pods}.0.0/16"),
            "10.0.0.0/8=127.0.0.0/8".to_owned(),
            "172.16.0.0/12=127.16.0.0/12".to_owned(),
            "192.168.0.0/16=127.168.0.0/16".to_owned(),
        ]
        .iter()
        .map(|text| text.parse().expect("translations into loopback, each as large as what it is for"))
        .collect();
        let pool = Ipv4Net::new_assert(Ipv4Addr::new(127, 0, 100 + slot, 0), 24);
        Self { pool, table: DialTable::new(dial.clone()), dial, _lock: lock }
    }

    /// Where an address of a node or pod really listens; `None` for one that is not private.
    pub(super) fn resolve(&self, address: Ipv4Addr, port: u16) -> Option<SocketAddr> {
        self.table.resolve(address.into(), port).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn processes_do_not_share_addresses() {
        let (one, two) = (Network::reserve().unwrap(), Network::reserve().unwrap());
        assert_ne!(one.pool, two.pool);
        let address = Ipv4Addr::new(10, 4, 0, 7);
        assert_ne!(one.resolve(address, 80), two.resolve(address, 80));
        assert_eq!(one.resolve(Ipv4Addr::new(10, 9, 0, 7), 80), Some(SocketAddr::from(([127, 9, 0, 7], 80))));
        assert_eq!(one.resolve(Ipv4Addr::new(8, 8, 8, 8), 80), None);
    }
}
