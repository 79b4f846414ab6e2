//! `gclb plan`: what a folder of manifests would change, without changing anything.

use std::path::PathBuf;
use std::sync::Arc;

use jiff::Timestamp;
use serde::Serialize;

use super::report::{colours, out};
use crate::cloud::gce::Gce;
use crate::cloud::mirror::Mirror;
use crate::cloud::{CloudError, Ownership};
use crate::config::LogArguments;
use crate::controller::folder::{self, FolderError};
use crate::metrics::Metrics;
use crate::model::{ClusterId, ObjectKey, Observed};
use crate::plan::{Colours, Plan, json, plan};
use crate::problem::{Problem, Severity};
use crate::snapshot::Cluster;
use crate::snapshot::manifests::{self, Diagnostic, Manifests, ObjectId, Supplies};
use crate::translate::{Translation, translate};

const EXAMPLES: &str = "\
Examples:
  gclb plan deploy/examples/walkthrough
      from nothing: everything that would be made
  gclb plan . --project my-project --cluster-id 0a1b2c3d
      against what the project holds for that cluster
  gclb plan . --cloud-endpoint http://127.0.0.1:8787/compute/v1/ --project local
      against an emulated cloud, such as that of `gclb local`
  gclb plan . --output json | jq '.changes[] | .resource.kind'

Exit codes:
  0  nothing to do
  2  there are changes
  1  an error, which includes manifests that are wrong: the plan for the rest is shown all the same";

/// What a cluster would supply (the default class, a node, node ports, pods) is supplied here too. Load balancers that the cloud
/// holds and the folder does not mention are never planned for deletion: only an Ingress that is deleted in a cluster is.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Arguments {
    /// Folders and files of manifests (.yaml, .yml, .json)
    #[arg(required = true, value_name = "DIR")]
    paths: Vec<PathBuf>,
    /// The project to compare with; credentials are found as gcloud's own tools find them
    #[arg(long, env = "GCLB_PROJECT", value_name = "ID")]
    project: Option<String>,
    /// Another Compute Engine to compare with, such as an emulator; no credentials are used
    #[arg(long, env = "GCLB_CLOUD_ENDPOINT", value_name = "URL")]
    cloud_endpoint: Option<url::Url>,
    /// The VPC network of the nodes
    #[arg(long, env = "GCLB_NETWORK", value_name = "NAME", default_value = "default")]
    network: String,
    /// The nodes' subnetwork
    #[arg(long, env = "GCLB_SUBNETWORK", value_name = "NAME", default_value = "default")]
    subnetwork: String,
    /// Network tags of the nodes, for the firewall rule; without them it covers the whole network
    #[arg(long, env = "GCLB_NODE_TAGS", value_name = "TAG", value_delimiter = ',')]
    node_tags: Vec<String>,
    /// The cluster whose resources are meant: eight hexadecimal digits, by default those of the one that folders stand for
    #[arg(long, env = "GCLB_CLUSTER_ID", value_name = "ID", value_parser = crate::config::cluster_id)]
    cluster_id: Option<ClusterId>,
    /// How to print the plan
    #[arg(long, value_enum, default_value_t = Output::Text, value_name = "FORMAT")]
    output: Output,
    #[command(flatten)]
    log: LogArguments,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Output {
    /// For people
    Text,
    /// For programs
    Json,
}

