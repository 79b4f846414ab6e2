//! The metadata server.

use super::cloud::Cloud;
use emulator::{Config, MetadataServer, TokenCheck};
use reqwest::redirect::Policy;
use serde_json::{Value, json};
use std::time::Duration;

struct Metadata {
    cloud: Cloud,
    client: reqwest::Client,
    number: String,
}

impl Metadata {
    async fn start(lifetime: Duration) -> Self {
        let metadata = MetadataServer {
            project: "shop".to_owned(),
            token_lifetime: lifetime,
            ..MetadataServer::default()
        };
        let cloud =
            Cloud::with(Config { metadata: Some(metadata), tokens: TokenCheck::On, ..Config::default() })
                .await;
        let client = reqwest::Client::builder().redirect(Policy::none()).build().unwrap();
        let mut this = Self { cloud, client, number: String::new() };
        this.number = this.text("project/numeric-project-id").await;
        this
    }

    async fn get(&self, path: &str, flavor: bool) -> reqwest::Response {
        let url = format!("http://{}{path}", self.cloud.running.metadata_address().unwrap());
        let mut request = self.client.get(url);
        if flavor {
            request = request.header("Metadata-Flavor", "Google");
        }
        let answer = request.send().await.unwrap();
        assert_eq!(answer.headers()["metadata-flavor"], "Google", "{path}");
        answer
    }

    async fn text(&self, path: &str) -> String {
        let answer = self.get(&format!("/computeMetadata/v1/{path}"), true).await;
        assert_eq!(answer.status(), 200, "{path}");
        answer.text().await.unwrap()
    }

    async fn json(&self, path: &str) -> Value {
        let answer = self.get(&format!("/computeMetadata/v1/{path}"), true).await;
        assert_eq!(answer.status(), 200, "{path}");
        assert_eq!(answer.headers()["content-type"], "application/json");
        answer.json().await.unwrap()
    }
}

#[tokio::test]
async fn what_it_says_of_the_machine() {
    let metadata = Metadata::start(Duration::from_hours(1)).await;
    let number = metadata.number.clone();
    let account = format!("{number}-compute@developer.gserviceaccount.com");
    for (path, expected) in [
        ("project/project-id", "shop".to_owned()),
        ("instance/zone", format!("projects/{number}/zones/us-central1-a")),
        ("instance/name", "emulator".to_owned()),
        ("instance/network-interfaces/0/network", format!("projects/{number}/networks/default")),
        ("universe/universe-domain", "googleapis.com".to_owned()),
        ("instance/service-accounts/", format!("{account}/\ndefault/\n")),
        ("instance/service-accounts/default/", "aliases\nemail\nscopes\ntoken\n".to_owned()),
        ("instance/service-accounts/default/email", account.clone()),
        ("instance/service-accounts/default/aliases", "default\n".to_owned()),
        ("project/", "attributes/\nnumeric-project-id\nproject-id\n".to_owned()),
    ] {
        assert_eq!(metadata.text(path).await, expected, "{path}");
    }
    assert!(metadata.text("instance/id").await.parse::<u64>().is_ok());
    let scopes = metadata.text("instance/service-accounts/default/scopes").await;
    assert!(scopes.contains("https://www.googleapis.com/auth/cloud-platform\n"), "{scopes}");
    assert_eq!(metadata.json("project/project-id?alt=json").await, json!("shop"));
    assert_eq!(metadata.json("project/numeric-project-id?alt=json").await.to_string(), number);
    let all = metadata.json("instance/service-accounts/default/?recursive=true").await;
    assert_eq!((&all["email"], &all["aliases"]), (&json!(account), &json!(["default"])));
    assert_eq!(all.get("token"), None, "no token where nobody asked for one");
    let all = metadata.json("?recursive=true").await;
    assert_eq!(all["project"]["projectId"], "shop");
    assert_eq!(
        all["instance"]["networkInterfaces"][0]["network"],
        format!("projects/{number}/networks/default")
    );
    assert_eq!(all["instance"]["serviceAccounts"][&account]["email"], account);
    let flat = metadata.text("project/?recursive=true&alt=text").await;
    assert_eq!(flat, format!("numericProjectId {number}\nprojectId shop\n"));
    // The number is that of the project in the API, where somebody has the permission to ask.
    let token = metadata.json("instance/service-accounts/default/token").await;
    let project = metadata
        .client
        .get(format!("{}projects/shop", metadata.cloud.running.endpoint()))
        .bearer_auth(token["access_token"].as_str().unwrap())
        .send()
        .await
        .unwrap();
    assert_eq!(project.json::<Value>().await.unwrap()["id"], number);
}

