//! From an object as it stands to what it says, or to why it cannot be told.

use std::sync::LazyLock;

use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::CustomResourceDefinition;
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::rule::Rule;
use super::shape::{Misfit, Path, Shape, Step};
use super::{BackendConfigSpec, FrontendConfigSpec, ManagedCertificateSpec, backend_config};

/// A spec that can be read of an object.
pub trait Spec: DeserializeOwned + Default + Sized + 'static {
    /// Everything in an object that does not fit: first what stands where it may not, then what does not go together.
    fn misfits(object: &Value) -> Vec<Misfit>;

    /// What an object says. Without a spec it says nothing.
    ///
    /// # Errors
    /// With the first misfit. A spec that does not fit is not half read: who asks for protection in a way that is not understood must not
    /// be served without it.
    fn read(object: &Value) -> Result<Self, Misfit> {
        match Self::misfits(object).into_iter().next() {
            Some(misfit) => Err(misfit),
            None => decoded(object),
        }
    }
}

impl Spec for BackendConfigSpec {
    fn misfits(object: &Value) -> Vec<Misfit> {
        static SHAPE: LazyLock<Shape> = LazyLock::new(|| of_newest(&super::backend_configs()));
        misfits(&SHAPE, backend_config::RULES, object)
    }
}

impl Spec for FrontendConfigSpec {
    fn misfits(object: &Value) -> Vec<Misfit> {
        static SHAPE: LazyLock<Shape> = LazyLock::new(|| of_newest(&super::frontend_configs()));
        misfits::<Self>(&SHAPE, &[], object)
    }
}

impl Spec for ManagedCertificateSpec {
    fn misfits(object: &Value) -> Vec<Misfit> {
        static SHAPE: LazyLock<Shape> = LazyLock::new(|| of_newest(&super::managed_certificates()));
        misfits::<Self>(&SHAPE, &[], object)
    }
}

fn of_newest(definition: &CustomResourceDefinition) -> Shape {
    let newest = definition.spec.versions.first().expect("a definition of ours has a version");
    let schema = newest.schema.as_ref().and_then(|schema| schema.open_api_v3_schema.as_ref());
    let spec = schema.and_then(|schema| schema.properties.as_ref()).and_then(|fields| fields.get("spec"));
    Shape::of(spec.expect("a definition of ours has a spec"))
}

fn misfits<S: Spec>(shape: &Shape, rules: &[Rule<S>], object: &Value) -> Vec<Misfit> {
    let Some(spec) = object.get("spec") else { return Vec::new() };
    let mut found = shape.misfits(spec);
    for misfit in &mut found {
        misfit.field.0.insert(0, Step::Field("spec".to_owned()));
    }
    if found.is_empty() {
        match decoded::<S>(object) {
            Ok(spec) => {
                let broken = rules.iter().filter(|rule| !(rule.holds)(&spec));
                found.extend(broken.map(|rule| Misfit {
                    field: Path::of(&format!("{}{}", rule.at, rule.field)),
                    why: format!("does not go together with the rest: {}", rule.message),
                }));
            }
            Err(misfit) => found.push(misfit),
        }
    }
    found
}

fn decoded<S: Spec>(object: &Value) -> Result<S, Misfit> {
    match object.get("spec") {
        None | Some(Value::Null) => Ok(S::default()),
        Some(spec) => serde_path_to_error::deserialize(spec).map_err(|error| Misfit {
            field: Path::of(&format!("spec.{}", error.path())),
            why: format!("cannot be read: {}", error.inner()),
        }),
    }
}
