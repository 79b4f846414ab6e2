//! `gclb drift`: where the cloud is not as the input says.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use serde::Serialize;

use super::cloud::{CompareArguments, LookError, Looked};
use super::input::{ClusterArguments, Input, PlaceArguments};
use super::report::{colours, out};
use crate::config::LogArguments;
use crate::model::ResourceId;
use crate::plan::{Action, Change, Colours, FieldChange, Plan, plan};
use crate::snapshot::manifests::Diagnostic;
use crate::translate::translate;

const EXAMPLES: &str = "\
Examples:
  gclb drift --context production --project my-project
      of a cluster: what somebody changed in the project, or what the controller has not done yet
  gclb drift manifests/ --project my-project --cluster-id 0a1b2c3d
      of a folder
  gclb drift --context production --project my-project --output json | jq -r '.drift[].resource.name' | sort -u

Exit codes:
  0  the cloud is as it should be
  2  something differs
  1  an error";

/// Compares what the cloud holds with what the input asks for, field by field. Where a controller runs and is at rest, whatever is shown
/// was done by somebody else, and is undone at the next drift interval. Since when is known to the controller alone: its Events and its
/// metric say it.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Arguments {
    #[command(flatten)]
    place: PlaceArguments,
    #[command(flatten)]
    compare: CompareArguments,
    #[command(flatten)]
    cluster: ClusterArguments,
    /// How to print it
    #[arg(long, value_enum, default_value_t = Output::Text, value_name = "FORMAT", help_heading = "Output")]
    output: Output,
    #[command(flatten)]
    log: LogArguments,
}

/// How a list is printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(super) enum Output {
    /// For people
    Text,
    /// For programs
    Json,
}

/// All that differs, for programs.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Document {
    schema_version: u32,
    drift: Vec<Drift>,
}

/// Goes up when a field changes its meaning or goes away.
const SCHEMA_VERSION: u32 = 1;

