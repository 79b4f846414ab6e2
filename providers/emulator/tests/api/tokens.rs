//! Who may call, where tokens are checked.

use super::cloud::{Answer, Cloud};
use emulator::{Config, Latency, Permissions, StaticToken, TokenCheck};
use serde_json::{Value, json};
use std::time::Duration;

fn token(token: &str, projects: Option<&[&str]>, permissions: Permissions) -> StaticToken {
    StaticToken {
        token: token.to_owned(),
        account: format!("{token}@example.com"),
        projects: projects.map(|projects| projects.iter().map(|project| (*project).to_owned()).collect()),
        permissions,
        expires: None,
    }
}

async fn guarded() -> Cloud {
    let only = Permissions::Only(vec![
        "compute.healthChecks.*".to_owned(),
        "compute.globalOperations.get".to_owned(),
    ]);
    let mut stale = token("stale", None, Permissions::Admin);
    stale.expires = Some("2024-01-01T00:00:00Z".parse().unwrap());
    Cloud::with(Config {
        latency: Latency::of(Duration::from_millis(1)),
        tokens: TokenCheck::On,
        static_tokens: vec![
            token("admin", None, Permissions::Admin),
            token("viewer", Some(&["p"]), Permissions::Viewer),
            token("only", Some(&["p"]), only),
            stale,
        ],
        ..Config::default()
    })
    .await
}

/// Calls with a token; the answer, and its challenge.
async fn call(
    cloud: &Cloud,
    token: Option<&str>,
    method: &str,
    path: &str,
    body: Option<Value>,
) -> (Answer, Option<String>) {
    let url = format!("http://{}/compute/v1/projects/{path}", cloud.running.address());
    let mut request = cloud.client.request(method.parse().unwrap(), url);
    if let Some(token) = token {
        request = request.bearer_auth(token);
    }
    if let Some(body) = body {
        request = request.json(&body);
    }
    let answer = request.send().await.unwrap();
    let challenge = answer.headers().get("www-authenticate").map(|value| value.to_str().unwrap().to_owned());
    let status = answer.status().as_u16();
    (Answer { status, body: answer.json().await.unwrap() }, challenge)
}

#[tokio::test]
async fn without_a_valid_token_nobody_is_let_in() {
    let cloud = guarded().await;
    let (missing, challenge) = call(&cloud, None, "GET", "p/global/urlMaps", None).await;
    assert_eq!(
        missing.body,
        json!({ "error": {
            "code": 401,
            "message": "Request is missing required authentication credential. Expected OAuth 2 access token, login \
                cookie or other valid authentication credential. See \
                https://developers.google.com/identity/sign-in/web/devconsole-project.",
            "errors": [{
                "message": "Login Required.",
                "domain": "global",
                "reason": "required",
                "location": "Authorization",
                "locationType": "header",
            }],
            "status": "UNAUTHENTICATED",
            "details": [{
                "@type": "type.googleapis.com/google.rpc.ErrorInfo",
                "reason": "CREDENTIALS_MISSING",
                "domain": "googleapis.com",
                "metadata": { "service": "compute.googleapis.com", "method": "compute.v1.UrlMapsService.List" },
            }],
        } })
    );
    assert_eq!(missing.status, 401);
    assert_eq!(challenge.as_deref(), Some("Bearer realm=\"https://accounts.google.com/\""));
    for (token, why) in [("unknown", "ACCESS_TOKEN_TYPE_UNSUPPORTED"), ("stale", "ACCESS_TOKEN_EXPIRED")] {
        let (invalid, challenge) = call(&cloud, Some(token), "GET", "p/global/urlMaps", None).await;
        assert_eq!((invalid.status, invalid.reason()), (401, "authError"), "{}", invalid.body);
        assert_eq!(invalid.body["error"]["details"][0]["reason"], why);
        assert!(challenge.unwrap().contains("invalid_token"));
    }
    // What is no method is not found, whoever asks; the admin path is for people and is not guarded.
    assert_eq!(call(&cloud, None, "GET", "p/global/nothings", None).await.0.status, 404);
    cloud.get("/_emulator/state").await.ok();
    assert!(!cloud.running.requests().to_string().contains("admin@"), "the log has no tokens or accounts");
}

