use std::fmt::Write as _;

use proptest::prelude::*;

use super::*;
use crate::model::ObjectKey;
use crate::snapshot::CONTROLLER;

const WALKTHROUGH: &str = "
apiVersion: v1
kind: Service
metadata: {name: echoheaders}
spec:
  type: NodePort
  selector: {app: echoheaders}
  ports: [{port: 8080}]
---
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: {name: test}
spec:
  tls: [{secretName: tls}]
  defaultBackend: {service: {name: echoheaders, port: {number: 8080}}}
";

fn cluster() -> Cluster {
    Cluster::of(cluster_id())
}

fn snapshot(files: &[(&str, &str)]) -> Snapshot {
    let manifests = Manifests::read(files.iter().copied());
    assert!(manifests.diagnostics.is_empty(), "{:?}", manifests.diagnostics);
    manifests.snapshot(cluster(), Timestamp::UNIX_EPOCH, Held::default())
}

/// All diagnostics of one text, one to a line.
fn said(text: &str) -> String {
    Manifests::read([("web.yaml", text)]).diagnostics.iter().fold(String::new(), |mut said, diagnostic| {
        writeln!(said, "{}", diagnostic.one_line()).unwrap();
        said
    })
}

#[test]
fn what_the_folder_does_not_give_is_supplied() {
    let snapshot = snapshot(&[("web.yaml", WALKTHROUGH)]);
    let supplied = (
        &snapshot.classes,
        snapshot.ingresses.values().map(|ingress| (&ingress.metadata, &ingress.spec)).collect::<Vec<_>>(),
        &snapshot.services,
        &snapshot.endpoints,
        &snapshot.nodes,
    );
    check("supplied", &format!("{supplied:#?}"));
}

#[test]
fn the_same_objects_give_the_same_snapshot_however_they_are_cut_into_files() {
    let (service, ingress) = WALKTHROUGH.split_once("---").unwrap();
    let whole = format!("{:?}", snapshot(&[("web.yaml", WALKTHROUGH)]));
    assert_eq!(whole, format!("{:?}", snapshot(&[("a.yaml", ingress), ("b.yaml", service)])));
    let json = serde_json::json!({
        "apiVersion": "v1", "kind": "List", "metadata": {"resourceVersion": ""},
        "items": [
            {"apiVersion": "networking.k8s.io/v1", "kind": "Ingress", "metadata": {"name": "test"}, "spec": {
                "tls": [{"secretName": "tls"}],
                "defaultBackend": {"service": {"name": "echoheaders", "port": {"number": 8080}}}}},
            {"apiVersion": "v1", "kind": "Service", "metadata": {"name": "echoheaders"}, "spec": {
                "type": "NodePort", "selector": {"app": "echoheaders"}, "ports": [{"port": 8080}]}},
        ],
    });
    assert_eq!(
        whole,
        format!("{:?}", snapshot(&[("all.json", &serde_json::to_string_pretty(&json).unwrap())]))
    );
}

#[test]
fn node_ports_stay_while_other_services_come_and_go() {
    let other = WALKTHROUGH.replace("echoheaders", "another").replace("name: test", "name: another");
    let alone = snapshot(&[("a.yaml", WALKTHROUGH)]);
    let both = snapshot(&[("a.yaml", WALKTHROUGH), ("b.yaml", &other)]);
    let key = ObjectKey::new("default", "echoheaders");
    assert!(alone.services[&key].ports[0].node_port.is_some());
    assert_eq!(alone.services[&key], both.services[&key]);
    assert_eq!(alone.endpoints[&key], both.endpoints[&key]);
}

#[test]
fn a_named_target_port_is_looked_up_in_the_pods() {
    let text = "
apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec:
  template:
    metadata: {labels: {app: web, tier: front}}
    spec: {containers: [{name: web, ports: [{name: http, containerPort: 3000}]}]}
---
apiVersion: v1
kind: Service
metadata: {name: web}
spec: {selector: {app: web}, ports: [{port: 80, targetPort: http}]}
---
apiVersion: v1
kind: Service
metadata: {name: other}
spec: {selector: {app: other}, ports: [{port: 81, targetPort: http}]}
";
    let snapshot = snapshot(&[("web.yaml", text)]);
    let port =
        |name: &str| snapshot.endpoints[&ObjectKey::new("default", name)].by_port[""].first().unwrap().port;
    assert_eq!((port("web"), port("other")), (3000, 81));
}

