//! The last requests, for people and tests who ask what a client has really done.

mod entry;
mod redact;

pub(crate) use self::entry::{Entry, Outcome};
pub(crate) use self::redact::{redact, redacted, redacted_target};

use crate::latency::matches;
use jiff::Timestamp;
use serde_json::Value;
use std::collections::VecDeque;
use std::fs::File;
use std::io::{self, Write as _};
use std::path::Path;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// A ring of the last requests, and a file that gets each when it is answered.
#[derive(Debug)]
pub(crate) struct RequestLog {
    most: usize,
    entries: Mutex<Entries>,
    file: Option<Mutex<File>>,
    /// Whether answers are kept as well.
    pub(crate) answers: KeepAnswers,
}

/// Whether the log keeps the bodies of answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum KeepAnswers {
    /// Only what was asked.
    #[default]
    No,
    /// What was answered, too.
    Yes,
}

#[derive(Debug, Default)]
struct Entries {
    /// The number of the first entry that is still there.
    first: u64,
    ring: VecDeque<Entry>,
}

/// A request in the log that will be answered.
#[derive(Debug)]
pub(crate) struct Begun(u64);

/// Which entries are shown: those that pass everything that is given.
#[derive(Debug, Default)]
pub(crate) struct Wanted {
    /// A pattern of method ids, or an HTTP method.
    pub(crate) method: Option<String>,
    /// A part of the path.
    pub(crate) path: Option<String>,
    /// `404`, or `4xx`.
    pub(crate) status: Option<String>,
    /// Not before this moment.
    pub(crate) since: Option<Timestamp>,
    /// Not this number or before it.
    pub(crate) after: Option<u64>,
    /// The id of a fault rule, or `*`.
    pub(crate) fault: Option<String>,
    /// A part of the client's name.
    pub(crate) client: Option<String>,
}

impl RequestLog {
    /// `most` are kept in memory.
    pub(crate) fn new(most: usize, answers: KeepAnswers, file: Option<File>) -> Self {
        Self { most, entries: Mutex::default(), file: file.map(Mutex::new), answers }
    }

    /// The file that lines are added to.
    pub(crate) fn open(path: &Path) -> io::Result<File> {
        File::options().create(true).append(true).open(path)
    }

    fn entries(&self) -> MutexGuard<'_, Entries> {
        self.entries.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn begin(&self, entry: Entry) -> Begun {
        let mut entries = self.entries();
        if entries.ring.len() >= self.most && entries.ring.pop_front().is_some() {
            entries.first += 1;
        }
        let number = entries.first + entries.ring.len() as u64;
        entries.ring.push_back(Entry { number, ..entry });
        Begun(number)
    }

    /// What has been found out about a request: the method it calls, and what goes wrong with it.
    pub(crate) fn note(&self, begun: &Begun, call: &str, fault: Option<&str>) {
        self.change(begun, |entry| {
            entry.call = Some(call.to_owned());
            entry.fault = fault.map(str::to_owned);
        });
    }

    pub(crate) fn end(&self, begun: &Begun, outcome: Outcome) {
        let line = self.change(begun, |entry| {
            entry.outcome = Some(outcome);
            self.file.is_some().then(|| entry.show())
        });
        if let Some(file) = &self.file
            && let Some(Some(line)) = line
        {
            let mut file = file.lock().unwrap_or_else(PoisonError::into_inner);
            if let Err(error) = file.write_all(format!("{line}\n").as_bytes()) {
                tracing::warn!(%error, "a request could not be written to the request log");
            }
        }
    }

    /// It may have left the ring meanwhile.
    fn change<T>(&self, begun: &Begun, change: impl FnOnce(&mut Entry) -> T) -> Option<T> {
        let mut entries = self.entries();
        let at = begun.0.checked_sub(entries.first).and_then(|at| usize::try_from(at).ok())?;
        entries.ring.get_mut(at).map(change)
    }

    /// Forgets everything; numbers go on.
    pub(crate) fn clear(&self) {
        let mut entries = self.entries();
        entries.first += entries.ring.len() as u64;
        entries.ring.clear();
    }

    /// Oldest first.
    pub(crate) fn show(&self, wanted: &Wanted) -> Value {
        self.entries().ring.iter().filter(|entry| wanted.admits(entry)).map(Entry::show).collect()
    }
}

