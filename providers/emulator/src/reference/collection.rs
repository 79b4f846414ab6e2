//! The page of one collection.

use super::discovery::{Discovery, Method};
use super::effect::{Effect, Workbench};
use super::place::{Place, Step, object_in};
use crate::declaration::{
    Field, Fields, Limit, Presence, Resource, Since, Standard, Type, UnknownFields, Written,
};
use crate::schema::COMMON_OUTPUT;
use std::collections::VecDeque;
use std::fmt::Write as _;

/// An object that gets a table of its own: a type of the discovery document, or the resource itself.
struct Section {
    title: String,
    /// Its type in the discovery document, if it is known there.
    of: Option<&'static str>,
    fields: Fields,
    /// Everywhere it stands.
    places: Vec<Place>,
}

pub(super) fn page(resource: &Resource, discovery: &Discovery, workbench: &Workbench) -> String {
    let mut text = format!(
        "# {}\n\nGenerated from the declaration; do not edit. [What the columns mean](README.md#how-to-read-a-page).\n\n\
         Kind `{}`, in: {}.",
        resource.collection,
        resource.kind,
        join(resource.scopes.iter().map(|scope| format!("{scope:?}").to_lowercase()))
    );
    if resource.unknown_fields == UnknownFields::Keep {
        text.push_str(" In a plain form: fields that are not listed here are kept and shown as they came.");
    }
    if !workbench.reaches(resource.collection) {
        text.push_str(" The data plane does not read it.");
    }
    text.push_str("\n\n");
    methods(resource, discovery, &mut text);
    bodies(resource, discovery, workbench, &mut text);
    requests(resource, &mut text);
    text
}

fn join(words: impl Iterator<Item = String>) -> String {
    words.collect::<Vec<_>>().join(", ")
}

fn codes(words: impl Iterator<Item = impl std::fmt::Display>) -> String {
    join(words.map(|word| format!("`{word}`")))
}

fn methods(resource: &Resource, discovery: &Discovery, text: &mut String) {
    text.push_str("## Methods\n\n| method | call |\n|---|---|\n");
    let (emulated, missing): (Vec<_>, Vec<_>) =
        discovery.methods_of(resource.collection).partition(|method| method.is_emulated());
    for method in &emulated {
        let _ = writeln!(text, "| `{}` | `{} {}` |", method.name, method.http, method.path);
    }
    let known: Vec<&str> = discovery.methods_of(resource.collection).map(Method::verb).collect();
    let more: Vec<&str> =
        resource.custom.iter().map(|verb| verb.name).filter(|verb| !known.contains(verb)).collect();
    if !more.is_empty() {
        let _ = write!(text, "\nNot in v1 of the real API: {}.\n", codes(more.iter()));
    }
    if missing.is_empty() {
        text.push_str("\nEvery method of the real API is there.\n\n");
    } else {
        let _ = write!(text, "\n**Not emulated:** {}.\n\n", codes(missing.iter().map(|method| method.name)));
    }
}

fn bodies(resource: &Resource, discovery: &Discovery, workbench: &Workbench, text: &mut String) {
    let name = resource.kind.strip_prefix("compute#").unwrap_or_default();
    let mut letters = name.chars();
    let wanted: String = letters.next().into_iter().flat_map(char::to_uppercase).chain(letters).collect();
    let of = discovery.types.keys().copied().find(|known| *known == wanted);
    let mut sections = vec![Section {
        title: "Fields".to_owned(),
        of,
        fields: resource.fields,
        places: vec![Place::default()],
    }];
    let mut todo = VecDeque::from([(0, Place::default())]);
    while let Some((outer, place)) = todo.pop_front() {
        let mut inner = Vec::new();
        collect(sections[outer].fields, sections[outer].of, &place, "", discovery, &mut inner);
        for (title, of, fields, place) in inner {
            let same = |section: &Section| {
                section.of == Some(of) && format!("{:?}", section.fields) == format!("{fields:?}")
            };
            let found = sections.iter().position(same).unwrap_or_else(|| {
                sections.push(Section { title, of: Some(of), fields, places: Vec::new() });
                sections.len() - 1
            });
            if sections[found].places.len() < MOST_PLACES {
                sections[found].places.push(place.clone());
                todo.push_back((found, place));
            }
        }
    }
    for (index, section) in sections.iter().enumerate() {
        let level = if index == 0 { "##" } else { "###" };
        let title = if index == 0 { section.title.clone() } else { titled(section, &sections[..index]) };
        let _ = write!(text, "{level} {title}\n\n");
        table(section, index == 0, resource, discovery, workbench, text);
    }
}

