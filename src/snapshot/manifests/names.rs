//! The rules that Kubernetes has for names (apimachinery, `util/validation`), with the words of its messages.

use super::fault::Faults;
use super::field::FieldPath;

const SUBDOMAIN: &str = "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', \
                         and must start and end with an alphanumeric character";
const LABEL: &str = "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', \
                     and must start and end with an alphanumeric character";
const WILDCARD: &str = "a wildcard DNS-1123 subdomain must start with '*.', followed by a valid DNS subdomain, which must \
                        consist of lower case alphanumeric characters, '-' or '.' and end with an alphanumeric character";

/// `None`, or what is wrong: a DNS-1123 label, at most 63 characters.
pub(super) fn label(value: &str) -> Option<String> {
    if value.contains('.') {
        return Some("must not contain dots".to_owned());
    }
    check(value, 63, is_label(value), LABEL)
}

/// `None`, or what is wrong: labels with dots between, at most 253 characters.
pub(super) fn subdomain(value: &str) -> Option<String> {
    check(value, 253, value.split('.').all(is_label), SUBDOMAIN)
}

/// `None`, or what is wrong: `*.` and a subdomain.
pub(super) fn wildcard_subdomain(value: &str) -> Option<String> {
    let fits = value.strip_prefix("*.").is_some_and(|rest| rest.split('.').all(is_label));
    check(value, 253, fits, WILDCARD)
}

/// `None`, or what is wrong: the name of a port (RFC 6335).
pub(super) fn port_name(value: &str) -> Option<String> {
    let bytes = value.as_bytes();
    let problem = if value.len() > 15 {
        "must be no more than 15 characters"
    } else if !bytes.iter().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || *b == b'-') {
        "must contain only alpha-numeric characters (a-z, 0-9), and hyphens (-)"
    } else if !bytes.iter().any(u8::is_ascii_lowercase) {
        "must contain at least one letter (a-z)"
    } else if value.contains("--") {
        "must not contain consecutive hyphens"
    } else if value.starts_with('-') || value.ends_with('-') {
        "must not begin or end with a hyphen"
    } else {
        return None;
    };
    Some(problem.to_owned())
}

/// `None`, or what is wrong: a port number.
pub(super) fn port_number(value: i32) -> Option<&'static str> {
    (!(1..=65535).contains(&value)).then_some("must be between 1 and 65535, inclusive")
}

/// `None`, or what is wrong: a key of a Secret's data.
pub(super) fn data_key(value: &str) -> Option<String> {
    if value.len() > 253 {
        return Some("must be no more than 253 characters".to_owned());
    }
    if matches!(value, "." | "..") {
        return Some(format!("must not be '{value}'"));
    }
    let fits = !value.is_empty()
        && value.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.'));
    (!fits).then(|| "a valid config key must consist of alphanumeric characters, '-', '_' or '.'".to_owned())
}

/// `None`, or what is wrong: the key of a label or an annotation, `name` or `prefix/name`.
pub(super) fn qualified(value: &str) -> Option<String> {
    let (prefix, name) = value.split_once('/').map_or((None, value), |(prefix, name)| (Some(prefix), name));
    if let Some(problem) = prefix.and_then(subdomain) {
        return Some(format!("prefix part {problem}"));
    }
    if name.len() > 63 {
        return Some("name part must be no more than 63 bytes".to_owned());
    }
    (!is_qualified_part(name)).then(|| {
        "name part must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character"
            .to_owned()
    })
}

/// `None`, or what is wrong: the value of a label.
pub(super) fn label_value(value: &str) -> Option<String> {
    if value.len() > 63 {
        return Some("must be no more than 63 bytes".to_owned());
    }
    (!value.is_empty() && !is_qualified_part(value)).then(|| {
        "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must start and end with \
         an alphanumeric character"
            .to_owned()
    })
}

/// A host name that a rule or a certificate is for: DNS name, or one with a wildcard for the first label.
pub(super) fn check_host(faults: &mut Faults, path: FieldPath, host: &str) {
    if host.parse::<std::net::IpAddr>().is_ok() {
        let help = "name a host, or leave the field out to serve every host";
        faults.invalid(path, host, "must be a DNS name, not an IP address", help);
        return;
    }
    let problem = if host.contains('*') { wildcard_subdomain(host) } else { subdomain(host) };
    if let Some(problem) = problem {
        faults.invalid(path, host, &problem, host_help(host));
    }
}

fn host_help(host: &str) -> String {
    let lower = host.to_ascii_lowercase();
    if host.contains("://") || host.contains('/') {
        "write the host name alone, without scheme and path: they do not belong to a host".to_owned()
    } else if host.contains(':') {
        "write the host name alone: load balancers listen on ports 80 and 443, and hosts have no port"
            .to_owned()
    } else if lower != host && subdomain(&lower).is_none() {
        format!("write it in lower case: {lower}")
    } else if host.contains('*') {
        "a wildcard stands for the whole first label, and nowhere else: *.example.com".to_owned()
    } else {
        "write a DNS name such as shop.example.com".to_owned()
    }
}

fn check(value: &str, longest: usize, fits: bool, rule: &str) -> Option<String> {
    if value.len() > longest {
        return Some(format!("must be no more than {longest} characters"));
    }
    (!fits).then(|| rule.to_owned())
}

fn is_label(value: &str) -> bool {
    let bytes = value.as_bytes();
    let inner = |b: &u8| b.is_ascii_lowercase() || b.is_ascii_digit();
    !bytes.is_empty()
        && bytes.iter().all(|b| inner(b) || *b == b'-')
        && bytes.first().is_some_and(inner)
        && bytes.last().is_some_and(inner)
}

fn is_qualified_part(value: &str) -> bool {
    let bytes = value.as_bytes();
    !bytes.is_empty()
        && bytes.len() <= 63
        && bytes.iter().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.'))
        && bytes.first().is_some_and(u8::is_ascii_alphanumeric)
        && bytes.last().is_some_and(u8::is_ascii_alphanumeric)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hosts_are_dns_names_or_wildcards() {
        for good in ["a", "shop.example.com", "1.example.com", "*.example.com", "xn--bcher-kva.example"] {
            let mut faults = Faults::default();
            check_host(&mut faults, FieldPath::of("host"), good);
            assert!(faults.0.is_empty(), "{good}");
        }
        for bad in [
            "",
            "10.0.0.1",
            "::1",
            "Shop.example.com",
            "a_b.example.com",
            "*",
            "*.*.com",
            "a.*.com",
            "shop.example.com:80",
            "http://a",
            "a..b",
            "-a.b",
        ] {
            let mut faults = Faults::default();
            check_host(&mut faults, FieldPath::of("host"), bad);
            assert_eq!(faults.0.len(), 1, "{bad}");
        }
    }

    #[test]
    fn port_names_follow_rfc_6335() {
        for good in ["http", "a", "h2c", "web-1"] {
            assert_eq!(port_name(good), None);
        }
        for bad in ["", "HTTP", "80", "a--b", "-a", "a-", "a.b", "sixteen-letters-"] {
            assert!(port_name(bad).is_some(), "{bad}");
        }
    }
}
