//! What the types promise beyond the recordings: keys, lists, numbers, secrets, and fields that nobody knows yet.
#![allow(clippy::unwrap_used)]

use gce_api::*;
use serde_json::{Value, json};

fn kept<T: serde::Serialize + serde::de::DeserializeOwned>(body: &Value) -> T {
    let typed: T = serde_json::from_value(body.clone()).unwrap();
    assert_eq!(&serde_json::to_value(&typed).unwrap(), body);
    typed
}

#[test]
fn capitalised_keys_are_kept() {
    let rule: ForwardingRule =
        kept(&json!({"IPAddress": "203.0.113.7", "IPProtocol": "TCP", "portRange": "80-80"}));
    assert_eq!(rule.ip_address.as_deref(), Some("203.0.113.7"));
    assert_eq!(rule.ip_protocol.as_deref(), Some("TCP"));
    let firewall: Firewall = kept(&json!({"allowed": [{"IPProtocol": "tcp", "ports": ["80"]}]}));
    assert_eq!(firewall.allowed.unwrap()[0].ip_protocol.as_deref(), Some("tcp"));
    let service: BackendService = kept(&json!({"enableCDN": false, "backends": []}));
    assert_eq!(service.enable_cdn, Some(false));
    assert_eq!(service.backends, Some(Vec::new()), "an empty list that was sent is not an absent one");
}

#[test]
fn unknown_fields_survive_at_every_depth() {
    let map: UrlMap = kept(&json!({
        "name": "m",
        "novelty": {"a": [1, null]},
        "pathMatchers": [{"name": "p", "routeRules": [{"priority": 1, "novelty": true}]}],
    }));
    assert_eq!(map.extra["novelty"]["a"][0], 1);
}

#[test]
fn long_integers_are_strings_and_a_plain_number_is_understood() {
    let address: Address = kept(&json!({"id": "18446744073709551615"}));
    assert_eq!(address.id.unwrap().get(), Some(u64::MAX));
    let duration: Duration = serde_json::from_value(json!({"seconds": 15, "nanos": 5})).unwrap();
    assert_eq!(serde_json::to_value(duration).unwrap(), json!({"seconds": "15", "nanos": 5}));
}

#[test]
fn whole_doubles_are_written_without_a_fraction() {
    kept::<Backend>(&json!({"capacityScaler": 1, "maxRatePerEndpoint": 0.5}));
}

#[test]
fn keys_are_not_printed() {
    let certificate: SslCertificate = serde_json::from_value(json!({
        "name": "c", "privateKey": "THE-KEY", "selfManaged": {"certificate": "pem", "privateKey": "THE-KEY"}
    }))
    .unwrap();
    let printed = format!("{certificate:?} {certificate:#?}");
    assert!(!printed.contains("THE-KEY"), "{printed}");
    assert_eq!(certificate.private_key.unwrap().expose(), "THE-KEY");
    let service: BackendService =
        serde_json::from_value(json!({"iap": {"oauth2ClientSecret": "THE-SECRET"}})).unwrap();
    assert!(!format!("{service:?}").contains("THE-SECRET"));
}

#[test]
fn an_aggregated_list_keys_its_items_by_scope_and_collection() {
    let list: AggregatedList<NetworkEndpointGroup> = kept(&json!({
        "kind": "compute#networkEndpointGroupAggregatedList",
        "items": {
            "global": {"warning": {"code": "NO_RESULTS_ON_PAGE", "data": [{"key": "scope", "value": "global"}]}},
            "zones/us-central1-a": {"networkEndpointGroups": [{"name": "n", "size": 3}]},
        },
        "nextPageToken": "t",
        "unreachables": ["zones/us-central1-b"],
    }));
    assert_eq!(list.items["zones/us-central1-a"].items[0].name(), Some("n"));
    assert_eq!(
        list.items["global"].warning.as_ref().unwrap().code.as_deref(),
        Some(Warning::NO_RESULTS_ON_PAGE)
    );
}

#[test]
fn a_list_without_items_has_no_items_key() {
    let list: List<Zone> = kept(&json!({"kind": "compute#zoneList"}));
    assert!(list.items.is_empty());
    kept::<List<Zone>>(&json!({"items": [{"name": "us-central1-a"}], "nextPageToken": "x"}));
}

#[test]
fn operation_errors_carry_their_details() {
    let operation: Operation = kept(&json!({
        "status": "DONE",
        "httpErrorStatusCode": 403,
        "error": {"errors": [{
            "code": "QUOTA_EXCEEDED",
            "message": "Quota 'URL_MAPS' exceeded.  Limit: 10.0 globally.",
            "errorDetails": [{"quotaInfo": {"metricName": "compute.googleapis.com/url_maps", "limit": 10}}],
        }]},
    }));
    let error = &operation.error.unwrap().errors.unwrap()[0];
    assert_eq!(error.code.as_deref(), Some("QUOTA_EXCEEDED"));
}

#[test]
fn resources_say_what_they_are() {
    assert_eq!(UrlMap::KIND, "compute#urlMap");
    assert_eq!(TargetHttpsProxy::COLLECTION, "targetHttpsProxies");
    assert!(Address::SET_BY_SERVER.contains(&"status"));
    let map = UrlMap { name: Some("m".into()), fingerprint: Some("f".into()), ..UrlMap::default() };
    assert_eq!((map.name(), Resource::fingerprint(&map)), (Some("m"), Some("f")));
}
