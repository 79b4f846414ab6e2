//! The custom resources that were seen, and which of them matter.
//!
//! A cluster may not know these kinds. Then it has none of their objects, until it says otherwise. If it knew them once, what was known
//! stays: nobody has said of any object that it is gone.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use k8s_openapi::api::networking::v1::Ingress;
use kube::core::DynamicObject;

use super::table::{Seen, Table};
use super::{Matters, key_of};
use crate::custom_resource::{BackendConfigSpec, FrontendConfigSpec, Spec};
use crate::model::ObjectKey;
use crate::snapshot::{
    FRONTEND_CONFIG_ANNOTATION, MANAGED_CERTIFICATES_ANNOTATION, ManagedCertificate, Service, Unreadable,
};

/// Objects of one kind, each with what it says or why that cannot be told.
pub(super) type Read<T> = Result<Arc<T>, Unreadable>;

/// One kind.
#[derive(Debug)]
pub(super) struct Config<T> {
    seen: Table<ObjectKey, Read<T>>,
    referred: BTreeSet<ObjectKey>,
}

impl<T> Default for Config<T> {
    fn default() -> Self {
        Self { seen: Table::default(), referred: BTreeSet::new() }
    }
}

impl<T: PartialEq> Config<T> {
    fn see(
        &mut self,
        seen: Seen<DynamicObject>,
        read: impl FnOnce(&DynamicObject) -> Result<T, Unreadable>,
    ) -> Matters {
        let of = seen.key(|object| key_of(&object.metadata));
        let seen = seen.map(|object| (key_of(&object.metadata), Some(read(&object).map(Arc::new))));
        let differs = self.seen.see(seen, PartialEq::eq);
        (differs && of.is_none_or(|object| self.referred.contains(&object))).into()
    }

    pub(super) const fn is_listed(&self) -> bool {
        self.seen.is_listed()
    }

    /// Those that something refers to.
    pub(super) fn referred(&self) -> BTreeMap<ObjectKey, Read<T>> {
        let known = self.referred.iter().filter_map(|key| Some((key.clone(), self.seen.get(key)?.clone())));
        known.collect()
    }
}

/// All kinds.
#[derive(Debug, Default)]
pub(super) struct Configs {
    pub(super) backends: Config<BackendConfigSpec>,
    pub(super) frontends: Config<FrontendConfigSpec>,
    pub(super) certificates: Config<ManagedCertificate>,
}

impl Configs {
    pub(super) fn backend(&mut self, seen: Seen<DynamicObject>) -> Matters {
        self.backends.see(seen, |object| Ok(BackendConfigSpec::read(&object.data)?))
    }

    pub(super) fn frontend(&mut self, seen: Seen<DynamicObject>) -> Matters {
        self.frontends.see(seen, |object| Ok(FrontendConfigSpec::read(&object.data)?))
    }

    pub(super) fn certificate(&mut self, seen: Seen<DynamicObject>) -> Matters {
        self.certificates.see(seen, |object| ManagedCertificate::read(&object.data))
    }

    /// Works out anew which Services refer to which.
    pub(super) fn refer_from_services<'a>(
        &mut self,
        services: impl Iterator<Item = (&'a ObjectKey, &'a Arc<Service>)>,
    ) {
        self.backends.referred = services
            .flat_map(|(key, service)| {
                let names = service.backend_config_names();
                names.into_iter().map(|name| ObjectKey::new(key.namespace.clone(), name))
            })
            .collect();
    }

    /// Works out anew which Ingresses refer to which.
    pub(super) fn refer_from_ingresses<'a>(&mut self, ingresses: impl Iterator<Item = &'a Arc<Ingress>>) {
        self.frontends.referred.clear();
        self.certificates.referred.clear();
        for ingress in ingresses {
            let Some(annotations) = &ingress.metadata.annotations else { continue };
            let namespace = ingress.metadata.namespace.as_deref().unwrap_or_default();
            let named =
                |annotation: &str| annotations.get(annotation).map(String::as_str).unwrap_or_default();
            let frontend = named(FRONTEND_CONFIG_ANNOTATION).trim();
            let certificates = named(MANAGED_CERTIFICATES_ANNOTATION).split(',').map(str::trim);
            let certificates = certificates.filter(|name| !name.is_empty());
            self.certificates.referred.extend(certificates.map(|name| ObjectKey::new(namespace, name)));
            if !frontend.is_empty() {
                self.frontends.referred.insert(ObjectKey::new(namespace, frontend));
            }
        }
    }
}
