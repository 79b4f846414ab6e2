//! `gclb leaks`: what carries our mark and belongs to nothing that is alive.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::time::Duration;

use jiff::Timestamp;
use serde::Serialize;
use tokio_util::sync::CancellationToken;

use super::apply::walk;
use super::cloud::{CompareArguments, look};
use super::drift::Output;
use super::input::{ClusterArguments, Input, PlaceArguments};
use super::report::{colours, confirm, out};
use super::stop;
use crate::apply::Pace;
use crate::config::LogArguments;
use crate::model::{Holder, LoadBalancerKey, Observed, ResourceId};
use crate::plan::{Colours, Plan, plan_leaks};
use crate::snapshot::manifests::Diagnostic;
use crate::translate::{Translation, translate};

const EXAMPLES: &str = "\
Examples:
  gclb leaks --context production --project my-project
      what is left over in the project, with its age
  gclb leaks --context production --project my-project --delete
      shows the plan that deletes it, and asks
  gclb leaks all-manifests/ --complete --project my-project --cluster-id 0a1b2c3d --delete --yes
      by a folder that holds every Ingress of the cluster

Exit codes:
  0  nothing is left over, or all of it was deleted
  2  something is left over
  1  an error, or not all could be deleted";

/// A load balancer leaks when its object vanished without having been deleted (the cluster was lost or restored, a finalizer was taken off
/// by hand); what Services and Secrets share leaks when nothing uses it any more. The controller reports leaks and never deletes them.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
#[expect(clippy::struct_excessive_bools, reason = "each is a flag of its own")]
pub(super) struct Arguments {
    #[command(flatten)]
    place: PlaceArguments,
    #[command(flatten)]
    compare: CompareArguments,
    #[command(flatten)]
    cluster: ClusterArguments,
    /// Show the plan that deletes what leaks, ask, and do it
    #[arg(long, conflicts_with = "observed", help_heading = "Deleting")]
    delete: bool,
    /// Do not ask
    #[arg(long, requires = "delete", help_heading = "Deleting")]
    yes: bool,
    /// Delete only what was made longer ago than this: younger things may be parts of what is still being made
    #[arg(long, value_name = "DURATION", default_value = "10m", value_parser = crate::config::age, help_heading = "Deleting")]
    min_age: Duration,
    /// The manifests are all that there is: what they do not mention is gone
    #[arg(long, help_heading = "Deleting")]
    complete: bool,
    /// Delete even where not one load balancer is alive, which else is taken for a wrong or an emptied cluster
    #[arg(long, requires = "delete", help_heading = "Deleting")]
    none_alive: bool,
    /// Where the cluster's record of released load balancers is, as the controller's Lease
    #[arg(
        long,
        env = "GCLB_LEASE_NAMESPACE",
        value_name = "NAMESPACE",
        default_value = "gclb-system",
        help_heading = "Input"
    )]
    lease_namespace: String,
    /// How to print it
    #[arg(long, value_enum, default_value_t = Output::Text, value_name = "FORMAT", help_heading = "Output")]
    output: Output,
    #[command(flatten)]
    log: LogArguments,
}

/// Nothing is deleted.
#[derive(Debug, thiserror::Error, miette::Diagnostic)]
enum LeaksError {
    #[error("deleting what leaks: manifests do not say that what they do not mention is gone")]
    #[diagnostic(help(
        "name the cluster with --kubeconfig or --context, or say with --complete that these manifests are all of it"
    ))]
    Incomplete,
    #[error("deleting what leaks: some manifests are wrong, so it is not known what is alive")]
    #[diagnostic(help("correct them first"))]
    Wrong,
    #[error("deleting what leaks: not one load balancer of this cluster is alive, so all of them would go")]
    #[diagnostic(help("if this is the right cluster and it is meant, add --none-alive"))]
    NoneAlive,
    #[error("deleting what leaks: in which project?")]
    #[diagnostic(help("name it with --project"))]
    NoProject,
    #[error("waiting for the signal to stop")]
    Signal(#[source] std::io::Error),
}

/// Goes up when a field changes its meaning or goes away.
const SCHEMA_VERSION: u32 = 1;

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Leak {
    /// For whom it was made: `ingress/NAMESPACE/NAME`, `service/NAMESPACE/NAME:PORT`, `secret/NAMESPACE/NAME`, `cluster`.
    holder: String,
    kind: &'static str,
    scope: String,
    name: String,
    /// As the cloud says it, RFC 3339.
    #[serde(skip_serializing_if = "Option::is_none")]
    created: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    age_seconds: Option<i64>,
}

