//! Signed URL keys, and the invalidation of caches.

use super::cloud::Cloud;
use serde_json::{Value, json};

/// 128 bits.
const KEY: &str = "AAECAwQFBgcICQoLDA0ODw==";

#[tokio::test]
async fn keys_have_names_that_are_shown_and_values_that_are_not() {
    let cloud = Cloud::start().await;
    cloud.url_map("web").await;
    cloud.insert("global/backendBuckets", json!({ "name": "web", "bucketName": "b" })).await;
    for path in ["global/backendServices/web", "global/backendBuckets/web"] {
        let add = format!("{path}/addSignedUrlKey");
        for (body, message) in [
            (json!({ "keyName": "k", "keyValue": "AAEC" }), "128-bit"),
            (json!({ "keyName": "K", "keyValue": KEY }), "Must be a match of regex"),
            (json!({ "keyName": "k" }), "Required field 'resource.keyValue'"),
        ] {
            let answer = cloud.post(&add, body).await;
            assert_eq!(answer.status, 400);
            assert!(answer.message().contains(message), "{}", answer.message());
        }
        for name in ["k1", "k2", "k3"] {
            cloud.done("POST", &add, &json!({ "keyName": name, "keyValue": KEY })).await;
        }
        let again = cloud.post(&add, json!({ "keyName": "k1", "keyValue": KEY })).await;
        again.refused(400, "invalid", "exists already");
        let fourth = cloud.post(&add, json!({ "keyName": "k4", "keyValue": KEY })).await;
        fourth.refused(400, "invalid", "At most 3");
        let found = cloud.get(path).await.ok();
        assert_eq!(found["cdnPolicy"]["signedUrlKeyNames"], json!(["k1", "k2", "k3"]));
        assert!(!found.to_string().contains(KEY));
        // Changes of the resource do not touch them.
        cloud.done("PATCH", path, &json!({ "cdnPolicy": { "cacheMode": "CACHE_ALL_STATIC" } })).await;
        let found = cloud.get(path).await.ok();
        assert_eq!(found["cdnPolicy"]["signedUrlKeyNames"], json!(["k1", "k2", "k3"]));

        let delete = format!("{path}/deleteSignedUrlKey");
        cloud.call("POST", &delete, None).await.refused(400, "required", "Required parameter: keyName");
        let gone = cloud.call("POST", &format!("{delete}?keyName=k9"), None).await;
        gone.refused(400, "invalid", "no signed URL key");
        for name in ["k1", "k2", "k3"] {
            cloud.done("POST", &format!("{delete}?keyName={name}"), &Value::Null).await;
        }
        assert_eq!(cloud.get(path).await.ok()["cdnPolicy"], json!({ "cacheMode": "CACHE_ALL_STATIC" }));
    }
}

#[tokio::test]
async fn a_cache_is_invalidated_by_an_operation_on_the_map() {
    let cloud = Cloud::start().await;
    cloud.url_map("web").await;
    let path = "global/urlMaps/web/invalidateCache";
    for body in
        [json!({ "path": "/*" }), json!({ "path": "/a/b.png", "host": "x" }), json!({ "cacheTags": ["t"] })]
    {
        let operation = cloud.done("POST", path, &body).await;
        assert_eq!(operation["operationType"], "invalidateCache");
        assert!(operation["targetLink"].as_str().unwrap().ends_with("/global/urlMaps/web"));
    }
    for (body, message) in [
        (json!({}), "Required field 'resource.path'"),
        (json!({ "path": "a" }), "Must begin with '/'"),
        (json!({ "path": "/a*" }), "'*'"),
        (json!({ "path": "/*/b" }), "'*'"),
    ] {
        let answer = cloud.post(path, body).await;
        assert_eq!(answer.status, 400);
        assert!(answer.message().contains(message), "{}", answer.message());
    }
}

#[tokio::test]
async fn a_policy_has_the_times_of_its_cache_mode_and_no_contradictions() {
    let cloud = Cloud::start().await;
    cloud.url_map("web").await;
    cloud.insert("global/backendBuckets", json!({ "name": "web", "bucketName": "b" })).await;
    for path in ["global/backendServices/web", "global/backendBuckets/web"] {
        let patch =
            async |policy: Value| cloud.call("PATCH", path, Some(&json!({ "cdnPolicy": policy }))).await;
        for (policy, field, message) in [
            (json!({ "cacheMode": "USE_ORIGIN_HEADERS", "clientTtl": 5 }), "clientTtl", "USE_ORIGIN_HEADERS"),
            (json!({ "cacheMode": "USE_ORIGIN_HEADERS", "defaultTtl": 0 }), "defaultTtl", "must be omitted"),
            (json!({ "cacheMode": "FORCE_CACHE_ALL", "maxTtl": 5 }), "maxTtl", "FORCE_CACHE_ALL"),
            (
                json!({ "cacheMode": "CACHE_ALL_STATIC", "defaultTtl": 6, "maxTtl": 5 }),
                "defaultTtl",
                "maximum TTL",
            ),
            (
                json!({ "negativeCachingPolicy": [{ "code": 404, "ttl": 5 }] }),
                "negativeCachingPolicy",
                "requires negativeCaching",
            ),
            (
                json!({ "negativeCaching": true, "negativeCachingPolicy": [{ "code": 200, "ttl": 5 }] }),
                "negativeCachingPolicy",
                "status 200",
            ),
            (
                json!({ "negativeCaching": true, "negativeCachingPolicy": [{ "code": 404 }, { "code": 404 }] }),
                "negativeCachingPolicy",
                "named once",
            ),
        ] {
            let refused = patch(policy).await;
            refused.refused(400, "invalid", message);
            assert!(
                refused.message().contains(&format!("'resource.cdnPolicy.{field}'")),
                "{}",
                refused.message()
            );
        }
        let good = json!({
            "cacheMode": "CACHE_ALL_STATIC", "clientTtl": 5, "defaultTtl": 5, "maxTtl": 5, "negativeCaching": true,
            "negativeCachingPolicy": [{ "code": 404, "ttl": 5 }, { "code": 501, "ttl": 0 }],
        });
        cloud.done("PATCH", path, &json!({ "cdnPolicy": good })).await;
    }
    let both = json!({ "cacheKeyPolicy": { "queryStringWhitelist": ["a"], "queryStringBlacklist": ["b"] } });
    let both = cloud.call("PATCH", "global/backendServices/web", Some(&json!({ "cdnPolicy": both }))).await;
    both.refused(400, "invalid", "Only one of queryStringWhitelist and queryStringBlacklist");
}
