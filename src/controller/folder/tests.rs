use std::time::Duration;

use k8s_openapi::api::networking::v1::IngressSpec;

use super::*;
use crate::model::ClusterId;
use crate::snapshot::manifests::cluster_id;
use crate::status::{Phase, Summary};

fn ingress(name: &str, service: &str) -> String {
    format!(
        "apiVersion: networking.k8s.io/v1\nkind: Ingress\nmetadata: {{name: {name}}}\n\
         spec: {{defaultBackend: {{service: {{name: {service}, port: {{number: 80}}}}}}}}\n"
    )
}

fn open(folder: &Path) -> FolderSource {
    FolderSource::open(&[folder.to_owned()], cluster(cluster_id()), Supplies::default()).unwrap()
}

fn cluster(id: ClusterId) -> Cluster {
    Cluster::of(id)
}

fn key(name: &str) -> ObjectKey {
    ObjectKey::new("default", name)
}

fn spec_of(source: &FolderSource, name: &str) -> Option<(IngressSpec, bool)> {
    let snapshot = source.snapshot(Held::default()).unwrap();
    let ingress = snapshot.ingresses.get(&ObjectKey::new("default", name))?;
    Some((ingress.spec.clone().unwrap(), ingress.metadata.deletion_timestamp.is_some()))
}

/// Waits until `reached` says so, looking again at every change, with one deadline.
async fn eventually(source: &FolderSource, what: &str, reached: impl Fn(&View) -> bool) {
    let mut changes = source.watch();
    let wait = async {
        while !reached(&source.view(0)) {
            changes.changed().await.unwrap();
        }
    };
    tokio::time::timeout(Duration::from_secs(20), wait).await.unwrap_or_else(|_| panic!("never: {what}"));
}

fn names(view: &View) -> Vec<String> {
    view.ingresses
        .iter()
        .map(|ingress| format!("{}{}", ingress.key.name, if ingress.deleting { " deleting" } else { "" }))
        .collect()
}

fn report(message: &str) -> Report {
    Report {
        resources: None,
        address: None,
        summary: Summary { phase: Phase::Progressing, reason: None, message: None, healthy: None },
        events: vec![Event { warning: false, reason: "Sync".to_owned(), message: message.to_owned() }],
    }
}

#[tokio::test]
async fn a_removed_manifest_is_a_deletion_that_waits_for_the_release() {
    let folder = tempfile::tempdir().unwrap();
    let (one, two) = (folder.path().join("one.yaml"), folder.path().join("two.yaml"));
    std::fs::write(&one, ingress("claimed", "web")).unwrap();
    std::fs::write(&two, ingress("unclaimed", "web")).unwrap();
    let source = open(folder.path());
    source.claim(&key("claimed"), &BTreeSet::new()).await.unwrap();
    std::fs::remove_file(&one).unwrap();
    std::fs::remove_file(&two).unwrap();
    eventually(&source, "both manifests gone", |view| names(view) == ["claimed deleting"]).await;
    assert!(spec_of(&source, "claimed").unwrap().1);
    let snapshot = source.snapshot(Held::default()).unwrap();
    let finalizers = snapshot.ingresses[&ObjectKey::new("default", "claimed")].metadata.finalizers.clone();
    assert_eq!(finalizers, Some(vec![FINALIZER.to_owned()]));

    // Back under the same name, it is still the old object that is being deleted; after the release, a new one.
    std::fs::write(&one, ingress("claimed", "other")).unwrap();
    eventually(&source, "the manifest back", |view| {
        view.happenings
            .iter()
            .filter(|happening| matches!(happening, Happening::Added(id) if id.name == "claimed"))
            .count()
            == 2
    })
    .await;
    assert!(spec_of(&source, "claimed").unwrap().1);
    assert!(source.claim(&key("claimed"), &BTreeSet::new()).await.is_err());
    source.release(&key("claimed")).await.unwrap();
    let (spec, deleting) = spec_of(&source, "claimed").unwrap();
    assert_eq!((spec.default_backend.unwrap().service.unwrap().name.as_str(), deleting), ("other", false));
}

#[tokio::test]
async fn the_controller_is_woken_by_edits_and_releases() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("web.yaml");
    std::fs::write(&file, ingress("web", "a")).unwrap();
    let source = open(folder.path());
    // An editor that saves by a new file in the old one's place.
    let draft = folder.path().join(".web.yaml.draft");
    std::fs::write(&draft, ingress("web", "b")).unwrap();
    std::fs::rename(&draft, &file).unwrap();
    tokio::time::timeout(Duration::from_secs(20), source.changed()).await.unwrap();
    assert_eq!(spec_of(&source, "web").unwrap().0.default_backend.unwrap().service.unwrap().name, "b");
    source.claim(&key("web"), &BTreeSet::new()).await.unwrap();
    source.release(&key("web")).await.unwrap();
    tokio::time::timeout(Duration::from_secs(20), source.changed()).await.unwrap();
}

