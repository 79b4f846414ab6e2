//! The graph of a plan as a drawing: for Graphviz (DOT) and for Mermaid. One box for each change, grouped by whom it is for, and an
//! arrow from each change to those that wait for it.
//!
//! Both are for people: nothing is left out, and nothing is in them that the other forms do not say.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use petgraph::graph::NodeIndex;

use crate::model::{Holder, Scope};

use super::display::heading;
use super::{Action, Change, Plan};

/// How a box looks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Look {
    Create,
    Change,
    Delete,
    Wait,
}

impl Look {
    const ALL: [Self; 4] = [Self::Create, Self::Change, Self::Delete, Self::Wait];

    const fn of(action: &Action) -> Self {
        match action {
            Action::Create(_) => Self::Create,
            Action::Update { .. }
            | Action::AttachEndpoints(_)
            | Action::DetachEndpoints(_)
            | Action::AddInstances(_)
            | Action::RemoveInstances(_) => Self::Change,
            Action::Delete => Self::Delete,
            Action::AwaitHealthy { .. } => Self::Wait,
        }
    }

    const fn word(self) -> &'static str {
        match self {
            Self::Create => "create",
            Self::Change => "change",
            Self::Delete => "delete",
            Self::Wait => "wait",
        }
    }

    /// Of the box and of its border.
    const fn colours(self) -> (&'static str, &'static str) {
        match self {
            Self::Create => ("#dff3e0", "#2e7d32"),
            Self::Change => ("#fff4d6", "#b26a00"),
            Self::Delete => ("#fbe0de", "#b3261e"),
            Self::Wait => ("#dcecf9", "#1565c0"),
        }
    }
}

impl Plan {
    /// For Graphviz: `dot -Tsvg`.
    #[must_use]
    pub fn dot(&self) -> String {
        let mut text = String::from(
            "digraph plan {\n  rankdir=LR;\n  node [shape=box, style=\"rounded,filled\", fontname=\"Helvetica\"];\n",
        );
        for (nth, (holder, boxes)) in self.boxes().into_iter().enumerate() {
            // Writing to a String cannot fail.
            let _ = writeln!(text, "  subgraph cluster_{nth} {{");
            let _ = writeln!(text, "    label=\"{}\";", dot_escaped(&heading(holder)));
            for at in boxes {
                let Some(change) = self.graph.node_weight(at) else { continue };
                let (fill, border) = Look::of(&change.action).colours();
                let lines: Vec<String> = label(change).iter().map(|line| dot_escaped(line)).collect();
                let _ = writeln!(
                    text,
                    "    n{} [label=\"{}\", fillcolor=\"{fill}\", color=\"{border}\"];",
                    at.index(),
                    lines.join("\\n")
                );
            }
            text.push_str("  }\n");
        }
        for (first, then) in self.arrows() {
            let _ = writeln!(text, "  n{first} -> n{then};");
        }
        text.push_str("}\n");
        text
    }

    /// For Mermaid, which many viewers of Markdown draw.
    #[must_use]
    pub fn mermaid(&self) -> String {
        let mut text = String::from("flowchart LR\n");
        if self.is_empty() {
            text.push_str("  nothing[\"nothing to do\"]\n");
        }
        for (nth, (holder, boxes)) in self.boxes().into_iter().enumerate() {
            let _ = writeln!(text, "  subgraph s{nth}[\"{}\"]", mermaid_escaped(&heading(holder)));
            for at in boxes {
                let Some(change) = self.graph.node_weight(at) else { continue };
                let lines: Vec<String> = label(change).iter().map(|line| mermaid_escaped(line)).collect();
                let look = Look::of(&change.action).word();
                let _ = writeln!(text, "    n{}[\"{}\"]:::{look}", at.index(), lines.join("<br/>"));
            }
            text.push_str("  end\n");
        }
        for (first, then) in self.arrows() {
            let _ = writeln!(text, "  n{first} --> n{then}");
        }
        for look in Look::ALL {
            let (fill, border) = look.colours();
            let _ = writeln!(text, "  classDef {} fill:{fill},stroke:{border},color:#1c1b1f", look.word());
        }
        text
    }

    fn boxes(&self) -> BTreeMap<&Holder, Vec<NodeIndex>> {
        let mut boxes: BTreeMap<&Holder, Vec<NodeIndex>> = BTreeMap::new();
        for at in super::order(self) {
            if let Some(change) = self.graph.node_weight(at) {
                boxes.entry(&change.mark.holder).or_default().push(at);
            }
        }
        boxes
    }

    fn arrows(&self) -> Vec<(usize, usize)> {
        let edges = self.graph.raw_edges().iter();
        let mut arrows: Vec<_> = edges.map(|edge| (edge.source().index(), edge.target().index())).collect();
        arrows.sort_unstable();
        arrows
    }
}

/// What stands in a box, line by line.
fn label(change: &Change) -> [String; 2] {
    let Change { id, mark: _, action, reason: _, seen: _ } = change;
    let members = |count: usize, one: &str| format!("{count} {one}{}", if count == 1 { "" } else { "s" });
    let does = match action {
        Action::Create(_) => "+".to_owned(),
        Action::Update { verb, to: _, fields: _ } => format!("~ {}", verb.method()),
        Action::AttachEndpoints(endpoints) => format!("~ +{}", members(endpoints.len(), "endpoint")),
        Action::DetachEndpoints(endpoints) => format!("~ -{}", members(endpoints.len(), "endpoint")),
        Action::AddInstances(instances) => format!("~ +{}", members(instances.len(), "instance")),
        Action::RemoveInstances(instances) => format!("~ -{}", members(instances.len(), "instance")),
        Action::Delete => "-".to_owned(),
        Action::AwaitHealthy { .. } => "until healthy:".to_owned(),
    };
    let name = match &id.scope {
        Scope::Global => id.name.to_string(),
        Scope::Zone(zone) => format!("{zone}/{}", id.name),
        Scope::Region(region) => format!("{region}/{}", id.name),
    };
    [format!("{does} {}", id.kind), name]
}

fn dot_escaped(text: &str) -> String {
    text.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', " ")
}

fn mermaid_escaped(text: &str) -> String {
    text.chars()
        .map(|c| match c {
            '#' => "#35;".to_owned(),
            '"' => "#quot;".to_owned(),
            '<' => "#lt;".to_owned(),
            '>' => "#gt;".to_owned(),
            '\n' => " ".to_owned(),
            c => c.to_string(),
        })
        .collect()
}