/// Something that is not as it should be.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Drift {
    resource: Resource,
    /// `missing`, `changed`, `unwanted`
    how: How,
    /// Which field; absent where it is about the whole resource.
    #[serde(skip_serializing_if = "Option::is_none")]
    field: Option<String>,
    /// What it should be.
    #[serde(skip_serializing_if = "Option::is_none")]
    should_be: Option<String>,
    /// What it is.
    #[serde(skip_serializing_if = "Option::is_none")]
    is: Option<String>,
    reason: String,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Resource {
    kind: &'static str,
    scope: String,
    name: String,
    holder: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
enum How {
    Missing,
    Changed,
    Unwanted,
}

pub(super) async fn run(arguments: Arguments) -> miette::Result<u8> {
    let Arguments { place, compare, cluster, output, log } = arguments;
    super::log(&log, "warn")?;
    let input = Input::read(&place, cluster).await?;
    let looked = compare.look_for(&input).await?;
    if matches!(looked, Looked::Nothing) {
        return Err(LookError::Nothing.into());
    }
    let observed = looked.observed();
    let translation = translate(&input.snapshot(looked.held(&observed)));
    let plan = plan(&translation, &observed);
    super::plan::complain(&input, translation.problems());
    let drift = drift(&plan);
    match output {
        Output::Text => out(&text(&drift, colours())),
        Output::Json => {
            match serde_json::to_string_pretty(&Document { schema_version: SCHEMA_VERSION, drift }) {
                Ok(text) => out(&format!("{text}\n")),
                Err(error) => eprintln!("the drift could not be written as JSON: {error}"),
            }
        }
    }
    let wrong = input.diagnostics().iter().any(Diagnostic::is_error) || !plan.blocked.is_empty();
    Ok(match (wrong, plan.is_empty()) {
        (true, _) => super::FAILED,
        (false, true) => super::DONE,
        (false, false) => super::CHANGES,
    })
}

/// What a plan would change, said as what is not as it should be.
fn drift(plan: &Plan) -> Vec<Drift> {
    let mut drift = Vec::new();
    for change in plan.graph.node_weights() {
        let Change { id, mark, action, reason, seen: _ } = change;
        let ResourceId { kind, scope, name } = id;
        let about = |how, field: Option<&str>, should_be: Option<String>, is: Option<String>| Drift {
            resource: Resource {
                kind: kind.collection(),
                scope: scope.to_string(),
                name: name.to_string(),
                holder: mark.holder.to_string(),
            },
            how,
            field: field.map(str::to_owned),
            should_be,
            is,
            reason: reason.clone(),
        };
        let endpoints = |endpoints: &[crate::model::Endpoint]| {
            let said: Vec<String> =
                endpoints.iter().map(|endpoint| format!("{}:{}", endpoint.address, endpoint.port)).collect();
            Some(said.join(", "))
        };
        match action {
            Action::Create(_) => drift.push(about(How::Missing, None, None, None)),
            Action::Delete => drift.push(about(How::Unwanted, None, None, None)),
            Action::Update { verb: _, to: _, fields } => {
                // What we warm on the way to something else is our own doing.
                let fields = fields.iter().filter(|change| !change.is_warming());
                drift.extend(fields.map(|FieldChange { field, from, to }| {
                    about(How::Changed, Some(field), Some(to.clone()), Some(from.clone()))
                }));
            }
            Action::AwaitHealthy { .. } => {}
            Action::AttachEndpoints(members) => {
                drift.push(about(How::Changed, Some("endpoints"), endpoints(members), None));
            }
            Action::DetachEndpoints(members) => {
                drift.push(about(How::Changed, Some("endpoints"), None, endpoints(members)));
            }
            Action::AddInstances(members) => {
                drift.push(about(How::Changed, Some("instances"), Some(members.join(", ")), None));
            }
            Action::RemoveInstances(members) => {
                drift.push(about(How::Changed, Some("instances"), None, Some(members.join(", "))));
            }
        }
    }
    drift
}

const BOLD: &str = "\x1b[1m";
const YELLOW: &str = "\x1b[33m";
const RED: &str = "\x1b[31m";
const PLAIN: &str = "\x1b[0m";

fn text(drift: &[Drift], colours: Colours) -> String {
    let paint = |colour: &str, text: &str| match colours {
        Colours::None => text.to_owned(),
        Colours::Ansi => format!("{colour}{text}{PLAIN}"),
    };
    let mut by_resource: BTreeMap<(&str, &str, &str, &str), Vec<&Drift>> = BTreeMap::new();
    for one in drift {
        let Resource { kind, scope, name, holder } = &one.resource;
        by_resource.entry((holder, kind, scope, name)).or_default().push(one);
    }
    let mut shown = String::new();
    let mut last = "";
    for ((holder, kind, scope, name), all) in &by_resource {
        if *holder != last {
            let _ = writeln!(shown, "{}", paint(BOLD, holder));
            last = holder;
        }
        let whole = all.iter().find(|one| one.how != How::Changed).map(|one| one.how);
        let (symbol, said) = match whole {
            Some(How::Missing) => (paint(RED, "-"), ": missing"),
            Some(How::Unwanted) => (paint(YELLOW, "+"), ": not wanted"),
            Some(How::Changed) | None => (paint(YELLOW, "~"), ""),
        };
        let _ = writeln!(shown, "  {symbol} {scope}/{kind}/{name}{said}");
        for one in all {
            let Drift { resource: _, how: _, field, should_be, is, reason: _ } = one;
            let Some(field) = field else { continue };
            let _ = match (should_be, is) {
                (Some(should_be), Some(is)) => writeln!(shown, "      {field}: {is}, should be {should_be}"),
                (Some(missing), None) => writeln!(shown, "      {field}: without {missing}"),
                (None, Some(surplus)) => {
                    writeln!(shown, "      {field}: has {surplus}, which does not belong there")
                }
                (None, None) => Ok(()),
            };
        }
    }
    let summary = match by_resource.len() {
        0 => "The cloud is as it should be.".to_owned(),
        1 => "1 resource is not as it should be.".to_owned(),
        many => format!("{many} resources are not as they should be."),
    };
    let _ = writeln!(shown, "{}{}", if drift.is_empty() { "" } else { "\n" }, paint(BOLD, &summary));
    shown
}
