//! `gclb local --demo`: types the curl lines itself, shows what comes back and judges it.

use std::fmt::Write as _;
use std::process::Stdio;

use super::curl::{Expected, Line};

/// How much of a page is shown.
const PAGE_LINES: usize = 7;
/// A load balancer on the same machine that does not answer within this time does not answer.
const LONGEST_SECONDS: &str = "10";

/// Curl could not be asked.
#[derive(Debug, thiserror::Error, miette::Diagnostic)]
pub(super) enum DemoError {
    /// It could not be started.
    #[error("running {line}")]
    #[diagnostic(help("install curl, or run `gclb local` without --demo and try the lines another way"))]
    Curl {
        /// The command.
        line: String,
        /// Why not.
        #[source]
        source: std::io::Error,
    },
}

/// What came back for one line.
pub(super) struct Answer {
    /// What was seen, for people.
    pub(super) text: String,
    /// `None` if it was what should have come, otherwise what was wrong.
    pub(super) wrong: Option<String>,
}

/// Types one line.
pub(super) async fn ask(line: &Line) -> Result<Answer, DemoError> {
    let output = tokio::process::Command::new("curl")
        // What is printed beside the page, and what a proxy or settings of the user's would do to the answer.
        .args(["-q", "-sS", "-v", "--noproxy", "*", "--max-time", LONGEST_SECONDS])
        .args(&line.arguments)
        .stdin(Stdio::null())
        .kill_on_drop(true)
        .output()
        .await
        .map_err(|source| DemoError::Curl { line: line.to_string(), source })?;
    let talk = String::from_utf8_lossy(&output.stderr);
    let page = String::from_utf8_lossy(&output.stdout);
    Ok(Answer { text: shown(&talk, &page), wrong: judge(&line.expected, &talk, &page) })
}

/// Status lines, `Location`s, the certificate's subject, the beginning of the page.
fn shown(talk: &str, page: &str) -> String {
    let mut text = String::new();
    for line in talk.lines().map(str::trim_end) {
        if let Some(header) =
            line.strip_prefix("< ").filter(|header| is_status(header) || location(header).is_some())
        {
            // Writing to a String cannot fail.
            let _ = writeln!(text, "    {header}");
        } else if let Some(subject) = subject(line) {
            let _ = writeln!(text, "    certificate: {subject}");
        } else if line.starts_with("curl:") {
            let _ = writeln!(text, "    {line}");
        }
    }
    if page.contains("CLIENT VALUES") {
        for line in page.lines().filter(|line| !line.is_empty()).take(PAGE_LINES) {
            let _ = writeln!(text, "    | {line}");
        }
    }
    text
}

fn judge(expected: &Expected, talk: &str, page: &str) -> Option<String> {
    let headers: Vec<&str> = talk.lines().filter_map(|line| line.trim_end().strip_prefix("< ")).collect();
    let status =
        headers.iter().rev().find(|header| is_status(header)).and_then(|header| header.split(' ').nth(1));
    let Some(status) = status else { return Some("no answer came".to_owned()) };
    match expected {
        Expected::Redirect { code, location: wanted } => {
            let found = headers.iter().rev().find_map(|header| location(header));
            if status != code.to_string() {
                return Some(format!("{code} should have come, not {status}"));
            }
            (found != Some(wanted)).then(|| format!("the Location should be {wanted}"))
        }
        Expected::Page { services, encrypted } => {
            if status != "200" {
                return Some(format!("200 should have come, not {status}"));
            }
            let line =
                |start: &str| page.lines().find_map(|line| line.strip_prefix(start)).unwrap_or_default();
            let (pod, namespace) = (line("pod="), line("namespace="));
            let from = services.iter().any(|backend| {
                backend.service.namespace == namespace
                    && pod.rsplit_once('-').is_some_and(|(name, _)| name == backend.service.name)
            });
            if !page.contains("CLIENT VALUES") || !from {
                return Some("the page should have come from a pod of the Service".to_owned());
            }
            (*encrypted && talk.lines().all(|line| subject(line).is_none()))
                .then(|| "no certificate was seen".to_owned())
        }
    }
}

fn is_status(header: &str) -> bool {
    header.starts_with("HTTP/")
}

fn location(header: &str) -> Option<&str> {
    let (name, value) = header.split_once(':')?;
    name.eq_ignore_ascii_case("location").then(|| value.trim())
}

/// `*  subject: CN=echoheaders; O=echoheaders`
fn subject(line: &str) -> Option<&str> {
    line.strip_prefix('*')?.trim_start().strip_prefix("subject:").map(str::trim)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::load_balancer::{Backend, BackendPort};
    use crate::model::ObjectKey;

    const TALK: &str = "*  subject: CN=echoheaders; O=echoheaders\r\n> GET / HTTP/1.1\n< HTTP/1.1 301 Moved Permanently\r\n\
                        < Location: https://127.0.100.1/\r\n< \r\n";

    #[test]
    fn redirects_are_judged_by_code_and_location() {
        let expected = |code, location: &str| Expected::Redirect { code, location: location.to_owned() };
        assert_eq!(judge(&expected(301, "https://127.0.100.1/"), TALK, ""), None);
        assert!(judge(&expected(302, "https://127.0.100.1/"), TALK, "").is_some());
        assert!(judge(&expected(301, "https://elsewhere/"), TALK, "").is_some());
        assert!(judge(&expected(301, "https://127.0.100.1/"), "curl: (7) refused", "").is_some());
        assert!(shown(TALK, "").contains("certificate: CN=echoheaders"));
    }

    #[test]
    fn pages_are_judged_by_who_sent_them() {
        let expected = |encrypted| Expected::Page {
            services: vec![Backend {
                service: ObjectKey::new("default", "web"),
                port: BackendPort::Number(80),
            }],
            encrypted,
        };
        let (talk, page) = ("< HTTP/2 200 \n", "pod=web-0\nnamespace=default\n\nCLIENT VALUES:\n");
        assert_eq!(judge(&expected(false), talk, page), None);
        assert!(judge(&expected(true), talk, page).is_some());
        assert!(judge(&expected(false), "< HTTP/2 502 \n", page).is_some());
        assert!(judge(&expected(false), talk, "pod=webs-0\nnamespace=default\nCLIENT VALUES:\n").is_some());
        assert!(judge(&expected(false), talk, "<html>").is_some());
    }
}
