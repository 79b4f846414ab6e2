use std::net::IpAddr;

use super::*;
use crate::cloud::fixture::{Scripted, address, change, create, id, mark, seen};
use crate::model::{
    Address, AddressBinding, AddressReach, Endpoint, Facts, ForeignFacts, ForeignKind, ForwardingRule, Graph,
    Lookup, Members, NetworkEndpointGroup, Scheme, Scope, Target, Unknown, Zone,
};

fn listing(seen: Vec<Seen>) -> Listing {
    Listing { seen, unknown: BTreeSet::new() }
}

/// The mirror after a list of addresses that began now.
fn take_in(mirror: &Mirror, seen: Vec<Seen>) {
    mirror.take_in(Kind::Address, Began::now(), listing(seen));
}

fn names(mirror: &Mirror) -> Vec<String> {
    mirror.observed().graph.entries().map(|(id, _)| id.name.to_string()).collect()
}

async fn has_changed(mirror: &Mirror) -> bool {
    tokio::time::timeout(Duration::ZERO, mirror.changed()).await.is_ok()
}

#[tokio::test(start_paused = true)]
async fn a_list_that_began_before_a_write_does_not_undo_it() {
    let mirror = Mirror::default();
    take_in(&mirror, vec![address("old")]);
    let began = Began::now();
    tokio::time::advance(Duration::from_secs(1)).await;
    mirror.wrote(&create("new"), Executed::Present(address("new")));
    mirror.wrote(&change(id(Kind::Address, "old"), Action::Delete), Executed::Gone);
    mirror.take_in(Kind::Address, began, listing(vec![address("old")]));
    assert_eq!(names(&mirror), ["new"]);
}

#[tokio::test(start_paused = true)]
async fn a_list_that_lags_does_not_undo_a_write_and_a_later_one_is_believed() {
    let mirror = Mirror::default();
    mirror.wrote(&create("new"), Executed::Present(address("new")));
    tokio::time::advance(LIST_LAG / 2).await;
    take_in(&mirror, Vec::new());
    assert_eq!(names(&mirror), ["new"]);
    tokio::time::advance(LIST_LAG).await;
    take_in(&mirror, Vec::new());
    assert_eq!(names(&mirror), Vec::<String>::new());
}

#[tokio::test(start_paused = true)]
async fn what_could_not_be_seen_is_unknown_and_not_absent() {
    let mirror = Mirror::default();
    let zone = Scope::Zone(Zone("us-central1-a".to_owned()));
    let group = |scope: &Scope| {
        let id = ResourceId { scope: scope.clone(), ..id(Kind::NetworkEndpointGroup, "group") };
        let node = NetworkEndpointGroup {
            network: "default".to_owned(),
            subnetwork: "default".to_owned(),
            members: Members::nobody(),
        };
        seen(&id, Entry { mark: mark(), node: node.into_node() }, Facts::default())
    };
    let here = group(&zone);
    mirror.take_in(Kind::NetworkEndpointGroup, Began::now(), listing(vec![here.clone()]));
    tokio::time::advance(2 * LIST_LAG).await;

    let gap = Unknown { kind: Kind::NetworkEndpointGroup, scope: Some(zone.to_string()) };
    let partial = Listing { seen: Vec::new(), unknown: BTreeSet::from([gap]) };
    mirror.take_in(Kind::NetworkEndpointGroup, Began::now(), partial);
    let observed = mirror.observed();
    assert!(observed.graph.contains(&here.id), "nobody said that it is gone");
    assert!(!observed.can_tell(&ResourceId { name: id(Kind::Address, "x").name, ..here.id.clone() }));

    mirror.take_in(Kind::NetworkEndpointGroup, Began::now(), listing(Vec::new()));
    let observed = mirror.observed();
    assert!(!observed.graph.contains(&here.id));
    assert!(observed.unknown.is_empty());
}

#[tokio::test(start_paused = true)]
async fn only_what_others_did_is_news() {
    let mirror = Mirror::default();
    take_in(&mirror, vec![address("a")]);
    assert!(has_changed(&mirror).await);
    mirror.wrote(&create("b"), Executed::Present(address("b")));
    assert!(!has_changed(&mirror).await);
    tokio::time::advance(2 * LIST_LAG).await;
    take_in(&mirror, vec![address("a"), address("b")]);
    assert!(!has_changed(&mirror).await);
    take_in(&mirror, vec![address("a")]);
    assert!(has_changed(&mirror).await);
}