/// Why there is no plan.
#[derive(Debug, thiserror::Error, miette::Diagnostic)]
enum PlanError {
    #[error("preparing to call {endpoint}")]
    #[diagnostic(help(
        "name the project with --project, and see that `gcloud auth application-default login` was done"
    ))]
    Client {
        endpoint: String,
        #[source]
        source: gce::BuildError,
    },
    #[error("reading what the project {project} holds")]
    Look {
        project: String,
        #[source]
        source: CloudError,
    },
    #[error("comparing with {endpoint}: which project?")]
    #[diagnostic(help("name it with --project; an emulator takes any"))]
    NoProject { endpoint: url::Url },
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
    let Arguments { paths, project, cloud_endpoint, network, subnetwork, node_tags, cluster_id, output, log } =
        arguments;
    super::log(&log, "warn")?;
    let manifests = folder::read(&paths).map_err(|error: FolderError| error)?;
    let world = manifests.world(&Supplies::default());
    let cluster = Cluster {
        id: cluster_id.unwrap_or_else(manifests::cluster_id),
        network,
        subnetwork,
        node_tags: node_tags.into_iter().collect(),
        claim_classless: false,
    };
    let observed = match (project, cloud_endpoint) {
        (None, None) => Arc::new(Observed::default()),
        (None, Some(endpoint)) => return Err(PlanError::NoProject { endpoint }.into()),
        (Some(project), endpoint) => observe(&project, endpoint, &cluster.id).await?,
    };
    let translation = translate(&world.snapshot(cluster, Timestamp::now(), observed.held()));
    let plan = plan(&translation, &observed);
    let diagnostics: Vec<Diagnostic> =
        manifests.diagnostics.iter().chain(&world.diagnostics).cloned().collect();
    match output {
        Output::Text => show_text(&plan, &translation, &manifests, &diagnostics),
        Output::Json => show_json(&plan, &translation, &manifests, &diagnostics),
    }
    // What is needed and cannot be done is no plan to rely on, and certainly not "nothing to do".
    let wrong = diagnostics.iter().any(Diagnostic::is_error) || !plan.blocked.is_empty();
    Ok(match (wrong, plan.is_empty()) {
        (true, _) => super::FAILED,
        (false, false) => super::CHANGES,
        (false, true) => super::DONE,
    })
}

async fn observe(
    project: &str,
    endpoint: Option<url::Url>,
    cluster: &ClusterId,
) -> miette::Result<Arc<Observed>> {
    let mut builder = gce::Client::builder(project);
    let shown = endpoint.as_ref().map_or_else(|| gce::DEFAULT_ENDPOINT.to_owned(), ToString::to_string);
    if let Some(endpoint) = endpoint {
        builder = builder.endpoint(endpoint);
    }
    let client = builder.build().map_err(|source| PlanError::Client { endpoint: shown, source })?;
    let cloud = Gce::new(client, Ownership::new(cluster.clone()), Arc::new(Metrics::default()));
    let mirror = Mirror::default();
    mirror.fill(&cloud).await.map_err(|source| PlanError::Look { project: project.to_owned(), source })?;
    Ok(mirror.observed())
}

fn show_text(plan: &Plan, translation: &Translation, manifests: &Manifests, diagnostics: &[Diagnostic]) {
    for diagnostic in diagnostics {
        eprintln!("{:?}", miette::Report::new(diagnostic.clone()));
    }
    for (key, problem) in translation.problems() {
        eprintln!("{}", problem_line(key, problem, manifests, colours()));
    }
    out(&plan.text(colours()).to_string());
}

fn show_json(plan: &Plan, translation: &Translation, manifests: &Manifests, diagnostics: &[Diagnostic]) {
    let document = Document {
        plan: plan.document(),
        problems: translation
            .problems()
            .map(|(key, problem)| ProblemDocument {
                object: key.to_string(),
                severity: severity_word(problem.severity),
                reason: problem.reason.word(),
                field: problem.field.clone(),
                message: problem.message.clone(),
                place: place(key, problem, manifests),
            })
            .collect(),
        diagnostics: diagnostics
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
    let Problem { severity: _, reason, field, message } = problem;
    format!("{place}{word}: Ingress {key}: {field}: {}: {message}", reason.word())
}

fn place(key: &ObjectKey, problem: &Problem, manifests: &Manifests) -> Option<String> {
    let id = ObjectId { kind: "Ingress", namespace: Some(key.namespace.clone()), name: key.name.clone() };
    let object = manifests.objects.get(&id)?;
    let (line, column) = object.place(&problem.field);
    Some(format!("{}:{line}:{column}", object.file))
}
