//! From the document and the catalogue to Rust source.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::fmt::Write as _;
use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};

use serde_json::{Map, Value};

use crate::catalogue::{ACRONYMS, FILES, File, ONLY, Resource, SECRETS, TYPE_NAMES};

/// Longer value lists are left to the published reference.
const LISTED_VALUES: usize = 16;

/// An object type on its way to becoming a struct: a schema of the document or an anonymous object inside one.
struct Object<'a> {
    schema: String,
    properties: &'a Map<String, Value>,
}

/// All generated files: name below `src/`, and text as rustfmt leaves it.
pub(crate) fn files(document: &Value, crate_folder: &Path) -> Result<Vec<(String, String)>, String> {
    let revision = document.get("revision").and_then(Value::as_str).ok_or("the document has no revision")?;
    let schemas = document.get("schemas").and_then(Value::as_object).ok_or("the document has no schemas")?;
    let mut claimed: BTreeSet<String> = FILES
        .iter()
        .flat_map(|file| {
            file.schemas.iter().copied().chain(file.resource.as_ref().map(|resource| resource.schema))
        })
        .map(str::to_owned)
        .collect();
    let mut written = Vec::new();
    for file in FILES {
        let text = file_text(file, schemas, &mut claimed, revision)?;
        written.push((format!("{}.rs", file.module), formatted(&text, crate_folder)?));
    }
    Ok(written)
}

fn banner(revision: &str) -> String {
    format!(
        "Generated from revision {revision} of the Compute Engine v1 discovery document by this crate's example\n\
         `generate`. Do not edit: change the catalogue there and run it again."
    )
}

fn file_text(
    file: &File,
    schemas: &Map<String, Value>,
    claimed: &mut BTreeSet<String>,
    revision: &str,
) -> Result<String, String> {
    let mut queue: VecDeque<Object<'_>> = VecDeque::new();
    for schema in file.resource.iter().map(|resource| resource.schema).chain(file.schemas.iter().copied()) {
        queue.push_back(object(schemas, schema)?);
    }
    let mut body = String::new();
    let mut defined = BTreeSet::new();
    let mut used = BTreeSet::new();
    while let Some(current) = queue.pop_front() {
        structure(&current, schemas, claimed, &mut queue, &mut used, &mut body)?;
        defined.insert(type_name(&current.schema));
        if let Some(resource) = &file.resource
            && resource.schema == current.schema
        {
            implementation(resource, &current, &mut body);
            used.extend(["Resource".to_owned(), "Uint64".to_owned()]);
        }
    }
    let mut text = match &file.resource {
        Some(Resource { collection, noun, .. }) => format!(
            "//! The {noun} resource and the bodies of its own verbs.\n//!\n//! Reference: \
             <https://cloud.google.com/compute/docs/reference/rest/v1/{collection}>.\n"
        ),
        None => format!("//! The {} parts of other resources.\n", file.module.replace('_', " ")),
    };
    let _ = write!(text, "//!\n//! {}\n\n", banner(revision).replace('\n', "\n//! "));
    text.push_str(
        "#![allow(missing_docs, reason = \"the published reference describes every field; its prose is not ours\")]\n\n",
    );
    for (needle, import) in [
        ("BTreeMap<", "std::collections::BTreeMap"),
        ("", "serde::{Deserialize, Serialize}"),
        ("Value>", "serde_json::{Map, Value}"),
    ] {
        if body.contains(needle) {
            let _ = writeln!(text, "use {import};");
        }
    }
    let imports: Vec<String> = used.difference(&defined).cloned().collect();
    if !imports.is_empty() {
        let _ = write!(text, "\nuse crate::{{{}}};\n", imports.join(", "));
    }
    text.push_str(&body);
    Ok(text)
}

