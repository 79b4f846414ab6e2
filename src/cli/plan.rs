//! `gclb plan`: what manifests, or the objects of a cluster, would change, without changing anything.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::Arc;

use jiff::Timestamp;
use serde::Serialize;

use super::beforehand::examined;
use super::cloud::{CompareArguments, Looked};
use super::input::{ClusterArguments, Input, PlaceArguments, with_deleted};
use super::report::{colours, out, write};
use crate::config::LogArguments;
use crate::model::{ObjectKey, Observed};
use crate::plan::{Colours, Plan, SavedPlan, Setting, json, plan, simulate};
use crate::problem::{Problem, Severity};
use crate::snapshot::manifests::{Diagnostic, Manifests, ObjectId};
use crate::snapshot::{Cluster, Digests};
use crate::translate::{Translation, translate};

const EXAMPLES: &str = "\
Examples:
  gclb plan deploy/examples/walkthrough
      from nothing: everything that would be made
  helm template web ./chart | gclb plan -
      the same, of manifests that a program writes
  gclb plan . --base ../main
      what the change from one folder to another does; Ingresses that are only in the first are deleted
  gclb plan . --project my-project --cluster-id 0a1b2c3d
      against what the project holds for that cluster
  gclb plan --context production --project my-project
      of a cluster as it is now, which is what its controller would do
  gclb plan . --observed cloud.json --cluster-id 0a1b2c3d
      against what `gclb observe` saved of it, without asking it
  gclb plan . --project my-project --cluster-id 0a1b2c3d --save web.plan
      shown now; `gclb apply --plan web.plan` does it later exactly as it was shown
  gclb plan . --output json | jq '.changes[] | .resource.kind'

Exit codes:
  0  nothing to do
  2  there are changes
  1  an error, which includes manifests that are wrong: the plan for the rest is shown all the same";

/// What a cluster would supply (the default class, a node, node ports, pods) is supplied to manifests. Load balancers that the cloud
/// holds and the input does not mention are never planned for deletion: only an Ingress that is deleted, in a cluster or since
/// `--base`, is.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Arguments {
    #[command(flatten)]
    place: PlaceArguments,
    /// What the manifests were before: folders and files. Only what differs is planned, and only what is newly wrong is said. With a
    /// cloud to compare with, of what is to be done there only what concerns load balancers that the difference touches is shown
    #[arg(long, value_name = "DIR", conflicts_with_all = ["kubeconfig", "context", "save"], help_heading = "Input")]
    base: Vec<PathBuf>,
    #[command(flatten)]
    compare: CompareArguments,
    #[command(flatten)]
    cluster: ClusterArguments,
    /// How to print the plan
    #[arg(long, value_enum, default_value_t = Output::Text, value_name = "FORMAT", help_heading = "Output")]
    output: Output,
    /// Also write the plan to this file, for `gclb apply --plan`
    #[arg(long, value_name = "FILE", help_heading = "Output")]
    save: Option<PathBuf>,
    #[command(flatten)]
    log: LogArguments,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Output {
    /// For people
    Text,
    /// For programs
    Json,
    /// The graph of changes, for Graphviz
    Dot,
    /// The graph of changes, for Mermaid
    Mermaid,
}

/// Why a plan cannot be saved.
#[derive(Debug, thiserror::Error, miette::Diagnostic)]
enum SaveError {
    #[error("saving the plan: it compares with nothing, so it could not be run anywhere")]
    #[diagnostic(help("name the project with --project"))]
    FromNothing,
    #[error("saving the plan: the input stream cannot be read again when it is run")]
    #[diagnostic(help("write the manifests to a file, and name that"))]
    FromStream,
}

/// A problem, for programs.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct ProblemDocument {
    object: String,
    severity: &'static str,
    reason: &'static str,
    field: String,
    message: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    place: Option<String>,
}

/// A diagnostic, for programs.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct DiagnosticDocument {
    severity: &'static str,
    code: &'static str,
    place: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    object: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    field: Option<String>,
    message: String,
    help: String,
}

