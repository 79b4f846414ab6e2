//! Header actions worked out for one request.

use std::net::IpAddr;

use http::{HeaderMap, HeaderName, HeaderValue, header};

use super::RequestHead;
use crate::dataplane::program::{HeaderAction, HeaderToAdd, HeaderVariable, Mode, ValuePart};

/// What variables of header values can say of a client's connection.
#[derive(Debug, Clone, Copy)]
pub struct Connection<'a> {
    /// Where the client is.
    pub client: (IpAddr, u16),
    /// What it connected to.
    pub server: (IpAddr, u16),
    /// `HTTP/1.1`, `HTTP/2`.
    pub protocol: &'a str,
    /// None: in the clear.
    pub tls: Option<&'a TlsFacts>,
}

/// What is known of a client's TLS.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TlsFacts {
    /// The name the client asked for; empty if it asked for none.
    pub server_name: String,
    /// Such as `TLSv1.3`.
    pub version: &'static str,
    /// In hexadecimal, such as `1301`.
    pub cipher_suite: String,
}

/// One change of the headers of a request or an answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum HeaderEdit<'a> {
    /// Every line of this name goes.
    Remove(&'a HeaderName),
    /// This line instead of all of its name.
    Replace(&'a HeaderName, HeaderValue),
    /// This line after those that are there.
    Append(&'a HeaderName, HeaderValue),
}

impl HeaderEdit<'_> {
    /// Makes changes one after the other.
    pub fn apply(edits: &[HeaderEdit<'_>], headers: &mut HeaderMap) {
        for edit in edits {
            match edit {
                HeaderEdit::Remove(name) => {
                    headers.remove(*name);
                }
                HeaderEdit::Replace(name, value) => {
                    headers.insert((*name).clone(), value.clone());
                }
                HeaderEdit::Append(name, value) => {
                    headers.append((*name).clone(), value.clone());
                }
            }
        }
    }
}

/// The edits of header actions, in the order they are given, to the request and to the answer.
pub(in crate::dataplane) fn edits<'a>(
    actions: &[&'a HeaderAction],
    request: &RequestHead<'_>,
    connection: &Connection<'_>,
) -> (Vec<HeaderEdit<'a>>, Vec<HeaderEdit<'a>>) {
    let (mut to_request, mut to_response) = (Vec::new(), Vec::new());
    for action in actions {
        let HeaderAction { request_remove, request_add, response_remove, response_add } = action;
        to_request.extend(request_remove.iter().map(HeaderEdit::Remove));
        to_request.extend(request_add.iter().filter_map(|header| add(header, request, connection)));
        to_response.extend(response_remove.iter().map(HeaderEdit::Remove));
        to_response.extend(response_add.iter().filter_map(|header| add(header, request, connection)));
    }
    (to_request, to_response)
}

/// A value that no header can have (the origin a client sent is no text) is left out.
fn add<'a>(
    header: &'a HeaderToAdd,
    request: &RequestHead<'_>,
    connection: &Connection<'_>,
) -> Option<HeaderEdit<'a>> {
    let HeaderToAdd { name, value, mode } = header;
    let text: String = value
        .iter()
        .map(|part| match part {
            ValuePart::Text(text) => text.clone(),
            ValuePart::Variable(variable) => said(*variable, request, connection),
        })
        .collect();
    let value = HeaderValue::try_from(text).ok()?;
    Some(match mode {
        Mode::Replace => HeaderEdit::Replace(name, value),
        Mode::Append => HeaderEdit::Append(name, value),
    })
}

fn said(variable: HeaderVariable, request: &RequestHead<'_>, connection: &Connection<'_>) -> String {
    let Connection { client, server, protocol, tls } = connection;
    match variable {
        HeaderVariable::ClientAddress => client.0.to_string(),
        HeaderVariable::ClientPort => client.1.to_string(),
        HeaderVariable::ClientEncrypted => tls.is_some().to_string(),
        HeaderVariable::ClientProtocol => (*protocol).to_owned(),
        HeaderVariable::ServerAddress => server.0.to_string(),
        HeaderVariable::ServerPort => server.1.to_string(),
        HeaderVariable::Origin => {
            let origin = request.headers.get(header::ORIGIN);
            origin.and_then(|origin| origin.to_str().ok()).unwrap_or_default().to_owned()
        }
        HeaderVariable::TlsServerName => tls.map(|tls| tls.server_name.clone()).unwrap_or_default(),
        HeaderVariable::TlsVersion => tls.map(|tls| tls.version.to_owned()).unwrap_or_default(),
        HeaderVariable::TlsCipherSuite => tls.map(|tls| tls.cipher_suite.clone()).unwrap_or_default(),
        HeaderVariable::Unknowable => String::new(),
    }
}