fn object<'a>(schemas: &'a Map<String, Value>, schema: &str) -> Result<Object<'a>, String> {
    let properties = schemas
        .get(schema)
        .and_then(|found| found.get("properties"))
        .and_then(Value::as_object)
        .ok_or_else(|| format!("the document has no object schema {schema}"))?;
    Ok(Object { schema: schema.to_owned(), properties })
}

fn structure<'a>(
    current: &Object<'a>,
    schemas: &'a Map<String, Value>,
    claimed: &mut BTreeSet<String>,
    queue: &mut VecDeque<Object<'a>>,
    used: &mut BTreeSet<String>,
    body: &mut String,
) -> Result<(), String> {
    let _ = write!(
        body,
        "\n/// `{}` of the Compute API.\n#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]\n\
         #[serde(rename_all = \"camelCase\")]\npub struct {} {{\n",
        current.schema,
        type_name(&current.schema)
    );
    for (key, property) in fields(current)? {
        let mut found = Vec::new();
        let rust = rust_type(current, key, property, &mut found)?;
        for inner in found {
            match inner {
                Found::OurOwn(name) => {
                    used.insert(name.to_owned());
                }
                Found::Schema(name) => {
                    used.insert(type_name(&name));
                    if claimed.insert(name.clone()) {
                        queue.push_back(object(schemas, &name)?);
                    }
                }
                Found::Anonymous(name, properties) => {
                    if claimed.insert(name.clone()) {
                        queue.push_back(Object { schema: name, properties });
                    }
                }
            }
        }
        field(key, &rust, property, body);
    }
    body.push_str(
        "/// What the API sent and this version does not know.\n\
         #[serde(flatten)]\npub extra: Map<String, Value>,\n}\n",
    );
    Ok(())
}

fn fields<'a>(current: &Object<'a>) -> Result<Vec<(&'a String, &'a Value)>, String> {
    let only = ONLY.iter().find(|(schema, _)| *schema == current.schema).map(|(_, fields)| *fields);
    if let Some(missing) =
        only.and_then(|only| only.iter().find(|key| !current.properties.contains_key(**key)))
    {
        return Err(format!("{} has no field {missing}: correct the catalogue", current.schema));
    }
    // Sorted, so that the order of the document does not matter.
    let sorted: BTreeMap<&String, &Value> = current.properties.iter().collect();
    Ok(sorted.into_iter().filter(|(key, _)| only.is_none_or(|only| only.contains(&key.as_str()))).collect())
}

fn field(key: &str, rust: &str, property: &Value, body: &mut String) {
    let mut notes = Vec::new();
    if set_by_server(property) {
        notes.push("Set by the server.".to_owned());
    }
    let values = property.get("enum").or_else(|| property.get("items").and_then(|items| items.get("enum")));
    if let Some(values) = values.and_then(Value::as_array)
        && values.len() <= LISTED_VALUES
    {
        let list: Vec<String> = values.iter().filter_map(Value::as_str).map(|v| format!("`{v}`")).collect();
        notes.push(format!("One of {}.", list.join(", ")));
    }
    for line in wrapped(&notes.join(" "), 104) {
        let _ = writeln!(body, "/// {line}");
    }
    let snake = snake_case(key);
    let mut attributes = Vec::new();
    if camel_case(&snake) != key {
        attributes.push(format!("rename = \"{key}\""));
    }
    let mut skip = "skip_serializing_if = \"Option::is_none\"".to_owned();
    if rust == "f64" {
        skip.push_str(", serialize_with = \"crate::number::shortest\"");
    }
    attributes.push(skip);
    let keyword =
        ["type", "match", "ref", "in", "enum", "default"].contains(&snake.as_str()) && snake != "default";
    let name = if keyword { format!("r#{snake}") } else { snake };
    let _ = write!(body, "#[serde({})]\npub {name}: Option<{rust}>,\n", attributes.join(", "));
}

