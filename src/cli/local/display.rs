//! What there is to say about the folder and its load balancers, as text.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::sync::Arc;

use jiff::Timestamp;
use k8s_openapi::api::networking::v1::Ingress;

use super::curl::{At, Line, lines};
use super::screen::Block;
use super::table;
use crate::controller::folder::{FolderSource, Happening, View};
use crate::controller::source::Source as _;
use crate::ingress::{self, Wish};
use crate::load_balancer::{CertificateSource, Frontend};
use crate::model::{Held, LoadBalancerKey, ObjectKey};
use crate::plan::Colours;
use crate::problem::{Problem, Reason};
use crate::snapshot::manifests::{Manifests, ObjectId};
use crate::snapshot::{self, Snapshot};
use crate::status::Phase;
use crate::translate::translate;

/// Turns views into text, and remembers what was said.
pub(super) struct Display {
    folder: Arc<FolderSource>,
    port_offset: u16,
    colours: Colours,
    next: usize,
    manifests: Option<Arc<Manifests>>,
    /// What is wrong with the input, as it was last said.
    problems: BTreeMap<(ObjectKey, Reason, String), Problem>,
    /// Load balancers that have had a certificate: if its Secret is lost, it stays.
    encrypted: BTreeSet<LoadBalancerKey>,
}

/// Everything there is to show at one moment.
pub(super) struct Shown {
    /// New lines.
    pub(super) lines: Vec<String>,
    /// The table and the curl lines.
    pub(super) block: Block,
    /// How far it all is.
    pub(super) state: State,
}

/// How far all load balancers of ours are together.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum State {
    /// No Ingress is ours.
    Nothing,
    /// Each is ready.
    Ready,
    /// At least one is not; what was last said of it.
    NotReady(String),
}

impl Display {
    pub(super) fn new(folder: Arc<FolderSource>, port_offset: u16, colours: Colours) -> Self {
        Self {
            folder,
            port_offset,
            colours,
            next: 0,
            manifests: None,
            problems: BTreeMap::new(),
            encrypted: BTreeSet::new(),
        }
    }

    pub(super) fn look(&mut self) -> Shown {
        let view = self.folder.view(self.next);
        self.next = view.next;
        let snapshot = self.folder.snapshot(Held::default()).ok();
        // First, so that their Events are known when they come.
        let problems = snapshot.as_ref().map(|snapshot| self.problems(snapshot, &view)).unwrap_or_default();
        let mut said: Vec<String> = Vec::new();
        for happening in &view.happenings {
            if !self.is_said(happening) {
                said.push(self.happening(happening, &view));
            }
        }
        said.extend(problems);
        let rows = table::rows(&view.ingresses);
        let commands = snapshot.map(|snapshot| self.commands(&snapshot, &view)).unwrap_or_default();
        Shown {
            lines: said,
            block: Block {
                table: table::render(&rows, Timestamp::now()),
                gist: format!("{rows:?}"),
                hints: hints(&commands),
            },
            state: state(&view),
        }
    }

    /// The curl lines of every load balancer that has an address.
    pub(super) fn commands_now(&mut self) -> Vec<(ObjectKey, Vec<Line>)> {
        let view = self.folder.view(self.next);
        match self.folder.snapshot(Held::default()) {
            Ok(snapshot) => self.commands(&snapshot, &view),
            Err(_) => Vec::new(),
        }
    }

    fn commands(&mut self, snapshot: &Snapshot, view: &View) -> Vec<(ObjectKey, Vec<Line>)> {
        let mut commands = Vec::new();
        let readings = ingress::read(snapshot);
        for (key, reading) in readings.load_balancers {
            let Wish::Serve(load_balancer) = reading.wish else { continue };
            // The first that is at home there stands for all: they share the address.
            let is_at_home = |object: &ObjectKey| {
                readings.objects.get(object).is_some_and(|membership| membership.home.as_ref() == Some(&key))
            };
            let Some(object) = load_balancer.objects.iter().find(|object| is_at_home(object)) else {
                continue;
            };
            let report =
                view.ingresses.iter().find(|view| view.key == **object).and_then(|view| view.report.as_ref());
            let Some(address) = report.and_then(|report| report.address) else { continue };
            if let Frontend::Https { certificates, plain: _ } = &load_balancer.frontend
                && certificates.iter().any(|certificate| match &certificate.source {
                    CertificateSource::Secret(secret) => matches!(snapshot.secrets.get(secret), Some(Ok(_))),
                    CertificateSource::Cloud(_) => true,
                    CertificateSource::Unclear(_) => false,
                })
            {
                self.encrypted.insert(key.clone());
            }
            let at =
                At { address, port_offset: self.port_offset, has_certificate: self.encrypted.contains(&key) };
            commands.push(((**object).clone(), lines(&load_balancer, at)));
        }
        commands
    }