#[tokio::test]
async fn an_edit_that_breaks_a_file_keeps_what_was_good() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("web.yaml");
    let good = format!("{}---\n{}", ingress("a", "web"), ingress("b", "web"));
    std::fs::write(&file, &good).unwrap();
    let source = open(folder.path());
    for broken in [
        "kind: [".to_owned(),
        String::new(),
        good.replace("name: b", "name: B_"),
        good.replacen("number: 80", "number: http", 1),
        good.replace("kind: Ingress", "kind: Ingres"),
    ] {
        std::fs::write(&file, &broken).unwrap();
        eventually(&source, &broken, |view| !view.diagnostics.is_empty()).await;
        assert_eq!(names(&source.view(0)), ["a", "b"], "{broken}");
        std::fs::write(&file, &good).unwrap();
        eventually(&source, "righted", |view| view.diagnostics.is_empty()).await;
    }
    // What is good beside it is taken all the same.
    let half = format!("{}---\n{}---\nkind: [\n", ingress("a", "other"), ingress("c", "web"));
    std::fs::write(&file, half).unwrap();
    eventually(&source, "half", |view| names(view) == ["a", "b", "c"]).await;
    assert_eq!(spec_of(&source, "a").unwrap().0.default_backend.unwrap().service.unwrap().name, "other");
}

#[tokio::test]
async fn a_folder_that_is_mislaid_deletes_nothing() {
    let parent = tempfile::tempdir().unwrap();
    let folder = parent.path().join("manifests");
    std::fs::create_dir(&folder).unwrap();
    std::fs::write(folder.join("web.yaml"), ingress("web", "a")).unwrap();
    let source = open(&folder);
    std::fs::rename(&folder, parent.path().join("elsewhere")).unwrap();
    eventually(&source, "noticed", |view| !view.diagnostics.is_empty()).await;
    assert_eq!(names(&source.view(0)), ["web"]);
}

#[tokio::test]
async fn reports_are_kept_and_each_event_is_said_once() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("web.yaml"), ingress("web", "a")).unwrap();
    let source = open(folder.path());
    let start = source.view(0).next;
    source.publish(&key("web"), &report("one"), &[]).await.unwrap();
    source.publish(&key("web"), &report("one"), &[]).await.unwrap();
    source.publish(&key("web"), &report("two"), &[]).await.unwrap();
    let view = source.view(start);
    let said: Vec<_> = view
        .happenings
        .iter()
        .map(|happening| match happening {
            Happening::Said(_, event) => event.message.clone(),
            other => format!("{other:?}"),
        })
        .collect();
    assert_eq!(said, ["one", "two"]);
    assert_eq!(view.ingresses[0].report, Some(report("two")));
}

#[tokio::test]
async fn keys_are_given_out_for_the_certificate_that_was_meant() {
    let pair = rcgen::KeyPair::generate().unwrap();
    let certificate =
        rcgen::CertificateParams::new(vec!["web".to_owned()]).unwrap().self_signed(&pair).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let secret = serde_json::json!({
        "apiVersion": "v1", "kind": "Secret", "metadata": {"name": "tls"},
        "stringData": {"tls.crt": certificate.pem(), "tls.key": pair.serialize_pem()},
    });
    std::fs::write(folder.path().join("secret.json"), secret.to_string()).unwrap();
    let source = open(folder.path());
    let name = ObjectKey::new("default", "tls");
    let right = CertificateFingerprint::of(&certificate.pem().replace("\r\n", "\n"));
    let given = source.key_pair(&name, &right).await.unwrap();
    assert_eq!(*given.key_pem, pair.serialize_pem());
    let wrong = CertificateFingerprint::of("another");
    assert!(matches!(source.key_pair(&name, &wrong).await, Err(SourceError::Changed { .. })));
    let absent = ObjectKey::new("default", "none");
    assert!(matches!(source.key_pair(&absent, &right).await, Err(SourceError::Changed { .. })));
}

#[test]
fn a_path_that_does_not_exist_is_an_error() {
    let error = read(&[PathBuf::from("does/not/exist")]).unwrap_err();
    assert_eq!(error.to_string(), "reading manifests from does/not/exist");
}

#[test]
fn the_examples_are_without_fault() {
    let examples = Path::new(env!("CARGO_MANIFEST_DIR")).join("deploy/examples");
    let folders: Vec<_> = std::fs::read_dir(examples)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.is_dir())
        .collect();
    assert!(folders.len() >= 4);
    for folder in folders {
        let manifests = read(std::slice::from_ref(&folder)).unwrap();
        let world = manifests.world(&Supplies::default());
        assert!(manifests.diagnostics.is_empty(), "{:?}", manifests.diagnostics);
        assert!(world.diagnostics.is_empty(), "{:?}", world.diagnostics);
        let snapshot = world.snapshot(cluster(cluster_id()), Timestamp::now(), Held::default());
        assert!(!snapshot.ingresses.is_empty(), "{}", folder.display());
        assert_eq!(snapshot.secrets.len(), world.secrets.len(), "{}", folder.display());
        assert!(snapshot.secrets.values().all(Result::is_ok), "{}", folder.display());
    }
}