/// The document marks such fields in one of two ways, and not consistently.
fn set_by_server(property: &Value) -> bool {
    let described =
        property.get("description").and_then(Value::as_str).unwrap_or_default().to_ascii_lowercase();
    property.get("readOnly").and_then(Value::as_bool).unwrap_or_default()
        || described.contains("[output only]")
}

fn implementation(resource: &Resource, current: &Object<'_>, body: &mut String) {
    let Resource { schema, collection, noun } = resource;
    let kind = current
        .properties
        .get("kind")
        .and_then(|kind| kind.get("default"))
        .and_then(Value::as_str)
        .unwrap_or_default();
    let sorted: BTreeMap<&String, &Value> = current.properties.iter().collect();
    let output: Vec<String> =
        sorted.iter().filter(|(_, p)| set_by_server(p)).map(|(key, _)| format!("\"{key}\"")).collect();
    let _ = write!(
        body,
        "\nimpl Resource for {} {{\nconst KIND: &'static str = \"{kind}\";\n\
         const COLLECTION: &'static str = \"{collection}\";\nconst NOUN: &'static str = \"{noun}\";\n\
         const SET_BY_SERVER: &'static [&'static str] = &[{}];\n",
        type_name(schema),
        output.join(", ")
    );
    for (function, key, rust) in [
        ("name", "name", "&str"),
        ("id", "id", "&Uint64"),
        ("self_link", "selfLink", "&str"),
        ("description", "description", "&str"),
        ("fingerprint", "fingerprint", "&str"),
    ] {
        let value = match (current.properties.contains_key(key), rust) {
            (true, "&str") => format!("self.{function}.as_deref()"),
            (true, _) => format!("self.{function}.as_ref()"),
            (false, _) => "None".to_owned(),
        };
        let _ = writeln!(body, "fn {function}(&self) -> Option<{rust}> {{ {value} }}");
    }
    body.push_str("}\n");
}

/// A type that a field's type mentions.
enum Found<'a> {
    /// Written by hand in this crate.
    OurOwn(&'static str),
    /// A schema of the document.
    Schema(String),
    /// An object without a name of its own: the name we give it and its properties.
    Anonymous(String, &'a Map<String, Value>),
}

fn rust_type<'a>(
    current: &Object<'a>,
    key: &str,
    property: &'a Value,
    found: &mut Vec<Found<'a>>,
) -> Result<String, String> {
    if SECRETS.contains(&(current.schema.as_str(), key)) {
        return Ok(ours("Secret", found));
    }
    if let Some(reference) = property.get("$ref").and_then(Value::as_str) {
        found.push(Found::Schema(reference.to_owned()));
        return Ok(type_name(reference));
    }
    let format = property.get("format").and_then(Value::as_str);
    let kind = property.get("type").and_then(Value::as_str);
    Ok(match (kind, format) {
        (Some("string"), Some("int64")) => ours("Int64", found),
        (Some("string"), Some("uint64")) => ours("Uint64", found),
        (Some("string"), _) => "String".to_owned(),
        (Some("boolean"), _) => "bool".to_owned(),
        (Some("integer"), Some("uint32")) => "u32".to_owned(),
        (Some("integer"), _) => "i32".to_owned(),
        (Some("number"), _) => "f64".to_owned(),
        (Some("any"), _) => "Value".to_owned(),
        (Some("array"), _) => {
            let items =
                property.get("items").ok_or_else(|| format!("{}.{key} has no items", current.schema))?;
            format!("Vec<{}>", rust_type(current, key, items, found)?)
        }
        (Some("object"), _) => {
            if let Some(values) = property.get("additionalProperties") {
                let inner = rust_type(current, key, values, found)?;
                // A map of anything is what `serde_json` already calls an object.
                if inner == "Value" {
                    "Map<String, Value>".to_owned()
                } else {
                    format!("BTreeMap<String, {inner}>")
                }
            } else if let Some(properties) = property.get("properties").and_then(Value::as_object) {
                // Every response repeats this one instead of referring to it.
                if properties.keys().map(String::as_str).collect::<BTreeSet<_>>()
                    == BTreeSet::from(["code", "message", "data"])
                {
                    return Ok(ours("Warning", found));
                }
                let name = format!("{}{}", current.schema, capitalised(key));
                let rust = type_name(&name);
                found.push(Found::Anonymous(name, properties));
                rust
            } else {
                "Map<String, Value>".to_owned()
            }
        }
        (other, _) => return Err(format!("{}.{key}: unknown type {other:?}", current.schema)),
    })
}

