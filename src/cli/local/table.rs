//! The table of Ingresses, in the manner of `kubectl get ing`. Pure.

use std::net::IpAddr;

use jiff::Timestamp;
use k8s_openapi::api::networking::v1::Ingress;

use crate::controller::folder::IngressView;
use crate::snapshot::CLASS_ANNOTATION;
use crate::status::Report;

/// More hosts are counted, not named; as kubectl does.
const MOST_HOSTS: usize = 3;

/// A row. `AGE` apart, two equal rows look alike.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Row {
    namespace: String,
    name: String,
    class: String,
    hosts: String,
    address: String,
    ports: &'static str,
    created: Option<Timestamp>,
    status: String,
}

/// All rows; `ports_offset` says what is added to a port where the usual ones are refused.
pub(super) fn rows(ingresses: &[IngressView]) -> Vec<Row> {
    ingresses.iter().map(row).collect()
}

fn row(view: &IngressView) -> Row {
    let IngressView { key, ingress, deleting, report } = view;
    let spec = ingress.spec.as_ref();
    let has_tls = spec.is_some_and(|spec| spec.tls.as_ref().is_some_and(|tls| !tls.is_empty()));
    Row {
        namespace: key.namespace.clone(),
        name: key.name.clone(),
        class: class(ingress).unwrap_or("<none>").to_owned(),
        hosts: hosts(ingress),
        address: report
            .as_ref()
            .and_then(|report| report.address)
            .map(|address: IpAddr| address.to_string())
            .unwrap_or_default(),
        ports: if has_tls { "80, 443" } else { "80" },
        created: ingress.metadata.creation_timestamp.as_ref().map(|time| time.0),
        status: status(*deleting, report.as_ref()),
    }
}

fn class(ingress: &Ingress) -> Option<&str> {
    let annotation = ingress.metadata.annotations.as_ref().and_then(|all| all.get(CLASS_ANNOTATION));
    ingress
        .spec
        .as_ref()
        .and_then(|spec| spec.ingress_class_name.as_deref())
        .or(annotation.map(String::as_str))
}

fn hosts(ingress: &Ingress) -> String {
    let rules = ingress.spec.as_ref().and_then(|spec| spec.rules.as_deref()).unwrap_or_default();
    let mut hosts: Vec<&str> = Vec::new();
    for host in rules.iter().filter_map(|rule| rule.host.as_deref()).filter(|host| !host.is_empty()) {
        if !hosts.contains(&host) {
            hosts.push(host);
        }
    }
    match hosts.len() {
        0 => "*".to_owned(),
        count if count > MOST_HOSTS => {
            format!("{} + {} more...", hosts[..MOST_HOSTS].join(","), count - MOST_HOSTS)
        }
        _ => hosts.join(","),
    }
}

/// One word, and how many backends are healthy where that is known.
fn status(deleting: bool, report: Option<&Report>) -> String {
    let Some(report) = report else {
        return if deleting { "Deleting".to_owned() } else { String::new() };
    };
    let word = report.summary.phase.word();
    match (&report.summary.healthy, &report.summary.reason) {
        (Some(healthy), None) => format!("{word} {healthy}"),
        (Some(healthy), Some(reason)) => format!("{word} {healthy} ({reason})"),
        (None, Some(reason)) => format!("{word} ({reason})"),
        (None, None) => word.to_owned(),
    }
}

/// The whole table, each line ended.
pub(super) fn render(rows: &[Row], now: Timestamp) -> String {
    if rows.is_empty() {
        return "No Ingress in the folder.\n".to_owned();
    }
    let several = rows.iter().any(|row| row.namespace != rows[0].namespace);
    let mut lines: Vec<Vec<String>> = vec![
        ["NAMESPACE", "NAME", "CLASS", "HOSTS", "ADDRESS", "PORTS", "AGE", "STATUS"]
            .map(str::to_owned)
            .to_vec(),
    ];
    for Row { namespace, name, class, hosts, address, ports, created, status } in rows {
        let age = created.map_or_else(|| "<unknown>".to_owned(), |created| age(now, created));
        lines.push(vec![
            namespace.clone(),
            name.clone(),
            class.clone(),
            hosts.clone(),
            address.clone(),
            (*ports).to_owned(),
            age,
            status.clone(),
        ]);
    }
    if !several && rows[0].namespace == "default" {
        for line in &mut lines {
            line.remove(0);
        }
    }
    columns(&lines)
}

