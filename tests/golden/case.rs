//! One case: its manifests, and what becomes of them.

use std::collections::{BTreeMap, BTreeSet};
use std::net::{IpAddr, Ipv4Addr};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use gclb::apply::Unfinished;
use gclb::ingress::{FINALIZER, MEMBER_OF, remembering};
use gclb::model::{
    AddressReach, BackendService, ClusterId, ForeignFacts, ForeignKind, Group, InstanceGroup,
    LoadBalancerKey, Lookup, NetworkEndpointGroup, ObjectKey, Observed, ResourceId,
};
use gclb::plan::{Plan, plan, simulate_with};
use gclb::snapshot::manifests::{Manifests, Supplies, World};
use gclb::snapshot::{Cluster, Snapshot};
use gclb::status::{Activity, Health, ServiceHealth, Waits, Work, compute};
use gclb::translate::{Moves, Translation, translate};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;

use crate::{describe, report};

/// When every case happens.
const NOW: &str = "2026-06-01T00:00:00Z";

/// On an Ingress of a case: somebody deleted it, and it is still there because of our finalizer.
const DELETED: &str = "test.gclb.dev/deleted";

/// A comment line of a case that sets flags of the controller, separated by spaces.
const FLAGS: &str = "# flags: ";

/// A comment line of a case that names load balancers that were given up, separated by spaces.
const RELEASED: &str = "# released: ";

/// A comment line of a case that says what exists in the project without being ours, separated by spaces: `COLLECTION/NAME`, and for an
/// address its number, `addresses/NAME=NUMBER`. Whatever else is asked about does not exist.
const EXISTS: &str = "# exists: ";

/// A case as it stands in its folder.
pub(crate) struct Case {
    folder: PathBuf,
    input: String,
    before: Option<String>,
}

