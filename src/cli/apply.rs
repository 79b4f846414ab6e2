//! `gclb apply`: does what a saved plan shows, exactly that, or nothing.

use std::path::PathBuf;
use std::sync::Arc;

use jiff::Timestamp;
use tokio_util::sync::CancellationToken;
use url::Url;

use super::beforehand::{examined, unfinishable};
use super::cloud::look;
use super::input::{Input, PlaceArguments};
use super::report::{colours, out};
use super::stop;
use crate::apply::quota::Quota;
use crate::apply::{Ended, Ending, Hands, Pace, Permit, once};
use crate::cloud::chain;
use crate::cloud::gce::Gce;
use crate::cloud::mirror::Mirror;
use crate::config::LogArguments;
use crate::controller::lease;
use crate::controller::source::SourceError;
use crate::model::{ObjectKey, Observed};
use crate::plan::{Colours, InputPlace, Overtaken, Plan, SavedPlan, SavedPlanError, Setting, plan};
use crate::snapshot::Digests;
use crate::translate::{Translation, translate};

const EXAMPLES: &str = "\
Examples:
  gclb plan . --project my-project --cluster-id 0a1b2c3d --save web.plan
  gclb apply --plan web.plan
  gclb apply --plan web.plan checkout/manifests
      where the manifests are elsewhere by now

Exit codes:
  0  everything that the plan shows was done
  3  nothing was done: the world has overtaken the plan, or it could no longer be finished; what differs is said
  1  an error: the plan was begun and not all of it could be done, or nothing could be begun, or the plan said of a part
     that it could not be finished, and the rest was done";

/// The input is read again, the cloud is looked at again, and only where nothing differs from when the plan was made is anything done.
/// The certificates' keys are read from the same input. Meant for where no controller runs; one that runs does the same by itself.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Arguments {
    /// The file that `gclb plan --save` wrote
    #[arg(long, value_name = "FILE")]
    plan: PathBuf,
    #[command(flatten)]
    place: PlaceArguments,
    /// Where the same Compute Engine is reached now, if not where it was when the plan was made
    #[arg(long, env = "GCLB_CLOUD_ENDPOINT", value_name = "URL", help_heading = "Google Cloud")]
    cloud_endpoint: Option<Url>,
    /// Apply to a cluster though its controller seems to run. Both may then begin the same change; whoever comes second finds it done
    #[arg(long, help_heading = "Input")]
    beside_controller: bool,
    /// Where the Lease is by which is seen whether a controller runs
    #[arg(
        long,
        env = "GCLB_LEASE_NAMESPACE",
        value_name = "NAMESPACE",
        default_value = "gclb-system",
        help_heading = "Input"
    )]
    lease_namespace: String,
    /// How many changes of the cloud may be under way at a time
    #[arg(long, env = "GCLB_CONCURRENCY", value_name = "N", default_value_t = Pace::default().concurrency,
          value_parser = crate::config::concurrency, help_heading = "Pace")]
    concurrency: usize,
    #[command(flatten)]
    log: LogArguments,
}

/// Nothing was begun.
#[derive(Debug, thiserror::Error, miette::Diagnostic)]
enum ApplyError {
    #[error("reading the plan {}", path.display())]
    #[diagnostic(help("make it with `gclb plan --save FILE`"))]
    Read {
        path: PathBuf,
        #[source]
        source: std::io::Error,
    },
    #[error("reading the plan {}", path.display())]
    #[diagnostic(help("make it anew with `gclb plan --save FILE`, with this version of gclb"))]
    Parse {
        path: PathBuf,
        #[source]
        source: SavedPlanError,
    },
    #[error("the plan names {text:?} as its Compute Engine")]
    #[diagnostic(help("make the plan anew with `gclb plan --save FILE`"))]
    Endpoint {
        text: String,
        #[source]
        source: url::ParseError,
    },
    #[error("a controller runs in this cluster: {holder} holds the Lease {namespace}/{}", lease::NAME)]
    #[diagnostic(help(
        "it does the same by itself, so nothing was done. If that is meant all the same, add --beside-controller; if it is another \
         installation's Lease, name yours with --lease-namespace"
    ))]
    Controlled { namespace: String, holder: String },
    #[error("waiting for the signal to stop")]
    Signal(#[source] std::io::Error),
    #[error("making sure that Ingress {object} does not vanish unseen")]
    #[diagnostic(help("the right to patch ingresses is needed: they get the finalizer gclb.dev/ingress"))]
    Claim {
        object: ObjectKey,
        #[source]
        source: SourceError,
    },
}

pub(super) async fn run(arguments: Arguments) -> miette::Result<u8> {
    let Arguments { plan: path, place, cloud_endpoint, beside_controller, lease_namespace, concurrency, log } =
        arguments;
    super::log(&log, "error")?;
    let asked = stop::asked().map_err(ApplyError::Signal)?;
    let text =
        std::fs::read_to_string(&path).map_err(|source| ApplyError::Read { path: path.clone(), source })?;
    let saved = SavedPlan::parse(&text).map_err(|source| ApplyError::Parse { path: path.clone(), source })?;

    let setting = &saved.setting;
    let input = read_again(setting, &place).await?;
    let endpoint = match (cloud_endpoint, &setting.cloud_endpoint) {
        (Some(endpoint), _) => Some(endpoint),
        (None, Some(text)) => {
            Some(Url::parse(text).map_err(|source| ApplyError::Endpoint { text: text.clone(), source })?)
        }
        (None, None) => None,
    };
    let (cloud, mirror) = look(&setting.project, endpoint.as_ref(), &setting.cluster_id).await?;
    let lookups = translate(&input.snapshot(mirror.observed().held())).lookups;
    mirror.look_up(&cloud, &mirror.want(&lookups)).await;
    let observed = mirror.observed();
    let snapshot = input.snapshot(observed.held());
    let translation = translate(&snapshot);
    let plan = examined(plan(&translation, &observed), &observed, Some(&cloud)).await;

    let overtaken = saved.overtaken(&plan, &observed, &Digests::of(&snapshot));
    if !overtaken.is_empty() {
        refuse(&overtaken, &saved, &plan);
        return Ok(super::OVERTAKEN);
    }
    if !beside_controller {
        alone(&input, &lease_namespace).await?;
    }
    claim(&input, &translation, &observed).await?;
    let stop = CancellationToken::new();
    tokio::spawn({
        let stop = stop.clone();
        async move {
            asked.await;
            eprintln!("Nothing more is begun; what is under way is waited for.");
            stop.cancel();
        }
    });
    let code = walk(&plan, cloud, mirror, input, concurrency, &stop).await;
    // As the plan said: the rest of it is done, and yet not all that the input asks for.
    let mut left = unfinishable(&plan).peekable();
    if left.peek().is_none() {
        return Ok(code);
    }
    left.for_each(|line| eprintln!("Not begun: {line}"));
    Ok(super::FAILED)
}