/// Three spaces between columns, none at the end of a line; as kubectl does.
fn columns(lines: &[Vec<String>]) -> String {
    let width =
        |column: usize| lines.iter().map(|line| line[column].chars().count()).max().unwrap_or_default();
    let mut text = String::new();
    for line in lines {
        let mut shown = String::new();
        for (column, cell) in line.iter().enumerate() {
            shown.push_str(cell);
            shown.extend(std::iter::repeat_n(' ', width(column) + 3 - cell.chars().count()));
        }
        text.push_str(shown.trim_end());
        text.push('\n');
    }
    text
}

/// The age as kubectl writes it: `4s`, `2m5s`, `12m`, `3h15m`, `9h`, `2d3h`, `9d`.
fn age(now: Timestamp, created: Timestamp) -> String {
    let seconds = now.as_second().saturating_sub(created.as_second()).max(0);
    let (minutes, hours, days) = (seconds / 60, seconds / 3600, seconds / 86400);
    let pair = |large: i64, unit: char, small: i64, of: char| match small {
        0 => format!("{large}{unit}"),
        small => format!("{large}{unit}{small}{of}"),
    };
    match seconds {
        0..120 => format!("{seconds}s"),
        120..600 => pair(minutes, 'm', seconds % 60, 's'),
        600..10800 => format!("{minutes}m"),
        10800..28800 => pair(hours, 'h', minutes % 60, 'm'),
        28800..172_800 => format!("{hours}h"),
        172_800..691_200 => pair(days, 'd', hours % 24, 'h'),
        _ => format!("{days}d"),
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::model::ObjectKey;
    use crate::status::{Phase, Summary};

    fn view(name: &str, spec: &serde_json::Value, address: Option<&str>) -> IngressView {
        let ingress: Ingress = serde_json::from_value(serde_json::json!({
            "apiVersion": "networking.k8s.io/v1", "kind": "Ingress",
            "metadata": {"name": name, "creationTimestamp": "2026-01-01T00:00:00Z"}, "spec": spec,
        }))
        .unwrap();
        let report = address.map(|address| Report {
            resources: None,
            address: Some(address.parse().unwrap()),
            summary: Summary {
                phase: Phase::Ready,
                reason: None,
                message: None,
                healthy: Some("1/1".to_owned()),
            },
            events: Vec::new(),
        });
        IngressView {
            key: ObjectKey::new("default", name),
            ingress: Arc::new(ingress),
            deleting: false,
            report,
        }
    }

    #[test]
    fn the_table_reads_as_kubectl_writes_it() {
        let views = [
            view(
                "test",
                &serde_json::json!({"ingressClassName": "gclb", "tls": [{"secretName": "tls"}]}),
                Some("127.0.100.1"),
            ),
            view(
                "shop",
                &serde_json::json!({"ingressClassName": "gclb", "rules": [
                    {"host": "a.example.com"}, {"host": "b.example.com"}, {"host": "c.example.com"}, {"host": "d.example.com"}]}),
                None,
            ),
        ];
        let now: Timestamp = "2026-01-01T00:00:04Z".parse().unwrap();
        assert_eq!(
            render(&rows(&views), now),
            "NAME   CLASS   HOSTS                                                   ADDRESS       PORTS     AGE   STATUS\n\
             test   gclb    *                                                       127.0.100.1   80, 443   4s    Ready 1/1\n\
             shop   gclb    a.example.com,b.example.com,c.example.com + 1 more...                 80        4s\n"
        );
    }

    #[test]
    fn ages_are_written_as_kubectl_writes_them() {
        let at = |seconds: i64| age(Timestamp::from_second(seconds).unwrap(), Timestamp::UNIX_EPOCH);
        let written = [0, 119, 125, 720, 11700, 12600, 36000, 183_600, 900_000].map(at);
        assert_eq!(written, ["0s", "119s", "2m5s", "12m", "3h15m", "3h30m", "10h", "2d3h", "10d"]);
    }
}
