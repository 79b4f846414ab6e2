//! What every task of a data plane shares.

use std::sync::Arc;

use tokio::sync::watch;

use super::config::DataPlaneConfig;
use super::connect::Connector;
use super::draining::Draining;
use super::tables::Tables;
use super::tasks::Tasks;
use super::traffic_log::TrafficLog;

#[derive(Debug)]
pub(super) struct Shared {
    pub(super) config: DataPlaneConfig,
    pub(super) connector: Connector,
    pub(super) tasks: Tasks,
    pub(super) draining: Arc<Draining>,
    pub(super) traffic: TrafficLog,
    /// The tables of the program in force. A request takes them once and never looks again, so it sees one
    /// program from beginning to end.
    tables: watch::Sender<Arc<Tables>>,
    /// Counts changes of health.
    health: watch::Sender<u64>,
}

impl Shared {
    pub(super) fn new(config: DataPlaneConfig, connector: Connector) -> Self {
        let (tables, _) = watch::channel(Arc::default());
        let (health, _) = watch::channel(0);
        let traffic = TrafficLog::new(config.traffic_log);
        let (tasks, draining) = (Tasks::default(), Arc::default());
        Self { config, connector, tasks, draining, traffic, tables, health }
    }

    pub(super) fn tables(&self) -> Arc<Tables> {
        self.tables.borrow().clone()
    }

    pub(super) fn publish(&self, tables: Arc<Tables>) {
        self.tables.send_replace(tables);
        self.health_changed();
    }

    pub(super) fn health_changed(&self) {
        self.health.send_modify(|count| *count += 1);
    }

    pub(super) fn watch_health(&self) -> watch::Receiver<u64> {
        self.health.subscribe()
    }
}
