//! A plan as text, for review: what is made (`+`), changed (`~`) and deleted (`-`), for whom and why.
//!
//! The same text is the golden file, the dry run and the log line, so it is made to be compared: sorted, and without anything that
//! differs from run to run.

use std::collections::BTreeMap;
use std::fmt;

use crate::model::{Holder, Kind, Node, ResourceId, Scope};

use super::diff::fields;
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
                Sign::Create => counts.create += 1,
                Sign::Change => counts.change += 1,
                Sign::Delete => counts.delete += 1,
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
}

impl Sign {
    const fn symbol(self) -> char {
        match self {
            Self::Create => '+',
            Self::Change => '~',
            Self::Delete => '-',
        }
    }

    const fn colour(self) -> &'static str {
        match self {
            Self::Create => GREEN,
            Self::Change => YELLOW,
            Self::Delete => RED,
        }
    }
}

const GREEN: &str = "\x1b[32m";
const YELLOW: &str = "\x1b[33m";
const RED: &str = "\x1b[31m";
const BOLD: &str = "\x1b[1m";
const PLAIN: &str = "\x1b[0m";

/// All changes of one resource.
struct Item<'a> {
    sign: Sign,
    made: Option<&'a Node>,
    fields: Vec<&'a FieldChange>,
    join: usize,
    leave: usize,
    reasons: Vec<&'a str>,
}

fn items(plan: &Plan) -> BTreeMap<&Holder, BTreeMap<&ResourceId, Item<'_>>> {
    let mut items: BTreeMap<&Holder, BTreeMap<&ResourceId, Item<'_>>> = BTreeMap::new();
    for at in super::order(plan) {
        let Some(Change { id, mark, action, reason, seen: _ }) = plan.graph.node_weight(at) else { continue };
        let item = items.entry(&mark.holder).or_default().entry(id).or_insert_with(|| Item {
            sign: Sign::Change,
            made: None,
            fields: Vec::new(),
            join: 0,
            leave: 0,
            reasons: Vec::new(),
        });
        match action {
            Action::Create(node) => {
                item.sign = Sign::Create;
                item.made = Some(node);
            }
            Action::Update { verb: _, to: _, fields } => item.fields.extend(fields),
            Action::AttachEndpoints(members) => item.join += members.len(),
            Action::DetachEndpoints(members) => item.leave += members.len(),
            Action::AddInstances(members) => item.join += members.len(),
            Action::RemoveInstances(members) => item.leave += members.len(),
            Action::Delete => item.sign = Sign::Delete,
        }
        // What a new group is filled with needs no reason of its own.
        if (item.sign != Sign::Create || item.reasons.is_empty()) && !item.reasons.contains(&reason.as_str())
        {
            item.reasons.push(reason);
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
        let name = match &id.scope {
            Scope::Global => format!("{} {}", id.kind, id.name),
            Scope::Zone(zone) => format!("{} {zone}/{}", id.kind, id.name),
            Scope::Region(region) => format!("{} {region}/{}", id.kind, id.name),
        };
        let symbol = item.sign.symbol().to_string();
        let members = members(id.kind, item.join, item.leave);
        let reasons = item.reasons.join("; ");
        writeln!(f, "  {} {name}{members}: {reasons}", self.paint(item.sign.colour(), &symbol))?;
        for field in item.made.map(fields).into_iter().flatten() {
            writeln!(f, "      {}: {}", field.name, field.value)?;
        }
        for FieldChange { field, from, to } in &item.fields {
            writeln!(f, "      {field}: {from} → {to}")?;
        }
        Ok(())
    }
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

fn heading(holder: &Holder) -> String {
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
            Self::Immutable { field: FieldChange { field, from, to } } => write!(
                f,
                "its {field} is {from} where it should be {to}, which cannot be changed: somebody else made or replaced \
                 it; delete it, then it is made anew"
            ),
        }
    }
}