#[tokio::test]
async fn names_that_others_took_are_remembered_while_they_have_them() {
    let mirror = Mirror::default();
    let foreign = Seen { id: id(Kind::Address, "a"), whose: Whose::Foreign };
    take_in(&mirror, vec![foreign.clone()]);
    assert!(mirror.observed().taken.contains(&foreign.id));
    assert!(mirror.observed().graph.is_empty());
    take_in(&mirror, Vec::new());
    assert!(mirror.observed().taken.is_empty());
}

fn numbered(name: &str, number: &str) -> Seen {
    let facts = Facts { address: number.parse().ok(), ..Facts::default() };
    seen(&id(Kind::Address, name), Entry { mark: mark(), node: Address {}.into_node() }, facts)
}

fn rule(number: &str) -> Seen {
    let number: IpAddr = number.parse().unwrap();
    let proxy = Graph::default().foreign(Scope::Global, id(Kind::Address, "proxy").name);
    let node = ForwardingRule {
        address: AddressBinding::Literal(number),
        port: 80,
        target: Target::Http(proxy),
        scheme: Scheme::ExternalManaged,
    };
    let facts = Facts { address: Some(number), ..Facts::default() };
    seen(&id(Kind::ForwardingRule, "rule"), Entry { mark: mark(), node: node.into_node() }, facts)
}

fn binding(mirror: &Mirror) -> AddressBinding {
    let observed = mirror.observed();
    let (_, _, rule) = observed.graph.of::<ForwardingRule>().next().unwrap();
    rule.address.clone()
}

#[tokio::test(start_paused = true)]
async fn a_forwarding_rule_is_bound_to_its_address_whichever_is_seen_first() {
    let number = "203.0.113.7";
    let bound = |mirror: &Mirror| match binding(mirror) {
        AddressBinding::Reserved(address) => address.name().to_string() == "ip",
        AddressBinding::Literal(_) => false,
    };
    let rule_first = Mirror::default();
    rule_first.take_in(Kind::ForwardingRule, Began::now(), listing(vec![rule(number)]));
    assert!(!bound(&rule_first));
    take_in(&rule_first, vec![numbered("ip", number), numbered("other", "203.0.113.8")]);
    assert!(bound(&rule_first));

    let address_first = Mirror::default();
    address_first.wrote(&create("ip"), Executed::Present(numbered("ip", number)));
    let made = rule(number);
    let Whose::Ours(owned) = made.whose.clone() else { unreachable!() };
    address_first.wrote(&change(made.id.clone(), Action::Create(owned.entry.node)), Executed::Present(made));
    assert!(bound(&address_first));

    tokio::time::advance(2 * LIST_LAG).await;
    take_in(&address_first, Vec::new());
    assert!(!bound(&address_first), "an address that is gone binds nothing");
}

