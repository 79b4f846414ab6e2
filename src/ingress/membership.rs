//! Which load balancer serves which Ingress: its own, or that of the group that it names.
//!
//! * A group is the Ingresses of one namespace that name it; where the class says so (`gclb.dev/group-scope: class`), those of the
//!   whole class.
//! * An Ingress remembers the groups that may hold something of it in the annotation `gclb.dev/member-of`, which is written together
//!   with the finalizer, before anything is made. So leaving a group is something that is *seen*: the record names a group that the Ingress
//!   does not. What is not seen leaving keeps a group alive: a group goes only when each Ingress whose record names it is being
//!   deleted, or is served elsewhere by now, and there is at least one such Ingress.
//! * An Ingress that leaves keeps its place in the group, behind everybody else, until its new load balancer serves it.
//! * An Ingress that joins keeps the load balancer that it had, as it was and followed as before, until its address is released by
//!   the annotation `gclb.dev/release-address`, and the group serves the Ingress.
//! * A group name that cannot be read moves nothing: an Ingress stays where it is served.
//! * A load balancer whose objects were let go before our eyes goes, also where something of it shows up only later.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use k8s_openapi::api::networking::v1::{Ingress, IngressClass};

use crate::model::{Held, LoadBalancerKey, ObjectKey, Origin};
use crate::problem::{Problem, Reason};
use crate::snapshot::Snapshot;

use super::annotations::{self, GROUP, GROUP_SCOPE, MEMBER_OF, RELEASE_ADDRESS, annotation, field_of};
use super::class::{self, FINALIZER, Standing};
use super::group::{Group, Member};
use super::{Membership, Parts, Reading, Readings, Wish, parts};

/// The groups that may hold something of an Ingress, as it remembers them. Only those count that it could have been in.
#[must_use]
pub fn record(object: &ObjectKey, ingress: &Ingress) -> BTreeSet<LoadBalancerKey> {
    let text = annotation(&ingress.metadata, MEMBER_OF).unwrap_or_default();
    text.split(',')
        .filter_map(|key| key.trim().parse::<LoadBalancerKey>().ok())
        .filter(|key| match key.origin {
            Origin::Ingress => false,
            Origin::Group => key.object.namespace == object.namespace,
            Origin::ClassGroup => true,
        })
        .collect()
}

/// The record of these, as it is written. `None`: there is nothing to remember, and no annotation.
#[must_use]
pub fn remembering(remembered: &BTreeSet<LoadBalancerKey>) -> Option<String> {
    let keys: Vec<String> = remembered.iter().map(LoadBalancerKey::to_string).collect();
    (!keys.is_empty()).then(|| keys.join(","))
}

/// The readings while Ingresses are read one by one.
pub(super) struct Draft<'a> {
    snapshot: &'a Snapshot,
    readings: Readings,
    groups: BTreeMap<LoadBalancerKey, Group>,
}

/// Where an Ingress of ours is to be served.
enum Home {
    Own,
    /// Its own, which it has not got and does not get.
    Nowhere,
    Group(LoadBalancerKey),
}

/// What becomes of a load balancer of its own, where its description does not refuse it already.
#[derive(Clone, Copy)]
enum Otherwise {
    Serve,
    Keep,
}

impl<'a> Draft<'a> {
    pub(super) fn new(snapshot: &'a Snapshot) -> Self {
        Self { snapshot, readings: Readings::default(), groups: BTreeMap::new() }
    }

    pub(super) fn read(&mut self, object: &ObjectKey, ingress: &Ingress) {
        let Snapshot { cluster, classes, .. } = self.snapshot;
        match class::standing(ingress, classes, cluster.claim_classless) {
            Standing::NotOurs => {}
            Standing::TearDown => self.tear_down(object, ingress),
            Standing::Ours(class) => {
                let mut problems = Vec::new();
                let home = match home(object, ingress, class, &mut problems) {
                    // What was given up is not taken up again by a new object that happens to have the name.
                    home @ (Home::Own | Home::Group(_)) if !class::is_claimed(ingress) => {
                        let key = match &home {
                            Home::Group(key) => key.clone(),
                            Home::Own | Home::Nowhere => LoadBalancerKey::ingress(object.clone()),
                        };
                        if self.snapshot.held.released.contains(&key) {
                            problems.push(class::released(&key));
                            Home::Nowhere
                        } else {
                            home
                        }
                    }
                    home => home,
                };
                let mut parts = parts(self.snapshot, Arc::new(object.clone()), ingress, class);
                match home {
                    Home::Own => self.alone(object, ingress, &parts, problems, Otherwise::Serve),
                    Home::Nowhere => self.alone(object, ingress, &parts, problems, Otherwise::Keep),
                    Home::Group(key) => {
                        problems.append(&mut parts.problems);
                        parts.problems = problems;
                        self.join(object, ingress, key, parts);
                    }
                }
            }
            Standing::ClassGone(problem) => {
                // Its settings came from a class that nobody knows; its rules are its own.
                let mut parts = parts(self.snapshot, Arc::new(object.clone()), ingress, None);
                let record = record(object, ingress);
                let named = annotation(&ingress.metadata, GROUP).unwrap_or_default();
                let key = record.iter().find(|key| key.object.name == named).or(record.first());
                match key {
                    None => self.alone(object, ingress, &parts, vec![problem], Otherwise::Keep),
                    Some(key) => {
                        let message = problem.message.replace(
                            "The load balancer stays as it is and follows no changes.",
                            "Its rules stay in its group as they are here, without the class's settings.",
                        );
                        parts.problems = vec![Problem { message, ..problem }];
                        self.join(object, ingress, key.clone(), parts);
                    }
                }
            }
        }
    }