impl Wanted {
    fn admits(&self, entry: &Entry) -> bool {
        let Self { method, path, status, since, after, fault, client } = self;
        let code = entry.outcome.as_ref().and_then(|outcome| outcome.status);
        method.as_ref().is_none_or(|pattern| {
            entry.method.eq_ignore_ascii_case(pattern)
                || entry.call.as_ref().is_some_and(|call| matches(pattern, call))
        }) && path.as_ref().is_none_or(|part| entry.path.contains(part.as_str()))
            && status.as_ref().is_none_or(|wanted| code.is_some_and(|code| is_status(wanted, code)))
            && since.is_none_or(|since| entry.at >= since)
            && after.is_none_or(|after| entry.number > after)
            && fault
                .as_ref()
                .is_none_or(|wanted| entry.fault.as_ref().is_some_and(|fault| matches(wanted, fault)))
            && client.as_ref().is_none_or(|part| entry.user_agent.contains(part.as_str()))
    }
}

/// `404` is itself, `4xx` is all from 400 to 499.
fn is_status(wanted: &str, status: u16) -> bool {
    match wanted.strip_suffix("xx") {
        Some(class) => class.parse() == Ok(status / 100),
        None => wanted.parse() == Ok(status),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;
    use std::time::Duration;

    fn entry(path: &str) -> Entry {
        Entry { path: path.to_owned(), ..Entry::at(Timestamp::UNIX_EPOCH, "GET") }
    }

    fn answered(status: u16, millis: u64) -> Outcome {
        Outcome { status: Some(status), took: Duration::from_millis(millis), ended: None, body: None }
    }

    #[test]
    fn only_the_last_are_kept_and_each_gets_its_own_answer() {
        let log = RequestLog::new(2, KeepAnswers::No, None);
        let begun: Vec<Begun> = ["a", "b", "c"].into_iter().map(|path| log.begin(entry(path))).collect();
        log.end(&begun[0], answered(200, 0));
        log.end(&begun[2], answered(404, 7));
        let shown = log.show(&Wanted::default());
        assert_eq!((&shown[0]["path"], &shown[0]["status"]), (&json!("b"), &Value::Null));
        assert_eq!(
            (&shown[1]["path"], &shown[1]["status"], &shown[1]["ms"]),
            (&json!("c"), &json!(404), &json!(7))
        );
        assert_eq!(shown.as_array().unwrap().len(), 2);
        log.clear();
        assert_eq!(log.show(&Wanted::default()), json!([]));
        log.begin(entry("d"));
        assert_eq!(log.show(&Wanted::default())[0]["number"], 3, "numbers go on");
    }

    #[test]
    fn what_is_wanted_is_shown() {
        let log = RequestLog::new(10, KeepAnswers::No, None);
        for (path, call, status, fault) in [
            ("/u", "urlMaps.insert", 200, None),
            ("/u?x=1", "urlMaps.get", 404, None),
            ("/b", "backendServices.get", 503, Some("bad")),
        ] {
            let begun = log.begin(entry(path));
            log.note(&begun, call, fault);
            log.end(&begun, answered(status, 1));
        }
        let _running = log.begin(entry("/running"));
        let shown = |wanted: Wanted| -> Vec<u64> {
            let shown = log.show(&wanted);
            shown.as_array().unwrap().iter().map(|entry| entry["number"].as_u64().unwrap()).collect()
        };
        let some = |text: &str| Some(text.to_owned());
        assert_eq!(shown(Wanted { method: some("urlMaps.*"), ..Wanted::default() }), [0, 1]);
        assert_eq!(shown(Wanted { method: some("get"), ..Wanted::default() }), [0, 1, 2, 3]);
        assert_eq!(shown(Wanted { status: some("4xx"), ..Wanted::default() }), [1]);
        assert_eq!(shown(Wanted { status: some("503"), ..Wanted::default() }), [2]);
        assert_eq!(shown(Wanted { path: some("/u"), ..Wanted::default() }), [0, 1]);
        assert_eq!(shown(Wanted { fault: some("*"), ..Wanted::default() }), [2]);
        assert_eq!(shown(Wanted { after: Some(1), ..Wanted::default() }), [2, 3]);
        let later = Timestamp::UNIX_EPOCH + jiff::SignedDuration::from_secs(1);
        assert!(shown(Wanted { since: Some(later), ..Wanted::default() }).is_empty());
    }
}
