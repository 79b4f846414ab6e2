//! Application default credentials, as they are found on a machine: the metadata server, workload identity federation,
//! a service account key.
//!
//! Environment variables belong to a whole process, so what reads them runs in a process of its own: this test binary
//! once more, with the variables set. Both the API and the sources of tokens are one local server, which writes down what
//! it was asked.
#![allow(clippy::unwrap_used, clippy::panic)]

use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use emulator::{Config, Emulator, MetadataServer, Permissions, StaticToken, TokenCheck};
use gce::{Client, Credentials, Global};
use http_body_util::Full;
use hyper::body::{Bytes, Incoming};
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use serde_json::json;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

const ENDPOINT: &str = "GCE_TEST_ENDPOINT";
const TOKEN: &str = "the-secret-token";

/// The other process: two calls with whatever credentials are found.
#[tokio::test]
async fn calls_with_application_default_credentials() {
    let Ok(endpoint) = std::env::var(ENDPOINT) else {
        println!("this is the other half of the tests below, which start it with an endpoint");
        return;
    };
    let client =
        Client::builder("p").endpoint(endpoint).credentials(Credentials::ApplicationDefault).build().unwrap();
    client.url_maps(Global).get("web").await.unwrap();
    client.url_maps(Global).get("web").await.unwrap();
}

#[tokio::test]
async fn from_the_metadata_server() {
    let cloud = Cloud::start().await;
    let folder = Folder::new("metadata");
    cloud.call(&folder, &[("GCE_METADATA_HOST", &cloud.host)]).await;
    let seen = cloud.seen();
    let asked = seen.iter().filter(|line| line.contains("/service-accounts/default/token")).count();
    assert_eq!(asked, 1, "the token is kept: {seen:?}");
    assert_eq!(cloud.authorizations(), [format!("Bearer {TOKEN}"), format!("Bearer {TOKEN}")]);
}

/// The same against the emulated cloud: its metadata server hands out the token, and its API asks for one.
#[tokio::test]
async fn from_the_metadata_server_of_the_emulator() {
    gce::install_crypto_provider();
    let folder = Folder::new("emulator");
    let running = Emulator::start(Config {
        tokens: TokenCheck::On,
        static_tokens: vec![StaticToken {
            token: TOKEN.to_owned(),
            account: "tests@example.com".to_owned(),
            projects: None,
            permissions: Permissions::Admin,
            expires: None,
        }],
        metadata: Some(MetadataServer { project: "p".to_owned(), ..MetadataServer::default() }),
        ..Config::default()
    })
    .await
    .unwrap();
    let maps = format!("{}projects/p/global/urlMaps", running.endpoint());
    let http = reqwest::Client::new();
    let body = json!({"name": "web"});
    let refused = http.post(&maps).json(&body).send().await.unwrap();
    assert_eq!(refused.status(), 401, "who shows no token is not let in");
    let made = http.post(&maps).bearer_auth(TOKEN).json(&body).send().await.unwrap();
    assert_eq!(made.status(), 200);
    running.idle().await;
    let metadata = running.metadata_address().unwrap().to_string();
    call(running.endpoint().as_str(), &folder, &[("GCE_METADATA_HOST", &metadata)]).await;
    let log = running.requests();
    let gets: Vec<&serde_json::Value> =
        log.as_array().unwrap().iter().filter(|entry| entry["method"] == "GET").collect();
    assert_eq!(gets.len(), 2, "{log}");
    assert!(gets.iter().all(|entry| entry["status"] == 200), "{log}");
    running.shutdown().await;
}

#[tokio::test]
async fn from_workload_identity_federation() {
    let cloud = Cloud::start().await;
    let folder = Folder::new("federation");
    let subject = folder.write("subject-token", "signed-by-the-cluster");
    let file = folder.write(
        "credentials.json",
        &json!({
            "type": "external_account",
            "audience": "//iam.googleapis.com/projects/1/locations/global/workloadIdentityPools/p/providers/q",
            "subject_token_type": "urn:ietf:params:oauth:token-type:jwt",
            "token_url": format!("http://{}/exchange", cloud.host),
            "credential_source": {"file": subject},
        })
        .to_string(),
    );
    cloud.call(&folder, &[("GOOGLE_APPLICATION_CREDENTIALS", file.to_str().unwrap())]).await;
    let seen = cloud.seen();
    assert_eq!(seen.iter().filter(|line| line.starts_with("/exchange ")).count(), 1, "{seen:?}");
    assert_eq!(cloud.authorizations(), [format!("Bearer {TOKEN}"), format!("Bearer {TOKEN}")]);
}

