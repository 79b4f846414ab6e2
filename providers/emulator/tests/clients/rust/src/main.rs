//! A global HTTP load balancer on the emulator, with Google's own client library.
//!
//! ```text
//! cargo run -- http://127.0.0.1:8787
//! ```
//!
//! The argument is where the emulator listens. Nothing here is particular to the emulator but what is marked EMULATOR:
//! without those lines, and with credentials, the same program works on Google Cloud.

use anyhow::{Context as _, bail, ensure};
use google_cloud_auth::credentials::{self, Credentials, anonymous};
use google_cloud_compute_v1::client::{
    BackendServices, Firewalls, GlobalAddresses, GlobalForwardingRules, HealthChecks, NetworkEndpointGroups,
    TargetHttpProxies, UrlMaps,
};
use google_cloud_compute_v1::model::{
    Address, Backend, BackendService, ConnectionDraining, Firewall, ForwardingRule, HTTPHealthCheck,
    HealthCheck, NetworkEndpoint, NetworkEndpointGroup, NetworkEndpointGroupsAttachEndpointsRequest,
    Operation, ResourceGroupReference, TargetHttpProxy, UrlMap,
};
use google_cloud_compute_v1::model::{
    backend, backend_service, firewall, health_check, network_endpoint_group,
};
use google_cloud_gax::exponential_backoff::{ExponentialBackoff, ExponentialBackoffBuilder};
use google_cloud_gax::paginator::ItemPaginator as _;
use google_cloud_lro::Poller as _;
use std::time::Duration;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

const PROJECT: &str = "demo";
const ZONE: &str = "us-central1-a";
const NAME: &str = "web";

// EMULATOR: the address that the instance has in the cloud, and where it is dialled.
const INSTANCE: &str = "web-1";
const ADDRESS: &str = "10.128.8.10";
const DIALLED: &str = "127.128.8.10";
const PORT: i32 = 8080;

/// The clients of the collections that a load balancer needs.
struct Cloud {
    addresses: GlobalAddresses,
    backend_services: BackendServices,
    firewalls: Firewalls,
    forwarding_rules: GlobalForwardingRules,
    health_checks: HealthChecks,
    groups: NetworkEndpointGroups,
    proxies: TargetHttpProxies,
    url_maps: UrlMaps,
}

/// A client of a collection. `with_credentials` and `with_endpoint` are for the EMULATOR; without them the library takes
/// Google's default credentials and calls the real API.
macro_rules! client {
    ($kind:ident, $endpoint:expr) => {
        $kind::builder()
            .with_credentials(credentials()?)
            .with_endpoint($endpoint)
            .with_polling_backoff_policy(polling())
            .build()
            .await?
    };
}

/// Runs a method to the end of its operation. `until_done` alone is content with an operation that failed.
macro_rules! done {
    ($request:expr) => {{
        let operation: Operation = $request.poller().until_done().await?;
        operation.to_result()?
    }};
}

/// EMULATOR: it asks for no credentials, unless it is told to. With a metadata server (`--metadata-listen`), whose address is
/// in `GCE_METADATA_HOST`, Google's default credentials work.
fn credentials() -> anyhow::Result<Credentials> {
    if std::env::var_os("GCE_METADATA_HOST").is_some() {
        return Ok(credentials::Builder::default().build()?);
    }
    Ok(anonymous::Builder::new().build())
}

/// How often an operation is asked for. The library's own choice begins with a second.
fn polling() -> ExponentialBackoff {
    ExponentialBackoffBuilder::new()
        .with_initial_delay(Duration::from_millis(20))
        .with_maximum_delay(Duration::from_secs(1))
        .clamp()
}

impl Cloud {
    async fn connect(endpoint: &str) -> anyhow::Result<Self> {
        Ok(Self {
            addresses: client!(GlobalAddresses, endpoint),
            backend_services: client!(BackendServices, endpoint),
            firewalls: client!(Firewalls, endpoint),
            forwarding_rules: client!(GlobalForwardingRules, endpoint),
            health_checks: client!(HealthChecks, endpoint),
            groups: client!(NetworkEndpointGroups, endpoint),
            proxies: client!(TargetHttpProxies, endpoint),
            url_maps: client!(UrlMaps, endpoint),
        })
    }

