//! The metadata server: what every machine of Google's finds at `metadata.google.internal`, on a listener of its own.
//!
//! It hands out access tokens, and says in which project and zone it is. Google's default credentials find it by
//! `GCE_METADATA_HOST`.

mod token;
mod tree;

use crate::engine::Engine;
use crate::name;
use crate::scope::{ResourcePath, Scope};
use crate::seed;
use crate::start_error::StartError;
use bytes::Bytes;
use http::{HeaderValue, Method, Request, Response, StatusCode, header};
use http_body_util::Full;
use hyper::body::Incoming;
use serde_json::Value;
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
pub(crate) use token::Handed;
use tree::Found;

/// Where a metadata server listens and what it says.
#[derive(Debug, Clone)]
pub struct MetadataServer {
    /// Where it listens. Port 0 takes any free port.
    pub listen: SocketAddr,
    /// The id of the project that it is in. Its tokens permit everything in this project and nothing elsewhere.
    pub project: String,
    /// The zone that it is in.
    pub zone: String,
    /// How long a token is valid, by the emulator's clock.
    pub token_lifetime: Duration,
}

impl Default for MetadataServer {
    fn default() -> Self {
        Self {
            listen: SocketAddr::from(([127, 0, 0, 1], 0)),
            project: "local".to_owned(),
            zone: "us-central1-a".to_owned(),
            token_lifetime: Duration::from_hours(1),
        }
    }
}

/// The header that says that somebody means the metadata server, and that it is one.
const FLAVOR: &str = "metadata-flavor";

/// Makes sure that the project and the zone are there.
pub(crate) fn settle(engine: &Engine, server: &MetadataServer) -> Result<(), StartError> {
    let MetadataServer { project, zone, .. } = server;
    let refuse = |what: String| Err(StartError::MetadataPlace { what });
    if !crate::call::is_project(project) || project.parse::<u64>().is_ok() {
        return refuse(format!("the project '{project}', which is no project's id"));
    }
    let mut state = engine.state();
    seed::ensure(&mut state, project, engine.clock.now());
    let path = ResourcePath {
        project: project.clone(),
        scope: Scope::Project,
        collection: "zones",
        name: zone.clone(),
    };
    if !name::is_valid(zone) || state.get(&path).is_none() {
        return refuse(format!("the zone '{zone}', which there is not"));
    }
    Ok(())
}

/// Answers one request.
pub(crate) async fn answer(engine: Arc<Engine>, request: Request<Incoming>) -> Response<Full<Bytes>> {
    let Some(server) = &engine.config.metadata else { return not_found() };
    let query: BTreeMap<String, String> = request
        .uri()
        .query()
        .into_iter()
        .flat_map(|query| url::form_urlencoded::parse(query.as_bytes()))
        .map(|(name, value)| (name.into_owned(), value.into_owned()))
        .collect();
    let path = request.uri().path();
    if request.method() != Method::GET && request.method() != Method::HEAD {
        return page(StatusCode::METHOD_NOT_ALLOWED, "Only GET is allowed here.");
    }
    if path == "/" {
        return text("computeMetadata/\n".to_owned());
    }
    let Some(path) = path.strip_prefix("/computeMetadata") else { return not_found() };
    // A proxy in between is what somebody uses who wants the tokens of another machine.
    let forwarded = request.headers().contains_key("x-forwarded-for");
    let flavored = request.headers().get(FLAVOR).is_some_and(|value| value == "Google");
    match path {
        "" => return redirect("/computeMetadata/"),
        "/" => return text("v1/\n".to_owned()),
        "/v1" => return redirect("/computeMetadata/v1/"),
        _ => {}
    }
    let Some(path) = path.strip_prefix("/v1/") else { return not_found() };
    if forwarded || !flavored {
        return page(StatusCode::FORBIDDEN, "Missing Metadata-Flavor:Google header.");
    }
    let tree = tree::root(&engine, server);
    let recursive = query.get("recursive").is_some_and(|value| value.eq_ignore_ascii_case("true"));
    match tree::find(&tree, path, &query) {
        Found::Nothing => not_found(),
        // A folder without its slash.
        Found::Folder(_) if !path.is_empty() && !path.ends_with('/') && !recursive => {
            redirect(&format!("/computeMetadata/v1/{path}/"))
        }
        Found::Folder(node) if recursive => match query.get("alt").map(String::as_str) {
            Some("text") => text(flat(&tree::value(node), "")),
            _ => json(&tree::value(node)),
        },
        Found::Folder(node) => text(tree::listing(node)),
        Found::Leaf(value) => match (query.get("alt").map(String::as_str), &value) {
            (Some("json"), value) | (None, value @ Value::Object(_)) => json(value),
            _ => text(plain(&value)),
        },
        Found::Token(scopes) => {
            let handed = token::hand_out(&engine, server, scopes);
            json(&handed)
        }
    }
}

/// A leaf as text: lists line by line.
fn plain(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Array(items) => items.iter().fold(String::new(), |mut lines, item| {
            let _ = writeln!(lines, "{}", plain(item));
            lines
        }),
        other => other.to_string(),
    }
}

/// A folder as text: one line for each leaf, with its path.
fn flat(value: &Value, at: &str) -> String {
    let below = |name: &str| if at.is_empty() { name.to_owned() } else { format!("{at}/{name}") };
    match value {
        Value::Object(fields) => fields.iter().map(|(name, value)| flat(value, &below(name))).collect(),
        Value::Array(items) => {
            items.iter().enumerate().map(|(index, item)| flat(item, &below(&index.to_string()))).collect()
        }
        leaf => format!("{at} {}\n", plain(leaf)),
    }
}

fn respond(status: StatusCode, kind: &'static str, body: impl Into<Bytes>) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::from(body.into()));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(kind));
    headers.insert(FLAVOR, HeaderValue::from_static("Google"));
    headers.insert(header::SERVER, HeaderValue::from_static("Metadata Server for VM"));
    response
}

fn text(body: String) -> Response<Full<Bytes>> {
    respond(StatusCode::OK, "application/text", body)
}

fn json(body: &Value) -> Response<Full<Bytes>> {
    respond(StatusCode::OK, "application/json", body.to_string())
}

fn not_found() -> Response<Full<Bytes>> {
    page(StatusCode::NOT_FOUND, "The requested URL was not found on this server.")
}

/// Errors are pages for people.
fn page(status: StatusCode, text: &str) -> Response<Full<Bytes>> {
    let title = format!("Error {} ({})!!1", status.as_u16(), status.canonical_reason().unwrap_or_default());
    let body = format!(
        "<!DOCTYPE html>\n<html lang=en>\n  <meta charset=utf-8>\n  <title>{title}</title>\n  \
         <p><b>{}.</b> <ins>That’s an error.</ins>\n  <p>{text}\n",
        status.as_u16()
    );
    respond(status, "text/html; charset=UTF-8", body)
}

fn redirect(to: &str) -> Response<Full<Bytes>> {
    let mut response = respond(StatusCode::MOVED_PERMANENTLY, "text/html; charset=UTF-8", to.to_owned());
    if let Ok(location) = HeaderValue::from_str(to) {
        response.headers_mut().insert(header::LOCATION, location);
    }
    response
}
