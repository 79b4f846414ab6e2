//! Target SSL proxies: a backend service that is spoken to byte by byte, under certificates. Kept and shown; nothing is
//! served.

use super::iam;
use super::target_https_proxy::{MAX_CERTIFICATES, check_certificates};
use super::target_tcp_proxy::PROXY_HEADERS;
use crate::declaration::{
    CustomVerb, Effect, Fields, Resource, Standard, Type, VerbAddress, choice, link, list, text,
};

pub(super) static RESOURCE: Resource = Resource {
    collection: "targetSslProxies",
    singular: "target_ssl_proxy",
    kind: "compute#targetSslProxy",
    fields: FIELDS,
    verbs: &[Standard::Insert, Standard::Delete],
    custom: &[
        CustomVerb {
            name: "setBackendService",
            request: &[link("service", &["backendServices"]).required()],
            effect: Effect::Set(&[("service", "service")]),
            address: VerbAddress::Scoped,
        },
        CustomVerb {
            name: "setCertificateMap",
            request: &[text("certificateMap")],
            effect: Effect::Set(&[("certificateMap", "certificateMap")]),
            address: VerbAddress::Scoped,
        },
        CustomVerb {
            name: "setProxyHeader",
            request: &[choice("proxyHeader", PROXY_HEADERS).required()],
            effect: Effect::Set(&[("proxyHeader", "proxyHeader")]),
            address: VerbAddress::Scoped,
        },
        CustomVerb {
            name: "setSslCertificates",
            request: &[list("sslCertificates", &Type::Link(&["sslCertificates"])).required()],
            effect: Effect::Set(&[("sslCertificates", "sslCertificates")]),
            address: VerbAddress::Scoped,
        },
        CustomVerb {
            name: "setSslPolicy",
            request: &[link("sslPolicy", &["sslPolicies"])],
            effect: Effect::Set(&[("sslPolicy", "sslPolicy")]),
            address: VerbAddress::Scoped,
        },
        iam::TEST_PERMISSIONS,
    ],
    check: |draft, world| {
        check_certificates(draft, world)?;
        super::scheme::check_placed(draft, world)
    },
    ..Resource::PLAIN
};

const FIELDS: Fields = &[
    text("certificateMap"),
    text("description"),
    choice("proxyHeader", PROXY_HEADERS).default_text("NONE"),
    link("service", &["backendServices"]).required(),
    list("sslCertificates", &Type::Link(&["sslCertificates"])).at_most(MAX_CERTIFICATES),
    link("sslPolicy", &["sslPolicies"]),
];