/// The plan and what is wrong with its input.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Document {
    #[serde(flatten)]
    plan: json::Document,
    problems: Vec<ProblemDocument>,
    diagnostics: Vec<DiagnosticDocument>,
}

pub(super) async fn run(arguments: Arguments) -> miette::Result<u8> {
    let Arguments { place, base, compare, cluster, output, save, log } = arguments;
    super::log(&log, "warn")?;
    let input = Input::read(&place, cluster.clone()).await?;
    let looked = compare.look_for(&input).await?;
    let mut observed = looked.observed();
    let mut known = BTreeSet::new();
    let mut snapshot = input.snapshot(looked.held(&observed));
    let mut touched = None;
    if !base.is_empty() {
        let place = PlaceArguments { paths: base, kubeconfig: None, context: None, watch_namespace: None };
        let before = Input::read(&place, cluster).await?.snapshot(looked.held(&observed));
        let translation = translate(&before);
        let nothing = Observed::default();
        let from_base: Arc<Observed> = simulate(&nothing, &plan(&translation, &nothing)).into();
        let to_now = with_deleted(input.snapshot(looked.held(&from_base)), &before);
        match looked {
            Looked::Nothing => {
                observed = from_base;
                snapshot = to_now;
            }
            // Of what the project lacks only what the change from one to the other is about.
            Looked::Seen { .. } => {
                let to_now = translate(&to_now);
                touched = Some(plan(&to_now, &from_base).touches(&to_now, &from_base));
                snapshot = with_deleted(snapshot, &before);
            }
        }
        known = translation.problems().map(|(key, problem)| line(key, problem)).collect();
    }
    let translation = translate(&snapshot);
    let mut plan = plan(&translation, &observed);
    if let Some(touched) = touched {
        plan = plan.only(&touched, &translation, &observed);
    }
    let plan = examined(plan, &observed, looked.cloud()).await;
    let shown = Shown { plan: &plan, translation: &translation, input: &input, known: &known };
    match output {
        Output::Text => shown.text(),
        Output::Json => shown.json(),
        Output::Dot => shown.drawing(&plan.dot()),
        Output::Mermaid => shown.drawing(&plan.mermaid()),
    }
    if let Some(path) = save {
        let setting = setting(&input, looked)?;
        let now = Timestamp::now().to_string();
        let saved = SavedPlan::of(&plan, &observed, Digests::of(&snapshot), setting, now);
        write(&path, &saved.render())?;
        eprintln!("Saved. To do exactly this: gclb apply --plan {}", path.display());
    }
    // What is needed and cannot be done is no plan to rely on, and certainly not "nothing to do".
    let wrong = input.diagnostics().iter().any(Diagnostic::is_error) || !plan.blocked.is_empty();
    Ok(match (wrong, plan.is_empty()) {
        (true, _) => super::FAILED,
        (false, false) => super::CHANGES,
        (false, true) => super::DONE,
    })
}

/// Where the plan is to run.
fn setting(input: &Input, looked: Looked) -> Result<Setting, SaveError> {
    let Looked::Seen { project, endpoint, observed: _, cloud: _ } = looked else {
        return Err(SaveError::FromNothing);
    };
    if !input.can_be_read_again() {
        return Err(SaveError::FromStream);
    }
    let Cluster { id, network, subnetwork, node_tags, claim_classless, readiness_probes } =
        input.cluster().clone();
    Ok(Setting {
        project,
        cloud_endpoint: endpoint.map(|endpoint| endpoint.to_string()),
        cluster_id: id,
        network,
        subnetwork,
        node_tags,
        claim_classless,
        readiness_probes,
        input: input.place().clone(),
    })
}

/// A plan and what is wrong with its input.
struct Shown<'a> {
    plan: &'a Plan,
    translation: &'a Translation,
    input: &'a Input,
    /// Problems that are nothing new, as [`line`]s.
    known: &'a BTreeSet<String>,
}

