//! Node ports for Services that ask for one without saying which: what the API server's allocator does, but the same every time.

use std::collections::BTreeSet;
use std::ops::RangeInclusive;

use sha2::{Digest as _, Sha256};

/// `--service-node-port-range` of the API server, by default.
pub(super) const NODE_PORTS: RangeInclusive<u16> = 30000..=32767;

/// Which node ports are taken.
#[derive(Debug, Default)]
pub(super) struct NodePorts {
    taken: BTreeSet<u16>,
}

impl NodePorts {
    /// Takes a port that is asked for by number. False where somebody has it.
    pub(super) fn take(&mut self, port: u16) -> bool {
        self.taken.insert(port)
    }

    /// Chooses a port by the name of what it is for, so that it stays the same while other Services come and go.
    /// `None` when all are taken.
    pub(super) fn choose(&mut self, what: &str) -> Option<u16> {
        let count = NODE_PORTS.end() - NODE_PORTS.start() + 1;
        let first = spread(what, u32::from(count));
        (0..count)
            .map(|step| NODE_PORTS.start() + (u16::try_from(first).unwrap_or(0) + step) % count)
            .find(|port| self.taken.insert(*port))
    }
}

/// A number below `count` that depends on the text alone.
pub(super) fn spread(text: &str, count: u32) -> u32 {
    let digest = Sha256::digest(text.as_bytes());
    u32::from_be_bytes([digest[0], digest[1], digest[2], digest[3]]) % count.max(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_choice_is_the_same_every_time_and_never_taken_twice() {
        let mut ports = NodePorts::default();
        let first = ports.choose("default/web/80").unwrap();
        assert!(NODE_PORTS.contains(&first));
        assert_eq!(NodePorts::default().choose("default/web/80"), Some(first));
        assert_ne!(ports.choose("default/web/80"), Some(first));
        assert!(!ports.take(first));
    }

    #[test]
    fn all_ports_can_be_had_and_no_more() {
        let mut ports = NodePorts::default();
        for _ in NODE_PORTS {
            assert!(ports.choose("same").is_some());
        }
        assert_eq!(ports.choose("same"), None);
    }
}
