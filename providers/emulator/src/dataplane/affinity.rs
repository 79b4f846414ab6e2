//! Where one request wants to go within a backend service, and the cookie it is given.

use std::net::IpAddr;

use http::{HeaderMap, HeaderValue, header};
use sha2::{Digest as _, Sha256};

use super::program::{Affinity, AffinityCookie, CookieSays};

/// Which endpoint a request wants.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Wish {
    /// The one whose turn it is.
    Any,
    /// The one that belongs to this key.
    Key(u64),
    /// The one of this identity; if it cannot be had, any.
    Endpoint(u64),
}

/// The affinity of one request.
#[derive(Debug)]
pub(super) struct Session<'a> {
    pub(super) wish: Wish,
    /// The cookie that the answer may have to bring, and the value it has if it is no endpoint's.
    cookie: Option<(&'a AffinityCookie, Option<u64>)>,
}

impl<'a> Session<'a> {
    /// `drawn` becomes the value of a cookie that says nothing of an endpoint, where the client has none.
    pub(super) fn of(affinity: &'a Affinity, client: IpAddr, headers: &HeaderMap, drawn: u64) -> Self {
        let without = |wish| Self { wish, cookie: None };
        match affinity {
            Affinity::None => without(Wish::Any),
            Affinity::ClientAddress => without(Wish::Key(digest(client.to_string().as_bytes()))),
            Affinity::Header(name) => {
                let value = headers.get(name);
                without(value.map_or(Wish::Any, |value| Wish::Key(digest(value.as_bytes()))))
            }
            Affinity::Cookie(cookie) => {
                let shown = shown(headers, &cookie.name);
                match (cookie.says, shown) {
                    (CookieSays::Endpoint, shown) => {
                        let named = shown.and_then(|value| u64::from_str_radix(value, 16).ok());
                        let wish = named.map_or(Wish::Any, Wish::Endpoint);
                        Self { wish, cookie: Some((cookie, None)) }
                    }
                    (CookieSays::Key, Some(value)) => without(Wish::Key(digest(value.as_bytes()))),
                    (CookieSays::Key, None) => {
                        let wish = Wish::Key(digest(text(drawn).as_bytes()));
                        Self { wish, cookie: Some((cookie, Some(drawn))) }
                    }
                }
            }
        }
    }

    /// The `Set-Cookie` that a client needs so that its next request goes where this one went.
    pub(super) fn set_cookie(&self, went_to: u64) -> Option<HeaderValue> {
        let (AffinityCookie { name, path, lifetime, says: _ }, value) = self.cookie?;
        if self.wish == Wish::Endpoint(went_to) {
            return None;
        }
        let value = text(value.unwrap_or(went_to));
        let lifetime = lifetime.map(|time| format!("; Max-Age={}", time.as_secs())).unwrap_or_default();
        HeaderValue::try_from(format!("{name}={value}; Path={path}; HttpOnly{lifetime}")).ok()
    }
}

fn text(value: u64) -> String {
    format!("{value:016x}")
}

/// A number for a text, the same on every machine and in every run.
pub(super) fn digest(text: &[u8]) -> u64 {
    let digest = Sha256::digest(text);
    digest.iter().take(8).fold(0, |number, byte| number << 8 | u64::from(*byte))
}

/// The value of a cookie that a client shows.
fn shown<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    let lines = headers.get_all(header::COOKIE).iter().filter_map(|line| line.to_str().ok());
    lines
        .flat_map(|line| line.split(';'))
        .filter_map(|pair| pair.trim().split_once('='))
        .find(|(found, _)| *found == name)
        .map(|(_, value)| value.trim_matches('"'))
}