impl Shown<'_> {
    fn problems(&self) -> impl Iterator<Item = (&ObjectKey, &Problem)> {
        self.translation.problems().filter(|(key, problem)| !self.known.contains(&line(key, problem)))
    }

    fn text(&self) {
        complain(self.input, self.problems());
        out(&self.plan.text(colours()).to_string());
    }

    /// A drawing of the plan; what is wrong with the input is said beside it.
    fn drawing(&self, drawing: &str) {
        complain(self.input, self.problems());
        out(drawing);
    }

    fn json(&self) {
        let manifests = self.input.manifests();
        let document = Document {
            plan: self.plan.document(),
            problems: self
                .problems()
                .map(|(key, problem)| ProblemDocument {
                    object: key.to_string(),
                    severity: severity_word(problem.severity),
                    reason: problem.reason.word(),
                    field: problem.field.clone(),
                    message: problem.message.clone(),
                    place: manifests.and_then(|manifests| place(key, problem, manifests)),
                })
                .collect(),
            diagnostics: self
                .input
                .diagnostics()
                .iter()
                .map(|diagnostic| DiagnosticDocument {
                    severity: if diagnostic.is_error() { "error" } else { "warning" },
                    code: diagnostic.code.word(),
                    place: diagnostic.place(),
                    object: diagnostic.object.clone(),
                    field: diagnostic.field.clone(),
                    message: diagnostic.message.clone(),
                    help: diagnostic.help.clone(),
                })
                .collect(),
        };
        match serde_json::to_string_pretty(&document) {
            Ok(text) => out(&format!("{text}\n")),
            Err(error) => eprintln!("the plan could not be written as JSON: {error}"),
        }
    }
}

/// Says, to the error stream, what is wrong with the input.
pub(super) fn complain<'a>(input: &Input, problems: impl Iterator<Item = (&'a ObjectKey, &'a Problem)>) {
    for diagnostic in input.diagnostics() {
        eprintln!("{:?}", miette::Report::new(diagnostic));
    }
    for (key, problem) in problems {
        eprintln!(
            "{}",
            match input.manifests() {
                Some(manifests) => problem_line(key, problem, manifests, colours()),
                None => line(key, problem),
            }
        );
    }
}

const fn severity_word(severity: Severity) -> &'static str {
    match severity {
        Severity::Note => "note",
        Severity::Warning => "warning",
        Severity::Degraded => "degraded",
        Severity::Rejected => "rejected",
    }
}

/// `web.yaml:12:9: degraded: Ingress default/web: spec.rules[0]…: ServiceNotFound: …`
pub(super) fn problem_line(
    key: &ObjectKey,
    problem: &Problem,
    manifests: &Manifests,
    colours: Colours,
) -> String {
    let place = place(key, problem, manifests).map(|place| format!("{place}: ")).unwrap_or_default();
    let word = severity_word(problem.severity);
    let word = match (colours, problem.severity) {
        (Colours::None, _) | (Colours::Ansi, Severity::Note) => word.to_owned(),
        (Colours::Ansi, Severity::Warning) => format!("\x1b[33m{word}\x1b[0m"),
        (Colours::Ansi, Severity::Degraded | Severity::Rejected) => format!("\x1b[31m{word}\x1b[0m"),
    };
    format!("{place}{word}: {}", said(key, problem))
}

/// The same without a place and without colours.
fn line(key: &ObjectKey, problem: &Problem) -> String {
    format!("{}: {}", severity_word(problem.severity), said(key, problem))
}

fn said(key: &ObjectKey, problem: &Problem) -> String {
    let Problem { severity: _, reason, field, message } = problem;
    format!("Ingress {key}: {field}: {}: {message}", reason.word())
}

fn place(key: &ObjectKey, problem: &Problem, manifests: &Manifests) -> Option<String> {
    let id = ObjectId { kind: "Ingress", namespace: Some(key.namespace.clone()), name: key.name.clone() };
    let object = manifests.objects.get(&id)?;
    let (line, column) = object.place(&problem.field);
    Some(format!("{}:{line}:{column}", object.file))
}
