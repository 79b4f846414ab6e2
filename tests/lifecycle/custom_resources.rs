//! The definitions of `deploy/crds` on the real API server: what it takes, what it refuses and in which words, what it explains.

use controlplane::Kubectl;
use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::{
    CustomResourceDefinition, JSONSchemaProps, JSONSchemaPropsOrArray,
};
use kube::api::{DynamicObject, PostParams};
use kube::core::discovery::ApiResource;
use kube::{Api, Client};
use rand::SeedableRng as _;
use rand::rngs::StdRng;
use serde::Deserialize;
use serde_json::json;

use crate::odd::any_value;
use crate::shared::namespace;

const BAD: &str = include_str!("../custom_resources/bad.yaml");
const FULL: &str = include_str!("../custom_resources/full.yaml");

#[derive(Debug, Deserialize)]
struct Bad {
    kind: String,
    field: String,
    spec: serde_json::Value,
}

fn definitions() -> [CustomResourceDefinition; 4] {
    gclb::custom_resource::definitions()
}

#[tokio::test]
async fn each_definition_is_taken_and_each_of_its_versions_served() {
    let Some(here) = namespace("definitions").await else { return };
    for definition in definitions() {
        let name = definition.metadata.name.unwrap();
        let wait = ["wait", "--for=condition=Established", "--timeout=60s", "crd", &name];
        here.kubectl.run(&wait).await.unwrap();
        // A schema that is not structural, or has what the API server does not know, is taken and then complained about.
        let conditions = r"{range .status.conditions[*]}{.type}={.status} {end}";
        let conditions =
            here.kubectl.run(&["get", "crd", &name, "-o", &format!("jsonpath={conditions}")]).await.unwrap();
        assert!(
            conditions.contains("NamesAccepted=True") && !conditions.contains("NonStructural"),
            "{conditions}"
        );
        for version in &definition.spec.versions {
            let path = format!("/apis/{}/{}", definition.spec.group, version.name);
            let served = here.kubectl.run(&["get", "--raw", &path]).await.unwrap();
            assert!(served.contains(&definition.spec.names.plural), "{served}");
        }
    }
}

#[tokio::test]
async fn objects_with_every_field_are_taken_and_read_back_as_they_were_written() {
    let Some(here) = namespace("every-field").await else { return };
    here.kubectl.apply(FULL).await.unwrap();
    let written = serde_saphyr::from_multiple::<serde_json::Value>(FULL).unwrap();
    assert_eq!(written.len(), definitions().len());
    for object in written {
        let kind = object["kind"].as_str().unwrap();
        let spec = here.kubectl.run(&["get", kind, "full", "-o", "jsonpath={.spec}"]).await.unwrap();
        let spec: serde_json::Value = serde_json::from_str(&spec).unwrap_or(json!({}));
        assert_eq!(spec, object["spec"], "{kind}");
        if let Some(status) = object.get("status") {
            let patch = json!({ "status": status }).to_string();
            let told = ["patch", kind, "full", "--subresource=status", "--type=merge", "-p", &patch];
            here.kubectl.run(&told).await.unwrap();
            let told = here.kubectl.run(&["get", kind, "full", "-o", "jsonpath={.status}"]).await.unwrap();
            assert_eq!(&serde_json::from_str::<serde_json::Value>(&told).unwrap(), status, "{kind}");
        }
    }
}

#[tokio::test]
async fn each_bad_value_is_refused_with_the_name_of_its_field() {
    let Some(here) = namespace("bad-values").await else { return };
    let client = here.world.cluster().client().await.unwrap();
    let cases: Vec<Bad> = serde_saphyr::from_str(BAD).unwrap();
    let mut wrong = Vec::new();
    for Bad { kind, field, spec } in &cases {
        match refusal(&client, &here.name, kind, spec).await {
            Some(said) if said.contains(&format!("{field}: ")) => {}
            Some(said) => wrong.push(format!("{kind} {spec}: names not {field} but: {said}")),
            None => wrong.push(format!("{kind} {spec}: taken, though {field} is bad")),
        }
    }
    assert!(cases.len() > 70 && wrong.is_empty(), "{}", wrong.join("\n"));
}

/// What the API server says of an object with this spec; nothing where it would take it.
async fn refusal(client: &Client, namespace: &str, kind: &str, spec: &serde_json::Value) -> Option<String> {
    let definition = definitions().into_iter().find(|definition| definition.spec.names.kind == kind).unwrap();
    let (group, version) = (&definition.spec.group, &definition.spec.versions[0].name);
    let resource = ApiResource {
        group: group.clone(),
        version: version.clone(),
        api_version: format!("{group}/{version}"),
        kind: kind.to_owned(),
        plural: definition.spec.names.plural,
    };
    let api: Api<DynamicObject> = Api::namespaced_with(client.clone(), namespace, &resource);
    let object = DynamicObject::new("bad", &resource).data(json!({ "spec": spec }));
    let dry = PostParams { dry_run: true, ..PostParams::default() };
    match api.create(&dry, &object).await {
        Ok(_) => None,
        Err(kube::Error::Api(status)) if status.code == 422 => Some(status.message),
        Err(other) => panic!("{kind} {spec}: {other}"),
    }
}

