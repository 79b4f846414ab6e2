//! What is running, and how it is brought from one program to the next.

use std::collections::{HashMap, HashSet};
use std::net::SocketAddr;
use std::sync::Arc;

use rustls::ServerConfig;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use super::Applied;
use super::endpoint::{Endpoint, EndpointKey};
use super::link::{Linked, link};
use super::listener::{Listener, OpenListener, Refusal, RefusalReason, bind};
use super::prober::{Prober, Probing};
use super::program::{Certificate, Frontend, FrontendProtocol, Program};
use super::shared::Shared;
use super::tables::{FrontendTable, Tables};
use super::tls;

/// Everything that outlives one program.
#[derive(Debug, Default)]
pub(super) struct State {
    listeners: HashMap<SocketAddr, OpenListener>,
    endpoints: HashMap<EndpointKey, Held>,
    shut_down: bool,
}

#[derive(Debug)]
struct Held {
    endpoint: Arc<Endpoint>,
    prober: Option<Prober>,
}

impl State {
    pub(super) async fn apply(&mut self, shared: &Arc<Shared>, program: &Program) -> Applied {
        let mut applied = Applied::default();
        let old = shared.tables();
        let mut tables = Tables { url_maps: program.url_maps.clone(), ..Tables::default() };
        let mut bound: Vec<(SocketAddr, TcpListener)> = Vec::new();
        for frontend in &program.frontends {
            match self.place(shared, &old, &tables, frontend) {
                Err(reason) => applied.refused.push(Refusal {
                    frontend: frontend.id.clone(),
                    address: SocketAddr::new(frontend.address, frontend.port),
                    reason,
                }),
                Ok((address, socket, table)) => {
                    bound.extend(socket.map(|socket| (address, socket)));
                    tables.frontends.insert(address, Arc::new(table));
                    applied.listening.push(Listener { frontend: frontend.id.clone(), address });
                }
            }
        }

        let Linked { services, groups, endpoints } = link(
            program,
            &shared.config.dial,
            &shared.config.probe_sources,
            |key| self.endpoints.get(key).map(|held| held.endpoint.clone()),
            |id| old.services.get(id).map(|service| service.turn.clone()),
        );
        tables.services = services;
        tables.groups = groups;

        let tables = Arc::new(tables);
        shared.publish(tables.clone());
        for (address, socket) in bound {
            self.listeners.insert(address, OpenListener::start(shared, socket, address));
        }
        self.retire_frontends(shared, &old, &tables).await;
        self.retire_endpoints(shared, &old, &tables, &endpoints);
        self.probe(shared, endpoints);
        applied
    }

    /// Where a frontend listens, with the socket if it is a new one, and its table.
    fn place(
        &self,
        shared: &Shared,
        old: &Tables,
        new: &Tables,
        frontend: &Frontend,
    ) -> Result<(SocketAddr, Option<TcpListener>, FrontendTable), RefusalReason> {
        if self.shut_down {
            return Err(RefusalReason::ShutDown);
        }
        if !frontend.address.is_loopback() {
            return Err(RefusalReason::NotLoopback);
        }
        let offset = shared.config.port_offset;
        let port = frontend.port.checked_add(offset).ok_or(RefusalReason::OffsetTooLarge { offset })?;
        let address = SocketAddr::new(frontend.address, port);
        if let Some(other) = new.frontends.get(&address) {
            return Err(RefusalReason::TakenBy(other.frontend.id.clone()));
        }
        let table = frontend_table(frontend, old.frontends.get(&address))?;
        let socket = if self.listeners.contains_key(&address) { None } else { Some(bind(address)?) };
        Ok((address, socket, table))
    }

    async fn retire_frontends(&mut self, shared: &Arc<Shared>, old: &Tables, new: &Tables) {
        for (address, frontend) in &old.frontends {
            let carried = new.frontends.get(address).is_some_and(|new| {
                !new.finish.is_cancelled() && {
                    // The token is carried over unless the protocol changed.
                    new.tls.is_some() == frontend.tls.is_some()
                }
            });
            if !carried {
                frontend.finish.cancel();
            }
        }
        let closing: Vec<SocketAddr> =
            self.listeners.keys().filter(|address| !new.frontends.contains_key(address)).copied().collect();
        for address in closing {
            if let Some(listener) = self.listeners.remove(&address) {
                listener.close(shared, shared.config.frontend_drain).await;
            }
        }
    }