/// The input that was planned, from where it was or from where it is said to be now.
async fn read_again(setting: &Setting, place: &PlaceArguments) -> miette::Result<Input> {
    let place = place.place().unwrap_or_else(|| setting.input.clone());
    Input::read_as(place, Some(setting.cluster_id.clone()), |_| setting.cluster()).await
}

/// So many differences are told; a whole other world is not told resource by resource.
const MOST_TOLD: usize = 20;

fn refuse(overtaken: &[Overtaken], saved: &SavedPlan, plan: &Plan) {
    let planned_at = &saved.planned_at;
    eprintln!("Nothing was done: the world has overtaken the plan, which was made at {planned_at}.");
    for line in unfinishable(plan).take(MOST_TOLD) {
        eprintln!("  {line}");
    }
    for difference in overtaken.iter().take(MOST_TOLD) {
        eprintln!("  {difference}");
    }
    if let Some(more) = overtaken.len().checked_sub(MOST_TOLD).filter(|more| *more > 0) {
        eprintln!("  and {more} more");
    }
    let input = match &saved.setting.input {
        InputPlace::Manifests(paths) => paths.join(" "),
        InputPlace::Cluster { kubeconfig, context, namespace: _ } => match (kubeconfig, context) {
            (_, Some(context)) => format!("--context {context}"),
            (Some(kubeconfig), None) => format!("--kubeconfig {kubeconfig}"),
            (None, None) => String::new(),
        },
    };
    eprintln!("Plan again, and look at what it shows now: gclb plan {input} … --save FILE");
}

/// Makes sure, as far as the Lease tells, that no controller of the cluster is at the same work. One that runs without
/// `--leader-elect` has no Lease.
async fn alone(input: &Input, namespace: &str) -> Result<(), ApplyError> {
    let Some(listed) = input.listed() else { return Ok(()) };
    match lease::holder(listed.client(), namespace, Timestamp::now()).await {
        Ok(None) => Ok(()),
        Ok(Some(holder)) => Err(ApplyError::Controlled { namespace: namespace.to_owned(), holder }),
        Err(error) => {
            eprintln!("warning: whether a controller runs is not known: {}", chain(&error));
            Ok(())
        }
    }
}

/// Makes sure that no object can vanish unseen that something is made for.
async fn claim(input: &Input, translation: &Translation, observed: &Observed) -> Result<(), ApplyError> {
    for (object, remembered) in translation.claims(&observed.holdings()) {
        input
            .claim(object, &remembered)
            .await
            .map_err(|source| ApplyError::Claim { object: object.clone(), source })?;
    }
    Ok(())
}

/// Does it, and says of each change how it ended.
pub(super) async fn walk(
    plan: &Plan,
    cloud: Gce,
    mirror: Mirror,
    keys: impl crate::cloud::KeyPairs + 'static,
    concurrency: usize,
    stop: &CancellationToken,
) -> u8 {
    let hands = Hands {
        cloud: Arc::new(cloud),
        mirror: Arc::new(mirror),
        keys: Arc::new(keys),
        permit: Permit::unlimited(),
        quota: Quota::believed(&[]),
        metrics: Arc::default(),
    };
    let pace = Pace { concurrency, ..Pace::default() };
    let outcome = once(plan, hands, pace, stop, |ended| out(&told(ended, colours()))).await;
    let all = outcome.ended.len();
    let done = outcome.ended.iter().filter(|ended| ended.result == Ending::Done).count();
    if all == done {
        out(&format!("Done: {done} of {all} changes.\n"));
        return super::DONE;
    }
    out(&format!("Not all was done: {done} of {all} changes. Plan again: what is left is shown then.\n"));
    super::FAILED
}

/// One change and how it ended, as a line.
fn told(ended: &Ended, colours: Colours) -> String {
    let Ended { id, holder: _, what, result } = ended;
    let (colour, symbol, why) = match result {
        Ending::Done => ("\x1b[32m", "✓", String::new()),
        Ending::Failed(failure) => ("\x1b[31m", "✗", format!(": failed: {}", failure.message)),
        Ending::Blocked { by } => ("\x1b[33m", "·", format!(": not begun, since {by} failed")),
        Ending::Waiting { message } => ("\x1b[33m", "…", format!(": {message}")),
        Ending::Superseded => ("\x1b[33m", "·", ": not begun".to_owned()),
    };
    match colours {
        Colours::None => format!("{symbol} {id}: {what}{why}\n"),
        Colours::Ansi => format!("{colour}{symbol}\x1b[0m {id}: {what}{why}\n"),
    }
}
