use std::collections::BTreeMap;

use proptest::prelude::*;

use super::*;

fn cluster() -> ClusterId {
    ClusterId::new("0a1b2c3d").unwrap()
}

fn http() -> Probe {
    Probe::Http { path: "/".into(), host: None }
}

/// Frozen: if one of these fails, the change under test would replace every load balancer in the world.
#[test]
fn a_scheme_has_backend_services_of_its_own() {
    let (cluster, service) = (cluster(), ObjectKey::new("default", "web"));
    let port = BackendPort::Number(80);
    let of = |scheme| {
        [
            backend_service(&cluster, &service, &port, BackendMode::InstanceGroups, scheme).to_string(),
            not_found_backend_service(&cluster, scheme).to_string(),
        ]
    };
    // Frozen, as all names are.
    assert_eq!(
        of(Scheme::External),
        ["gclb1-0a1b2c3d-default-web-80-nodes-zh26uzdj36fn", "gclb1-0a1b2c3d-not-found-ax2zmxcnyqau"]
    );
    assert_ne!(of(Scheme::External), of(Scheme::ExternalManaged));
}

#[test]
fn names_are_frozen() {
    let cluster = cluster();
    let key = LoadBalancerKey::ingress(ObjectKey::new("default", "test"));
    let service = ObjectKey::new("default", "echoheaders");
    let port = BackendPort::Number(8080);
    let fingerprint = CertificateFingerprint::of("a certificate");
    let nodes = BackendMode::InstanceGroups;
    let pods = BackendMode::NetworkEndpointGroups;
    let names = [
        address(&cluster, &key),
        forwarding_rule(&cluster, &key, 80),
        forwarding_rule(&cluster, &key, 443),
        target_http_proxy(&cluster, &key),
        target_https_proxy(&cluster, &key),
        url_map(&cluster, &key),
        redirect_url_map(&cluster, &key),
        backend_service(&cluster, &service, &port, nodes, Scheme::ExternalManaged),
        backend_service(&cluster, &service, &port, pods, Scheme::ExternalManaged),
        backend_service(
            &cluster,
            &service,
            &BackendPort::Name("http".into()),
            nodes,
            Scheme::ExternalManaged,
        ),
        health_check(&cluster, &service, &port, nodes, &http()),
        health_check(&cluster, &service, &port, nodes, &Probe::Tcp),
        network_endpoint_group(&cluster, &service, &port, "default", "default"),
        instance_group(&cluster, "default"),
        ssl_certificate(&cluster, &ObjectKey::new("default", "tls"), &fingerprint),
        firewall(&cluster, "default"),
        not_found_backend_service(&cluster, Scheme::ExternalManaged),
    ];
    let names: Vec<_> = names.iter().map(ResourceName::as_str).collect();
    assert_eq!(
        names,
        [
            "gclb1-0a1b2c3d-default-test-3cge7f5uwo55",
            "gclb1-0a1b2c3d-default-test-80-mmnhwauvgtd7",
            "gclb1-0a1b2c3d-default-test-443-wcnq6jfwicwl",
            "gclb1-0a1b2c3d-default-test-x5nujtuzqvmy",
            "gclb1-0a1b2c3d-default-test-vhxsdwawytcv",
            "gclb1-0a1b2c3d-default-test-vf5fafqpror5",
            "gclb1-0a1b2c3d-default-test-redirect-gauri2l4tbcj",
            "gclb1-0a1b2c3d-default-echoheaders-8080-nodes-nny7dmrfux67",
            "gclb1-0a1b2c3d-default-echoheaders-8080-pods-pw7gd5cutree",
            "gclb1-0a1b2c3d-default-echoheaders-http-nodes-6xusrcordzuu",
            "gclb1-0a1b2c3d-default-echoheaders-8080-nodes-aczfjy2fvwqq",
            "gclb1-0a1b2c3d-default-echoheaders-8080-nodes-owg2hefchhhz",
            "gclb1-0a1b2c3d-default-echoheaders-8080-pods-jo2676mazmj3",
            "gclb1-0a1b2c3d-nodes-hctodoi7nk76",
            "gclb1-0a1b2c3d-default-tls-s5m75q4vkqz4",
            "gclb1-0a1b2c3d-backends-d4jc5gkurwtf",
            "gclb1-0a1b2c3d-not-found-odp6kq7ut6c7",
        ]
    );
    let groups = [LoadBalancerKey::group("default", "test"), LoadBalancerKey::class_group("gclb", "test")];
    let names: Vec<_> = groups
        .iter()
        .flat_map(|key| {
            [
                address(&cluster, key),
                forwarding_rule(&cluster, key, 80),
                target_http_proxy(&cluster, key),
                target_https_proxy(&cluster, key),
                url_map(&cluster, key),
                redirect_url_map(&cluster, key),
            ]
        })
        .collect();
    let names: Vec<_> = names.iter().map(ResourceName::as_str).collect();
    assert_eq!(
        names,
        [
            "gclb1-0a1b2c3d-default-test-gqmdjxmoqshu",
            "gclb1-0a1b2c3d-default-test-80-o3lysax4vzmc",
            "gclb1-0a1b2c3d-default-test-u55y7mmotkae",
            "gclb1-0a1b2c3d-default-test-hgctsqfcrcit",
            "gclb1-0a1b2c3d-default-test-eyp7xtolpw6z",
            "gclb1-0a1b2c3d-default-test-redirect-fo3wuoqjzcx4",
            "gclb1-0a1b2c3d-gclb-test-qth4ybnz4voj",
            "gclb1-0a1b2c3d-gclb-test-80-sxbiovqvdfq3",
            "gclb1-0a1b2c3d-gclb-test-fs452luh3qom",
            "gclb1-0a1b2c3d-gclb-test-hlnnlpqqskuv",
            "gclb1-0a1b2c3d-gclb-test-ytr2wg5ujlin",
            "gclb1-0a1b2c3d-gclb-test-redirect-7w2rzmbg3gxm",
        ]
    );
    assert_eq!(named_port(30123), "port30123");
    assert_eq!(path_matcher(&HostPattern::Any), "host-any-w52jzmtl3s3o");
    assert_eq!(path_matcher(&HostPattern::Exact("a.example.com".into())), "host-a-example-com-4tdutbocnmcy");
    assert_eq!(path_matcher(&HostPattern::Wildcard("example.com".into())), "host-example-com-wip6ac522ph7");
}

