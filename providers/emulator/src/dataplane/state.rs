//! What is running, and how it is brought from one program to the next.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::Arc;

use rustls::ServerConfig;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use super::listener::{Listener, OpenListener, Refusal, RefusalReason, bind};
use super::program::{Certificate, Frontend, FrontendProtocol, Program, TlsPolicy};
use super::services::Services;
use super::shared::Shared;
use super::tables::{FrontendTable, Tables};
use super::tls;
use super::{Applied, Differing};
use crate::in_process::Sockets;

/// Everything that outlives one program.
#[derive(Debug, Default)]
pub(super) struct State {
    listeners: HashMap<SocketAddr, OpenListener>,
    services: Services,
    shut_down: bool,
}

impl State {
    /// `before` is what the last program came to.
    pub(super) async fn apply(
        &mut self,
        shared: &Arc<Shared>,
        program: &Program,
        differing: &Differing,
        before: &Applied,
    ) -> Applied {
        let mut applied = Applied::default();
        if self.shut_down {
            applied.refused = program.frontends.iter().map(|f| refusal(f, RefusalReason::ShutDown)).collect();
            return applied;
        }
        let old = shared.tables();
        let mut tables = Tables {
            url_maps: program.url_maps.clone(),
            buckets: program.backend_buckets.clone(),
            ..Tables::default()
        };
        // What was refused is tried again with every program, so then every frontend is looked at.
        let few = match differing {
            Differing::These { frontends, .. } if before.refused.is_empty() => Some(frontends),
            Differing::These { .. } | Differing::All => None,
        };
        let mut gone: Vec<SocketAddr> = old.frontends.keys().copied().collect();
        if let Some(few) = few {
            let (change, stay): (Vec<_>, Vec<_>) =
                before.listening.iter().cloned().partition(|listener| few.contains(&listener.frontend));
            tables.frontends.clone_from(&old.frontends);
            gone = change.into_iter().map(|listener| listener.address).collect();
            for address in &gone {
                tables.frontends.remove(address);
            }
            applied.listening = stay;
        }
        let mut bound: Vec<(SocketAddr, TcpListener)> = Vec::new();
        let looked_at =
            program.frontends.iter().filter(|frontend| few.is_none_or(|few| few.contains(&frontend.id)));
        for frontend in looked_at {
            match self.place(shared, &old, &tables, frontend) {
                Err(reason) => applied.refused.push(refusal(frontend, reason)),
                Ok((address, socket, table)) => {
                    bound.extend(socket.map(|socket| (address, socket)));
                    tables.frontends.insert(address, Arc::new(table));
                    applied.listening.push(Listener { frontend: frontend.id.clone(), address });
                }
            }
        }

        let (services, retired) = self.services.prepare(shared, program, &old.services, differing);
        tables.services = services;

        let tables = Arc::new(tables);
        shared.publish(tables.clone());
        for (address, socket) in bound {
            self.listeners.insert(address, OpenListener::start(shared, socket, address));
        }
        self.retire_frontends(shared, &old, &tables, gone).await;
        for endpoint in retired {
            endpoint.retire(shared);
        }
        // Probing has begun and ended here and there, which the tables alone did not say.
        shared.health_changed();
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
        let listens = self.listeners.contains_key(&address) || shared.config.sockets == Sockets::None;
        let socket = if listens { None } else { Some(bind(address)?) };
        Ok((address, socket, table))
    }

    /// Ends what the frontends at some addresses of the old tables have open, unless the new tables go on with it.
    async fn retire_frontends(
        &mut self,
        shared: &Arc<Shared>,
        old: &Tables,
        new: &Tables,
        addresses: Vec<SocketAddr>,
    ) {
        for address in addresses {
            let next = new.frontends.get(&address);
            // The token was carried over unless the protocol changed.
            if let Some(frontend) = old.frontends.get(&address)
                && next.is_none_or(|next| next.tls.is_some() != frontend.tls.is_some())
            {
                frontend.finish.cancel();
            }
            if next.is_none()
                && let Some(listener) = self.listeners.remove(&address)
            {
                listener.close(shared, shared.config.frontend_drain).await;
            }
        }
    }

    /// Closes every listener, waits for connections as long as the grace lasts, and stops probing.
    pub(super) async fn shut_down(&mut self, shared: &Arc<Shared>) {
        self.shut_down = true;
        self.services = Services::default();
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
        shared.publish(Arc::default());
    }
}

fn refusal(frontend: &Frontend, reason: RefusalReason) -> Refusal {
    let address = SocketAddr::new(frontend.address, frontend.port);
    Refusal { frontend: frontend.id.clone(), address, reason }
}

/// The table of a frontend; what clients have open is carried over from `old` where it can be.
fn frontend_table(
    frontend: &Frontend,
    old: Option<&Arc<FrontendTable>>,
) -> Result<FrontendTable, RefusalReason> {
    let tls = match &frontend.protocol {
        FrontendProtocol::Http => None,
        FrontendProtocol::Https { certificates, policy } => match old {
            Some(old) if old.frontend.protocol == frontend.protocol => old.tls.clone(),
            _ => Some(tls_config(frontend, certificates, policy)?),
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
    policy: &TlsPolicy,
) -> Result<Arc<ServerConfig>, RefusalReason> {
    let (config, unusable) = tls::server_config(certificates, policy)
        .map_err(|error| RefusalReason::Other(format!("TLS cannot be set up: {error}")))?;
    for error in unusable {
        tracing::warn!(
            frontend = %frontend.id, error = &error as &dyn std::error::Error, "a certificate is not served"
        );
    }
    Ok(config)
}
