use k8s_openapi::api::core::v1::Namespace;

use super::*;

#[tokio::test]
async fn it_serves_and_can_lose_everything() {
    let Some(mut control_plane) = crate::prerequisite::or_skip(ControlPlane::start().await) else { return };
    let kubectl = control_plane.kubectl();
    assert!(kubectl.run(&["version"]).await.unwrap().contains("Server Version: v1.36.3"));

    kubectl.run(&["create", "namespace", "kept"]).await.unwrap();
    kubectl.run(&["create", "serviceaccount", "guest"]).await.unwrap();
    let guest = control_plane.service_account_kubeconfig("default", "guest").await.unwrap();
    let guest = guest.display().to_string();
    let flag = format!("--kubeconfig={guest}");
    let refused = kubectl.run(&[flag.as_str(), "get", "secrets"]).await.unwrap_err().to_string();
    assert!(
        refused.contains("system:serviceaccount:default:guest") && refused.contains("forbidden"),
        "{refused}"
    );

    let before = control_plane.site().api_server();
    control_plane.lose_etcd().await.unwrap();
    assert_eq!(control_plane.site().api_server(), before);
    let namespaces: Api<Namespace> = Api::all(control_plane.client().await.unwrap());
    let names: Vec<_> = namespaces
        .list(&kube::api::ListParams::default())
        .await
        .unwrap()
        .iter()
        .map(kube::ResourceExt::name_any)
        .collect();
    assert!(names.contains(&"default".to_owned()) && !names.contains(&"kept".to_owned()), "{names:?}");
}