#[tokio::test]
async fn a_forwarding_rule_is_bound_to_an_address_of_somebody_else_that_was_looked_up() {
    let (mirror, cloud) = (Mirror::default(), Scripted::default());
    let number: IpAddr = "203.0.113.7".parse().unwrap();
    let name = crate::model::ResourceName::new("web-ip").unwrap();
    let facts = |number| ForeignFacts::Address { number, reach: AddressReach::External, users: Vec::new() };
    cloud.foreign.lock().unwrap().insert(name.clone(), facts(Some(number)));
    let wanted: BTreeSet<ForeignId> = [ForeignId::global(ForeignKind::Address, name)].into();
    mirror.take_in(Kind::ForwardingRule, Began::now(), listing(vec![rule("203.0.113.7")]));
    assert_eq!(binding(&mirror), AddressBinding::Literal(number));

    let asked = mirror.want(&wanted);
    assert_eq!(asked, wanted);
    mirror.look_up(&cloud, &asked).await;
    let bound = |mirror: &Mirror| matches!(binding(mirror), AddressBinding::Reserved(at) if at.name().as_str() == "web-ip");
    assert!(bound(&mirror));
    // Also when nobody names it any more: else the plan would see two addresses where there is one.
    assert!(mirror.want(&BTreeSet::new()).is_empty());
    assert!(bound(&mirror));
    mirror.take_in(Kind::ForwardingRule, Began::now(), listing(vec![rule("203.0.113.7")]));
    assert!(bound(&mirror));
    assert!(mirror.observed().altered.is_empty(), "that is no drift");

    // One that we have just made knows its number by its address.
    let mut made = rule("203.0.113.7");
    if let Whose::Ours(owned) = &mut made.whose {
        owned.facts.address = None;
        let address =
            Graph::default().foreign(Scope::Global, crate::model::ResourceName::new("web-ip").unwrap());
        let Node::ForwardingRule(rule) = &mut owned.entry.node else { unreachable!() };
        rule.address = AddressBinding::Reserved(address);
    }
    let id = made.id.clone();
    mirror.wrote(&change(id.clone(), Action::Delete), Executed::Present(made));
    assert_eq!(mirror.observed().facts[&id].address, Some(number));
    assert!(matches!(mirror.observed().foreign.values().next(), Some(Lookup::Found(_))));
}

#[tokio::test]
async fn members_are_written_through_without_reading_them() {
    let mirror = Mirror::default();
    let group = id(Kind::NetworkEndpointGroup, "group");
    let endpoint = |port| Endpoint { instance: "n".to_owned(), address: [10, 0, 0, 1].into(), port };
    let node = NetworkEndpointGroup {
        network: "default".to_owned(),
        subnetwork: "default".to_owned(),
        members: [endpoint(1)].into_iter().collect(),
    };
    let present = seen(&group, Entry { mark: mark(), node: node.clone().into_node() }, Facts::default());
    mirror.wrote(&change(group.clone(), Action::Create(node.into_node())), Executed::Present(present));
    let attach = change(group.clone(), Action::AttachEndpoints(vec![endpoint(2), endpoint(3)]));
    mirror.wrote(&attach, Executed::Members);
    mirror.wrote(&change(group, Action::DetachEndpoints(vec![endpoint(1)])), Executed::Members);
    let observed = mirror.observed();
    let (_, _, group) = observed.graph.of::<NetworkEndpointGroup>().next().unwrap();
    assert_eq!(group.members, [endpoint(2), endpoint(3)].into_iter().collect());
}

#[tokio::test]
async fn a_doubt_stays_until_the_resource_has_been_read() {
    let mirror = Mirror::default();
    let cloud = Scripted::default();
    let doubtful = address("a");
    mirror.doubt(&doubtful.id);
    *cloud.blind.lock().unwrap() = true;
    assert!(mirror.resolve_doubts(&cloud).await.is_err());
    *cloud.blind.lock().unwrap() = false;
    cloud.resources.lock().unwrap().insert(doubtful.id.clone(), doubtful);
    mirror.resolve_doubts(&cloud).await.unwrap();
    assert_eq!(names(&mirror), ["a"]);
    let asked = cloud.asked().len();
    mirror.resolve_doubts(&cloud).await.unwrap();
    assert_eq!(cloud.asked().len(), asked, "there is no doubt any more");
}

#[tokio::test]
async fn what_could_not_be_listed_is_said_and_the_rest_is_taken_in() {
    let mirror = Mirror::default();
    let cloud = Scripted::default();
    let there = address("a");
    cloud.resources.lock().unwrap().insert(there.id.clone(), there);
    *cloud.blind.lock().unwrap() = true;
    assert!(mirror.fill(&cloud).await.is_err());
    *cloud.blind.lock().unwrap() = false;
    mirror.fill(&cloud).await.unwrap();
    assert_eq!(names(&mirror), ["a"]);
}

#[tokio::test]
async fn an_observation_stays_as_it_was_while_the_mirror_goes_on() {
    let mirror = Mirror::default();
    take_in(&mirror, vec![address("a")]);
    let before = mirror.observed();
    mirror.wrote(&create("b"), Executed::Present(address("b")));
    assert_eq!(before.graph.len(), 1);
    assert_eq!(mirror.observed().graph.len(), 2);
}
