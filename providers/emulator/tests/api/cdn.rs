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