    /// Problems of the input, once each, with the line of the file. Their Events say the same without it, so those are left out.
    fn problems(&mut self, snapshot: &Snapshot, view: &View) -> Vec<String> {
        if self.manifests.as_ref().is_some_and(|known| Arc::ptr_eq(known, &view.manifests)) {
            return Vec::new();
        }
        self.manifests = Some(Arc::clone(&view.manifests));
        // What only the cloud knows is said by Events: here nobody has asked it.
        let now: BTreeMap<_, _> = translate(snapshot)
            .problems()
            .filter(|(_, problem)| problem.reason != Reason::NotLookedUp)
            .map(|(object, problem)| {
                ((object.clone(), problem.reason, problem.field.clone()), problem.clone())
            })
            .collect();
        let line = |key: &ObjectKey, problem: &Problem| {
            crate::cli::plan::problem_line(key, problem, &view.manifests, self.colours)
        };
        let new = now.iter().filter(|(which, problem)| self.problems.get(*which) != Some(problem));
        let mut said: Vec<String> = new.map(|((key, ..), problem)| line(key, problem)).collect();
        for ((key, reason, field), _) in self.problems.iter().filter(|(which, _)| !now.contains_key(*which)) {
            let right = self.paint(GREEN, "✓");
            said.push(format!("{right} Ingress {key}: {field}: {} no longer", reason.word()));
        }
        self.problems = now;
        said
    }

    /// Whether it is an Event about a problem that was said already, with its place in the file.
    fn is_said(&self, happening: &Happening) -> bool {
        let Happening::Said(key, event) = happening else { return false };
        self.problems.iter().any(|((object, reason, field), _)| {
            object == key && event.reason == reason.word() && event.message.starts_with(&format!("{field}: "))
        })
    }

    fn happening(&self, happening: &Happening, view: &View) -> String {
        let place = |id: &ObjectId| {
            view.manifests
                .objects
                .get(id)
                .map(|object| format!("  ({}:{})", object.file, object.position.0))
                .unwrap_or_default()
        };
        match happening {
            Happening::Added(id) => format!("{} {id}{}", self.paint(GREEN, "+"), place(id)),
            Happening::Changed(id) => format!("{} {id}{}", self.paint(YELLOW, "~"), place(id)),
            Happening::Removed(id) => format!("{} {id}", self.paint(RED, "-")),
            Happening::Wrong(diagnostic) => {
                format!("{:?}", miette::Report::new(diagnostic.clone())).trim_end().to_owned()
            }
            Happening::Righted(file) => format!("{} {file}: in order again", self.paint(GREEN, "✓")),
            Happening::Said(key, event) => {
                let (colour, word) = if event.warning { (YELLOW, "Warning") } else { (GREEN, "Normal ") };
                format!("  {} {}  {key}: {}", self.paint(colour, word), event.reason, event.message)
            }
        }
    }

    fn paint(&self, colour: &str, text: &str) -> String {
        match self.colours {
            Colours::None => text.to_owned(),
            Colours::Ansi => format!("{colour}{text}\x1b[0m"),
        }
    }
}

const GREEN: &str = "\x1b[32m";
const YELLOW: &str = "\x1b[33m";
const RED: &str = "\x1b[31m";

fn hints(commands: &[(ObjectKey, Vec<Line>)]) -> String {
    let mut text = String::new();
    for (key, lines) in commands.iter().filter(|(_, lines)| !lines.is_empty()) {
        // Writing to a String cannot fail.
        let _ = write!(text, "\nTry {key}:\n");
        for line in lines {
            let _ = writeln!(text, "  {line}");
        }
    }
    text
}

fn state(view: &View) -> State {
    let ours: Vec<_> = view.ingresses.iter().filter(|ingress| is_ours(&ingress.ingress, view)).collect();
    if ours.is_empty() {
        return State::Nothing;
    }
    for ingress in ours {
        let Some(report) = &ingress.report else {
            return State::NotReady(format!("{}: nothing has been said of it yet", ingress.key));
        };
        if report.summary.phase != Phase::Ready || ingress.deleting {
            let phase = report.summary.phase;
            let reason = report.summary.reason.as_deref().unwrap_or_default();
            let message = report.summary.message.as_deref().unwrap_or_default();
            return State::NotReady(format!("{}: {phase:?} {reason} {message}", ingress.key));
        }
    }
    State::Ready
}

fn is_ours(ingress: &Ingress, view: &View) -> bool {
    let annotation =
        ingress.metadata.annotations.as_ref().and_then(|all| all.get(snapshot::CLASS_ANNOTATION));
    let field = ingress.spec.as_ref().and_then(|spec| spec.ingress_class_name.as_ref());
    let class = annotation.or(field).and_then(|name| view.world.classes.get(name));
    class.and_then(|class| class.spec.as_ref()?.controller.as_deref()) == Some(snapshot::CONTROLLER)
}