    fn tear_down(&mut self, object: &ObjectKey, ingress: &Ingress) {
        let mut elsewhere = record(object, ingress);
        let own = LoadBalancerKey::ingress(object.clone());
        for key in &elsewhere {
            self.groups.entry(key.clone()).or_default().gone += 1;
        }
        if elsewhere.is_empty() || self.snapshot.held.load_balancers.contains_key(&own) {
            let reading = Reading { wish: Wish::TearDown, moving: BTreeSet::new() };
            self.readings.load_balancers.insert(own.clone(), reading);
            elsewhere.insert(own);
        }
        let membership = Membership { home: None, elsewhere, problems: Vec::new() };
        self.readings.objects.insert(object.clone(), membership);
    }

    fn alone(
        &mut self,
        object: &ObjectKey,
        ingress: &Ingress,
        parts: &Parts,
        mut problems: Vec<Problem>,
        otherwise: Otherwise,
    ) {
        let elsewhere = record(object, ingress);
        for key in &elsewhere {
            self.groups.entry(key.clone()).or_default().leaving.push(parts.clone());
        }
        let key = parts.own_key();
        let described = parts.clone().alone();
        let wish = match otherwise {
            Otherwise::Serve => {
                let (wish, more) = described.wish();
                problems.extend(more);
                wish
            }
            // Only what it uses is of interest.
            Otherwise::Keep => Wish::Keep(described.load_balancer),
        };
        let wish = match wish {
            // Of what was never begun there is nothing that could stay.
            Wish::Keep(mut description) if !class::is_claimed(ingress) => {
                description.default = None;
                description.hosts.clear();
                Wish::Keep(description)
            }
            wish => wish,
        };
        self.readings.load_balancers.insert(key.clone(), Reading { wish, moving: BTreeSet::new() });
        self.readings.objects.insert(object.clone(), Membership { home: Some(key), elsewhere, problems });
    }

    fn join(&mut self, object: &ObjectKey, ingress: &Ingress, key: LoadBalancerKey, mut parts: Parts) {
        let mut elsewhere = record(object, ingress);
        elsewhere.remove(&key);
        for left in &elsewhere {
            self.groups.entry(left.clone()).or_default().leaving.push(parts.clone());
        }
        let (order, problem) = annotations::group_order(ingress);
        parts.problems.extend(problem);
        elsewhere.extend(self.keep_own(ingress, &key, &mut parts));
        let created = ingress.metadata.creation_timestamp.as_ref().map(|time| time.0);
        self.groups.entry(key.clone()).or_default().members.push(Member { order, created, parts });
        let membership = Membership { home: Some(key), elsewhere, problems: Vec::new() };
        self.readings.objects.insert(object.clone(), membership);
    }

