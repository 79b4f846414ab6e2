//! What a log may not keep.

use serde_json::Value;

/// Fields that hold secrets, wherever they are in a body: private keys, keys of signed URLs, secrets of OAuth clients,
/// tokens and passwords.
const SECRETS: [&str; 11] = [
    "privateKey",
    "keyValue",
    "clientSecret",
    "oauth2ClientSecret",
    "clientSecretSha256",
    "oauth2ClientSecretSha256",
    "accessKey",
    "accessToken",
    "access_token",
    "password",
    "token",
];

/// Query parameters that are credentials.
const CREDENTIALS: [&str; 4] = ["access_token", "oauth_token", "key", "bearer_token"];

const REDACTED: &str = "REDACTED";

/// The largest body that is kept.
const MOST: usize = 256 << 10;

/// A body as the log keeps it. What is not JSON is only counted: nobody knows what it holds.
pub(crate) fn redacted(body: &[u8]) -> Option<Value> {
    if body.is_empty() {
        return None;
    }
    let told = |what: &str| Value::String(format!("{} bytes{what}", body.len()));
    if body.len() > MOST {
        return Some(told(""));
    }
    match serde_json::from_slice(body) {
        Ok(mut value) => {
            redact(&mut value);
            Some(value)
        }
        Err(_) => Some(told(" that are not JSON")),
    }
}

/// Takes secrets out of JSON.
pub(crate) fn redact(value: &mut Value) {
    match value {
        Value::Object(fields) => {
            for (name, value) in fields {
                if is_secret(name) && !value.is_null() {
                    *value = Value::String(REDACTED.to_owned());
                } else {
                    redact(value);
                }
            }
        }
        Value::Array(items) => items.iter_mut().for_each(redact),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

/// In camel or in snake case, and whatever its capitals: a body that is refused for the spelling of a name holds the secret
/// all the same.
fn is_secret(name: &str) -> bool {
    let plain = |name: &str| name.replace('_', "").to_ascii_lowercase();
    SECRETS.iter().any(|secret| plain(secret) == plain(name))
}

/// Path and query without credentials. A query may begin with `&` as well, and names may be percent-encoded.
pub(crate) fn redacted_target(target: &str) -> String {
    match target.split_once('?') {
        Some((path, query)) => format!("{}?{}", redacted_pairs(path), redacted_pairs(query)),
        None => redacted_pairs(target),
    }
}

fn redacted_pairs(text: &str) -> String {
    let pairs: Vec<String> = text
        .split('&')
        .map(|pair| match pair.split_once('=') {
            Some((name, _)) if is_credential(name) => format!("{name}={REDACTED}"),
            _ => pair.to_owned(),
        })
        .collect();
    pairs.join("&")
}

fn is_credential(name: &str) -> bool {
    url::form_urlencoded::parse(name.as_bytes()).any(|(name, _)| CREDENTIALS.contains(&name.as_ref()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn secrets_are_not_kept() {
        let body = json!({
            "name": "c",
            "privateKey": "-----BEGIN",
            "selfManaged": { "certificate": "public", "privateKey": "-----BEGIN" },
            "iap": { "oauth2ClientSecret": "s" },
            "list": [{ "keyName": "k", "keyValue": "v" }],
        });
        let kept = redacted(body.to_string().as_bytes()).unwrap();
        assert_eq!(
            kept,
            json!({
                "name": "c",
                "privateKey": "REDACTED",
                "selfManaged": { "certificate": "public", "privateKey": "REDACTED" },
                "iap": { "oauth2ClientSecret": "REDACTED" },
                "list": [{ "keyName": "k", "keyValue": "REDACTED" }],
            })
        );
        assert_eq!(redacted(b"privateKey: x"), Some(json!("13 bytes that are not JSON")));
        assert_eq!(redacted(b""), None);
        assert_eq!(redacted_target("/p?alt=json&key=AIza&x"), "/p?alt=json&key=REDACTED&x");
        assert_eq!(
            redacted_target("/p&%6bey=AIza?access_token=a"),
            "/p&%6bey=REDACTED?access_token=REDACTED"
        );
        assert_eq!(
            redacted(br#"{"private_key": "-----BEGIN"}"#),
            Some(json!({ "private_key": "REDACTED" })),
            "in the other spelling"
        );
    }
}