#[test]
fn given_slices_and_nodes_are_used_as_they_are() {
    let text = "
apiVersion: v1
kind: Node
metadata: {name: n1}
spec: {providerID: gce://p/europe-west4-a/n1, podCIDR: 10.9.0.0/24}
---
apiVersion: v1
kind: Node
metadata: {name: n2, labels: {node.kubernetes.io/exclude-from-external-load-balancers: ''}}
spec: {podCIDR: 10.9.1.0/24}
---
apiVersion: discovery.k8s.io/v1
kind: EndpointSlice
metadata: {name: web-1, labels: {kubernetes.io/service-name: web}}
addressType: IPv4
ports: [{name: '', port: 8080}]
endpoints: [{addresses: [10.9.1.7]}, {addresses: [10.9.0.7], nodeName: n1}]
---
apiVersion: v1
kind: Service
metadata: {name: web}
spec: {ports: [{port: 80}]}
";
    let snapshot = snapshot(&[("web.yaml", text)]);
    let endpoints: Vec<_> = snapshot.endpoints[&ObjectKey::new("default", "web")].by_port[""]
        .iter()
        .map(|endpoint| format!("{}:{} on {}", endpoint.address, endpoint.port, endpoint.node))
        .collect();
    assert_eq!(endpoints, ["10.9.0.7:8080 on n1", "10.9.1.7:8080 on n2"]);
    let nodes: Vec<_> = snapshot
        .nodes
        .values()
        .map(|node| format!("{} {} {}", node.instance, node.zone, node.takes_traffic))
        .collect();
    assert_eq!(nodes, ["n1 europe-west4-a true", "n2 us-central1-a false"]);
}

#[test]
fn classes_of_the_folder_come_first() {
    let class = |name: &str, controller: &str, default: bool| {
        format!(
            "---\napiVersion: networking.k8s.io/v1\nkind: IngressClass\nmetadata:\n  name: {name}\n  annotations: \
             {{ingressclass.kubernetes.io/is-default-class: '{default}'}}\nspec: {{controller: {controller}}}\n"
        )
    };
    let taken = |classes: &str| {
        let snapshot = snapshot(&[("a.yaml", WALKTHROUGH), ("class.yaml", classes)]);
        let ingress = snapshot.ingresses.values().next().unwrap();
        let names: Vec<_> = snapshot.classes.keys().cloned().collect();
        (names.join(" "), ingress.spec.as_ref().unwrap().ingress_class_name.clone())
    };
    assert_eq!(
        taken(&class("nginx", "k8s.io/ingress-nginx", false)),
        ("gclb nginx".to_owned(), Some("gclb".to_owned()))
    );
    assert_eq!(
        taken(&class("nginx", "k8s.io/ingress-nginx", true)),
        ("gclb nginx".to_owned(), Some("nginx".to_owned()))
    );
    assert_eq!(taken(&class("mine", CONTROLLER, false)), ("mine".to_owned(), None));
}

#[test]
fn classes_of_ingress_gce_are_those_of_their_manifest() {
    let ingresses: String = ["gce", "gce-internal", "gce-regional-external"]
        .map(|class| {
            format!(
                "---\napiVersion: networking.k8s.io/v1\nkind: Ingress\nmetadata:\n  name: {class}\n  annotations: \
                 {{kubernetes.io/ingress.class: {class}}}\nspec: {{defaultBackend: {{service: {{name: a, port: {{number: 80}}}}}}}}\n"
            )
        })
        .concat();
    let supplied = snapshot(&[("ingresses.yaml", &ingresses)]).classes;
    let manifest = include_str!("../../../deploy/ingress-gce/ingressclasses.yaml");
    let given = snapshot(&[("classes.yaml", manifest)]).classes;
    assert_eq!(given.len(), 3);
    for (name, class) in given {
        assert_eq!(supplied.get(&name), Some(&class), "{name}");
    }
    let named = snapshot(&[("a.yaml", WALKTHROUGH)]).classes;
    assert_eq!(named.keys().collect::<Vec<_>>(), ["gclb"], "only those that are named are supplied");
}

/// Compares without the input: the places refer to it.
fn check(name: &str, said: &str) {
    insta::with_settings!({omit_expression => true}, { insta::assert_snapshot!(name, said) });
}

#[test]
fn what_is_wrong_is_said_with_its_place() {
    check("not_yaml", &said("kind: [Ingress\n---\nhello\n---\n- a\n"));
    check(
        "kinds",
        &said(concat!(
            "apiVersion: networking.k8s.io/v1\nkind: Ingres\nmetadata: {name: a}\n---\n",
            "apiVersion: extensions/v1beta1\nkind: Ingress\nmetadata: {name: b}\n---\n",
            "apiVersion: cert-manager.io/v1\nkind: Certificate\nmetadata: {name: c}\n---\n",
            "kind: Service\n---\napiVersion: v1\nkind: ConfigMap\n",
        )),
    );
    check(
        "ingress",
        &said(concat!(
            "apiVersion: networking.k8s.io/v1\nkind: Ingress\nmetadata:\n  name: web\n  namespace: Shop\n",
            "spec:\n  rules:\n  - host: Shop.example.com\n    http:\n      paths:\n",
            "      - path: api\n        pathType: Prefix\n        backend: {service: {name: api, port: {number: 80}}}\n",
            "      - path: /b\n        backend: {service: {name: b, port: {name: http, number: 80}}}\n",
            "      - path: /c\n        pathType: Regex\n        backend: {service: {name: c}}\n",
            "      - path: /d//e\n        pathType: Exact\n        backend: {}\n",
            "      - path: /f\n        pathType: Exact\n        backend: {service: {name: F, port: {number: 70000}}}\n",
            "  - host: 10.0.0.1\n    http: {paths: []}\n",
            "  - host: '*.*.example.com'\n",
            "  tls:\n  - hosts: ['shop.example.com:443']\n    secretName: a_b\n",
            "---\napiVersion: networking.k8s.io/v1\nkind: Ingress\nmetadata: {name: empty}\nspec: {}\n",
        )),
    );
    check(
        "types",
        &said(concat!(
            "apiVersion: networking.k8s.io/v1\nkind: Ingress\nmetadata: {name: a}\nspec:\n  defaultBackend:\n",
            "    service:\n      name: web\n      port:\n        number: http\n---\n",
            "apiVersion: networking.k8s.io/v1\nkind: Ingress\nmetadata: {name: b}\nspec:\n  rules: {host: a}\n---\n",
            "apiVersion: networking.k8s.io/v1\nkind: Ingress\nmetadata: {name: c, annotations: {gclb.dev/redirect: off}}\n",
            "spec: {defaultBackend: {service: {name: web, port: {number: 80}}}}\n---\n",
            "apiVersion: networking.k8s.io/v1\nkind: Ingress\nmetadata: {name: d}\n",
            "spec:\n  defaultBackend: {service: {name: web, port: {number: 80}}}\n  ruels: []\n  backend: {serviceName: a}\n",
        )),
    );
    check(
        "services",
        &said(concat!(
            "apiVersion: v1\nkind: Service\nmetadata: {name: 1st}\n",
            "spec: {type: Nodeport, ports: [{port: 80}, {port: 0, name: b, protocol: HTTP}]}\n---\n",
            "apiVersion: v1\nkind: Service\nmetadata: {name: b}\nspec:\n  ports: [{port: 80, nodePort: 30080, targetPort: '8080'}]\n---\n",
            "apiVersion: v1\nkind: Service\nmetadata: {name: c}\nspec: {type: NodePort, ports: [{port: 80, nodePort: 80}]}\n---\n",
            "apiVersion: v1\nkind: Service\nmetadata: {name: d}\n",
        )),
    );
    check(
        "duplicates",
        &said(
            "apiVersion: v1\nkind: Service\nmetadata: {name: a}\nspec: {ports: [{port: 80}]}\n---\n\
              apiVersion: v1\nkind: Service\nmetadata: {name: a, namespace: default}\nspec: {ports: [{port: 81}]}\n",
        ),
    );
}

#[test]
fn a_field_is_found_in_the_text() {
    let text = "
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata:
  name: web
  annotations: {gclb.dev/redirect: sometimes}
spec:
  rules:
  - host: a.example.com
  - http:
      paths:
      - pathType: Prefix
        path: /
        backend: {service: {name: web, port: {number: 80}}}
";
    let manifests = Manifests::read([("web.yaml", text)]);
    let object = manifests.objects.values().next().unwrap();
    for (field, place) in [
        ("spec.rules[0].host", (9, 11)),
        ("spec.rules[1].http.paths[0].backend.service.name", (14, 35)),
        ("spec.rules[1].http.paths[0].backend.service.port.name", (14, 40)),
        ("metadata.annotations[gclb.dev/redirect]", (6, 36)),
        ("metadata.annotations[gclb.dev/other]", (6, 3)),
        ("spec.tls[0].secretName", (7, 1)),
        ("status", (2, 1)),
    ] {
        assert_eq!(object.place(field), place, "{field}");
    }
}

#[test]
fn a_node_port_that_another_has_is_refused() {
    let text = "
apiVersion: v1
kind: Service
metadata: {name: a}
spec: {type: NodePort, ports: [{port: 80, nodePort: 30080}]}
---
apiVersion: v1
kind: Service
metadata: {name: b}
spec: {type: NodePort, ports: [{port: 80, nodePort: 30080}]}
";
    let world = Manifests::read([("web.yaml", text)]).world(&Supplies::default());
    assert_eq!(world.services.keys().map(|key| key.name.as_str()).collect::<Vec<_>>(), ["a"]);
    let said: Vec<_> = world.diagnostics.iter().map(Diagnostic::one_line).collect();
    assert_eq!(said.len(), 1);
    assert!(said[0].starts_with("web.yaml:7:1: error: Service default/b: spec.ports[].nodePort"), "{said:?}");
}

#[test]
fn nothing_secret_is_shown() {
    const MARK: &str = "c2VjcmV0LW1hcms=";
    let texts = [
        format!(
            "apiVersion: v1\nkind: Secret\nmetadata: {{name: tls}}\ndata: {{tls.key: '{MARK}!', b: [1], c d: {MARK}}}\nfoo: 1\n"
        ),
        format!("apiVersion: v1\nkind: Secret\ndata:\n  tls.key: |\n    {MARK}\n    {MARK}!\n  tls.crt: 5\n"),
        format!("apiVersion: v1\nkind: secret\ndata:\n  tls.key: {MARK}\n"),
        format!("apiVersion: v1\nkind: Secret\nstringData: {{tls.key: {MARK}, a: [\n"),
        format!("apiVersion: v1\nkind: Secret\nstringData: {MARK}\n"),
        format!(
            "apiVersion: v1\nkind: List\nitems:\n- apiVersion: v1\n  kind: Secret\n  data:\n    a: {MARK}!\n"
        ),
    ];
    for text in texts {
        let manifests = Manifests::read([("secret.yaml", text.as_str())]);
        assert!(!manifests.diagnostics.is_empty(), "{text}");
        for diagnostic in manifests.diagnostics {
            let shown = format!("{diagnostic:?}\n{:?}", miette::Report::new(diagnostic.clone()));
            assert!(!shown.contains(MARK), "{shown}");
        }
    }
    let good = format!("apiVersion: v1\nkind: Secret\nmetadata: {{name: tls}}\ndata: {{tls.key: {MARK}}}\n");
    let shown = format!("{:?}", Manifests::read([("secret.yaml", good.as_str())]));
    assert!(shown.contains("11 bytes") && !shown.contains(MARK) && !shown.contains("secret-mark"), "{shown}");
}

#[test]
fn secrets_of_any_type_yield_their_certificate() {
    let key = rcgen::KeyPair::generate().unwrap();
    let certificate =
        rcgen::CertificateParams::new(vec!["echoheaders".to_owned()]).unwrap().self_signed(&key).unwrap();
    let secret = format!(
        "\n---\napiVersion: v1\nkind: Secret\nmetadata: {{name: tls}}\nstringData:\n  tls.crt: {}\n  tls.key: {}\n",
        serde_json::to_string(&certificate.pem()).unwrap(),
        serde_json::to_string(&key.serialize_pem()).unwrap(),
    );
    let snapshot = snapshot(&[("web.yaml", &format!("{WALKTHROUGH}{secret}"))]);
    let read = snapshot.secrets[&ObjectKey::new("default", "tls")].as_ref().unwrap();
    assert_eq!(read.names, ["echoheaders"]);
}

const CONFIGS: &str = "
apiVersion: cloud.google.com/v1beta1
kind: BackendConfig
metadata: {name: slow}
spec:
  timeoutSec: 90
  healthCheck: {type: GRPC}
---
apiVersion: networking.gke.io/v1beta1
kind: FrontendConfig
metadata: {name: front}
spec: {redirectToHttps: {enabled: true}}
---
apiVersion: networking.gke.io/v1
kind: ManagedCertificate
metadata: {name: shop}
spec: {domains: [shop.example.com]}
status: {certificateStatus: Active}
";

#[test]
fn readiness_probes_are_those_of_the_pods_that_a_service_selects() {
    let workloads = "
---
apiVersion: v1
kind: Pod
metadata: {name: other, labels: {app: other}}
spec: {containers: [{name: c, readinessProbe: {tcpSocket: {port: 1}}}]}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: echo}
spec:
  template:
    metadata: {labels: {app: echoheaders}}
    spec: {containers: [{name: c, ports: [{name: web, containerPort: 8080}], readinessProbe: {grpc: {port: 8080}}}]}
";
    let snapshot = snapshot(&[("web.yaml", &format!("{WALKTHROUGH}{workloads}"))]);
    let probes = snapshot.probes.unwrap();
    assert_eq!(probes.len(), 1);
    let containers = &probes[&ObjectKey::new("default", "echoheaders")];
    let (probe, port) =
        crate::snapshot::probe_at(containers, &crate::snapshot::TargetPort::Number(8080)).unwrap();
    assert_eq!((&probe.asks, port), (&crate::snapshot::Asks::Grpc { service: String::new() }, 8080));
}