    /// The load balancer that an Ingress had before it joined a group.
    fn keep_own(
        &mut self,
        ingress: &Ingress,
        group: &LoadBalancerKey,
        parts: &mut Parts,
    ) -> Option<LoadBalancerKey> {
        let own = parts.own_key();
        let held = self.snapshot.held.load_balancers.get(&own)?;
        let address = held.address.map_or_else(|| "not known yet".to_owned(), |address| address.to_string());
        let asked = annotation(&ingress.metadata, RELEASE_ADDRESS);
        let released =
            asked.is_some_and(|asked| asked.parse().ok() == held.address && held.address.is_some());
        let kept = format!(
            "This Ingress is served by {group}, and the load balancer that it had before still serves it too, at the address {address}."
        );
        let problem = if released {
            Some(Problem::note(
                Reason::AddressKept,
                field_of(RELEASE_ADDRESS),
                format!("{kept} It is removed as soon as {group} serves every rule of this Ingress."),
            ))
        } else if let (Some(asked), true) = (asked, held.may_be_reached) {
            Some(Problem::warning(
                Reason::AddressKept,
                field_of(RELEASE_ADDRESS),
                format!(
                    "{kept} {asked:?} is not that address, so it stays. Write {RELEASE_ADDRESS}: \"{address}\" to have it removed."
                ),
            ))
        } else if held.may_be_reached {
            Some(Problem::note(
                Reason::AddressKept,
                field_of(GROUP),
                format!(
                    "{kept} Move whatever points at the old address (DNS records) to the group's; then write the annotation \
                     {RELEASE_ADDRESS}: \"{address}\" to have the old load balancer removed."
                ),
            ))
        } else {
            None
        };
        parts.problems.extend(problem);
        let (wish, _) = parts.clone().alone().wish();
        let moving = if released || !held.may_be_reached {
            [Arc::clone(&parts.object)].into()
        } else {
            BTreeSet::new()
        };
        self.readings.load_balancers.insert(own.clone(), Reading { wish, moving });
        Some(own)
    }

    pub(super) fn finish(self) -> Readings {
        let Self { snapshot, mut readings, groups } = self;
        for (key, group) in groups {
            let (reading, problems) = group.merge(key.clone());
            readings.load_balancers.insert(key, reading);
            for (object, problems) in problems {
                if let Some(membership) = readings.objects.get_mut(&*object) {
                    membership.problems.extend(problems);
                }
            }
        }
        // A call that was under way, or an answer that was wrong, may bring something back after everything seemed gone.
        let Held { certificates: _, backends: _, load_balancers: held, released, departed, foreign: _ } =
            &snapshot.held;
        for key in departed {
            if held.contains_key(key) && !released.contains(key) {
                let nobody = || Reading { wish: Wish::TearDown, moving: BTreeSet::new() };
                readings.load_balancers.entry(key.clone()).or_insert_with(nobody);
            }
        }
        readings
    }
}

impl Parts {
    fn own_key(&self) -> LoadBalancerKey {
        LoadBalancerKey::ingress((*self.object).clone())
    }
}

fn home(
    object: &ObjectKey,
    ingress: &Ingress,
    class: Option<&IngressClass>,
    problems: &mut Vec<Problem>,
) -> Home {
    let Some(name) = annotation(&ingress.metadata, GROUP) else { return Home::Own };
    let record = record(object, ingress);
    if !super::rules::is_label(name) {
        let rule = "A group's name is a DNS label: 1 to 63 lower-case letters, digits and dashes, no dash at either end. Correct it, or \
                    remove the annotation for a load balancer of its own.";
        let finalizers = ingress.metadata.finalizers.iter().flatten();
        let has_one = finalizers.into_iter().any(|finalizer| finalizer == FINALIZER);
        let what = format!("{name:?} cannot be the name of a group");
        return match (record.first(), has_one) {
            (Some(key), _) => {
                problems.push(Problem::degraded(
                    Reason::AnnotationInvalid,
                    field_of(GROUP),
                    format!("{what}, so this Ingress stays in {key}. {rule}"),
                ));
                Home::Group(key.clone())
            }
            (None, true) => {
                problems.push(Problem::degraded(
                    Reason::AnnotationInvalid,
                    field_of(GROUP),
                    format!("{what}, so this Ingress keeps the load balancer of its own. {rule}"),
                ));
                Home::Own
            }
            (None, false) => {
                problems.push(Problem::rejected(
                    Reason::AnnotationInvalid,
                    field_of(GROUP),
                    format!("{what}, so nothing is made for this Ingress. {rule}"),
                ));
                Home::Nowhere
            }
        };
    }
    let of_namespace = LoadBalancerKey::group(object.namespace.as_str(), name);
    let Some(class) = class else { return Home::Group(of_namespace) };
    let class_name = annotations::name_of(class);
    Home::Group(match annotation(&class.metadata, GROUP_SCOPE) {
        None | Some("namespace") => of_namespace,
        Some("class") => LoadBalancerKey::class_group(class_name, name),
        Some(other) => {
            let key = record.into_iter().find(|key| key.object.name == name).unwrap_or(of_namespace);
            problems.push(Problem::degraded(
                Reason::AnnotationInvalid,
                format!("IngressClass {class_name}: {}", field_of(GROUP_SCOPE)),
                format!(
                    "{other:?} is not a value of the annotation {GROUP_SCOPE} of IngressClass {class_name}, so nobody is moved: this \
                     Ingress is a member of {key}. Legal values are namespace and class."
                ),
            ));
            key
        }
    })
}
