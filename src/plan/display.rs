//! A plan as text, for review: what is made (`+`), changed (`~`) and deleted (`-`), for whom and why.
//!
//! The same text is the golden file, the dry run and the log line, so it is made to be compared: sorted, and without anything that
//! differs from run to run.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use crate::model::{Holder, Kind, Node, ResourceId, Scope};

use super::diff::{NONE, fields};
use super::{Action, Block, Blocked, Change, FieldChange, Plan};

/// Whether a text carries the colours of a terminal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Colours {
    /// Plain text.
    None,
    /// ANSI escape sequences.
    Ansi,
}

/// A plan that is shown with or without colours.
#[derive(Debug, Clone, Copy)]
pub struct Text<'a> {
    plan: &'a Plan,
    colours: Colours,
}

/// How many resources a plan makes, changes and deletes. A resource counts once, however many calls it takes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counts {
    /// Made.
    pub create: usize,
    /// Changed; so is a group whose members change.
    pub change: usize,
    /// Deleted.
    pub delete: usize,
}

impl Plan {
    /// The text, with colours where they are asked for.
    #[must_use]
    pub const fn text(&self, colours: Colours) -> Text<'_> {
        Text { plan: self, colours }
    }

    /// How much it does.
    #[must_use]
    pub fn counts(&self) -> Counts {
        let mut counts = Counts::default();
        for item in items(self).values().flat_map(BTreeMap::values) {
            match item.sign {
                Some(Sign::Create) => counts.create += 1,
                Some(Sign::Change) | None => counts.change += 1,
                Some(Sign::Delete) => counts.delete += 1,
                Some(Sign::Replace) => {
                    counts.create += 1;
                    counts.delete += 1;
                }
            }
        }
        counts
    }
}

impl fmt::Display for Counts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { create, change, delete } = self;
        write!(f, "{create} to create, {change} to change, {delete} to delete")
    }
}

impl fmt::Display for Plan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.text(Colours::None).fmt(f)
    }
}

/// What is done to a resource as a whole.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Sign {
    Create,
    Change,
    Delete,
    /// Deleted and made anew.
    Replace,
}

impl Sign {
    const fn symbol(self) -> &'static str {
        match self {
            Self::Create => "+",
            Self::Change => "~",
            Self::Delete => "-",
            Self::Replace => "-/+",
        }
    }

    const fn colour(self) -> &'static str {
        match self {
            Self::Create => GREEN,
            Self::Change => YELLOW,
            Self::Delete | Self::Replace => RED,
        }
    }
}

const GREEN: &str = "\x1b[32m";
const YELLOW: &str = "\x1b[33m";
const RED: &str = "\x1b[31m";
const CYAN: &str = "\x1b[36m";
const BOLD: &str = "\x1b[1m";
const PLAIN: &str = "\x1b[0m";

/// Of lists that hold so many only the difference is shown.
const LONG_LIST: usize = 4;

/// All changes of one resource.
#[derive(Default)]
struct Item<'a> {
    sign: Option<Sign>,
    join: usize,
    leave: usize,
    steps: Vec<Stage<'a>>,
}

/// One of the changes of a resource, or one of the waits before it.
struct Stage<'a> {
    reason: &'a str,
    does: Does<'a>,
}

