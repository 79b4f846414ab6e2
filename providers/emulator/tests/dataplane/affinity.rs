//! Session affinity, and the shares of groups.

use std::collections::{BTreeMap, BTreeSet};
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use emulator::dataplane::program::{
    Affinity, AffinityCookie, Backend as GroupBackend, Capacity, CookieSays, Program,
};
use http::{Request, StatusCode};
use http_body_util::Empty;

use crate::backends::Backend;
use crate::client::{Answer, get, get_from, send};
use crate::programs::{group, group_id, plain, with_service};
use crate::rig::{Rig, free_socket};

async fn backends(count: usize) -> Vec<Backend> {
    let mut backends = Vec::new();
    for number in 0..count {
        backends.push(Backend::start(&format!("b{number}")).await);
    }
    backends
}

fn sockets(backends: &[Backend]) -> Vec<SocketAddr> {
    backends.iter().map(|backend| backend.socket).collect()
}

fn sticking(front: SocketAddr, backends: &[SocketAddr], affinity: &Affinity) -> Program {
    with_service(plain(front, backends), |service| service.affinity = affinity.clone())
}

async fn get_with(front: SocketAddr, name: &str, value: &str) -> Answer {
    let request = Request::get("/").header("host", "h").header(name, value).body(Empty::new()).unwrap();
    let answer = send(front, request).await.unwrap();
    assert_eq!(answer.status, StatusCode::OK, "{answer:?}");
    answer
}

/// The pair that a client sends back.
fn pair(answer: &Answer) -> String {
    answer.header("set-cookie").split(';').next().unwrap().to_owned()
}

#[tokio::test]
async fn a_client_address_goes_to_one_endpoint_and_few_move_when_another_comes() {
    let (rig, front, backends) = (Rig::new(), free_socket(), backends(4).await);
    let sockets = sockets(&backends);
    let clients: Vec<IpAddr> = (1..=100).map(|last| IpAddr::from([127, 77, 3, last])).collect();
    let ask = |client: IpAddr| async move {
        let request = Request::get("/").header("host", "h").body(Empty::new()).unwrap();
        get_from(client, front, request).await.body
    };
    rig.serve(sticking(front, &sockets[..3], &Affinity::ClientAddress), "web", 3).await;
    let mut before = BTreeMap::new();
    for client in &clients {
        let first = ask(*client).await;
        assert_eq!(ask(*client).await, first, "{client} is sent to one place");
        before.insert(*client, first);
    }
    let used: BTreeSet<_> = before.values().collect();
    assert_eq!(used.len(), 3, "they are spread over all: {before:?}");
    // Another endpoint: whoever moves, moves there.
    rig.serve(sticking(front, &sockets, &Affinity::ClientAddress), "web", 4).await;
    let mut moved = 0;
    for client in &clients {
        let now = ask(*client).await;
        if now != before[client] {
            assert_eq!(now, "b3", "{client}");
            moved += 1;
        }
    }
    assert!((1..clients.len() / 2).contains(&moved), "{moved}");
}

#[tokio::test]
async fn a_generated_cookie_names_the_endpoint_and_is_renewed_when_that_is_not_healthy() {
    let (rig, front, backends) = (Rig::new(), free_socket(), backends(3).await);
    let cookie = |lifetime| {
        Affinity::Cookie(AffinityCookie {
            name: "GCLB".to_owned(),
            path: "/".to_owned(),
            lifetime,
            says: CookieSays::Endpoint,
        })
    };
    let day = Duration::from_hours(24);
    rig.serve(sticking(front, &sockets(&backends), &cookie(Some(day))), "web", 3).await;
    let first = get(front, "h", "/").await;
    let set = first.header("set-cookie");
    assert!(set.starts_with("GCLB=") && set.ends_with("; Path=/; HttpOnly; Max-Age=86400"), "{set}");
    for _ in 0..6 {
        let again = get_with(front, "cookie", &pair(&first)).await;
        assert_eq!(again.body, first.body);
        assert_eq!(again.header("set-cookie"), "", "it has its cookie");
    }
    // Somebody else has another one.
    let second = get(front, "h", "/").await;
    assert_ne!(second.body, first.body);
    assert_ne!(pair(&second), pair(&first));
    assert_eq!(get_with(front, "cookie", &pair(&first)).await.body, first.body);

    let mine = backends.iter().find(|backend| backend.state.name == first.body).unwrap();
    mine.set_healthy(false);
    rig.wait_healthy("web", "g1", 2).await;
    let elsewhere = get_with(front, "cookie", &pair(&first)).await;
    assert_ne!(elsewhere.body, first.body);
    let renewed = pair(&elsewhere);
    assert_ne!(renewed, pair(&first));
    assert_eq!(get_with(front, "cookie", &renewed).await.body, elsewhere.body);
    // An endpoint keeps its name over new programs, so its clients find it again.
    mine.set_healthy(true);
    rig.wait_healthy("web", "g1", 3).await;
    rig.apply(sticking(front, &sockets(&backends), &cookie(None))).await;
    assert_eq!(get_with(front, "cookie", &pair(&first)).await.body, first.body);
    let session = get(front, "h", "/").await;
    assert!(session.header("set-cookie").ends_with("; Path=/; HttpOnly"), "{session:?}");
}