#[test]
fn long_names_are_cut_where_they_are_longest() {
    let service = ObjectKey::new("shop", "a-service-whose-name-takes-all-the-room-there-is-in-a-label-12345");
    let name = backend_service(
        &cluster(),
        &service,
        &BackendPort::Number(8443),
        BackendMode::InstanceGroups,
        Scheme::ExternalManaged,
    );
    assert!(name.as_str().starts_with("gclb1-0a1b2c3d-shop-a-service-whose-nam-8443-nodes-"), "{name}");
    assert_eq!(name.as_str().len(), 63);
}

#[test]
fn only_the_clusters_own_names_are_ours() {
    let cluster = cluster();
    let key = LoadBalancerKey::ingress(ObjectKey::new("default", "test"));
    assert!(is_ours(address(&cluster, &key).as_str(), &cluster));
    for foreign in [
        "",
        "gclb1-0a1b2c3d",
        "gclb1-0a1b2c3dx-a",
        "gclb1-ffffffff-default-test-abc",
        "gclb2-0a1b2c3d-default-test-abc",
        "k8s1-0a1b2c3d-default-test-80-abc",
        "my-gclb1-0a1b2c3d-a",
    ] {
        assert!(!is_ours(foreign, &cluster), "{foreign}");
    }
}

#[test]
fn what_cannot_be_changed_is_in_the_name() {
    let cluster = cluster();
    let service = ObjectKey::new("default", "web");
    let port = BackendPort::Number(80);
    let nodes = BackendMode::InstanceGroups;
    let neg = |network, subnetwork| network_endpoint_group(&cluster, &service, &port, network, subnetwork);
    assert_ne!(neg("a", "b"), neg("a", "c"));
    assert_ne!(neg("a", "b"), neg("c", "b"));
    assert_ne!(neg("ab", "c"), neg("a", "bc"));
    let https = Probe::Https { path: "/".into(), host: None };
    assert_ne!(
        health_check(&cluster, &service, &port, nodes, &http()),
        health_check(&cluster, &service, &port, nodes, &https)
    );
    assert_ne!(
        backend_service(&cluster, &service, &port, nodes, Scheme::ExternalManaged),
        backend_service(
            &cluster,
            &service,
            &port,
            BackendMode::NetworkEndpointGroups,
            Scheme::ExternalManaged
        )
    );
    let secret = ObjectKey::new("default", "tls");
    assert_ne!(
        ssl_certificate(&cluster, &secret, &CertificateFingerprint::of("old")),
        ssl_certificate(&cluster, &secret, &CertificateFingerprint::of("new"))
    );
    assert_ne!(firewall(&cluster, "a"), firewall(&cluster, "b"));
    assert_ne!(instance_group(&cluster, "a"), instance_group(&cluster, "b"));
}