#[tokio::test]
async fn a_token_permits_what_it_says_where_it_says() {
    let cloud = guarded().await;
    let health_check = json!({ "name": "h", "type": "TCP" });
    let (made, _) =
        call(&cloud, Some("admin"), "POST", "p/global/healthChecks", Some(health_check.clone())).await;
    assert_eq!(made.clone().ok()["user"], "admin@example.com");
    let operation = format!("p/global/operations/{}", made.body["name"].as_str().unwrap());
    let (ended, _) = call(&cloud, Some("viewer"), "POST", &format!("{operation}/wait"), None).await;
    assert_eq!(ended.ok()["status"], "DONE");
    call(&cloud, Some("viewer"), "GET", "p/global/healthChecks/h", None).await.0.ok();
    call(&cloud, Some("only"), "GET", "p/global/healthChecks/h", None).await.0.ok();
    let number =
        call(&cloud, Some("viewer"), "GET", "p", None).await.0.ok()["id"].as_str().unwrap().to_owned();
    call(&cloud, Some("viewer"), "GET", &format!("{number}/global/healthChecks/h"), None).await.0.ok();
    for (token, method, path, body, permission, on) in [
        (
            "viewer",
            "POST",
            "p/global/urlMaps",
            Some(json!({ "name": "u" })),
            "urlMaps.create",
            "p/global/urlMaps/u",
        ),
        (
            "viewer",
            "DELETE",
            "p/global/healthChecks/h",
            None,
            "healthChecks.delete",
            "p/global/healthChecks/h",
        ),
        ("viewer", "GET", "q/global/healthChecks", None, "healthChecks.list", "q"),
        ("only", "GET", "p/regions/us-central1/addresses", None, "addresses.list", "p"),
        ("only", "GET", "p/global/urlMaps/u", None, "urlMaps.get", "p/global/urlMaps/u"),
    ] {
        let (refused, challenge) = call(&cloud, Some(token), method, path, body).await;
        refused.refused(403, "forbidden", "");
        assert_eq!(
            refused.message(),
            format!("Required 'compute.{permission}' permission for 'projects/{on}'")
        );
        assert_eq!(challenge, None);
    }
    call(&cloud, Some("only"), "DELETE", "p/global/healthChecks/h", None).await.0.ok();
}

#[tokio::test]
async fn whoever_asks_is_told_the_permissions_of_the_token() {
    let cloud = guarded().await;
    let (made, _) =
        call(&cloud, Some("admin"), "POST", "p/global/urlMaps", Some(json!({ "name": "s" }))).await;
    made.ok();
    cloud.running.idle().await;
    let asked = json!({ "permissions": ["compute.urlMaps.get", "compute.urlMaps.delete"] });
    for (token, given) in [
        ("admin", json!({ "permissions": ["compute.urlMaps.get", "compute.urlMaps.delete"] })),
        ("viewer", json!({ "permissions": ["compute.urlMaps.get"] })),
        ("only", json!({})),
    ] {
        let path = "p/global/urlMaps/s/testIamPermissions";
        assert_eq!(
            call(&cloud, Some(token), "POST", path, Some(asked.clone())).await.0.ok(),
            given,
            "{token}"
        );
    }
}

#[tokio::test]
async fn calls_of_a_batch_are_checked_one_by_one() {
    let cloud = guarded().await;
    let part = |headers: &str, path: &str| {
        format!(
            "--b\nContent-Type: application/http\n\nGET /compute/v1/projects/p/{path} HTTP/1.1\n{headers}\n\n"
        )
    };
    let body = part("", "zones") + &part("Authorization: Bearer unknown", "zones") + "--b--";
    let answer = cloud
        .client
        .post(format!("http://{}/batch/compute/v1", cloud.running.address()))
        .header("content-type", "multipart/mixed; boundary=b")
        .bearer_auth("viewer")
        .body(body)
        .send()
        .await
        .unwrap()
        .text()
        .await
        .unwrap();
    let statuses: Vec<&str> = answer.lines().filter_map(|line| line.strip_prefix("HTTP/1.1 ")).collect();
    assert_eq!(statuses, ["200 OK", "401 Unauthorized"]);
    assert!(answer.contains("www-authenticate: Bearer"), "{answer}");
}

#[tokio::test]
async fn a_token_file_is_read_at_start() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("tokens.json");
    let config = || Config { tokens: TokenCheck::On, token_file: Some(file.clone()), ..Config::default() };
    let error = emulator::Emulator::start(config()).await.unwrap_err().to_string();
    assert!(error.contains("tokens.json"), "{error}");
    std::fs::write(&file, r#"{"tokens": [{"token": "t", "projects": ["p"], "permissions": "viewer"}]}"#)
        .unwrap();
    let cloud = Cloud::with(config()).await;
    call(&cloud, Some("t"), "GET", "p/zones", None).await.0.ok();
    call(&cloud, Some("t"), "GET", "q/zones", None).await.0.refused(403, "forbidden", "compute.zones.list");
}