pub(super) async fn run(arguments: Arguments) -> miette::Result<u8> {
    let Arguments {
        place,
        compare,
        cluster,
        delete,
        yes,
        min_age,
        complete,
        none_alive,
        lease_namespace: namespace,
        output,
        log,
    } = arguments;
    super::log(&log, "error")?;
    let input = Input::read(&place, cluster).await?;
    let released = input.released(&namespace).await?;
    let now = Timestamp::now();
    if !delete {
        let observed = compare.look_at_all(&input.cluster().id).await?;
        let translation = translate(&input.snapshot(observed.held()));
        return Ok(show(&leaks(&translation, &observed, &released, now), output));
    }

    if input.manifests().is_some() && !complete {
        return Err(LeaksError::Incomplete.into());
    }
    if input.diagnostics().iter().any(Diagnostic::is_error) {
        super::plan::complain(&input, std::iter::empty());
        return Err(LeaksError::Wrong.into());
    }
    let project = compare.project.as_deref().ok_or(LeaksError::NoProject)?;
    let (cloud, mirror) = look(project, compare.cloud_endpoint.as_ref(), &input.cluster().id).await?;
    let observed = mirror.observed();
    let translation = translate(&input.snapshot(observed.held()));
    let plan = plan_leaks(&translation, &observed, &released, |id| {
        age(id, &observed, now).is_some_and(|age| age.unsigned_abs() >= min_age && !age.is_negative())
    });
    if plan.is_empty() {
        let code = show(&leaks(&translation, &observed, &released, now), output);
        if code != super::DONE {
            eprintln!(
                "Nothing of it is older than {} s (--min-age), so nothing is deleted.",
                min_age.as_secs()
            );
        }
        return Ok(code);
    }
    if translation.load_balancers.is_empty() && !none_alive {
        show(&leaks(&translation, &observed, &released, now), output);
        return Err(LeaksError::NoneAlive.into());
    }
    out(&plan.text(colours()).to_string());
    if !yes && !confirm("Delete all that?") {
        eprintln!("Nothing was deleted. (--yes deletes without asking.)");
        return Ok(super::CHANGES);
    }
    let asked = stop::asked().map_err(LeaksError::Signal)?;
    let stop = CancellationToken::new();
    tokio::spawn({
        let stop = stop.clone();
        async move {
            asked.await;
            stop.cancel();
        }
    });
    Ok(walk(&plan, cloud, mirror, input, Pace::default().concurrency, &stop).await)
}

/// How long ago a resource was made, where the cloud says it.
fn age(id: &ResourceId, observed: &Observed, now: Timestamp) -> Option<jiff::SignedDuration> {
    let created: Timestamp = observed.facts.get(id)?.created.as_ref()?.parse().ok()?;
    Some(now.duration_since(created))
}

/// All that leaks, however young.
fn leaks(
    translation: &Translation,
    observed: &Observed,
    released: &BTreeSet<LoadBalancerKey>,
    now: Timestamp,
) -> Vec<Leak> {
    let plan: Plan = plan_leaks(translation, observed, released, |_| true);
    let mut leaks: Vec<(&Holder, &ResourceId)> =
        plan.graph.node_weights().map(|change| (&change.mark.holder, &change.id)).collect();
    leaks.extend(plan.blocked.iter().map(|blocked| (&blocked.holder, &blocked.id)));
    leaks.sort();
    leaks.dedup();
    leaks
        .into_iter()
        .map(|(holder, id)| Leak {
            holder: holder.to_string(),
            kind: id.kind.collection(),
            scope: id.scope.to_string(),
            name: id.name.to_string(),
            created: observed.facts.get(id).and_then(|facts| facts.created.clone()),
            age_seconds: age(id, observed, now).map(|age| age.as_secs()),
        })
        .collect()
}

fn show(leaks: &[Leak], output: Output) -> u8 {
    match output {
        Output::Text => out(&text(leaks, colours())),
        Output::Json => {
            let document = serde_json::json!({ "schemaVersion": SCHEMA_VERSION, "leaks": leaks });
            out(&format!("{document:#}\n"));
        }
    }
    if leaks.is_empty() { super::DONE } else { super::CHANGES }
}

fn text(leaks: &[Leak], colours: Colours) -> String {
    let paint = |colour: &str, text: &str| match colours {
        Colours::None => text.to_owned(),
        Colours::Ansi => format!("{colour}{text}\x1b[0m"),
    };
    let mut by_holder: BTreeMap<&str, Vec<&Leak>> = BTreeMap::new();
    for leak in leaks {
        by_holder.entry(&leak.holder).or_default().push(leak);
    }
    let mut shown = String::new();
    for (holder, leaks) in &by_holder {
        let _ = writeln!(shown, "{}", paint("\x1b[1m", holder));
        for Leak { holder: _, kind, scope, name, created: _, age_seconds } in leaks {
            let age = age_seconds.map_or_else(|| "?".to_owned(), in_words);
            let _ = writeln!(shown, "  {} {age:>5}  {scope}/{kind}/{name}", paint("\x1b[33m", "?"));
        }
    }
    let summary = match leaks.len() {
        0 => "Nothing is left over.".to_owned(),
        1 => "1 resource is left over; the column is its age. Add --delete to see the plan that deletes it."
            .to_owned(),
        many => format!(
            "{many} resources are left over; the column is their age. Add --delete to see the plan that deletes them."
        ),
    };
    let _ = writeln!(shown, "{}{}", if leaks.is_empty() { "" } else { "\n" }, paint("\x1b[1m", &summary));
    shown
}

/// The largest unit that fits: `12s`, `5m`, `3h`, `41d`.
fn in_words(seconds: i64) -> String {
    match seconds {
        ..60 => format!("{seconds}s"),
        60..3600 => format!("{}m", seconds / 60),
        3600..86_400 => format!("{}h", seconds / 3600),
        _ => format!("{}d", seconds / 86_400),
    }
}
