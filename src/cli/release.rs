//! `gclb release`: gives a load balancer up without deleting it.

use std::collections::BTreeSet;
use std::path::PathBuf;

use jiff::Timestamp;

use super::cloud::CompareArguments;
use super::input::{ClusterArguments, Input, PlaceArguments};
use super::report::{confirm, out};
use crate::config::LogArguments;
use crate::controller::cluster::released::{Released, ReleasedError, let_go, record};
use crate::model::{LoadBalancerKey, ObjectKey, Observed, ResourceId};
use crate::translate::{Translation, translate};

const EXAMPLES: &str = "\
Examples:
  gclb release shop/web --context production --project my-project
      the load balancer of Ingress web in namespace shop serves on, and is nobody's but yours
  gclb release shop/web shop/api --context production --project my-project
      two Ingresses that share one: all of them must be named

Exit codes:
  0  done
  2  nothing was done: you did not say yes
  1  an error";

/// The load balancer stays as it is and serves on. From now on gclb neither changes nor deletes anything of it, nor what it uses: that is
/// written to a record in the cluster. The Ingress loses gclb's finalizer and gets the annotation gclb.dev/released, so that gclb takes it
/// for somebody else's; it can be deleted at any time. What the load balancer shares with others (backend services, certificates) follows the
/// others as before.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Arguments {
    /// The Ingresses, each as NAMESPACE/NAME
    #[arg(required = true, value_name = "NAME", value_parser = object)]
    names: Vec<ObjectKey>,
    /// The kubeconfig file of the cluster
    #[arg(long, value_name = "FILE", help_heading = "Input")]
    kubeconfig: Option<PathBuf>,
    /// The context of the kubeconfig
    #[arg(long, value_name = "NAME", help_heading = "Input")]
    context: Option<String>,
    /// Where the record is kept: the namespace of the controller's Lease
    #[arg(
        long,
        env = "GCLB_LEASE_NAMESPACE",
        value_name = "NAMESPACE",
        default_value = "gclb-system",
        help_heading = "Input"
    )]
    lease_namespace: String,
    #[command(flatten)]
    compare: CompareArguments,
    #[command(flatten)]
    cluster: ClusterArguments,
    /// Do not ask
    #[arg(long)]
    yes: bool,
    #[command(flatten)]
    log: LogArguments,
}

/// Nothing is released.
#[derive(Debug, thiserror::Error, miette::Diagnostic)]
enum ReleaseError {
    #[error("Ingress {object} is not served by gclb in this cluster")]
    #[diagnostic(help("`kubectl get ingress -A` shows what there is; was it released before?"))]
    NotOurs { object: ObjectKey },
    #[error("{key} also serves {}", others.join(", "))]
    #[diagnostic(help(
        "it is released as a whole or not at all: name those too, or take them out of the group first"
    ))]
    Shared { key: LoadBalancerKey, others: Vec<String> },
    #[error("{key} does not exist in the cloud")]
    #[diagnostic(help("delete the Ingress, or let the controller finish first; is this the right project?"))]
    Nothing { key: LoadBalancerKey },
    #[error("giving it up")]
    #[diagnostic(help(
        "rights to get, create and patch configmaps in that namespace, and to get and patch ingresses, are needed; doing it again is safe"
    ))]
    Record(#[source] ReleasedError),
}

fn object(text: &str) -> Result<ObjectKey, String> {
    match text.split_once('/') {
        Some((namespace, name)) if !namespace.is_empty() && !name.is_empty() && !name.contains('/') => {
            Ok(ObjectKey::new(namespace, name))
        }
        _ => Err("NAMESPACE/NAME is expected".to_owned()),
    }
}

pub(super) async fn run(arguments: Arguments) -> miette::Result<u8> {
    let Arguments { names, kubeconfig, context, lease_namespace, compare, cluster, yes, log } = arguments;
    super::log(&log, "warn")?;
    let place = PlaceArguments { paths: Vec::new(), kubeconfig, context, watch_namespace: None };
    let input = Input::read(&place, cluster).await?;
    let Some(listed) = input.listed() else { return Ok(super::FAILED) };
    let observed = compare.look_at_all(&input.cluster().id).await?;
    let translation = translate(&input.snapshot(observed.held()));
    let names: BTreeSet<ObjectKey> = names.into_iter().collect();
    let keys = keys(&names, &translation, &observed)?;

    let released_at = Timestamp::now().to_string();
    let mut records = Vec::new();
    for key in keys {
        let resources = parts(&key, &observed);
        if resources.is_empty() {
            return Err(ReleaseError::Nothing { key }.into());
        }
        out(&format!("{key}: {} resources stay as they are and are not touched any more\n", resources.len()));
        for id in &resources {
            out(&format!("  {}\n", id.path()));
        }
        let objects = names.iter().map(ToString::to_string).collect();
        let load_balancer = key.to_string();
        records.push((key, Released { load_balancer, released_at: released_at.clone(), objects, resources }));
    }
    if !yes && !confirm("Give that up?") {
        eprintln!("Nothing was done. (--yes does it without asking.)");
        return Ok(super::CHANGES);
    }
    // First the record: from here on nothing takes them for leaks.
    for (key, released) in &records {
        record(listed.client(), &lease_namespace, key, released).await.map_err(ReleaseError::Record)?;
    }
    for name in &names {
        let ingress = listed.ingress(name).ok_or_else(|| ReleaseError::NotOurs { object: name.clone() })?;
        let_go(listed.client(), &ingress, &released_at).await.map_err(ReleaseError::Record)?;
    }
    out("Released.\n");
    Ok(super::DONE)
}

/// The load balancers of these objects, which must be all of theirs.
fn keys(
    names: &BTreeSet<ObjectKey>,
    translation: &Translation,
    observed: &Observed,
) -> Result<BTreeSet<LoadBalancerKey>, ReleaseError> {
    let mut keys = BTreeSet::new();
    for object in names {
        let claimant = translation.claimants.get(object);
        let home = claimant
            .and_then(|claimant| claimant.home.clone())
            .ok_or_else(|| ReleaseError::NotOurs { object: object.clone() })?;
        // What else holds something of it would be let go with it, unseen.
        let elsewhere = claimant.into_iter().flat_map(|claimant| &claimant.elsewhere);
        keys.extend(elsewhere.filter(|key| observed.held_by(key).next().is_some()).cloned());
        keys.insert(home);
    }
    for key in &keys {
        let others: Vec<String> = translation
            .load_balancers
            .get(key)
            .into_iter()
            .flat_map(|translated| &translated.objects)
            .filter(|object| !names.contains(object))
            .map(ToString::to_string)
            .collect();
        if !others.is_empty() {
            return Err(ReleaseError::Shared { key: key.clone(), others });
        }
    }
    Ok(keys)
}

/// What it has alone, and all that it uses.
fn parts(key: &LoadBalancerKey, observed: &Observed) -> Vec<ResourceId> {
    observed.graph.closure(observed.held_by(key)).into_iter().collect()
}
