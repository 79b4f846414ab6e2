//! The emulator as a library: start, use, stop.

use crate::admin;
use crate::clock::{Clock, Pace};
use crate::config::Config;
use crate::engine::DriftError;
use crate::engine::{Engine, Findings};
use crate::fault::{Backends, Room, Rule, TakenId};
use crate::in_process::{Caller, Sockets};
use crate::instance::{Instance, RegisterError};
use crate::journal::Journal;
use crate::latency::Latency;
use crate::metadata;
use crate::open_files;
use crate::plane::{Plane, ProgrammingDelay};
use crate::request_log::{RequestLog, Wanted};
use crate::scope::{ResourcePath, Scope};
use crate::server;
use crate::start_error::StartError;
use crate::state::State;
use crate::token;
use serde_json::Value;
use std::io::ErrorKind;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use tokio::net::TcpListener;
use tokio::task::JoinSet;
use url::Url;

/// Starts emulators.
#[derive(Debug)]
pub struct Emulator;

impl Emulator {
    /// Starts one. It runs until [`Running::shutdown`], or until the handle is dropped.
    pub async fn start(mut config: Config) -> Result<Running, StartError> {
        let pool = config.address_pool;
        if !pool.network().is_loopback() || !pool.broadcast().is_loopback() {
            return Err(StartError::PoolNotLoopback { pool });
        }
        let Listeners { api, metadata } = match config.sockets {
            Sockets::Open => Listeners::open(&config).await?,
            Sockets::None => Listeners::default(),
        };
        if let Some(file) = &config.token_file {
            config.static_tokens.extend(token::read(file)?);
        }
        let (journal, state) = match &config.state {
            Some(path) => {
                let (journal, state) = Journal::open(path)?;
                (Some(journal), state)
            }
            None => (None, State::default()),
        };
        let clock = Clock::default();
        match config.pace {
            Pace::Held => clock.hold(),
            Pace::Running(scale) => clock.run(scale).map_err(StartError::Pace)?,
        }
        let faults = Arc::new(Room::default());
        let mut rules = config.faults.clone();
        if let Some(path) = &config.fault_file {
            rules.extend(Rule::read_file(path).map_err(StartError::Faults)?);
        }
        faults.add(rules, clock.now()).map_err(StartError::FaultIds)?;
        let file = match &config.request_log_file {
            None => None,
            Some(path) => Some(
                RequestLog::open(path)
                    .map_err(|source| StartError::RequestLog { path: path.clone(), source })?,
            ),
        };
        let requests = RequestLog::new(config.request_log, config.request_log_answers, file);
        let backends = Arc::new(Backends { room: Arc::clone(&faults), clock: clock.clone() });
        let plane = Plane::start(&config, clock.clone(), backends).map_err(StartError::DataPlane)?;
        let engine = Engine::new(config, plane, clock, faults, requests, state, journal);
        engine.resume().await;
        if let Some(server) = &engine.config.metadata {
            metadata::settle(&engine, server)?;
        }
        let mut servers = JoinSet::new();
        let address = api.map_or(engine.config.listen, |(listener, address)| {
            servers.spawn(server::serve(Arc::clone(&engine), listener, server::handle));
            tracing::info!(%address, "the emulator listens");
            address
        });
        let metadata = metadata.map(|(listener, address)| {
            servers.spawn(server::serve(Arc::clone(&engine), listener, metadata::answer));
            tracing::info!(%address, "the metadata server listens");
            address
        });
        Ok(Running { engine, address, metadata, servers })
    }
}

/// What listens, each with its address.
#[derive(Default)]
struct Listeners {
    api: Option<(TcpListener, SocketAddr)>,
    metadata: Option<(TcpListener, SocketAddr)>,
}

