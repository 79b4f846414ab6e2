//! The client's calls in the quota's words.

use gce::{Effect, Entered, Entering, Gate, Knock, Passage};

use crate::apply::quota::{Answer, Calls, Group, Pass, Place, Quota};

/// Lets calls through as the quota has room for them.
impl Gate for Quota {
    fn enter<'a>(&'a self, knock: Knock<'a>) -> Entering<'a> {
        let group = group_of(&knock);
        Box::pin(async move {
            let pass: Box<dyn Entered> = Box::new(self.pass(&group).await);
            pass
        })
    }
}

impl Entered for Pass {
    fn answered(self: Box<Self>, passage: Passage) {
        Self::answered(
            *self,
            match passage {
                Passage::LetThrough => Answer::Accepted,
                Passage::Throttled { retry_after } => Answer::Refused { retry_after },
                Passage::Unknown => Answer::Unknown,
            },
        );
    }
}

/// Which quota a call counts for (Compute Engine documentation, "Rate quotas").
pub(super) fn group_of(knock: &Knock<'_>) -> Group {
    let Knock { verb, collection, effect, scope, resource: _ } = knock;
    let calls = match (effect, *collection, *verb) {
        (Effect::Change, _, _) => Calls::Mutations,
        (Effect::Read, "operations", _) => Calls::OperationReads,
        (Effect::Read, _, "aggregatedList" | "getHealth") => Calls::HeavyReads,
        (Effect::Read, _, verb) if verb.starts_with("list") => Calls::Lists,
        (Effect::Read, _, _) => Calls::Reads,
    };
    let place = match scope {
        gce_api::Scope::Global => Place::Global,
        gce_api::Scope::Region(region) => Place::Region(region.clone()),
        gce_api::Scope::Zone(zone) => Place::of_zone(zone),
    };
    Group { calls, place }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn calls_have_their_group() {
        let zone = gce_api::Scope::Zone("europe-west1-b".to_owned());
        for (verb, collection, effect, scope, group) in [
            ("insert", "urlMaps", Effect::Change, gce_api::Scope::Global, "mutations"),
            (
                "attachNetworkEndpoints",
                "networkEndpointGroups",
                Effect::Change,
                zone.clone(),
                "mutations in europe-west1",
            ),
            ("get", "urlMaps", Effect::Read, gce_api::Scope::Global, "reads"),
            ("list", "firewalls", Effect::Read, gce_api::Scope::Global, "lists"),
            ("listNetworkEndpoints", "networkEndpointGroups", Effect::Read, zone, "lists in europe-west1"),
            ("aggregatedList", "urlMaps", Effect::Read, gce_api::Scope::Global, "heavy-reads"),
            ("getHealth", "backendServices", Effect::Read, gce_api::Scope::Global, "heavy-reads"),
            ("wait", "operations", Effect::Read, gce_api::Scope::Global, "operation-reads"),
        ] {
            let knock = Knock { verb, collection, effect, scope, resource: "" };
            assert_eq!(group_of(&knock).to_string(), group, "{verb}");
        }
    }
}