fn ours(name: &'static str, found: &mut Vec<Found<'_>>) -> String {
    found.push(Found::OurOwn(name));
    name.to_owned()
}

fn type_name(schema: &str) -> String {
    if let Some((_, name)) = TYPE_NAMES.iter().find(|(from, _)| *from == schema) {
        return (*name).to_owned();
    }
    let mut name = schema.to_owned();
    for (from, to) in ACRONYMS {
        name = name.replace(from, to);
    }
    name
}

fn capitalised(word: &str) -> String {
    let mut letters = word.chars();
    letters.next().map(|first| first.to_ascii_uppercase().to_string() + letters.as_str()).unwrap_or_default()
}

/// `IPAddress` → `ip_address`, `enableCDN` → `enable_cdn`, `http2HealthCheck` → `http2_health_check`.
fn snake_case(key: &str) -> String {
    let letters: Vec<char> = key.chars().collect();
    let mut snake = String::new();
    for (at, letter) in letters.iter().enumerate() {
        if letter.is_ascii_uppercase() && at > 0 {
            let after_lower = !letters[at - 1].is_ascii_uppercase();
            let before_lower = letters.get(at + 1).is_some_and(char::is_ascii_lowercase);
            // "IPv4" is one word although a small letter follows its capitals.
            let version =
                letters.get(at + 1) == Some(&'v') && letters.get(at + 2).is_some_and(char::is_ascii_digit);
            if after_lower || (before_lower && !version) {
                snake.push('_');
            }
        }
        snake.push(letter.to_ascii_lowercase());
    }
    snake
}

/// What serde's `rename_all = "camelCase"` makes of a field's name.
fn camel_case(snake: &str) -> String {
    let mut camel = String::new();
    let mut capital = false;
    for letter in snake.chars() {
        match (letter, capital) {
            ('_', _) => capital = true,
            (letter, true) => {
                camel.push(letter.to_ascii_uppercase());
                capital = false;
            }
            (letter, false) => camel.push(letter),
        }
    }
    camel
}

fn wrapped(text: &str, width: usize) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for word in text.split_whitespace() {
        match lines.last_mut() {
            Some(line) if line.len() + 1 + word.len() <= width => {
                line.push(' ');
                line.push_str(word);
            }
            _ => lines.push(word.to_owned()),
        }
    }
    lines
}

fn formatted(text: &str, crate_folder: &Path) -> Result<String, String> {
    let mut rustfmt = Command::new("rustfmt")
        .args(["--edition", "2024", "--emit", "stdout"])
        .current_dir(crate_folder)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .map_err(|error| format!("run rustfmt: {error}"))?;
    let mut input = rustfmt.stdin.take().ok_or("rustfmt has no input")?;
    let owned = text.to_owned();
    // From another thread: rustfmt may begin to answer before it has read everything.
    let writer = std::thread::spawn(move || input.write_all(owned.as_bytes()));
    let output = rustfmt.wait_with_output().map_err(|error| format!("wait for rustfmt: {error}"))?;
    writer
        .join()
        .map_err(|_| "the writer panicked")?
        .map_err(|error| format!("write to rustfmt: {error}"))?;
    if !output.status.success() {
        return Err("rustfmt refused the generated source".to_owned());
    }
    String::from_utf8(output.stdout).map_err(|error| format!("rustfmt gave no text: {error}"))
}
