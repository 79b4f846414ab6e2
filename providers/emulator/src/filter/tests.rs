use super::*;
use serde_json::json;

fn admits(filter: &str) -> bool {
    let Value::Object(body) = json!({
        "name": "web-1", "port": 80, "share": 0.5, "enabled": true, "id": "1234567890123456789",
        "network": "https://x/projects/p/global/networks/default", "description": "two words",
        "creationTimestamp": "2024-04-01T12:00:00.000-07:00",
        "labels": {"team": "edge", "my.key": "v"}, "tags": ["a", "b"], "backends": [{"group": "g1"}, {"group": "g2"}],
        "httpHealthCheck": {"port": 80, "requestPath": "/healthz"},
    }) else {
        panic!("an object")
    };
    Filter::parse(filter).unwrap_or_else(|error| panic!("{error}")).admits(&body)
}

#[test]
fn the_old_grammar() {
    for filter in [
        "name eq web-1",
        " name eq web-.* ",
        "name eq \"web-1\"",
        "name eq 'web-1'",
        "name eq (web|db)-1",
        r#"name eq ".*\bweb\b.*""#,
        r#"name eq ".*\bweb\-1\b.*""#,
        "name eq \".*(web.*).*\"",
        "name eq ^web-1$",
        "description eq two words",
        "(description eq two words)",
        "(name eq (web|db)-1)",
        "(name eq web-1) (port eq 80)",
        "(name eq \"web-1\")(port ne \"81\")",
        "((name eq web-1)(port eq 80))(enabled eq true)",
        "(name ne other) (enabled eq true)",
        "network eq .*/default$",
        "httpHealthCheck.requestPath eq /health.*",
        "labels.team eq edge",
        "missing ne x",
    ] {
        assert!(admits(filter), "{filter}");
    }
    for filter in [
        "name eq web",
        "name eq eb-1",
        "name ne web-.*",
        "(name eq web-1) (port eq 81)",
        "name eq a|web",
        "missing eq .*",
    ] {
        assert!(!admits(filter), "{filter}");
    }
}

#[test]
fn aip_160() {
    for filter in [
        "name = web-1",
        "name=\"web-1\"",
        "name='web-1'",
        "name = web-*",
        "name = *-1",
        "name = w*b*1",
        "name != other",
        "name != db-*",
        "name:web",
        "name:WEB",
        "name:w*1",
        "labels:team",
        "labels.team:*",
        "labels.\"my.key\" = v",
        "labels.team=edge AND port>=80",
        "name=x OR name=web-1",
        "name=x OR name=web-1 AND port=80",
        "(name=x OR name=web-1) (port=80)",
        "port=80 name=web-1",
        "NOT name=x",
        "-name=x",
        "NOT (name=x OR name=y)",
        "tags:a",
        "backends.group=g2",
        "missing != x",
        "port > 9",
        "port < 100",
        "share = 0.5",
        "share = 0.50",
        "share < 1",
        "enabled = true",
        "id = 1234567890123456789",
        "id < 1234567890123456790",
        "creationTimestamp > 2024-04-01T18:59:59Z",
        "creationTimestamp < \"2024-04-01T19:00:01Z\"",
        "network = https://x/projects/p/global/networks/default",
        "eq = x OR name = web-1",
    ] {
        assert!(admits(filter), "{filter}");
    }
    for filter in [
        "name = web",
        "name = *-2",
        "name != web-*",
        "port < 80",
        "labels.other:*",
        "missing = x",
        "missing < 1",
        // OR binds tighter than AND.
        "name=web-1 OR name=x AND port=81",
        "id = 1234567890123456788",
        "enabled = false",
        "enabled != true",
        "NOT (name=web-1 OR name=y)",
        "tags = c",
    ] {
        assert!(!admits(filter), "{filter}");
    }
}

#[test]
fn what_is_no_filter_is_refused_in_googles_words() {
    let deep = "(".repeat(100) + "name eq a" + &")".repeat(100);
    let denied = "-".repeat(100) + "name=a";
    let long = format!("name = {}", "a".repeat(20_000));
    for filter in [
        "",
        "name",
        "name eq",
        "name eq \"x",
        "name eq (",
        "name eq [",
        "name eq a)",
        "name eq a)(b",
        "(name eq a",
        "name eq 'a' b",
        "= x",
        "name =",
        "name = a b",
        "name ~ a",
        "name=a AND",
        "name=a OR OR name=b",
        "AND",
        "tags[0] = a",
        "name..x = a",
        // The two grammars do not mix, nor are old constraints joined by words.
        "name eq a AND port = 80",
        "status eq RUNNING AND name eq a",
        "(name eq a) (port = 80)",
        "(name eq a) OR (name eq b)",
        "port = 80 AND name eq a",
        "port = 80 name eq a",
        deep.as_str(),
        denied.as_str(),
        long.as_str(),
    ] {
        let error = Filter::parse(filter).map(|_| ()).expect_err(filter);
        assert_eq!(
            error.message,
            format!("Invalid value for field 'filter': '{filter}'. Invalid list filter expression.")
        );
        assert_eq!(error.reason, "invalid");
    }
}