#[tokio::test]
async fn equal_headers_and_cookies_go_to_one_endpoint() {
    let (rig, front, backends) = (Rig::new(), free_socket(), backends(3).await);
    let header = Affinity::Header("x-user".parse().unwrap());
    let cookie = Affinity::Cookie(AffinityCookie {
        name: "user".to_owned(),
        path: "/shop".to_owned(),
        lifetime: Some(Duration::from_secs(5)),
        says: CookieSays::Key,
    });
    for (affinity, name, prefix) in [(header, "x-user", ""), (cookie.clone(), "cookie", "user=")] {
        rig.serve(sticking(front, &sockets(&backends), &affinity), "web", 3).await;
        let mut used = BTreeSet::new();
        for user in 0..80 {
            let value = format!("{prefix}{user}");
            let first = get_with(front, name, &value).await.body;
            assert_eq!(get_with(front, name, &value).await.body, first, "{value}");
            used.insert(first);
        }
        assert_eq!(used.len(), 3, "{name}: users are spread over all");
    }
    let stranger = get(front, "h", "/").await;
    assert!(stranger.header("set-cookie").ends_with("; Path=/shop; HttpOnly; Max-Age=5"), "{stranger:?}");
    assert_eq!(get_with(front, "cookie", &pair(&stranger)).await.body, stranger.body);
    // Without the header there is nothing to hold to.
    let header = Affinity::Header("x-user".parse().unwrap());
    rig.serve(sticking(front, &sockets(&backends), &header), "web", 3).await;
    let mut used = BTreeSet::new();
    for _ in 0..3 {
        used.insert(get(front, "h", "/").await.body);
    }
    assert_eq!(used.len(), 3);
}

#[tokio::test]
async fn a_group_takes_its_share_and_a_drained_one_keeps_nobody() {
    let (rig, front, backends) = (Rig::new(), free_socket(), backends(2).await);
    let program = |second: Capacity, affinity: Affinity| {
        let mut program = with_service(plain(front, &[backends[0].socket]), |service| {
            service.affinity = affinity;
            service.backends.push(GroupBackend { group: group_id("g2"), capacity: second });
        });
        program.groups.insert(group_id("g2"), group(&[backends[1].socket]));
        program
    };
    rig.serve(program(Capacity { per_mille: 250 }, Affinity::None), "web", 1).await;
    rig.wait_healthy("web", "g2", 1).await;
    for _ in 0..50 {
        get(front, "h", "/").await;
    }
    let second = backends[1].requests().len();
    assert!((8..=12).contains(&second), "a fifth of 50: {second}");
    // A cookie does not lead to a group that takes no new requests.
    let cookie = Affinity::Cookie(AffinityCookie {
        name: "GCLB".to_owned(),
        path: "/".to_owned(),
        lifetime: None,
        says: CookieSays::Endpoint,
    });
    rig.apply(program(Capacity::WHOLE, cookie.clone())).await;
    let held = loop {
        let answer = get(front, "h", "/").await;
        if answer.body == "b1" {
            break pair(&answer);
        }
    };
    rig.apply(program(Capacity::DRAINED, cookie)).await;
    let moved = get_with(front, "cookie", &held).await;
    assert_eq!(moved.body, "b0");
    assert_ne!(pair(&moved), held);
}
