use http::{HeaderMap, HeaderValue};

use super::*;

fn facts(headers: &HeaderMap) -> Facts<'_> {
    Facts {
        client: [127, 9, 0, 7].into(),
        scheme: "https",
        authority: "shop.example:8443",
        method: "POST",
        path: "/api/v1%2Fusers",
        query: "a=1&b=2",
        headers,
    }
}

fn headers() -> HeaderMap {
    let mut headers = HeaderMap::new();
    headers.insert("user-agent", HeaderValue::from_static("Curl/8"));
    headers.insert("content-length", HeaderValue::from_static("9000"));
    headers.append("x-list", HeaderValue::from_static("a"));
    headers.append("x-list", HeaderValue::from_static("b"));
    headers
}

#[test]
fn expressions_say_what_they_say() {
    let headers = headers();
    for (expression, expected) in [
        ("true", true),
        ("inIpRange(origin.ip, '127.9.0.0/24')", true),
        ("inIpRange(origin.ip, '127.8.0.0/24')", false),
        ("inIpRange(origin.ip, '127.9.0.7')", true),
        ("inIpRange(origin.ip, 'fd00::/8')", false),
        ("origin.ip == '127.9.0.7'", true),
        ("request.method == 'POST'", true),
        ("request.method != \"POST\"", false),
        ("request.path.startsWith('/api/')", true),
        ("request.path.endsWith('users') && request.query.contains('b=')", true),
        ("request.path.matches('v[0-9]')", true),
        (r"request.path.matches(r'^/api/v\d$')", false),
        ("request.path.urlDecode() == '/api/v1/users'", true),
        ("request.scheme == 'https'", true),
        ("request.headers['user-agent'].lower().contains('curl')", true),
        ("request.headers['User-Agent'] == 'Curl/8'", true),
        ("request.headers['host'] == 'shop.example:8443'", true),
        ("request.headers['x-list'] == 'a,b'", true),
        ("int(request.headers['content-length']) > 8192", true),
        ("request.query.size() <= 7 && size(request.method) == 4", true),
        ("has(request.headers['x-none'])", false),
        ("!has(request.headers['x-none'])", true),
        // A header that is missing is an error: neither it nor its opposite is true, unless the other side decides.
        ("request.headers['x-none'] == ''", false),
        ("!(request.headers['x-none'] == '')", false),
        ("request.headers['x-none'] == '' || true", true),
        ("request.headers['x-none'] == '' && true", false),
        ("!(request.headers['x-none'] == '' && false)", true),
        ("int(request.headers['user-agent']) == 0", false),
        // `&&` binds tighter.
        ("true || false && false", true),
        ("(true || false) && false", false),
        ("!true || true", true),
        ("!!true", true),
        ("'YWJj'.base64Decode() == 'abc'", true),
        ("'ab' + 'c' == 'abc'", true),
        (r"'it\'s'.endsWith('\'s')", true),
        ("(request.method == 'POST') == true", true),
        ("origin.region_code == 'CH'", false),
        ("origin.region_code != 'CH'", true),
        ("origin.asn == 0", true),
        (
            "evaluatePreconfiguredWaf('xss-v33-stable', {'sensitivity': 1, 'opt_out_rule_ids': ['a', 'b']})",
            false,
        ),
        ("evaluatePreconfiguredExpr('sqli-v33-stable', ['a'])", false),
    ] {
        let parsed = Expression::parse(expression).unwrap_or_else(|error| panic!("{expression}: {error}"));
        assert_eq!(parsed.matches(&facts(&headers)), expected, "{expression}");
    }
}

#[test]
fn what_is_no_expression_is_refused_and_the_place_is_said() {
    let deep = format!("{}true{}", "(".repeat(40), ")".repeat(40));
    let long = format!("request.path == '{}'", "a".repeat(2050));
    for (expression, said) in [
        ("", "expected a value at character 1"),
        ("request.path", "expected what is true or false before here, not a text at character 13"),
        ("request.body == 'x'", "no attribute `request.body`"),
        ("request.path = '/'", "unexpected '=' at character 14"),
        ("request.path == '/", "a text has no end at character 17"),
        ("request.path == 1", "a text cannot be compared so with a number"),
        ("true < false", "cannot be compared"),
        ("request.path.matches('(')", "regular expression before here is none"),
        ("request.path.matches(request.query)", "expected a text between quotes"),
        ("request.path.nothing()", "no function `nothing`"),
        ("inIpRange(origin.ip, 'x')", "no range of addresses"),
        ("inIpRange(origin.ip)", "expected `,`"),
        ("has(request.path)", "`has` asks for a header"),
        ("nothing(1)", "no function `nothing`"),
        ("true true", "expected the end"),
        ("true &&", "expected a value"),
        ("true && true && true && true && true && true", "more than 5"),
        ("request.headers['a b'] == ''", "no header's name"),
        ("request.path == 'a\\q'", "the escape \\q is not known"),
        ("99999999999999999999 == 1", "too large"),
        (&deep, "too deep"),
        (&long, "longer than 2048"),
    ] {
        let error = Expression::parse(expression).expect_err(expression);
        assert!(error.to_string().contains(said), "{expression}: {error}");
    }
    let asked = Expression::parse("evaluateThreatIntelligence('iplist-tor-exit-nodes') || true").unwrap();
    assert_eq!(asked.unserved(), ["evaluateThreatIntelligence"]);
}