/// Such a key signs its own tokens, which is the work of the process's cryptography provider.
#[tokio::test]
async fn from_a_service_account_key() {
    let made = tokio::process::Command::new("openssl").args(["genpkey", "-algorithm", "RSA"]).output().await;
    let key = match made {
        Ok(made) => String::from_utf8(made.stdout).unwrap(),
        Err(error) if std::env::var_os("CI").is_some_and(|ci| ci == "true") => panic!("run openssl: {error}"),
        Err(error) => {
            println!("skipped: openssl is needed to make a key: {error}");
            return;
        }
    };
    let cloud = Cloud::start().await;
    let folder = Folder::new("key");
    let file = folder.write(
        "credentials.json",
        &json!({
            "type": "service_account",
            "project_id": "p",
            "private_key_id": "1",
            "private_key": key,
            "client_email": "robot@p.iam.gserviceaccount.com",
        })
        .to_string(),
    );
    cloud.call(&folder, &[("GOOGLE_APPLICATION_CREDENTIALS", file.to_str().unwrap())]).await;
    let sent = cloud.authorizations();
    assert_eq!(sent.len(), 2, "{:?}", cloud.seen());
    for header in sent {
        let token = header.strip_prefix("Bearer ").unwrap();
        let parts: Vec<usize> = token.split('.').map(str::len).collect();
        assert!(token.starts_with("eyJ") && parts.len() == 3 && parts[2] > 300, "no signed token: {parts:?}");
    }
}

/// A folder that goes away with the test.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Self {
        let path = std::env::temp_dir().join(format!("gce-credentials-{name}-{}", std::process::id()));
        std::fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    fn write(&self, name: &str, text: &str) -> PathBuf {
        let path = self.0.join(name);
        std::fs::write(&path, text).unwrap();
        path
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

struct Cloud {
    host: String,
    seen: Arc<Mutex<Vec<String>>>,
    task: JoinHandle<()>,
}

impl Drop for Cloud {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Cloud {
    async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let host = listener.local_addr().unwrap().to_string();
        let seen: Arc<Mutex<Vec<String>>> = Arc::default();
        let shared = Arc::clone(&seen);
        let task = tokio::spawn(async move {
            loop {
                let (stream, _) = listener.accept().await.unwrap();
                let seen = Arc::clone(&shared);
                tokio::spawn(async move {
                    let service = service_fn(move |request: Request<Incoming>| {
                        let response = answer(&seen, &request);
                        async move { Ok::<_, std::convert::Infallible>(response) }
                    });
                    // An error here is a connection that the other process closed.
                    let _ = hyper::server::conn::http1::Builder::new()
                        .serve_connection(TokioIo::new(stream), service)
                        .await;
                });
            }
        });
        Self { host, seen, task }
    }

    async fn call(&self, folder: &Folder, environment: &[(&str, &str)]) {
        call(&format!("http://{}/compute/v1/", self.host), folder, environment).await;
    }

    fn seen(&self) -> Vec<String> {
        self.seen.lock().unwrap().clone()
    }

    /// The `Authorization` headers of the calls to the API.
    fn authorizations(&self) -> Vec<String> {
        self.seen()
            .iter()
            .filter_map(|line| line.strip_prefix("/compute/v1/projects/p/global/urlMaps/web "))
            .map(str::to_owned)
            .collect()
    }
}

/// Runs the other process in an environment where only the given credentials can be found.
async fn call(endpoint: &str, folder: &Folder, environment: &[(&str, &str)]) {
    let nowhere: &Path = &folder.0.join("no-such-home");
    let child = tokio::process::Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "calls_with_application_default_credentials", "--nocapture"])
        .env_remove("GCE_METADATA_HOST")
        .env_remove("GOOGLE_APPLICATION_CREDENTIALS")
        .env_remove("GOOGLE_CLOUD_QUOTA_PROJECT")
        // Where a developer's own credentials would otherwise be found.
        .env("HOME", nowhere)
        .env("CLOUDSDK_CONFIG", nowhere)
        .env("NO_PROXY", "127.0.0.1")
        .env(ENDPOINT, endpoint)
        .envs(environment.iter().copied())
        .stdin(Stdio::null())
        .kill_on_drop(true)
        .output();
    let output = tokio::time::timeout(Duration::from_mins(1), child).await.unwrap().unwrap();
    let said =
        String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}");
    assert!(!said.contains(TOKEN) && !said.contains("PRIVATE KEY"), "{said}");
}

fn answer(seen: &Mutex<Vec<String>>, request: &Request<Incoming>) -> Response<Full<Bytes>> {
    let header = |name: &str| {
        request.headers().get(name).and_then(|value| value.to_str().ok()).unwrap_or_default().to_owned()
    };
    let path = request.uri().path();
    seen.lock().unwrap().push(format!("{path} {}", header("authorization")));
    let body = match path {
        "/computeMetadata/v1/instance/service-accounts/default/token"
            if header("metadata-flavor") == "Google" =>
        {
            json!({"access_token": TOKEN, "expires_in": 3600, "token_type": "Bearer"})
        }
        "/exchange" => json!({
            "access_token": TOKEN,
            "issued_token_type": "urn:ietf:params:oauth:token-type:access_token",
            "expires_in": 3600,
            "token_type": "Bearer",
        }),
        "/compute/v1/projects/p/global/urlMaps/web" => json!({"name": "web"}),
        _ => return Response::builder().status(404).body(Full::default()).unwrap(),
    };
    Response::builder().header("metadata-flavor", "Google").body(Full::from(body.to_string())).unwrap()
}
