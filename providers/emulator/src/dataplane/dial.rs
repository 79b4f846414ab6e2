//! Where an address of the cloud is really dialled.
//!
//! The cloud's instances and pods have ordinary addresses (10.x). On one machine they are processes on loopback,
//! found through translations: `10.0.0.0/8=127.0.0.0/8` keeps the low 24 bits. Whatever comes out must be a
//! loopback address, otherwise nothing is dialled: an emulator must never send traffic into somebody's network.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::str::FromStr;

use ipnet::Ipv4Net;

/// A translation of one range of addresses into loopback.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DialTranslation {
    from: Ipv4Net,
    to: Ipv4Net,
}

/// Why a text is no translation.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DialTranslationError {
    /// Not `RANGE=RANGE`.
    #[error("reading the dial translation {text:?}: write it as FROM=TO, for example 10.0.0.0/8=127.0.0.0/8")]
    Syntax {
        /// What was given.
        text: String,
    },
    /// The target is not loopback.
    #[error(
        "reading the dial translation {text:?}: {to} is not within 127.0.0.0/8, and only loopback may be dialled"
    )]
    NotLoopback {
        /// What was given.
        text: String,
        /// The range after the equals sign.
        to: Ipv4Net,
    },
    /// The source is larger than the target.
    #[error(
        "reading the dial translation {text:?}: {to} is smaller than {from}, so two addresses would become one"
    )]
    TooSmall {
        /// What was given.
        text: String,
        /// The range before the equals sign.
        from: Ipv4Net,
        /// The range after the equals sign.
        to: Ipv4Net,
    },
}

impl FromStr for DialTranslation {
    type Err = DialTranslationError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let syntax = || DialTranslationError::Syntax { text: text.to_owned() };
        let (from, to) = text.split_once('=').ok_or_else(syntax)?;
        let from: Ipv4Net = from.trim().parse().map_err(|_| syntax())?;
        let to: Ipv4Net = to.trim().parse().map_err(|_| syntax())?;
        if to.prefix_len() < 8 || !to.addr().is_loopback() {
            return Err(DialTranslationError::NotLoopback { text: text.to_owned(), to });
        }
        if from.prefix_len() < to.prefix_len() {
            return Err(DialTranslationError::TooSmall { text: text.to_owned(), from, to });
        }
        Ok(Self { from: from.trunc(), to: to.trunc() })
    }
}

impl fmt::Display for DialTranslation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}={}", self.from, self.to)
    }
}

/// All translations.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct DialTable(Vec<DialTranslation>);

/// An address that may not be dialled.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "{address} is not a loopback address and no dial translation covers it; add one, for example 10.0.0.0/8=127.0.0.0/8"
)]
pub struct DialRefused {
    /// The address as the API knows it.
    pub address: IpAddr,
}

impl DialTable {
    /// A table; of two translations that cover an address, the narrower one counts.
    #[must_use]
    pub fn new(mut translations: Vec<DialTranslation>) -> Self {
        translations.sort_by_key(|translation| std::cmp::Reverse(translation.from.prefix_len()));
        Self(translations)
    }

    /// Where `address` and `port` are dialled.
    pub fn resolve(&self, address: IpAddr, port: u16) -> Result<SocketAddr, DialRefused> {
        let dialled = match address {
            IpAddr::V4(v4) => self
                .0
                .iter()
                .find(|translation| translation.from.contains(&v4))
                .map_or(address, |translation| IpAddr::V4(translation.apply(v4))),
            IpAddr::V6(_) => address,
        };
        if dialled.is_loopback() { Ok(SocketAddr::new(dialled, port)) } else { Err(DialRefused { address }) }
    }
}

impl DialTranslation {
    /// What a user gets who says nothing: pods and nodes at 10.x are found at 127.x.
    pub const PODS_AND_NODES: Self = Self {
        from: Ipv4Net::new_assert(Ipv4Addr::new(10, 0, 0, 0), 8),
        to: Ipv4Net::new_assert(Ipv4Addr::new(127, 0, 0, 0), 8),
    };

    fn apply(self, address: Ipv4Addr) -> Ipv4Addr {
        let low = u32::from(address) & u32::from(self.from.hostmask());
        Ipv4Addr::from(u32::from(self.to.network()) | low)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table(texts: &[&str]) -> DialTable {
        DialTable::new(texts.iter().map(|text| text.parse().unwrap()).collect())
    }

    #[test]
    fn low_bits_are_kept_and_the_narrowest_range_counts() {
        let table = table(&["10.0.0.0/8=127.0.0.0/8", "10.9.0.0/16=127.200.0.0/16"]);
        let dialled = |address: &str| table.resolve(address.parse().unwrap(), 80).unwrap().to_string();
        assert_eq!(dialled("10.1.2.3"), "127.1.2.3:80");
        assert_eq!(dialled("10.9.2.3"), "127.200.2.3:80");
        assert_eq!(dialled("127.0.0.9"), "127.0.0.9:80");
    }

    #[test]
    fn nothing_outside_loopback_is_dialled() {
        let table = table(&["10.0.0.0/8=127.0.0.0/8"]);
        for address in ["8.8.8.8", "192.168.0.1", "169.254.169.254", "0.0.0.0", "2001:db8::1"] {
            assert!(table.resolve(address.parse().unwrap(), 80).is_err(), "{address}");
        }
    }

    #[test]
    fn translations_that_leave_loopback_or_fold_addresses_are_refused() {
        let error = |text: &str| text.parse::<DialTranslation>().unwrap_err();
        assert!(matches!(error("10.0.0.0/8=10.0.0.0/8"), DialTranslationError::NotLoopback { .. }));
        assert!(matches!(error("10.0.0.0/8=127.0.0.0/4"), DialTranslationError::NotLoopback { .. }));
        assert!(matches!(error("10.0.0.0/8=127.1.0.0/16"), DialTranslationError::TooSmall { .. }));
        assert!(matches!(error("10.0.0.0/8"), DialTranslationError::Syntax { .. }));
    }
}