    /// Everything from the address to the backends; the address.
    async fn build(&self) -> anyhow::Result<String> {
        done!(self.addresses.insert().set_project(PROJECT).set_body(Address::new().set_name(NAME)));
        let address = self.addresses.get().set_project(PROJECT).set_address(NAME).send().await?;
        let address = address.address.context("the address has no number")?;
        let admitted = Firewall::new()
            .set_name(NAME)
            .set_allowed([firewall::Allowed::new().set_ip_protocol("tcp").set_ports([PORT.to_string()])])
            .set_source_ranges(["130.211.0.0/22", "35.191.0.0/16"]);
        done!(self.firewalls.insert().set_project(PROJECT).set_body(admitted));
        let group = NetworkEndpointGroup::new()
            .set_name(NAME)
            .set_network_endpoint_type(network_endpoint_group::NetworkEndpointType::GceVmIpPort)
            .set_network("global/networks/default");
        done!(self.groups.insert().set_project(PROJECT).set_zone(ZONE).set_body(group));
        let endpoint = NetworkEndpoint::new()
            .set_instance(format!("projects/{PROJECT}/zones/{ZONE}/instances/{INSTANCE}"))
            .set_ip_address(ADDRESS)
            .set_port(PORT);
        let endpoints = NetworkEndpointGroupsAttachEndpointsRequest::new().set_network_endpoints([endpoint]);
        done!(
            self.groups
                .attach_network_endpoints()
                .set_project(PROJECT)
                .set_zone(ZONE)
                .set_network_endpoint_group(NAME)
                .set_body(endpoints)
        );
        let check = HealthCheck::new()
            .set_name(NAME)
            .set_type(health_check::Type::Http)
            .set_check_interval_sec(1)
            .set_timeout_sec(1)
            .set_healthy_threshold(1)
            .set_http_health_check(HTTPHealthCheck::new().set_port(PORT));
        done!(self.health_checks.insert().set_project(PROJECT).set_body(check));
        let service = BackendService::new()
            .set_name(NAME)
            .set_protocol(backend_service::Protocol::Http)
            .set_load_balancing_scheme(backend_service::LoadBalancingScheme::ExternalManaged)
            .set_health_checks([format!("global/healthChecks/{NAME}")])
            .set_backends([Backend::new()
                .set_group(format!("zones/{ZONE}/networkEndpointGroups/{NAME}"))
                .set_balancing_mode(backend::BalancingMode::Rate)
                .set_max_rate_per_endpoint(100.0)]);
        done!(self.backend_services.insert().set_project(PROJECT).set_body(service));
        let url_map =
            UrlMap::new().set_name(NAME).set_default_service(format!("global/backendServices/{NAME}"));
        done!(self.url_maps.insert().set_project(PROJECT).set_body(url_map));
        let proxy = TargetHttpProxy::new().set_name(NAME).set_url_map(format!("global/urlMaps/{NAME}"));
        done!(self.proxies.insert().set_project(PROJECT).set_body(proxy));
        let rule = ForwardingRule::new()
            .set_name(NAME)
            .set_load_balancing_scheme("EXTERNAL_MANAGED")
            .set_ip_address(address.as_str())
            .set_ip_protocol("TCP")
            .set_port_range("80")
            .set_target(format!("global/targetHttpProxies/{NAME}"));
        done!(self.forwarding_rules.insert().set_project(PROJECT).set_body(rule));
        Ok(address)
    }

    async fn wait_until_healthy(&self) -> anyhow::Result<()> {
        let group = format!("zones/{ZONE}/networkEndpointGroups/{NAME}");
        let mut health = None;
        for _ in 0..300 {
            let asked = self
                .backend_services
                .get_health()
                .set_project(PROJECT)
                .set_backend_service(NAME)
                .set_body(ResourceGroupReference::new().set_group(group.as_str()))
                .send()
                .await?;
            let states: Vec<_> =
                asked.health_status.iter().filter_map(|endpoint| endpoint.health_state.clone()).collect();
            if !states.is_empty() && states.iter().all(|state| state.name() == Some("HEALTHY")) {
                return Ok(());
            }
            health = Some(asked);
            tokio::time::sleep(Duration::from_millis(200)).await;
        }
        bail!("it does not become healthy: {health:?}")
    }

