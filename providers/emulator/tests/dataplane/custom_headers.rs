//! Custom headers of backend services.

use emulator::dataplane::program::{
    Destination, Forward, HeaderAction, HeaderToAdd, Mode, RouteAction, ValuePart, WeightedService,
};
use http::Request;
use http_body_util::Empty;

use crate::backends::Backend;
use crate::client::send;
use crate::programs::{everything_to, managed, map_id, plain, service_id, with_service};
use crate::rig::{Rig, free_socket};

fn header(name: &str, value: &str) -> HeaderToAdd {
    HeaderToAdd { name: name.parse().unwrap(), value: ValuePart::parse(value), mode: Mode::Replace }
}

#[tokio::test]
async fn they_are_set_with_what_is_known_of_the_client_by_every_product() {
    let (rig, backend, front) = (Rig::new(), Backend::start("one").await, free_socket());
    let classic = with_service(plain(front, &[backend.socket]), |service| {
        service.headers = HeaderAction {
            request_add: vec![
                header("x-client", "{client_ip_address}:{client_port} over {client_protocol}"),
                header("x-place", "{client_region}"),
            ],
            response_add: vec![
                header("x-backend", "hidden"),
                header("strict-transport-security", "max-age=5"),
            ],
            ..HeaderAction::default()
        };
    });
    for program in [classic.clone(), managed(classic.clone())] {
        rig.serve(program, "web", 1).await;
        let request =
            Request::get("/").header("host", "h").header("x-client", "forged").body(Empty::new()).unwrap();
        let answer = send(front, request).await.unwrap();
        assert_eq!(answer.header("x-backend"), "hidden", "the backend's own is replaced");
        assert_eq!(answer.header("strict-transport-security"), "max-age=5");
        let seen = backend.requests().pop().unwrap();
        assert_eq!(seen.headers.get_all("x-client").iter().count(), 1);
        let client = seen.headers["x-client"].to_str().unwrap();
        assert!(client.starts_with("127.0.0.1:") && client.ends_with(" over HTTP/1.1"), "{client}");
        assert_eq!(seen.headers["x-place"], "", "a region is not known here");
    }
    // A URL map has the last word.
    let mut program = managed(classic);
    let over = HeaderAction { response_add: vec![header("x-backend", "map")], ..HeaderAction::default() };
    let only = WeightedService { service: service_id("web"), weight: 1, headers: over };
    let forward = Forward { services: vec![only], action: RouteAction::default() };
    program.url_maps.insert(map_id("m"), everything_to(Destination::Forward(Box::new(forward))));
    rig.apply(program).await;
    let request = Request::get("/").header("host", "h").body(Empty::new()).unwrap();
    assert_eq!(send(front, request).await.unwrap().header("x-backend"), "map");
}