/// In how many places of one body a type is tried.
const MOST_PLACES: usize = 12;

/// The type's name; where the resource has two forms of it, with the place of the second.
fn titled(section: &Section, before: &[Section]) -> String {
    let twice = before.iter().any(|other| other.of == section.of);
    let name = section.of.unwrap_or(section.title.as_str());
    if twice { format!("{name} in {}", section.title) } else { name.to_owned() }
}

/// Objects inside that have a name in the discovery document: where they are, in words, and all that a section needs.
fn collect(
    fields: Fields,
    of: Option<&'static str>,
    place: &Place,
    prefix: &str,
    discovery: &Discovery,
    found: &mut Vec<(String, &'static str, Fields, Place)>,
) {
    for field in fields {
        let Some((wrapping, inner)) = object_in(&field.shape) else { continue };
        let at = format!("{prefix}{}", field.name);
        let inside = place.inside(Step { field: field.name, wrapping, fields: inner });
        match type_of(of, field, discovery) {
            Some(name) if !name.contains('.') => found.push((at, name, inner, inside)),
            other => collect(inner, other, &inside, &format!("{at}."), discovery, found),
        }
    }
}

/// The discovery document's type of a field that holds an object.
fn type_of(of: Option<&'static str>, field: &Field, discovery: &Discovery) -> Option<&'static str> {
    let shape = discovery.types.get(of?)?.get(field.name)?;
    discovery.types.contains_key(shape.name).then_some(shape.name)
}

fn table(
    section: &Section,
    root: bool,
    resource: &Resource,
    discovery: &Discovery,
    workbench: &Workbench,
    text: &mut String,
) {
    let reaches = workbench.reaches(resource.collection);
    text.push_str(if reaches {
        "| field | type | written | rules | data plane |\n|---|---|---|---|---|\n"
    } else {
        "| field | type | written | rules |\n|---|---|---|---|\n"
    });
    let mut lists = Lists::default();
    if root {
        let name = if reaches {
            "| `name` | text | insert | a name; required | |\n"
        } else {
            "| `name` | text | insert | a name; required |\n"
        };
        text.push_str(if resource.verbs.contains(&Standard::Insert) { name } else { "" });
    }
    let row = Row { resource, discovery, workbench, reaches };
    row.rows(section.fields, section.of, &section.places, "", &mut lists, text);
    text.push('\n');
    if let Some(known) = section.of.and_then(|of| discovery.types.get(of)) {
        let common = |name: &str| root && (name == "name" || COMMON_OUTPUT.contains(&name));
        let declared = |name: &str| section.fields.iter().any(|field| field.name == name);
        lists.missing.extend(
            known.keys().filter(|name| !declared(name) && !common(name)).map(|name| (*name).to_owned()),
        );
        let unknown =
            section.fields.iter().filter(|field| field.since == Since::V1 && !known.contains_key(field.name));
        lists.unknown.extend(unknown.map(|field| field.name.to_owned()));
    }
    if !lists.missing.is_empty() {
        let fate = match (resource.unknown_fields, resource.verbs.contains(&Standard::Insert)) {
            (UnknownFields::Keep, _) => "kept as they come",
            (UnknownFields::Refuse, true) => "refused",
            (UnknownFields::Refuse, false) => "never shown",
        };
        let _ = write!(text, "**Not declared** ({fate}): {}.\n\n", codes(lists.missing.iter()));
    }
    if !lists.unknown.is_empty() {
        let _ = write!(text, "Not in v1 of the real API: {}.\n\n", codes(lists.unknown.iter()));
    }
}

/// What does not match between a declaration and the discovery document.
#[derive(Default)]
struct Lists {
    missing: Vec<String>,
    unknown: Vec<String>,
}

struct Row<'a> {
    resource: &'a Resource,
    discovery: &'a Discovery,
    workbench: &'a Workbench,
    reaches: bool,
}

impl Row<'_> {
    /// The rows of an object, with those of the nameless objects inside it.
    fn rows(
        &self,
        fields: Fields,
        of: Option<&'static str>,
        places: &[Place],
        prefix: &str,
        lists: &mut Lists,
        text: &mut String,
    ) {
        for field in fields {
            let inner = object_in(&field.shape);
            let named = inner.and_then(|_| type_of(of, field, self.discovery));
            let _ = write!(
                text,
                "| `{prefix}{}` | {} | {} | {} |",
                field.name,
                type_words(&field.shape, named.filter(|name| !name.contains('.'))),
                written(field),
                rules(field)
            );
            if self.reaches {
                let _ = write!(text, " {} |", self.effect(fields, places, field));
            }
            text.push('\n');
            let Some((wrapping, inner)) = inner else { continue };
            if named.is_some_and(|name| !name.contains('.')) {
                continue;
            }
            let step = Step { field: field.name, wrapping, fields: inner };
            let inside: Vec<Place> = places.iter().map(|place| place.inside(step)).collect();
            let prefix = format!("{prefix}{}.", field.name);
            self.rows(inner, named, &inside, &prefix, lists, text);
            if let Some(known) = named.and_then(|name| self.discovery.types.get(name)) {
                let missing = known.keys().filter(|name| !inner.iter().any(|field| field.name == **name));
                lists.missing.extend(missing.map(|name| format!("{prefix}{name}")));
            }
        }
    }

    fn effect(&self, fields: Fields, places: &[Place], field: &Field) -> &'static str {
        if matches!(field.written, Written::ByServer) {
            return "";
        }
        let mut seen = Effect::Kept;
        for place in places {
            seen = seen.max(self.workbench.effect(self.resource.collection, place, fields, field));
            if seen == Effect::Served {
                break;
            }
        }
        seen.word()
    }
}

