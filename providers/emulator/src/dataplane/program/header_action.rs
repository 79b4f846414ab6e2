//! Header actions: which headers a URL map adds to and removes from requests and answers.

use http::HeaderName;

/// A `headerAction`. What is removed is removed first, then the rest is added in its order.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct HeaderAction {
    /// Headers taken from the request.
    pub request_remove: Vec<HeaderName>,
    /// Headers added to the request.
    pub request_add: Vec<HeaderToAdd>,
    /// Headers taken from the answer.
    pub response_remove: Vec<HeaderName>,
    /// Headers added to the answer.
    pub response_add: Vec<HeaderToAdd>,
}

/// A header to add.
#[derive(Debug, Clone, PartialEq)]
pub struct HeaderToAdd {
    /// Its name.
    pub name: HeaderName,
    /// Its value, in parts.
    pub value: Vec<ValuePart>,
    /// What becomes of a header of that name that is there already.
    pub mode: Mode,
}

/// What becomes of a header that is there already.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// It stays, and the new one comes after it.
    Append,
    /// It gives way to the new one.
    Replace,
}

/// A part of a header's value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ValuePart {
    /// As it stands.
    Text(String),
    /// `{name}`: what the load balancer knows of the request.
    Variable(HeaderVariable),
}

/// The variables of header values, as far as they mean something on one machine.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HeaderVariable {
    /// `client_ip_address`.
    ClientAddress,
    /// `client_port`.
    ClientPort,
    /// `client_encrypted`: `true` or `false`.
    ClientEncrypted,
    /// `client_protocol`: `HTTP/1.1`, `HTTP/2`.
    ClientProtocol,
    /// `server_ip_address`: of the forwarding rule.
    ServerAddress,
    /// `server_port`: that the client connected to.
    ServerPort,
    /// `origin_request_header`: the request's `Origin`.
    Origin,
    /// `tls_sni_hostname`.
    TlsServerName,
    /// `tls_version`: `TLSv1.3`.
    TlsVersion,
    /// `tls_cipher_suite`: in hexadecimal, such as `1301`.
    TlsCipherSuite,
    /// One that needs what a machine does not have (`client_region`, `cdn_cache_status`, `tls_ja3_fingerprint`):
    /// always empty, as Google's is when it cannot tell.
    Unknowable,
}

impl HeaderVariable {
    /// The variable of a name. None: there is no such variable.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Some(match name {
            "client_ip_address" => Self::ClientAddress,
            "client_port" => Self::ClientPort,
            "client_encrypted" => Self::ClientEncrypted,
            "client_protocol" => Self::ClientProtocol,
            "server_ip_address" => Self::ServerAddress,
            "server_port" => Self::ServerPort,
            "origin_request_header" => Self::Origin,
            "tls_sni_hostname" => Self::TlsServerName,
            "tls_version" => Self::TlsVersion,
            "tls_cipher_suite" => Self::TlsCipherSuite,
            "client_region"
            | "client_region_subdivision"
            | "client_city"
            | "client_city_lat_long"
            | "client_rtt_msec"
            | "cdn_cache_id"
            | "cdn_cache_status"
            | "device_request_type"
            | "user_agent_family"
            | "tls_ja3_fingerprint"
            | "tls_ja4_fingerprint"
            | "client_cert_present"
            | "client_cert_chain_verified"
            | "client_cert_error"
            | "client_cert_sha256_fingerprint"
            | "client_cert_serial_number"
            | "client_cert_spiffe_id"
            | "client_cert_uri_sans"
            | "client_cert_dnsname_sans"
            | "client_cert_valid_not_before"
            | "client_cert_valid_not_after"
            | "client_cert_issuer_dn"
            | "client_cert_subject_dn"
            | "client_cert_leaf"
            | "client_cert_chain" => Self::Unknowable,
            _ => return None,
        })
    }
}

impl ValuePart {
    /// Takes a header value apart. A brace that begins no known variable stands for itself.
    #[must_use]
    pub fn parse(value: &str) -> Vec<Self> {
        let mut parts = Vec::new();
        let mut text = String::new();
        let mut rest = value;
        while let Some((before, after)) = rest.split_once('{') {
            text.push_str(before);
            let variable =
                after.split_once('}').and_then(|(name, after)| Some((HeaderVariable::named(name)?, after)));
            rest = if let Some((variable, after)) = variable {
                if !text.is_empty() {
                    parts.push(Self::Text(std::mem::take(&mut text)));
                }
                parts.push(Self::Variable(variable));
                after
            } else {
                text.push('{');
                after
            };
        }
        text.push_str(rest);
        if !text.is_empty() {
            parts.push(Self::Text(text));
        }
        parts
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_taken_apart() {
        let text = |text: &str| ValuePart::Text(text.to_owned());
        for (value, parts) in [
            ("plain", vec![text("plain")]),
            ("", vec![]),
            ("{client_port}", vec![ValuePart::Variable(HeaderVariable::ClientPort)]),
            (
                "a{client_ip_address}, {client_region}b",
                vec![
                    text("a"),
                    ValuePart::Variable(HeaderVariable::ClientAddress),
                    text(", "),
                    ValuePart::Variable(HeaderVariable::Unknowable),
                    text("b"),
                ],
            ),
            ("{nothing}", vec![text("{nothing}")]),
            ("{{client_port}}", vec![text("{"), ValuePart::Variable(HeaderVariable::ClientPort), text("}")]),
            ("{open", vec![text("{open")]),
        ] {
            assert_eq!(ValuePart::parse(value), parts, "{value}");
        }
    }
}