    /// Lists, a change with its lock, and errors.
    async fn look_and_change(&self) -> anyhow::Result<()> {
        let mut services = self.backend_services.list().set_project(PROJECT).set_max_results(1_u32).by_item();
        let mut names = Vec::new();
        while let Some(service) = services.next().await.transpose()? {
            names.push(service.name.unwrap_or_default());
        }
        ensure!(names == [NAME], "{names:?}");
        let mut places = self.groups.aggregated_list().set_project(PROJECT).by_item();
        let mut found = Vec::new();
        while let Some((place, groups)) = places.next().await.transpose()? {
            found.extend(groups.network_endpoint_groups.into_iter().map(|group| (place.clone(), group.name)));
        }
        ensure!(found == [(format!("zones/{ZONE}"), Some(NAME.to_owned()))], "{found:?}");

        let service =
            self.backend_services.get().set_project(PROJECT).set_backend_service(NAME).send().await?;
        let patch = BackendService::new()
            .set_connection_draining(ConnectionDraining::new().set_draining_timeout_sec(10))
            .set_or_clear_fingerprint(service.fingerprint);
        let patched = || {
            self.backend_services
                .patch()
                .set_project(PROJECT)
                .set_backend_service(NAME)
                .set_body(patch.clone())
        };
        done!(patched());
        // The same once more: somebody else has changed the service since it was read.
        let Err(stale) = patched().send().await else { bail!("a stale fingerprint was accepted") };
        ensure!(stale.http_status_code() == Some(412), "{stale:?}");

        let missing = self.url_maps.get().set_project(PROJECT).set_url_map("nothing").send().await;
        let missing = missing.err().context("there is a URL map that nobody made")?;
        ensure!(missing.http_status_code() == Some(404), "{missing:?}");
        let again =
            self.addresses.insert().set_project(PROJECT).set_body(Address::new().set_name(NAME)).send().await;
        let again = again.err().context("a second address of the same name was made")?;
        ensure!(again.http_status_code() == Some(409), "{again:?}");
        let used = self.url_maps.delete().set_project(PROJECT).set_url_map(NAME).send().await;
        let used = used.err().context("a URL map in use was deleted")?;
        ensure!(used.to_string().contains("is already being used by"), "{used:?}");
        Ok(())
    }

    /// All of it, from the outside in.
    async fn take_down(&self) -> anyhow::Result<()> {
        done!(self.forwarding_rules.delete().set_project(PROJECT).set_forwarding_rule(NAME));
        done!(self.proxies.delete().set_project(PROJECT).set_target_http_proxy(NAME));
        done!(self.url_maps.delete().set_project(PROJECT).set_url_map(NAME));
        done!(self.backend_services.delete().set_project(PROJECT).set_backend_service(NAME));
        done!(self.health_checks.delete().set_project(PROJECT).set_health_check(NAME));
        done!(self.groups.delete().set_project(PROJECT).set_zone(ZONE).set_network_endpoint_group(NAME));
        done!(self.firewalls.delete().set_project(PROJECT).set_firewall(NAME));
        done!(self.addresses.delete().set_project(PROJECT).set_address(NAME));
        Ok(())
    }
}

/// The server of the instance: the same answer to every request.
async fn serve() -> anyhow::Result<()> {
    let port = u16::try_from(PORT)?;
    let server = tokio::net::TcpListener::bind((DIALLED, port)).await?;
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = server.accept().await {
            tokio::spawn(async move {
                let mut request = [0; 4096];
                let _ = stream.read(&mut request).await;
                let answer = "HTTP/1.1 200 OK\r\ncontent-length: 5\r\nconnection: close\r\n\r\nhello";
                let _ = stream.write_all(answer.as_bytes()).await;
            });
        }
    });
    Ok(())
}

/// EMULATOR: tells of an instance and its address; a real one has both.
async fn register_instance(http: &reqwest::Client, endpoint: &str) -> anyhow::Result<()> {
    let body = format!(
        r#"{{"project": "{PROJECT}", "zone": "{ZONE}", "name": "{INSTANCE}", "address": "{ADDRESS}"}}"#
    );
    http.post(format!("{endpoint}/_emulator/instances")).body(body).send().await?.error_for_status()?;
    Ok(())
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> anyhow::Result<()> {
    let endpoint = std::env::args().nth(1).context("give the emulator's address: http://127.0.0.1:8787")?;
    if rustls::crypto::ring::default_provider().install_default().is_err() {
        bail!("another TLS provider is installed already");
    }
    let http = reqwest::Client::builder().no_proxy().build()?;
    register_instance(&http, &endpoint).await?;
    serve().await?;
    let cloud = Cloud::connect(&endpoint).await?;
    let address = cloud.build().await?;
    cloud.wait_until_healthy().await?;
    let answer = http.get(format!("http://{address}/")).send().await?.error_for_status()?;
    let text = answer.text().await?;
    ensure!(text == "hello", "{text}");
    cloud.look_and_change().await?;
    cloud.take_down().await?;
    println!("built, used and taken down: http://{address}");
    Ok(())
}