impl Listeners {
    async fn open(config: &Config) -> Result<Self, StartError> {
        open_files::raise_limit();
        check_load_balancer_port(config)?;
        let address = config.listen;
        let api = listener(address).await.map_err(|source| StartError::Listen { address, source })?;
        let metadata = match &config.metadata {
            Some(server) => {
                let address = server.listen;
                let refused = |source| StartError::ListenMetadata { address, source };
                Some(listener(address).await.map_err(refused)?)
            }
            None => None,
        };
        Ok(Self { api: Some(api), metadata })
    }
}

async fn listener(address: SocketAddr) -> std::io::Result<(TcpListener, SocketAddr)> {
    let listener = TcpListener::bind(address).await?;
    let address = listener.local_addr()?;
    Ok((listener, address))
}

/// Tries the lowest port a forwarding rule is likely to want, so that a machine that refuses it says so at start and not
/// in the middle of somebody's test.
fn check_load_balancer_port(config: &Config) -> Result<(), StartError> {
    const HTTP: u16 = 80;
    let pool = config.address_pool;
    let Some(port) = HTTP.checked_add(config.port_offset) else { return Ok(()) };
    let host = Ipv4Addr::from(u32::from(pool.network()) | 1 & u32::from(pool.hostmask()));
    let address = SocketAddr::from((host, port));
    match std::net::TcpListener::bind(address) {
        Ok(_) => Ok(()),
        // Somebody has this one address; the pool skips it.
        Err(error) if error.kind() == ErrorKind::AddrInUse => Ok(()),
        Err(source) => Err(StartError::LoadBalancerPort { pool, address, source }),
    }
}

/// An emulator that runs.
pub struct Running {
    engine: Arc<Engine>,
    address: SocketAddr,
    metadata: Option<SocketAddr>,
    servers: JoinSet<()>,
}

impl std::fmt::Debug for Running {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Running").field("address", &self.address).finish_non_exhaustive()
    }
}

impl Running {
    /// Makes calls without a socket; the only way in where there are none ([`Sockets::None`]).
    #[must_use]
    pub fn caller(&self) -> Caller {
        Caller(Arc::clone(&self.engine))
    }

    /// Where it listens; where it does not, what [`Config::listen`] says.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Where the metadata server listens, if there is one: what `GCE_METADATA_HOST` is set to.
    #[must_use]
    pub fn metadata_address(&self) -> Option<SocketAddr> {
        self.metadata
    }

    /// What clients of the API are given: `http://HOST:PORT/compute/v1/`.
    #[must_use]
    pub fn endpoint(&self) -> Url {
        self.url("compute/v1/")
    }

    /// Where the admin path begins: `http://HOST:PORT/_emulator/`.
    #[must_use]
    pub fn admin(&self) -> Url {
        self.url("_emulator/")
    }

    fn url(&self, path: &str) -> Url {
        Url::parse(&format!("http://{}/{path}", self.address))
            .expect("a socket address and a fixed path are a URL")
    }

    /// Makes an instance known, or changes one that is; done when the data plane knows it too.
    pub async fn register_instance(&self, instance: &Instance) -> Result<(), RegisterError> {
        admin::register(&self.engine, instance).await
    }

    /// Takes an instance away, from the groups it is in too. False: there is none, or an operation holds it.
    pub async fn unregister_instance(&self, project: &str, zone: &str, name: &str) -> bool {
        let path = ResourcePath {
            project: project.to_owned(),
            scope: Scope::Zone(zone.to_owned()),
            collection: "instances",
            name: name.to_owned(),
        };
        admin::unregister(&self.engine, &path).await
    }

    /// The clock that everything in the emulated cloud goes by: hold it, step it, let it run faster.
    #[must_use]
    pub fn clock(&self) -> &Clock {
        &self.engine.clock
    }

    /// Lets something go wrong, from now on, until [`clear_faults`](Self::clear_faults) or
    /// [`remove_fault`](Self::remove_fault). Rules are tried in the order in which they came. Answers with the rule's id.
    pub fn add_fault(&self, rule: Rule) -> Result<String, TakenId> {
        let ids = self.engine.faults.add(vec![rule], self.engine.clock.now())?;
        Ok(ids.into_iter().next().unwrap_or_default())
    }

