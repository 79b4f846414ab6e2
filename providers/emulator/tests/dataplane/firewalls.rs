//! Firewalls before instances.

use std::net::SocketAddr;
use std::time::Duration;

use emulator::dataplane::DataPlaneConfig;
use emulator::dataplane::program::{
    Backend as GroupBackend, Capacity, Firewall, FirewallAction, FirewallProtocol, FirewallTarget, Group,
    Instance, Interface, NamedPort, NetworkEndpoint, NetworkEndpoints, PortRange, Program,
};
use emulator::dataplane::resource_id::{FirewallId, NetworkId};
use http::StatusCode;

use crate::backends::Backend;
use crate::client::get;
use crate::programs::{group_id, instance_id, plain, service_id, with_service};
use crate::rig::{Rig, cloud_address, config, eventually, free_socket};

fn network() -> NetworkId {
    NetworkId::new("projects/p/global/networks/default")
}

fn allow(port: u16) -> Firewall {
    Firewall {
        id: FirewallId::new("projects/p/global/firewalls/l7"),
        network: network(),
        priority: 1000,
        action: FirewallAction::Allow,
        source_ranges: vec!["130.211.0.0/22".parse().unwrap(), "35.191.0.0/16".parse().unwrap()],
        protocols: vec![FirewallProtocol::Tcp(PortRange { first: port, last: port })],
        target: FirewallTarget::Tags(["node".to_owned()].into()),
    }
}

/// The endpoint as an alias address of an instance, behind its firewall.
fn on_instance(front: SocketAddr, backend: SocketAddr) -> Program {
    let mut program = plain(front, &[]);
    let address = cloud_address(backend.ip());
    program.groups.insert(
        group_id("g1"),
        Group::NetworkEndpoints(NetworkEndpoints::OnInstances {
            network: Some(network()),
            endpoints: [NetworkEndpoint { instance: Some(instance_id("n1")), address, port: backend.port() }]
                .into(),
        }),
    );
    program.instances.insert(
        instance_id("n1"),
        Instance {
            tags: ["node".to_owned()].into(),
            interfaces: vec![Interface {
                network: network(),
                address: "10.255.0.1".parse().unwrap(),
                alias_ranges: vec![ipnet::IpNet::new(address, 24).unwrap()],
            }],
        },
    );
    program
}

#[tokio::test]
async fn probes_and_requests_pass_only_where_a_firewall_lets_them() {
    let quick = DataPlaneConfig { connect_timeout: Duration::from_millis(300), ..config() };
    let (rig, backend, front) = (Rig::with(quick), Backend::start("one").await, free_socket());
    let closed = on_instance(front, backend.socket);
    rig.apply(closed.clone()).await;
    let told = || rig.plane.health(&service_id("web"), &group_id("g1"))[0].last_failure.clone();
    eventually("a failure", || told().is_some()).await;
    assert!(told().unwrap().contains("no firewall rule lets health checks through"), "{:?}", told());
    assert_eq!(backend.connections(), 0, "the packets were dropped");

    let mut open = closed.clone();
    open.firewalls.push(allow(backend.socket.port()));
    rig.serve(open.clone(), "web", 1).await;
    assert_eq!(get(front, "h", "/").await.body, "one");

    // Closed again: requests break at once, health follows.
    rig.apply(closed).await;
    let requests = backend.requests().len();
    assert_eq!(get(front, "h", "/").await.status, StatusCode::BAD_GATEWAY);
    rig.wait_healthy("web", "g1", 0).await;
    assert_eq!(backend.requests().len(), requests);
    rig.serve(open, "web", 1).await;
    assert_eq!(get(front, "h", "/").await.status, StatusCode::OK);
}

#[tokio::test]
async fn an_endpoint_whose_instance_is_not_there_is_not_reached() {
    let (rig, backend, front) = (Rig::new(), Backend::start("one").await, free_socket());
    let mut program = on_instance(front, backend.socket);
    program.firewalls.push(allow(backend.socket.port()));
    program.instances.clear();
    rig.apply(program).await;
    let told = || rig.plane.health(&service_id("web"), &group_id("g1"))[0].last_failure.clone();
    eventually("a failure", || told().is_some()).await;
    assert!(told().unwrap().contains("no instance has the endpoint's address"), "{:?}", told());
    assert_eq!(backend.connections(), 0);
}

#[tokio::test]
async fn an_instance_group_is_reached_at_its_named_port() {
    let (rig, backend, front) = (Rig::new(), Backend::start("one").await, free_socket());
    let mut program = on_instance(front, backend.socket);
    program.firewalls.push(allow(backend.socket.port()));
    let instance = program.instances.get_mut(&instance_id("n1")).unwrap();
    instance.interfaces[0].address = cloud_address(backend.socket.ip());
    program.groups.insert(
        group_id("g1"),
        Group::Instances {
            named_ports: vec![
                NamedPort { name: "other".to_owned(), port: 1 },
                NamedPort { name: "http".to_owned(), port: backend.socket.port() },
            ],
            // One member that nobody knows takes nothing from the others.
            members: vec![instance_id("gone"), instance_id("n1")],
        },
    );
    rig.serve(program.clone(), "web", 1).await;
    let health = rig.plane.health(&service_id("web"), &group_id("g1"));
    assert_eq!(health.len(), 1);
    assert_eq!(health[0].instance, Some(instance_id("n1")));
    assert_eq!(get(front, "h", "/").await.body, "one");

    // Without the named port there is no endpoint.
    let program = with_service(program, |service| {
        service.port_name = "missing".to_owned();
        service.backends = vec![GroupBackend { group: group_id("g1"), capacity: Capacity::WHOLE }];
    });
    rig.apply(program).await;
    assert_eq!(rig.plane.health(&service_id("web"), &group_id("g1")), []);
    assert_eq!(get(front, "h", "/").await.status, StatusCode::BAD_GATEWAY);
}