/// The expected files and their contents; `None` where there should be no such file.
pub(crate) type Results = Vec<(&'static str, Option<String>)>;

impl Case {
    pub(crate) fn read(folder: &Path) -> Self {
        let input = std::fs::read_to_string(folder.join("input.yaml")).unwrap();
        let before = std::fs::read_to_string(folder.join("before.yaml")).ok();
        Self { folder: folder.to_owned(), input, before }
    }

    pub(crate) fn run(&self) -> Results {
        let mut addresses = Addresses(0);
        let mut observed = Observed::default();
        let mut claimed = Claimed::new();
        if let Some(before) = &self.before {
            let manifests = Manifests::read([("before.yaml", with_certificates(before).as_str())]);
            assert!(
                manifests.diagnostics.is_empty(),
                "{}: {:?}",
                self.folder.display(),
                manifests.diagnostics
            );
            look_up(before, &manifests, &claimed, &mut observed);
            let translation = translate(&snapshot(before, &manifests, &claimed, &observed));
            observed = done(&observed, &plan(&translation, &observed), &mut addresses);
            claimed = claims(&translation, &observed);
        }
        let manifests = Manifests::read([("input.yaml", with_certificates(&self.input).as_str())]);
        look_up(&self.input, &manifests, &claimed, &mut observed);
        let snapshot_now = snapshot(&self.input, &manifests, &claimed, &observed);
        let translation = translate(&snapshot_now);
        assert_eq!(translation.desired, translate(&snapshot_now).desired, "{}", self.folder.display());
        let plan_now = plan(&translation, &observed);

        let mut after = done(&observed, &plan_now, &mut addresses);
        let mut plans = plan_now.to_string();
        let mut last = translation.clone();
        // Another look at the cloud may change what the input means: what it now holds of certificates, for one.
        let (translation_after, rest) = loop {
            claimed.extend(claims(&last, &after));
            let next = translate(&snapshot(&self.input, &manifests, &claimed, &after));
            let rest = plan(&next, &after);
            if rest.is_empty() || last.moves == Moves::None {
                break (next, rest);
            }
            plans += "\nAnd when that is done:\n\n";
            plans += &rest.to_string();
            after = done(&after, &rest, &mut addresses);
            last = next;
        };
        assert!(rest.is_empty(), "{}: the plan leaves something to do:\n{rest}", self.folder.display());
        let unfinished = Unfinished::default();
        let work =
            Work { plan: &rest, activity: Activity::Over, unfinished: &unfinished, waits: &Waits::new() };
        let reports = compute(&translation_after, &after, &work, &everything_healthy(&translation_after));

        let diagnostics: Vec<String> =
            manifests.diagnostics.iter().map(|diagnostic| diagnostic.one_line() + "\n").collect();
        vec![
            ("desired.txt", Some(describe::desired(&translation, &observed))),
            ("plan.txt", Some(plans)),
            ("status.yaml", Some(report::status(&reports))),
            ("diagnostics.txt", (!diagnostics.is_empty()).then(|| diagnostics.concat())),
        ]
    }
}

/// Addresses for documentation (RFC 5737), in the order in which they are reserved.
struct Addresses(u8);

impl Addresses {
    fn next(&mut self) -> IpAddr {
        self.0 += 1;
        IpAddr::V4(Ipv4Addr::new(203, 0, 113, self.0))
    }
}

fn done(observed: &Observed, plan: &Plan, addresses: &mut Addresses) -> Observed {
    simulate_with(observed, plan, |_| Some(addresses.next()))
}

/// `$(shop.crt)` stands for the text of that file among the certificates.
fn with_certificates(text: &str) -> String {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/certificates");
    let mut text = text.to_owned();
    while let Some(start) = text.find("$(") {
        let length = text[start..].find(')').expect("a closing bracket");
        let name = text[start + 2..start + length].to_owned();
        let content =
            std::fs::read_to_string(folder.join(&name)).unwrap_or_else(|error| panic!("{name}: {error}"));
        // A JSON string is a YAML string, and it is one line, so that line numbers stay as they are.
        text.replace_range(start..=start + length, &serde_json::to_string(&content).unwrap());
    }
    text
}

fn snapshot(text: &str, manifests: &Manifests, claimed: &Claimed, observed: &Observed) -> Snapshot {
    let mut world = manifests.world(&Supplies::default());
    live_through(&mut world, claimed);
    let mut held = observed.held();
    let released = text.lines().filter_map(|line| line.strip_prefix(RELEASED));
    held.released.extend(released.flat_map(str::split_whitespace).map(|key| key.parse().unwrap()));
    world.snapshot(cluster(text), NOW.parse().unwrap(), held)
}

/// Finds out what a case asks about and is not ours.
fn look_up(text: &str, manifests: &Manifests, claimed: &Claimed, observed: &mut Observed) {
    let lines = text.lines().filter_map(|line| line.strip_prefix(EXISTS));
    let exists: BTreeMap<&str, Option<IpAddr>> = lines
        .flat_map(str::split_whitespace)
        .map(|word| match word.split_once('=') {
            Some((path, number)) => (path, Some(number.parse().unwrap())),
            None => (word, None),
        })
        .collect();
    let lookups = translate(&snapshot(text, manifests, claimed, observed)).lookups;
    observed.foreign = lookups
        .into_iter()
        .map(|id| {
            let lookup = match (exists.get(format!("{}/{}", id.kind.collection(), id.name).as_str()), id.kind)
            {
                (None, _) => Lookup::Missing,
                (Some(number), ForeignKind::Address) => Lookup::Found(ForeignFacts::Address {
                    number: *number,
                    reach: AddressReach::External,
                    users: Vec::new(),
                }),
                (Some(_), _) => Lookup::Found(ForeignFacts::Exists),
            };
            (id, lookup)
        })
        .collect();
}

/// The Ingresses that have our finalizer, and the groups that they remember.
type Claimed = BTreeMap<ObjectKey, BTreeSet<LoadBalancerKey>>;

fn claims(translation: &Translation, observed: &Observed) -> Claimed {
    translation
        .claims(&observed.holdings())
        .map(|(object, remembered)| (object.clone(), remembered))
        .collect()
}

/// What a cluster would have done to the Ingresses: our finalizer, and a deletion timestamp.
fn live_through(world: &mut World, claimed: &Claimed) {
    for (key, ingress) in &mut world.ingresses {
        let metadata = &mut Arc::make_mut(ingress).metadata;
        if let Some(remembered) = claimed.get(key) {
            metadata.finalizers = Some(vec![FINALIZER.to_owned()]);
            if let Some(text) = remembering(remembered) {
                metadata.annotations.get_or_insert_default().insert(MEMBER_OF.to_owned(), text);
            }
        }
        if metadata.annotations.as_mut().and_then(|annotations| annotations.remove(DELETED)).is_some() {
            metadata.deletion_timestamp = Some(Time(NOW.parse().unwrap()));
        }
    }
}

fn cluster(text: &str) -> Cluster {
    let mut cluster = Cluster::of(ClusterId::new("0a1b2c3d").unwrap());
    for flag in text.lines().filter_map(|line| line.strip_prefix(FLAGS)).flat_map(str::split_whitespace) {
        match flag.split_once('=').unwrap_or((flag, "")) {
            ("--claim-classless", "") => cluster.claim_classless = true,
            ("--node-tag", tag) => _ = cluster.node_tags.insert(tag.to_owned()),
            ("--network", network) => network.clone_into(&mut cluster.network),
            ("--subnetwork", subnetwork) => subnetwork.clone_into(&mut cluster.subnetwork),
            _ => panic!("what is {flag}?"),
        }
    }
    cluster
}

/// Every member of every group is well.
fn everything_healthy(translation: &Translation) -> Health {
    let members = |id: &ResourceId| -> usize {
        let Some(entry) = translation.desired.entry(id) else { return 0 };
        match &entry.node {
            gclb::model::Node::InstanceGroup(InstanceGroup { members, .. }) => members.len(),
            gclb::model::Node::NetworkEndpointGroup(NetworkEndpointGroup { members, .. }) => {
                members.count().unwrap()
            }
            _ => 0,
        }
    };
    let health: BTreeMap<ResourceId, ServiceHealth> = translation
        .desired
        .of::<BackendService>()
        .map(|(id, _, service)| {
            let total = service
                .backends
                .iter()
                .map(|backend| match &backend.group {
                    Group::Instances(group) => members(group.id()),
                    Group::Endpoints(group) => members(group.id()),
                    Group::Other(_) => 0,
                })
                .sum();
            (id.clone(), ServiceHealth { healthy: total, total })
        })
        .collect();
    health
}