enum Does<'a> {
    Make(&'a Node),
    Change(&'a [FieldChange]),
    /// Waits for this backend service.
    Wait(&'a ResourceId),
    /// All that there is to say is in the reason.
    Only,
}

type Items<'a> = BTreeMap<&'a Holder, BTreeMap<&'a ResourceId, Item<'a>>>;

/// Every resource that the plan changes, by whom it is for.
fn items(plan: &Plan) -> Items<'_> {
    let mut items = Items::new();
    // A wait is told of where it is waited: at the url map.
    let holders: BTreeMap<&ResourceId, &Holder> = plan
        .graph
        .node_weights()
        .filter(|change| change.action.is_call())
        .map(|change| (&change.id, &change.mark.holder))
        .collect();
    // They stand in their order.
    for Change { id, mark, action, reason, seen: _ } in plan.graph.node_weights() {
        let (shown, holder) = match action {
            Action::AwaitHealthy { map, instead_of: _ } => {
                (map, holders.get(map).copied().unwrap_or(&mark.holder))
            }
            _ => (id, &mark.holder),
        };
        let item = items.entry(holder).or_default().entry(shown).or_default();
        let does = match action {
            Action::Create(node) => {
                item.sign = Some(if item.sign == Some(Sign::Delete) { Sign::Replace } else { Sign::Create });
                Does::Make(node)
            }
            Action::Update { verb: _, to: _, fields } => Does::Change(fields),
            Action::AttachEndpoints(members) => {
                item.join += members.len();
                Does::Only
            }
            Action::DetachEndpoints(members) => {
                item.leave += members.len();
                Does::Only
            }
            Action::AddInstances(members) => {
                item.join += members.len();
                Does::Only
            }
            Action::RemoveInstances(members) => {
                item.leave += members.len();
                Does::Only
            }
            Action::Delete => {
                item.sign = Some(Sign::Delete);
                Does::Only
            }
            Action::AwaitHealthy { .. } => Does::Wait(id),
        };
        item.sign.get_or_insert(Sign::Change);
        // What a new group is filled with needs no reason of its own, and several batches need one.
        let told = matches!(does, Does::Only)
            && (item.sign == Some(Sign::Create) || item.steps.iter().any(|stage| stage.reason == reason));
        if !told {
            item.steps.push(Stage { reason, does });
        }
    }
    items
}

impl fmt::Display for Text<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Plan { graph: _, leaks, blocked } = self.plan;
        let items = items(self.plan);
        for (holder, items) in &items {
            writeln!(f, "{}", self.paint(BOLD, &heading(holder)))?;
            for (id, item) in items {
                self.item(f, id, item)?;
            }
            writeln!(f)?;
        }
        if !blocked.is_empty() {
            writeln!(f, "{}", self.paint(BOLD, "Blocked"))?;
            for Blocked { id, holder, why } in blocked {
                writeln!(f, "  {} {id}, for {holder}", self.paint(RED, "!"))?;
                writeln!(f, "      {why}")?;
            }
            writeln!(f)?;
        }
        if !leaks.is_empty() {
            writeln!(
                f,
                "{}",
                self.paint(
                    BOLD,
                    "Left alone: in the cloud, but their objects are gone without having been deleted"
                )
            )?;
            for key in leaks {
                writeln!(f, "  {} {key}", self.paint(YELLOW, "?"))?;
            }
            writeln!(f)?;
        }
        let mut summary = vec![if items.is_empty() {
            "Plan: nothing to do.".to_owned()
        } else {
            format!("Plan: {}.", self.plan.counts())
        }];
        let waits = self.plan.graph.node_weights().filter(|change| !change.action.is_call()).count();
        summary.extend((waits > 0).then(|| counted(waits, "wait", "for healthy backends")));
        let outages = items.values().flat_map(BTreeMap::values);
        let outages = outages.filter(|item| item.sign == Some(Sign::Replace)).count();
        summary.extend((outages > 0).then(|| counted(outages, "outage", "that was consented to")));
        summary.extend((!blocked.is_empty()).then(|| format!("{} blocked.", blocked.len())));
        summary.extend((!leaks.is_empty()).then(|| format!("{} left alone.", leaks.len())));
        writeln!(f, "{}", self.paint(BOLD, &summary.join(" ")))
    }
}