    /// Removes a fault rule; what it holds up goes on. False: there is none.
    #[must_use = "a rule that is not there was not removed"]
    pub fn remove_fault(&self, id: &str) -> bool {
        self.engine.faults.remove(id)
    }

    /// Removes every fault rule.
    pub fn clear_faults(&self) {
        self.engine.faults.clear();
    }

    /// What `GET /_emulator/faults` answers: each rule, with how often it `matched` and `hits`.
    #[must_use]
    pub fn faults(&self) -> Value {
        self.engine.faults.show()
    }

    /// Changes a resource behind everybody's back, as somebody does with other tools: `edit` is merged into the body.
    /// Nothing is checked, and there is no operation.
    pub async fn drift(&self, path: &str, edit: Value) -> Result<(), DriftError> {
        self.engine.drift(path, Some(edit)).await.map(drop)
    }

    /// Deletes a resource behind everybody's back, whoever refers to it.
    pub async fn drift_delete(&self, path: &str) -> Result<(), DriftError> {
        self.engine.drift(path, None).await.map(drop)
    }

    /// Lets changes be served only some time after their operation is DONE, from now on.
    pub fn set_programming_delay(&self, delay: ProgrammingDelay) {
        self.engine.plane.set_delay(delay);
    }

    /// How long operations take.
    #[must_use]
    pub fn latency(&self) -> Latency {
        self.engine.latency()
    }

    /// Changes how long operations take, for those that begin from now on.
    pub fn set_latency(&self, latency: Latency) {
        self.engine.set_latency(latency);
    }

    /// What `GET /_emulator/state` answers.
    #[must_use]
    pub fn state(&self) -> Value {
        admin::state(&self.engine)
    }

    /// Waits until what `GET /_emulator/state` answers is as wanted, and returns it. Looks again whenever an operation goes
    /// on or the health of an endpoint changes; has no deadline of its own.
    pub async fn wait_for(&self, mut wanted: impl FnMut(&Value) -> bool) -> Value {
        let mut changes = self.engine.watch_changes();
        let mut health = self.engine.plane.watch_health();
        loop {
            changes.mark_unchanged();
            health.mark_unchanged();
            let state = self.state();
            if wanted(&state) {
                return state;
            }
            tokio::select! {
                _ = changes.changed() => {}
                _ = health.changed() => {}
            }
        }
    }

    /// Waits until no operation is running.
    pub async fn idle(&self) {
        self.wait_for(|state| state["runningOperations"].as_array().is_none_or(Vec::is_empty)).await;
    }

    /// What `GET /_emulator/requests` answers.
    #[must_use]
    pub fn requests(&self) -> Value {
        self.engine.requests.show(&Wanted::default())
    }

    /// What `GET /_emulator/traffic` answers.
    #[must_use]
    pub fn traffic(&self) -> Value {
        admin::traffic(&self.engine, &admin::WantedTraffic::default())
    }

    /// Issues a Google-managed certificate, by its path: it is `ACTIVE`, with a key of its own to serve. The error says
    /// why not.
    pub async fn issue_certificate(&self, path: &str) -> Result<(), String> {
        let issued = self.engine.issue(path, &Findings::default()).await;
        issued.map(drop).map_err(|error| error.to_string())
    }

    /// Stops: listeners closed, requests that wait answered, every task ended.
    pub async fn shutdown(mut self) {
        self.engine.stop.cancel();
        self.engine.tasks.close();
        while let Some(ended) = self.servers.join_next().await {
            if let Err(error) = ended {
                tracing::error!(%error, "a listener ended badly");
            }
        }
        self.engine.tasks.wait().await;
        self.engine.plane.shutdown().await;
        self.engine.close_journal();
    }
}

/// An emulator whose handle is gone serves nobody.
impl Drop for Running {
    fn drop(&mut self) {
        self.engine.stop.cancel();
    }
}
