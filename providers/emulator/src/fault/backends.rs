//! Faults of backends, as the data plane asks for them.

use super::kind::{BackendFault, Fault};
use super::room::Room;
use super::rule::{At, Event};
use crate::clock::Clock;
use crate::dataplane::HealthState;
use crate::dataplane::disturbance::{Disturbance, Disturbed};
use crate::dataplane::resource_id::BackendServiceId;
use crate::scope::ResourcePath;
use std::net::IpAddr;
use std::sync::Arc;

/// The rules, and the clock they go by.
#[derive(Debug)]
pub(crate) struct Backends {
    pub(crate) room: Arc<Room>,
    pub(crate) clock: Clock,
}

impl Backends {
    fn decide(
        &self,
        service: &BackendServiceId,
        (address, port): (IpAddr, u16),
        event: impl for<'a> FnOnce(At<'a>) -> Event<'a>,
    ) -> Option<BackendFault> {
        if self.room.is_empty() {
            return None;
        }
        let path = ResourcePath::parse(service.as_str())?;
        let at = At { project: &path.project, service: &path.name, address, port };
        match self.room.decide(&event(at), self.clock.now())?.fault {
            Fault::Backend { does, .. } => Some(does),
            _ => None,
        }
    }
}

impl Disturbance for Backends {
    #[expect(clippy::redundant_closure, reason = "the variant itself is not general enough for the compiler")]
    fn request(&self, service: &BackendServiceId, address: IpAddr, port: u16) -> Option<Disturbed> {
        match self.decide(service, (address, port), |at| Event::Request(at))? {
            BackendFault::Stall => Some(Disturbed::Stalls),
            BackendFault::Reset => Some(Disturbed::Resets),
            BackendFault::PassProbes | BackendFault::FailProbes => None,
        }
    }

    #[expect(clippy::redundant_closure, reason = "the variant itself is not general enough for the compiler")]
    fn probe(&self, service: &BackendServiceId, address: IpAddr, port: u16) -> Option<HealthState> {
        match self.decide(service, (address, port), |at| Event::Probe(at))? {
            BackendFault::PassProbes => Some(HealthState::Healthy),
            BackendFault::FailProbes => Some(HealthState::Unhealthy),
            BackendFault::Stall | BackendFault::Reset => None,
        }
    }
}