#[test]
fn custom_resources_are_read() {
    let snapshot = snapshot(&[("configs.yaml", CONFIGS)]);
    let key = |name: &str| ObjectKey::new("default", name);
    assert_eq!(snapshot.backend_configs[&key("slow")].as_ref().unwrap().timeout_sec, Some(90));
    let front = snapshot.frontend_configs[&key("front")].as_ref().unwrap();
    assert!(front.redirect_to_https.as_ref().unwrap().enabled);
    let certificate = snapshot.managed_certificates[&key("shop")].as_ref().unwrap();
    assert_eq!(certificate.spec.domains, ["shop.example.com"]);
    assert_eq!(certificate.status.certificate_status.as_deref(), Some("Active"));
}

#[test]
fn what_does_not_fit_a_custom_resource_is_shown_where_it_stands() {
    let text = CONFIGS
        .replace("timeoutSec: 90", "timeoutSec: 0")
        .replace("GRPC}", "SSL}")
        .replace("{enabled: true}", "{enable: true}");
    let manifests = Manifests::read([("configs.yaml", text.as_str())]);
    let said: Vec<String> = manifests.diagnostics.iter().map(Diagnostic::one_line).collect();
    assert_eq!(said.len(), 3, "{said:#?}");
    assert!(said[0].contains("configs.yaml:7:") && said[0].contains("spec.healthCheck.type"), "{}", said[0]);
    assert!(
        said[1].contains("configs.yaml:6:") && said[1].contains("must be at least 1, and is 0"),
        "{}",
        said[1]
    );
    assert!(
        said[2].contains("configs.yaml:12:") && said[2].contains(r#"unknown field "enable""#),
        "{}",
        said[2]
    );
    assert!(manifests.diagnostics[1].help.contains("kubectl explain backendconfig.spec.timeoutSec"));
    // The others are there; the one that is wrong is not, as if the API server had refused it.
    let kinds: Vec<_> = manifests.objects.keys().map(|id| id.kind).collect();
    assert_eq!(kinds, ["FrontendConfig", "ManagedCertificate"]);
}

#[test]
fn each_bad_value_of_a_custom_resource_is_found_in_a_folder_too() {
    let bad: Vec<serde_json::Value> =
        serde_saphyr::from_str(include_str!("../../../tests/custom_resources/bad.yaml")).unwrap();
    for bad in bad {
        let kind = bad["kind"].as_str().unwrap();
        let version =
            if kind == "BackendConfig" { "cloud.google.com/v1" } else { "networking.gke.io/v1beta1" };
        let object = serde_json::json!({
            "apiVersion": version, "kind": kind, "metadata": {"name": "bad"}, "spec": bad["spec"],
        });
        let manifests = Manifests::read([("bad.json", object.to_string().as_str())]);
        let fields: Vec<_> =
            manifests.diagnostics.iter().filter_map(|diagnostic| diagnostic.field.clone()).collect();
        let field = bad["field"].as_str().unwrap().to_owned();
        assert!(
            fields.contains(&field) && manifests.objects.is_empty(),
            "{object}: {:?}",
            manifests.diagnostics
        );
    }
}

#[test]
fn secrets_in_custom_resources_are_not_shown() {
    let text = "
apiVersion: cloud.google.com/v1
kind: BackendConfig
metadata: {name: secret}
spec:
  timeoutSec: 0
  iap: {enabled: true, oauthclientCredentials: {clientSecret: hush-hush}}
  cdn: {enabled: true, signedUrlKeys: [{keyName: a, keyValue: hush-hush}]}
";
    let manifests = Manifests::read([("configs.yaml", text)]);
    assert!(!manifests.diagnostics.is_empty());
    for diagnostic in manifests.diagnostics {
        let shown = format!("{diagnostic:?}\n{:?}", miette::Report::new(diagnostic.clone()));
        assert!(!shown.contains("hush"), "{shown}");
    }
}

#[test]
fn what_a_live_object_carries_is_dropped() {
    let text = WALKTHROUGH.replace(
        "metadata: {name: test}",
        "metadata: {name: test, uid: '1234', finalizers: [a/b], deletionTimestamp: '2026-01-01T00:00:00Z', resourceVersion: '5', \
         creationTimestamp: '2020-01-01T00:00:00Z', generation: 7}\nstatus: {loadBalancer: {ingress: [{ip: 1.2.3.4}]}}",
    );
    assert_eq!(
        format!("{:?}", snapshot(&[("a.yaml", &text)])),
        format!("{:?}", snapshot(&[("a.yaml", WALKTHROUGH)]))
    );
}

proptest! {
    #[test]
    fn no_text_makes_the_loader_panic(text in ".{0,200}") {
        let manifests = Manifests::read([("any.yaml", text.as_str())]);
        let _ = manifests.snapshot(cluster(), Timestamp::UNIX_EPOCH, Held::default());
    }

    /// Near misses reach deeper than noise does.
    #[test]
    fn no_damaged_manifest_makes_the_loader_panic(
        at in 0..WALKTHROUGH.len(), length in 0_usize..40, with in "[-\\[\\]{}:&*!|>'\"#%@,? \n\ta-z0-9é\u{feff}]{0,12}",
    ) {
        let mut text = WALKTHROUGH.to_owned();
        text.replace_range(at..(at + length).min(WALKTHROUGH.len()), &with);
        let manifests = Manifests::read([("any.yaml", text.as_str())]);
        for diagnostic in &manifests.diagnostics {
            let _ = format!("{:?}", miette::Report::new(diagnostic.clone()));
        }
        let _ = manifests.snapshot(cluster(), Timestamp::UNIX_EPOCH, Held::default());
    }
}
