//! What each program is started with.

use std::ffi::OsString;
use std::path::Path;

use super::ControlPlane;
use crate::certificates::CertificatesError;

/// Addresses of Services. Nothing answers there: the harness stands in for kube-proxy only at node ports.
const SERVICE_RANGE: &str = "172.30.0.0/16";

/// The controllers that something here relies on. The others would only cost start-up time and requests.
const CONTROLLERS: &[&str] = &[
    "cronjob-controller",
    "daemonset-controller",
    "deployment-controller",
    "disruption-controller",
    "endpoints-controller",
    "endpointslice-controller",
    "endpointslice-mirroring-controller",
    "garbage-collector-controller",
    "job-controller",
    "namespace-controller",
    "node-lifecycle-controller",
    "pod-garbage-collector-controller",
    "replicaset-controller",
    "root-ca-certificate-publisher-controller",
    "serviceaccount-controller",
    "serviceaccount-token-controller",
    "statefulset-controller",
    "clusterrole-aggregation-controller",
    "taint-eviction-controller",
];

pub(super) fn etcd(control_plane: &ControlPlane) -> Vec<OsString> {
    let mut flags = Flags::default();
    flags.path("--data-dir", &control_plane.etcd_data());
    // A socket in our own folder: no port to find, and nobody else on the machine can reach it.
    flags.add("--listen-client-urls", &socket(control_plane));
    // Required, and must have a port; but it is told only to other members, and there are none.
    flags.add("--advertise-client-urls", "http://127.0.0.1:2379");
    flags.add("--listen-peer-urls", "http://127.0.0.1:0");
    flags.add("--log-level", "warn");
    // Its data need not survive a crash of the machine.
    flags.add("--unsafe-no-fsync", "true");
    flags.0
}

pub(super) fn api_server(control_plane: &ControlPlane) -> Vec<OsString> {
    let ControlPlane { authority, serving, service_accounts: (public, private), site, .. } = control_plane;
    let mut flags = Flags::default();
    flags.add("--etcd-servers", &socket(control_plane));
    flags.add("--bind-address", &site.api_server().ip().to_string());
    flags.add("--secure-port", &site.api_server().port().to_string());
    // Without it the API server looks for the machine's address, and does not start where there is no network.
    flags.add("--advertise-address", &site.advertised_api_server().to_string());
    flags.path("--tls-cert-file", &serving.certificate);
    flags.path("--tls-private-key-file", &serving.key);
    flags.path("--client-ca-file", &authority.certificate_file());
    flags.add("--authorization-mode", "RBAC");
    flags.add("--service-account-issuer", "https://kubernetes.default.svc");
    flags.path("--service-account-key-file", public);
    flags.path("--service-account-signing-key-file", private);
    flags.add("--service-cluster-ip-range", SERVICE_RANGE);
    flags.add("--profiling", "false");
    flags.0
}

pub(super) fn controller_manager(control_plane: &ControlPlane) -> Result<Vec<OsString>, CertificatesError> {
    let ControlPlane { authority, service_accounts: (_, private), site, folder, .. } = control_plane;
    let mut flags = Flags::default();
    flags.path("--kubeconfig", &control_plane.controller_manager_kubeconfig()?);
    flags.add("--use-service-account-credentials", "true");
    flags.path("--service-account-private-key-file", private);
    flags.path("--root-ca-file", &authority.certificate_file());
    flags.add("--controllers", &CONTROLLERS.join(","));
    flags.add("--bind-address", &site.controller_manager().ip().to_string());
    flags.add("--secure-port", &site.controller_manager().port().to_string());
    flags.path("--cert-dir", folder);
    flags.add("--leader-elect", "false");
    // Its default is meant for clusters where a controller must not crowd out others.
    flags.add("--kube-api-qps", "500");
    flags.add("--kube-api-burst", "1000");
    flags.add("--profiling", "false");
    Ok(flags.0)
}

fn socket(control_plane: &ControlPlane) -> String {
    format!("unix://{}", control_plane.folder.join("etcd.sock").display())
}

#[derive(Default)]
struct Flags(Vec<OsString>);

impl Flags {
    fn add(&mut self, name: &str, value: &str) {
        self.0.push(format!("{name}={value}").into());
    }

    fn path(&mut self, name: &str, value: &Path) {
        let mut flag = OsString::from(name);
        flag.push("=");
        flag.push(value);
        self.0.push(flag);
    }
}