/// Every name that can be made of one namespace, name and port, with what it was made of.
fn all_names(cluster: &ClusterId, object: &ObjectKey, port: &BackendPort) -> Vec<(String, ResourceName)> {
    let key = LoadBalancerKey::ingress(object.clone());
    let ObjectKey { namespace, name } = object;
    let group = LoadBalancerKey::group(namespace, name);
    let class_group = LoadBalancerKey::class_group(namespace, name);
    let of = |what: &str| format!("{what} {cluster} {object:?}");
    let of_port = |what: &str| format!("{what} {cluster} {object:?} {port:?}");
    let nodes = BackendMode::InstanceGroups;
    let pods = BackendMode::NetworkEndpointGroups;
    vec![
        (of("rule 80"), forwarding_rule(cluster, &key, 80)),
        (of("rule 443"), forwarding_rule(cluster, &key, 443)),
        (of("address"), address(cluster, &key)),
        (of("http proxy"), target_http_proxy(cluster, &key)),
        (of("https proxy"), target_https_proxy(cluster, &key)),
        (of("url map"), url_map(cluster, &key)),
        (of("url map of a group"), url_map(cluster, &group)),
        (of("url map of a class's group"), url_map(cluster, &class_group)),
        (of("address of a group"), address(cluster, &group)),
        (of("address of a class's group"), address(cluster, &class_group)),
        (of("redirect"), redirect_url_map(cluster, &key)),
        (of("certificate"), ssl_certificate(cluster, object, &CertificateFingerprint::of("x"))),
        (of_port("nodes"), backend_service(cluster, object, port, nodes, Scheme::ExternalManaged)),
        (of_port("pods"), backend_service(cluster, object, port, pods, Scheme::ExternalManaged)),
        (of_port("check nodes"), health_check(cluster, object, port, nodes, &http())),
        (of_port("check pods"), health_check(cluster, object, port, pods, &http())),
        (of_port("neg"), network_endpoint_group(cluster, object, port, "default", "default")),
    ]
}

fn part() -> impl Strategy<Value = String> {
    prop_oneof![
        4 => "[a-z0-9]([-a-z0-9]{0,3}[a-z0-9])?",
        2 => "[a-z0-9]([-.a-z0-9]{0,200}[a-z0-9])?",
        1 => any::<String>(),
    ]
}

fn port() -> impl Strategy<Value = BackendPort> {
    prop_oneof![any::<u16>().prop_map(BackendPort::Number), part().prop_map(BackendPort::Name)]
}

proptest! {
    #[test]
    fn names_are_legal_ours_and_tell_keys_apart(
        keys in proptest::collection::vec((part(), part(), port()), 1..12),
    ) {
        let cluster = cluster();
        let mut seen: BTreeMap<ResourceName, String> = BTreeMap::new();
        for (namespace, name, port) in &keys {
            for (made_of, name) in all_names(&cluster, &ObjectKey::new(namespace, name), port) {
                prop_assert!(name.as_str().len() <= 63);
                prop_assert!(is_ours(name.as_str(), &cluster));
                if let Some(other) = seen.insert(name.clone(), made_of.clone()) {
                    prop_assert_eq!(other, made_of, "both are called {}", name);
                }
            }
        }
    }

    #[test]
    fn path_matchers_have_legal_names(host in part()) {
        for pattern in [HostPattern::Exact(host.clone()), HostPattern::Wildcard(host)] {
            prop_assert!(ResourceName::new(path_matcher(&pattern)).is_ok());
        }
    }
}