    /// Takes out endpoints that the new program does not have. Their kept connections are closed. Requests that run
    /// are cut after the draining time of the backend service; where the service itself is gone, or out of
    /// reach, they run on to their end, as nobody took the endpoint out of it.
    fn retire_endpoints(
        &mut self,
        shared: &Arc<Shared>,
        old: &Tables,
        new: &Tables,
        endpoints: &[(Arc<Endpoint>, Option<Probing>)],
    ) {
        let staying: HashSet<&EndpointKey> = endpoints.iter().map(|(endpoint, _)| &endpoint.key).collect();
        self.endpoints.retain(|key, held| {
            if staying.contains(key) {
                return true;
            }
            held.endpoint.pool.close();
            if let Some(service) = new.services.get(&key.service) {
                let draining = match old.services.get(&key.service) {
                    Some(old) => old.draining.max(service.draining),
                    None => service.draining,
                };
                if draining.is_zero() {
                    held.endpoint.gone.cancel();
                } else {
                    let gone = held.endpoint.gone.clone();
                    shared.tasks.spawn(async move {
                        tokio::time::sleep(draining).await;
                        gone.cancel();
                    });
                }
            }
            false
        });
    }

    /// Begins, changes and ends probing.
    fn probe(&mut self, shared: &Arc<Shared>, endpoints: Vec<(Arc<Endpoint>, Option<Probing>)>) {
        for (endpoint, probing) in endpoints {
            let held = self
                .endpoints
                .entry(endpoint.key.clone())
                .or_insert_with(|| Held { endpoint: endpoint.clone(), prober: None });
            match (probing, &held.prober) {
                (None, _) => held.prober = None,
                (Some(probing), Some(prober)) => prober.update(probing),
                (Some(probing), None) => held.prober = Some(Prober::start(shared, endpoint, probing)),
            }
        }
    }

    /// Closes every listener, waits for connections as long as the grace lasts, and stops probing.
    pub(super) async fn shut_down(&mut self, shared: &Arc<Shared>) {
        self.shut_down = true;
        self.endpoints.values_mut().for_each(|held| held.prober = None);
        for frontend in shared.tables().frontends.values() {
            frontend.finish.cancel();
        }
        let mut connections = Vec::new();
        for (_, listener) in self.listeners.drain() {
            connections.push(listener.connections());
            listener.close(shared, shared.config.shutdown_grace).await;
        }
        let finished = futures::future::join_all(connections.iter().map(|connections| connections.wait()));
        // Whoever has not finished by then is cut by the caller.
        drop(tokio::time::timeout(shared.config.shutdown_grace, finished).await);
        self.endpoints.clear();
        shared.publish(Arc::default());
    }
}

/// The table of a frontend; what clients have open is carried over from `old` where it can be.
fn frontend_table(
    frontend: &Frontend,
    old: Option<&Arc<FrontendTable>>,
) -> Result<FrontendTable, RefusalReason> {
    let tls = match &frontend.protocol {
        FrontendProtocol::Http => None,
        FrontendProtocol::Https { certificates } => match old {
            Some(old) if old.frontend.protocol == frontend.protocol => old.tls.clone(),
            _ => Some(tls_config(frontend, certificates)?),
        },
    };
    let finish = match old {
        Some(old) if old.tls.is_some() == tls.is_some() => old.finish.clone(),
        _ => CancellationToken::new(),
    };
    Ok(FrontendTable { frontend: frontend.clone(), tls, finish })
}

fn tls_config(
    frontend: &Frontend,
    certificates: &[Arc<Certificate>],
) -> Result<Arc<ServerConfig>, RefusalReason> {
    let (config, unusable) = tls::server_config(certificates)
        .map_err(|error| RefusalReason::Other(format!("TLS cannot be set up: {error}")))?;
    for error in unusable {
        tracing::warn!(
            frontend = %frontend.id, error = &error as &dyn std::error::Error, "a certificate is not served"
        );
    }
    Ok(config)
}