impl Text<'_> {
    fn paint(&self, colour: &str, text: &str) -> String {
        match self.colours {
            Colours::None => text.to_owned(),
            Colours::Ansi => format!("{colour}{text}{PLAIN}"),
        }
    }

    fn item(&self, f: &mut fmt::Formatter<'_>, id: &ResourceId, item: &Item<'_>) -> fmt::Result {
        let Item { sign, join, leave, steps } = item;
        let name = match &id.scope {
            Scope::Global => format!("{} {}", id.kind, id.name),
            Scope::Zone(zone) => format!("{} {zone}/{}", id.kind, id.name),
            Scope::Region(region) => format!("{} {region}/{}", id.kind, id.name),
        };
        let sign = sign.unwrap_or(Sign::Change);
        let symbol = self.paint(sign.colour(), sign.symbol());
        let members = members(id.kind, *join, *leave);
        let outage = match sign {
            Sign::Replace => self.paint(RED, " OUTAGE"),
            Sign::Create | Sign::Change | Sign::Delete => String::new(),
        };
        write!(f, "  {symbol} {name}{members}{outage}")?;
        if let [Stage { reason, does }] = steps.as_slice() {
            writeln!(f, ": {reason}")?;
            return self.does(f, does, "      ");
        }
        writeln!(f)?;
        for (nth, Stage { reason, does }) in steps.iter().enumerate() {
            let number = nth + 1;
            match does {
                Does::Wait(service) => {
                    let service = format!("waits until {service} is healthy");
                    writeln!(f, "      {number}. {}", self.paint(CYAN, &service))?;
                }
                _ => writeln!(f, "      {number}. {reason}")?,
            }
            self.does(f, does, "         ")?;
        }
        Ok(())
    }

    fn does(&self, f: &mut fmt::Formatter<'_>, does: &Does<'_>, indent: &str) -> fmt::Result {
        match does {
            Does::Make(node) => {
                for field in fields(node) {
                    writeln!(f, "{indent}{}: {}", field.name, field.value)?;
                }
            }
            Does::Change(fields) => {
                for FieldChange { field, from, to } in *fields {
                    writeln!(f, "{indent}{field}: {}", self.difference(from, to))?;
                }
            }
            Does::Wait(_) | Does::Only => {}
        }
        Ok(())
    }

    /// `old → new`; of a long list only what comes (`+`) and goes (`-`).
    fn difference(&self, from: &str, to: &str) -> String {
        let list = |text: &str| -> Vec<String> {
            text.split(", ").filter(|element| *element != NONE).map(str::to_owned).collect()
        };
        let (was, will) = (list(from), list(to));
        let unordered = was.iter().collect::<BTreeSet<_>>() != will.iter().collect::<BTreeSet<_>>();
        if was.len().max(will.len()) < LONG_LIST || !unordered {
            return format!("{} → {}", self.paint(RED, from), self.paint(GREEN, to));
        }
        let gone = was.iter().filter(|element| !will.contains(element)).map(|element| (RED, '-', element));
        let new = will.iter().filter(|element| !was.contains(element)).map(|element| (GREEN, '+', element));
        let changes =
            gone.chain(new).map(|(colour, sign, element)| self.paint(colour, &format!("{sign}{element}")));
        let stay = will.iter().filter(|element| was.contains(element)).count();
        let changes = changes.collect::<Vec<_>>().join(" ");
        if stay == 0 { changes } else { format!("{changes} ({stay} stay)") }
    }
}

/// ` 2 waits for healthy backends.`
fn counted(count: usize, one: &str, rest: &str) -> String {
    let plural = if count == 1 { "" } else { "s" };
    format!("{count} {one}{plural} {rest}.")
}

/// ` (+3 -1 endpoints)`, or nothing.
fn members(kind: Kind, join: usize, leave: usize) -> String {
    let one = match kind {
        Kind::InstanceGroup => "instance",
        _ => "endpoint",
    };
    let noun = if join + leave == 1 { one.to_owned() } else { format!("{one}s") };
    match (join, leave) {
        (0, 0) => String::new(),
        (join, 0) => format!(" (+{join} {noun})"),
        (0, leave) => format!(" (-{leave} {noun})"),
        (join, leave) => format!(" (+{join} -{leave} {noun})"),
    }
}

pub(super) fn heading(holder: &Holder) -> String {
    match holder {
        Holder::LoadBalancer(key) => format!("Load balancer {key}"),
        Holder::Service { service, port } => format!("Shared: Service {service}, port {port}"),
        Holder::Secret(secret) => format!("Shared: Secret {secret}"),
        Holder::Cluster => "Shared: the whole cluster".to_owned(),
    }
}

impl fmt::Display for Block {
    /// Why not, and what to do.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NameTaken => f.write_str(
                "a resource that is not ours has this name; rename or delete that one, then this goes on by itself",
            ),
            Self::Unseen => f.write_str(
                "a part of the cloud did not answer, so it is not known whether this exists or is in use; it goes on \
                 when that part answers",
            ),
            Self::DependsOn(other) => write!(f, "it waits for {other}, which is blocked"),
            Self::Outage { consent, fields } => {
                let fields: Vec<String> = fields
                    .iter()
                    .map(|FieldChange { field, from, to }| format!("its {field} is {from} where it should be {to}"))
                    .collect();
                write!(
                    f,
                    "{}; only deleting it and making it anew can change that, and requests fail meanwhile. To consent, set the \
                     annotation {}: \"{consent}\" on the object of the load balancer",
                    fields.join(", "),
                    crate::load_balancer::ALLOW_OUTAGE,
                )
            }
            Self::Preflight(refusal) => write!(f, "{refusal}"),
            Self::Immutable { field: FieldChange { field, from, to } } => write!(
                f,
                "its {field} is {from} where it should be {to}, which cannot be changed: somebody else made or replaced \
                 it; delete it, then it is made anew"
            ),
        }
    }
}