#[tokio::test]
async fn the_header_is_asked_for_and_what_is_not_there_is_a_page() {
    let metadata = Metadata::start(Duration::from_hours(1)).await;
    let root = metadata.get("/", false).await;
    assert_eq!((root.status().as_u16(), root.text().await.unwrap().as_str()), (200, "computeMetadata/\n"));
    assert_eq!(metadata.get("/computeMetadata/v1/project/project-id", false).await.status(), 403);
    for path in [
        "/nothing",
        "/computeMetadata/v2/",
        "/computeMetadata/v1/nothing",
        "/computeMetadata/v1/project/project-id/",
    ] {
        let answer = metadata.get(path, true).await;
        assert_eq!(answer.status(), 404, "{path}");
        assert!(answer.headers()["content-type"].to_str().unwrap().starts_with("text/html"), "{path}");
    }
    let moved = metadata.get("/computeMetadata/v1/instance", true).await;
    assert_eq!(
        (moved.status().as_u16(), moved.headers()["location"].to_str().unwrap()),
        (301, "/computeMetadata/v1/instance/")
    );
    let address = metadata.cloud.running.metadata_address().unwrap();
    let url = format!("http://{address}/computeMetadata/v1/project/project-id");
    let post = metadata.client.post(&url).header("Metadata-Flavor", "Google").send().await.unwrap();
    assert_eq!(post.status(), 405);
    let forwarded =
        metadata.client.get(&url).header("Metadata-Flavor", "Google").header("X-Forwarded-For", "10.0.0.1");
    assert_eq!(forwarded.send().await.unwrap().status(), 403, "not through a proxy");
}

#[tokio::test]
async fn a_token_is_kept_for_each_set_of_scopes_and_permits_its_project() {
    let metadata = Metadata::start(Duration::from_hours(1)).await;
    let path = "instance/service-accounts/default/token";
    let first = metadata.json(path).await;
    let left = first["expires_in"].as_i64().unwrap();
    assert!((3_500..=3_600).contains(&left), "{left}");
    assert_eq!(first["token_type"], "Bearer");
    assert_eq!(metadata.json(path).await["access_token"], first["access_token"]);
    let scoped = metadata.json(&format!("{path}?scopes=a,b")).await;
    assert_ne!(scoped["access_token"], first["access_token"]);
    assert_eq!(metadata.json(&format!("{path}?scopes=b,a")).await["access_token"], scoped["access_token"]);
    for (project, status) in [("shop", 200), ("other", 403)] {
        let url = format!("{}projects/{project}/zones", metadata.cloud.running.endpoint());
        let token = first["access_token"].as_str().unwrap();
        let answer = metadata.client.get(url).bearer_auth(token).send().await.unwrap();
        assert_eq!(answer.status(), status, "{project}");
    }
}

#[tokio::test]
async fn it_does_not_start_where_it_cannot_be() {
    for (project, zone, what) in [
        ("Not A Project", "us-central1-a", "Not A Project"),
        ("p", "nowhere", "nowhere"),
        ("123", "us-central1-a", "123"),
    ] {
        let metadata = MetadataServer {
            project: project.to_owned(),
            zone: zone.to_owned(),
            ..MetadataServer::default()
        };
        let config = Config { metadata: Some(metadata), ..Config::default() };
        let error = emulator::Emulator::start(config).await.unwrap_err().to_string();
        assert!(error.contains(what) && error.contains("--metadata-"), "{error}");
    }
}
