//! Which host rule a request's authority fits best.

use crate::dataplane::program::{HostPattern, HostRule};

/// The rule with the best pattern; of equals the first, as the API allows a host in one rule only.
pub(super) fn best<'a>(rules: &'a [HostRule], authority: &str) -> Option<&'a HostRule> {
    let (host, port) = split(authority);
    rules
        .iter()
        .flat_map(|rule| rule.hosts.iter().map(move |pattern| (rule, pattern)))
        .filter_map(|(rule, pattern)| Some((rank(pattern, &host, port)?, rule)))
        .reduce(|best, next| if next.0 > best.0 { next } else { best })
        .map(|(_, rule)| rule)
}

/// The host in lower case and the port, if one was named. Brackets of an IPv6 literal stay.
fn split(authority: &str) -> (String, Option<u16>) {
    let (host, port) = match authority.rsplit_once(':') {
        // The colon inside the brackets of an IPv6 literal separates no port.
        Some((host, port)) if !port.contains(']') => (host, port.parse().ok()),
        _ => (authority, None),
    };
    (host.to_ascii_lowercase(), port)
}

/// How well a pattern fits; greater is better, `None` is not at all.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
enum Rank {
    Any,
    Suffix(usize, WithPort),
    Exact(WithPort),
}

#[derive(PartialEq, Eq, PartialOrd, Ord)]
enum WithPort {
    No,
    Yes,
}

fn rank(pattern: &HostPattern, host: &str, port: Option<u16>) -> Option<Rank> {
    let port_fits = |wanted: &Option<u16>| match wanted {
        None => Some(WithPort::No),
        Some(_) if *wanted == port => Some(WithPort::Yes),
        Some(_) => None,
    };
    match pattern {
        HostPattern::Any => Some(Rank::Any),
        HostPattern::Suffix { suffix, port } => {
            let star = host.strip_suffix(suffix.as_str())?;
            let fits = star.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.'));
            fits.then_some(Rank::Suffix(suffix.len(), port_fits(port)?))
        }
        HostPattern::Exact { host: wanted, port } => {
            (wanted == host).then_some(())?;
            Some(Rank::Exact(port_fits(port)?))
        }
    }
}
