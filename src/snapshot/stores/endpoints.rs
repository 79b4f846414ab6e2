//! The endpoints of each Service, joined of its slices when somebody asks, and kept until one of these changes.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, OnceLock};

use super::Table;
use crate::model::ObjectKey;
use crate::snapshot::{ServiceEndpoints, ServiceSlice};

/// By Service, which has a slice at least.
#[derive(Debug, Default)]
pub(super) struct Endpoints(BTreeMap<ObjectKey, Joined>);

/// The slices of one Service, and what was joined of them since the last of them changed. What one slice alone says is shared with it.
#[derive(Debug, Default)]
struct Joined {
    slices: BTreeSet<ObjectKey>,
    endpoints: OnceLock<Arc<ServiceEndpoints>>,
}

impl Endpoints {
    pub(super) fn of<'a>(slices: impl Iterator<Item = (&'a ObjectKey, &'a ServiceSlice)>) -> Self {
        let mut endpoints = Self::default();
        for (key, slice) in slices {
            endpoints.0.entry(slice.service.clone()).or_default().slices.insert(key.clone());
        }
        endpoints
    }

    /// A slice changed: it was one of the Service `before`, and is one of the Service `after`.
    pub(super) fn moved(&mut self, slice: &ObjectKey, before: Option<&ObjectKey>, after: Option<&ObjectKey>) {
        if let Some(joined) = before.and_then(|service| self.0.get_mut(service)) {
            joined.slices.remove(slice);
            joined.endpoints = OnceLock::new();
        }
        if let Some(service) = after {
            let joined = self.0.entry(service.clone()).or_default();
            joined.slices.insert(slice.clone());
            joined.endpoints = OnceLock::new();
        }
        if let Some(service) = before
            && self.0.get(service).is_some_and(|joined| joined.slices.is_empty())
        {
            self.0.remove(service);
        }
    }

    /// The endpoints of a Service. `None`: it has no slice.
    pub(super) fn get(
        &self,
        service: &ObjectKey,
        slices: &Table<ObjectKey, ServiceSlice>,
    ) -> Option<Arc<ServiceEndpoints>> {
        let Joined { slices: own, endpoints } = self.0.get(service)?;
        let join = || {
            let mut parts = own.iter().filter_map(|slice| Some(&slices.get(slice)?.endpoints));
            let mut joined = parts.next().map(Arc::clone).unwrap_or_default();
            for part in parts {
                Arc::make_mut(&mut joined).add(part);
            }
            joined
        };
        Some(Arc::clone(endpoints.get_or_init(join)))
    }
}