/// Whether our own reading takes an object with this spec.
fn is_read(kind: &str, spec: &serde_json::Value) -> bool {
    use gclb::custom_resource::{BackendConfigSpec, FrontendConfigSpec, ManagedCertificateSpec, Spec as _};
    let object = json!({ "spec": spec });
    match kind {
        "BackendConfig" => BackendConfigSpec::read(&object).is_ok(),
        "FrontendConfig" => FrontendConfigSpec::read(&object).is_ok(),
        _ => ManagedCertificateSpec::read(&object).is_ok(),
    }
}

/// What is read from an API server with other definitions, or from a folder, is judged as one with ours would judge it.
#[tokio::test]
async fn our_own_reading_takes_what_the_api_server_takes() {
    let Some(here) = namespace("agreement").await else { return };
    let client = here.world.cluster().client().await.unwrap();
    let mut dice = StdRng::seed_from_u64(6);
    let (mut taken, mut refused) = (0, 0);
    for kind in ["BackendConfig", "FrontendConfig", "ManagedCertificate"] {
        let definition = definitions().into_iter().find(|one| one.spec.names.kind == kind).unwrap();
        let schema =
            definition.spec.versions[0].schema.as_ref().unwrap().open_api_v3_schema.as_ref().unwrap();
        let schema = &schema.properties.as_ref().unwrap()["spec"];
        // The first has the most fields, one at a time and all together.
        let parts: Vec<&String> = schema.properties.as_ref().unwrap().keys().collect();
        for round in 0..200 {
            let mut spec = any_value(schema, &mut dice);
            if let Some(object) = spec.as_object_mut().filter(|_| round % 10 != 0) {
                let keep = parts[round % parts.len()];
                object.retain(|name, _| name == keep);
            }
            let said = refusal(&client, &here.name, kind, &spec).await;
            assert_eq!(said.is_none(), is_read(kind, &spec), "{kind} {spec}: the API server says {said:?}");
            if said.is_none() { taken += 1 } else { refused += 1 }
        }
    }
    assert!(taken > 150 && refused > 100, "{taken} were taken and {refused} refused");
}

#[tokio::test]
async fn a_rule_between_fields_is_said_in_words() {
    let Some(here) = namespace("rules").await else { return };
    let manifest = "
apiVersion: cloud.google.com/v1
kind: BackendConfig
metadata: { name: both }
spec: { iap: { enabled: true }, cdn: { enabled: true } }
";
    let said = here.kubectl.apply(manifest).await.unwrap_err().to_string();
    assert!(
        said.contains("spec.cdn.enabled") && said.contains("cdn and iap cannot both be enabled"),
        "{said}"
    );
}

#[tokio::test]
async fn what_was_written_in_the_old_version_is_read_in_the_new_one() {
    let Some(here) = namespace("old-version").await else { return };
    let manifest = "
apiVersion: cloud.google.com/v1beta1
kind: BackendConfig
metadata: { name: old }
spec: { timeoutSec: 45, securityPolicy: { name: '' } }
";
    here.kubectl.apply(manifest).await.unwrap();
    let new = "backendconfigs.v1.cloud.google.com/old";
    let read = here.kubectl.run(&["get", new, "-o", "json"]).await.unwrap();
    let read: gclb::custom_resource::BackendConfig = serde_json::from_str(&read).unwrap();
    assert_eq!(read.spec.timeout_sec, Some(45));
    assert_eq!(read.spec.security_policy.map(|policy| policy.name), Some(String::new()));
    // By its short name too.
    let short = here.kubectl.run(&["get", "bc", "old", "-o", "jsonpath={.apiVersion}"]).await.unwrap();
    assert_eq!(short, "cloud.google.com/v1");
}

#[tokio::test]
async fn kubectl_explains_every_field() {
    let Some(here) = namespace("explained").await else { return };
    for definition in definitions() {
        for version in &definition.spec.versions {
            let api_version = format!("--api-version={}/{}", definition.spec.group, version.name);
            let schema = version.schema.as_ref().unwrap().open_api_v3_schema.as_ref().unwrap();
            let mut objects = Vec::new();
            objects_of(schema, &definition.spec.names.singular.clone().unwrap(), &mut objects);
            for object in objects {
                explained(&here.kubectl, &object, &api_version).await;
            }
        }
    }
    let all = here.kubectl.run(&["explain", "backendconfig.spec", "--recursive"]).await.unwrap();
    for name in ["oauthclientCredentials", "affinityCookieTtlSec", "signedUrlKeys", "unhealthyThreshold"] {
        assert!(all.contains(name), "{all}");
    }
}

async fn explained(kubectl: &Kubectl, object: &str, api_version: &str) {
    let said = kubectl.run(&["explain", object, api_version]).await.unwrap();
    assert!(!said.contains("<no description>") && !said.contains("<empty>"), "{object}: {said}");
}

/// The paths of all that has fields.
fn objects_of(schema: &JSONSchemaProps, path: &str, found: &mut Vec<String>) {
    if schema.properties.is_some() {
        found.push(path.to_owned());
    }
    for (name, child) in schema.properties.iter().flatten() {
        objects_of(child, &format!("{path}.{name}"), found);
    }
    if let Some(JSONSchemaPropsOrArray::Schema(items)) = &schema.items {
        objects_of(items, path, found);
    }
}