/// How well an endpoint of a weight fits a key: of all endpoints the best one is chosen, so that a key moves only when
/// its own endpoint goes or a better one comes (rendezvous hashing). Larger is better.
pub(super) fn fitness(key: u64, endpoint: u64, weight: u32) -> f64 {
    // The finalizer of SplitMix64: every bit of the sum sways every bit of the result.
    let mut mixed = key ^ endpoint.wrapping_mul(0x9e37_79b9_7f4a_7c15);
    mixed = (mixed ^ mixed >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    mixed = (mixed ^ mixed >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
    mixed ^= mixed >> 31;
    #[expect(clippy::cast_precision_loss, reason = "53 bits of it are plenty")]
    let fraction = ((mixed >> 11) as f64 + 0.5) / (1_u64 << 53) as f64;
    -f64::from(weight) / fraction.ln()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::time::Duration;

    use super::*;

    fn best(key: u64, endpoints: &[(u64, u32)]) -> u64 {
        let fit = |(endpoint, weight): &(u64, u32)| fitness(key, *endpoint, *weight);
        endpoints.iter().max_by(|a, b| fit(a).total_cmp(&fit(b))).unwrap().0
    }

    fn name(number: u64) -> u64 {
        digest(format!("endpoint {number}").as_bytes())
    }

    #[test]
    fn keys_spread_by_weight_and_only_those_of_a_lost_endpoint_move() {
        let all: Vec<(u64, u32)> = (0..5).map(|number| (name(number), 1000)).collect();
        let mut shares = BTreeMap::<u64, u32>::new();
        for key in (0..5000).map(|key| digest(format!("{key}").as_bytes())) {
            let chosen = best(key, &all);
            *shares.entry(chosen).or_default() += 1;
            let left = best(key, &all[1..]);
            assert!(chosen == left || chosen == all[0].0, "a key moved that had no need to");
        }
        assert!(shares.values().all(|share| (850..1150).contains(share)), "{shares:?}");
        let half = [(name(0), 1000), (name(1), 500)];
        let keys = (0..3000).map(|key| digest(format!("{key}").as_bytes()));
        let first = keys.filter(|key| best(*key, &half) == half[0].0).count();
        assert!((1900..2100).contains(&first), "{first}");
    }

    fn cookie(says: CookieSays, lifetime: Option<u64>) -> Affinity {
        Affinity::Cookie(AffinityCookie {
            name: "GCLB".to_owned(),
            path: "/".to_owned(),
            lifetime: lifetime.map(Duration::from_secs),
            says,
        })
    }

    #[test]
    fn what_a_cookie_says_and_when_it_is_set() {
        let client = IpAddr::from([127, 0, 0, 1]);
        let with = |line: &str| HeaderMap::from_iter([(header::COOKIE, line.parse().unwrap())]);
        let endpoint = cookie(CookieSays::Endpoint, Some(60));
        let none = Session::of(&endpoint, client, &HeaderMap::new(), 7);
        assert_eq!(none.wish, Wish::Any);
        let set = none.set_cookie(0xab).unwrap();
        assert_eq!(set, "GCLB=00000000000000ab; Path=/; HttpOnly; Max-Age=60");
        let good = with("a=b; GCLB=\"00000000000000ab\"; c=d");
        let named = Session::of(&endpoint, client, &good, 7);
        assert_eq!(named.wish, Wish::Endpoint(0xab));
        assert_eq!(named.set_cookie(0xab), None, "the client has it already");
        assert!(named.set_cookie(0xcd).is_some(), "it went elsewhere");
        let nonsense = with("GCLB=not-a-number");
        assert_eq!(Session::of(&endpoint, client, &nonsense, 7).wish, Wish::Any);
        // A name is compared whole.
        let other = with("XGCLB=00000000000000ab");
        assert_eq!(Session::of(&endpoint, client, &other, 7).wish, Wish::Any);

        let key = cookie(CookieSays::Key, None);
        let first = Session::of(&key, client, &HeaderMap::new(), 7);
        let set = first.set_cookie(0xab).unwrap();
        assert_eq!(set, "GCLB=0000000000000007; Path=/; HttpOnly");
        let again = with("GCLB=0000000000000007");
        let second = Session::of(&key, client, &again, 8);
        assert_eq!((second.wish, second.set_cookie(0xab)), (first.wish, None));
    }
}
