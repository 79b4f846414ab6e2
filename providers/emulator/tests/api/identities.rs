//! Projects by id and number, resources by name and numeric id: in paths, and in what bodies refer to.

use super::cloud::Cloud;
use serde_json::{Value, json};

const LINKS: &str = "https://www.googleapis.com/compute/v1";

#[tokio::test]
async fn numbers_mean_what_names_mean_in_paths_and_in_references() {
    let cloud = Cloud::start().await;
    cloud.url_map("web").await;
    let number = cloud.get("/compute/v1/projects/p").await.ok()["id"].as_str().unwrap().to_owned();
    let map = cloud.get("global/urlMaps/web").await.ok();
    let id = map["id"].as_str().unwrap();
    let by_number = cloud.get(&format!("/compute/v1/projects/{number}/global/urlMaps/{id}")).await.ok();
    assert_eq!(by_number, map);
    for (at, link) in [
        format!("projects/{number}/global/urlMaps/{id}"),
        format!("https://compute.googleapis.com/compute/beta/projects/{number}/global/urlMaps/web"),
        format!("global/urlMaps/{id}"),
        id.to_owned(),
    ]
    .iter()
    .enumerate()
    {
        let name = format!("t-{at}");
        cloud.insert("global/targetHttpProxies", json!({ "name": name, "urlMap": link })).await;
        let proxy = cloud.get(&format!("global/targetHttpProxies/{name}")).await.ok();
        assert_eq!(proxy["urlMap"], format!("{LINKS}/projects/p/global/urlMaps/web"), "{link}");
    }
    // Stored under its name: the map is in use, however it was called.
    let path = format!("/compute/v1/projects/{number}/global/urlMaps/{id}");
    cloud.call("DELETE", &path, None).await.refused(
        400,
        "resourceInUseByAnotherResource",
        "The url_map resource 'projects/p/global/urlMaps/web' is already being used by 'projects/p/global/targetHttpProxies/t-0'",
    );
    // A verb's reference, and a nested one.
    let verb = json!({ "urlMap": format!("projects/{number}/global/urlMaps/{id}") });
    cloud.done("POST", "targetHttpProxies/t-1/setUrlMap", &verb).await;
    let service = cloud.get("global/backendServices/web").await.ok()["id"].as_str().unwrap().to_owned();
    let matcher = json!({
        "hostRules": [{ "hosts": ["a.example.com"], "pathMatcher": "m" }],
        "pathMatchers": [{ "name": "m", "defaultService": format!("projects/{number}/global/backendServices/{service}") }],
    });
    cloud.done("PATCH", "global/urlMaps/web", &matcher).await;
    let map = cloud.get("global/urlMaps/web").await.ok();
    assert_eq!(
        map["pathMatchers"][0]["defaultService"],
        format!("{LINKS}/projects/p/global/backendServices/web")
    );
}

#[tokio::test]
async fn an_id_that_means_nothing_is_not_found() {
    let cloud = Cloud::start().await;
    cloud.health_check("h").await;
    cloud.health_check("gone").await;
    let id = |body: &Value| body["id"].as_str().unwrap().to_owned();
    let gone = id(&cloud.get("global/healthChecks/gone").await.ok());
    cloud.delete("global/healthChecks/gone").await;
    cloud.get(&format!("global/healthChecks/{gone}")).await.refused(404, "notFound", &gone);
    cloud.get("global/healthChecks/12345").await.refused(
        404,
        "notFound",
        "'projects/p/global/healthChecks/12345' was not found",
    );
    // The id of a resource means nothing in another collection.
    let health_check = id(&cloud.get("global/healthChecks/h").await.ok());
    cloud.get(&format!("global/urlMaps/{health_check}")).await.refused(404, "notFound", &health_check);
    for link in ["global/healthChecks/12345", "projects/999999999999/global/healthChecks/h"] {
        let service = json!({ "name": "s", "healthChecks": [link] });
        cloud.post("global/backendServices", service).await.refused(404, "notFound", "was not found");
    }
    // A number is derived from an id, which cannot be told from it: nobody has used the id of this one.
    cloud.get("/compute/v1/projects/999999999999").await.refused(404, "notFound", "projects/999999999999");
}

#[tokio::test]
async fn projects_are_apart_and_may_refer_to_each_other() {
    let cloud = Cloud::start().await;
    let other = "/compute/v1/projects/example.com:shop";
    cloud.done("POST", &format!("{other}/global/healthChecks"), &json!({ "name": "h", "type": "TCP" })).await;
    let made = cloud.get(&format!("{other}/global/healthChecks/h")).await.ok();
    assert_eq!(made["selfLink"], format!("{LINKS}/projects/example.com:shop/global/healthChecks/h"));
    assert_eq!(cloud.get("/compute/v1/projects/example.com%3Ashop/global/healthChecks/h").await.ok(), made);
    cloud.get("global/healthChecks/h").await.refused(404, "notFound", "projects/p/global/healthChecks/h");
    assert_eq!(cloud.get("global/healthChecks").await.ok().get("items"), None);
    cloud.health_check("h").await;
    let number = cloud.get(other).await.ok()["id"].as_str().unwrap().to_owned();
    for project in ["example.com:shop", &number] {
        let name = if project == number { "by-number" } else { "by-id" };
        let service =
            json!({ "name": name, "healthChecks": [format!("projects/{project}/global/healthChecks/h")] });
        cloud.insert("global/backendServices", service).await;
        let service = cloud.get(&format!("global/backendServices/{name}")).await.ok();
        assert_eq!(service["healthChecks"][0], made["selfLink"]);
    }
    cloud.call("DELETE", &format!("{other}/global/healthChecks/h"), None).await.refused(
        400,
        "resourceInUseByAnotherResource",
        "is already being used by 'projects/p/global/backendServices/by-id'",
    );
    cloud.delete("global/healthChecks/h").await;
}
