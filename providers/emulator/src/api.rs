//! The resources of the API: one file each, and this list of them. A new resource is a new file and a new line here.

mod address;
mod backend_bucket;
mod backend_service;
mod cdn_policy;
mod firewall;
mod forwarding_rule;
mod group_member;
mod health_check;
mod http_health_check;
mod https_health_check;
mod iam;
mod image;
mod instance;
mod instance_group;
mod instance_group_manager;
mod instance_template;
mod network;
mod network_endpoint_group;
mod place;
mod region;
mod scheme;
mod security_policy;
mod signed_url_key;
mod ssl_certificate;
mod ssl_policy;
mod subnetwork;
mod target_grpc_proxy;
mod target_http_proxy;
mod target_https_proxy;
mod target_pool;
mod target_ssl_proxy;
mod target_tcp_proxy;
mod url_map;
mod zone;

use crate::declaration::{CustomVerb, Effect, Fields, Resource, Type, VerbAddress, map, text};

/// Every resource.
pub(crate) static RESOURCES: &[&Resource] = &[
    &address::RESOURCE,
    &backend_bucket::RESOURCE,
    &backend_service::RESOURCE,
    &firewall::RESOURCE,
    &forwarding_rule::RESOURCE,
    &health_check::RESOURCE,
    &http_health_check::RESOURCE,
    &https_health_check::RESOURCE,
    &image::RESOURCE,
    &instance::RESOURCE,
    &instance_group::RESOURCE,
    &instance_group_manager::RESOURCE,
    &instance_template::RESOURCE,
    &network::RESOURCE,
    &network_endpoint_group::RESOURCE,
    &region::RESOURCE,
    &security_policy::RESOURCE,
    &ssl_certificate::RESOURCE,
    &ssl_policy::RESOURCE,
    &subnetwork::RESOURCE,
    &target_grpc_proxy::RESOURCE,
    &target_http_proxy::RESOURCE,
    &target_https_proxy::RESOURCE,
    &target_pool::RESOURCE,
    &target_ssl_proxy::RESOURCE,
    &target_tcp_proxy::RESOURCE,
    &url_map::RESOURCE,
    &zone::RESOURCE,
];

/// The resource of a collection.
pub(crate) fn find(collection: &str) -> Option<&'static Resource> {
    RESOURCES.iter().find(|resource| resource.collection == collection).copied()
}

/// The longest that a cache may keep an answer, in seconds.
const YEAR: i64 = 31_622_400;
/// The longest that a cache may serve a stale answer, in seconds.
const WEEK: i64 = 604_800;
/// The longest that a cache may keep an error, in seconds.
const NEGATIVE_TTL: i64 = 1800;

/// The request of every `setLabels`.
const SET_LABELS: Fields = &[map("labels", &Type::Text), text("labelFingerprint")];

/// Replaces the labels of a resource.
const SET_LABELS_VERB: CustomVerb = CustomVerb {
    name: "setLabels",
    request: SET_LABELS,
    effect: Effect::Set(&[("labels", "labels")]),
    address: VerbAddress::Scoped,
};

#[cfg(test)]
mod tests;