fn type_words(shape: &Type, named: Option<&str>) -> String {
    match shape {
        Type::Text => "text".to_owned(),
        Type::Integer => "integer".to_owned(),
        Type::Long => "64-bit integer, as text".to_owned(),
        Type::Number => "number".to_owned(),
        Type::Flag => "flag".to_owned(),
        Type::Choice(words) => codes(words.iter()),
        Type::Link(targets) => format!("link to {}", targets.join(", ")),
        Type::Object(_) => match named {
            Some(name) => format!("[{name}](#{})", name.to_lowercase()),
            None => "object".to_owned(),
        },
        Type::List(of) => format!("list of {}", type_words(of, named)),
        Type::Map(of) => format!("map to {}", type_words(of, named)),
        Type::Opaque => "anything, as it came".to_owned(),
    }
}

fn written(field: &Field) -> &'static str {
    match field.written {
        Written::ByRequest => "request",
        Written::ByServer => "server",
        Written::ByVerb => "verb of its own",
        Written::Secret => "request; never shown",
        Written::InQuery => "query parameter",
    }
}

fn rules(field: &Field) -> String {
    let mut rules = Vec::new();
    match field.presence {
        Presence::Optional => {}
        Presence::Required => rules.push("required".to_owned()),
        Presence::Default(value) => {
            rules.push(format!("default `{}`", value.value().to_string().trim_matches('"')));
        }
    }
    match field.limit {
        Limit::None => {}
        Limit::Range(from, to) => rules.push(format!("{from} to {to}")),
        Limit::Fraction(from, to) => rules.push(format!("{from} to {to}")),
        Limit::Length(from, to) => rules.push(format!("{from} to {to} characters")),
        Limit::Count(most) => rules.push(format!("at most {most}")),
        Limit::Name => rules.push("a name".to_owned()),
    }
    if field.written == Written::InQuery {
        rules.push("in the query".to_owned());
    }
    if field.since == Since::Beta {
        rules.push("beta".to_owned());
    }
    rules.join("; ")
}

/// What the verbs of the collection's own take.
fn requests(resource: &Resource, text: &mut String) {
    let verbs: Vec<_> = resource.custom.iter().filter(|verb| !verb.request.is_empty()).collect();
    if verbs.is_empty() {
        return;
    }
    text.push_str("## Requests of the verbs\n\n| verb | field | type | rules |\n|---|---|---|---|\n");
    for verb in verbs {
        for field in verb.request {
            let _ = writeln!(
                text,
                "| `{}` | `{}` | {} | {} |",
                verb.name,
                field.name,
                type_words(&field.shape, None),
                rules(field)
            );
            for inner in object_in(&field.shape).into_iter().flat_map(|(_, fields)| fields) {
                let _ = writeln!(
                    text,
                    "| | `{}.{}` | {} | {} |",
                    field.name,
                    inner.name,
                    type_words(&inner.shape, None),
                    rules(inner)
                );
            }
        }
    }
    text.push('\n');
}
