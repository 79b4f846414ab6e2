//! What a token permits, and the file that says so.

use jiff::Timestamp;
use serde::Deserialize;
use std::path::{Path, PathBuf};

/// A token that is known from the start.
#[derive(Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StaticToken {
    /// What requests show as `Authorization: Bearer TOKEN`.
    pub token: String,
    /// Whose it is: what operations show as `user`.
    #[serde(default = "anybody")]
    pub account: String,
    /// The ids of the projects that it is for; all, if nothing is said.
    #[serde(default)]
    pub projects: Option<Vec<String>>,
    /// What it permits there.
    #[serde(default)]
    pub permissions: Permissions,
    /// When it ends, by the emulator's clock; never, if nothing is said.
    #[serde(default, deserialize_with = "moment")]
    pub expires: Option<Timestamp>,
}

fn anybody() -> String {
    "user@example.com".to_owned()
}

fn moment<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Option<Timestamp>, D::Error> {
    let text = Option::<String>::deserialize(deserializer)?;
    text.map(|text| text.parse().map_err(serde::de::Error::custom)).transpose()
}

/// Never prints the token.
impl std::fmt::Debug for StaticToken {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("StaticToken")
            .field("account", &self.account)
            .field("projects", &self.projects)
            .field("permissions", &self.permissions)
            .field("expires", &self.expires)
            .finish_non_exhaustive()
    }
}

/// What may be done.
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Permissions {
    /// Everything.
    #[default]
    Admin,
    /// Looking: permissions that end in `.get`, `.list`, `.validate` and their like.
    Viewer,
    /// Only these, such as `compute.urlMaps.get` or `compute.urlMaps.*`.
    #[serde(untagged)]
    Only(Vec<String>),
}

impl Permissions {
    pub(super) fn give(&self, permission: &str) -> bool {
        match self {
            Self::Admin => true,
            Self::Viewer => {
                let verb = permission.rsplit('.').next().unwrap_or_default();
                verb.starts_with("get") || verb.starts_with("list") || verb == "validate"
            }
            Self::Only(patterns) => patterns.iter().any(|pattern| match pattern.strip_suffix('*') {
                Some(begin) => permission.starts_with(begin),
                None => pattern == permission,
            }),
        }
    }
}

/// Why a file of tokens cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum TokenFileError {
    /// It is not to be had.
    #[error("reading the token file {}: see that it exists and may be read", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// What the system said.
        #[source]
        source: std::io::Error,
    },
    /// It says something else than tokens.
    #[error(
        "reading the token file {}: {why}; write it as \
         {{\"tokens\": [{{\"token\": \"…\", \"projects\": [\"p\"], \"permissions\": \"viewer\"}}]}}",
        path.display()
    )]
    Content {
        /// The file.
        path: PathBuf,
        /// What does not fit, without what the file says: it may hold secrets.
        why: String,
    },
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    tokens: Vec<StaticToken>,
}

/// The tokens of a file.
pub(crate) fn read(path: &Path) -> Result<Vec<StaticToken>, TokenFileError> {
    let text =
        std::fs::read(path).map_err(|source| TokenFileError::Read { path: path.to_owned(), source })?;
    let refuse = |why: String| TokenFileError::Content { path: path.to_owned(), why };
    let File { tokens } = serde_json::from_slice(&text).map_err(|error| {
        refuse(format!("line {}, column {}: not what is expected there", error.line(), error.column()))
    })?;
    match tokens.iter().position(|token| token.token.is_empty()) {
        Some(at) => Err(refuse(format!("token {} of the list is empty", at + 1))),
        None => Ok(tokens),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_permissions_give() {
        let only = Permissions::Only(vec!["compute.urlMaps.get".to_owned(), "compute.zones.*".to_owned()]);
        for (permissions, permission, expected) in [
            (&Permissions::Admin, "compute.urlMaps.delete", true),
            (&Permissions::Viewer, "compute.urlMaps.get", true),
            (&Permissions::Viewer, "compute.urlMaps.list", true),
            (&Permissions::Viewer, "compute.backendServices.getIamPolicy", true),
            (&Permissions::Viewer, "compute.urlMaps.create", false),
            (&only, "compute.urlMaps.get", true),
            (&only, "compute.urlMaps.getIamPolicy", false),
            (&only, "compute.zones.list", true),
        ] {
            assert_eq!(permissions.give(permission), expected, "{permissions:?} {permission}");
        }
    }

    #[test]
    fn a_file_of_tokens() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("tokens.json");
        let read = |text: &str| {
            std::fs::write(&path, text).unwrap();
            read(&path)
        };
        let tokens = read(
            r#"{"tokens": [{"token": "a"}, {"token": "b", "account": "x@example.com", "projects": ["p"],
                "permissions": "viewer", "expires": "2026-01-01T00:00:00Z"},
                {"token": "c", "permissions": ["compute.zones.*"]}]}"#,
        )
        .unwrap();
        assert_eq!(tokens[0].permissions, Permissions::Admin);
        assert_eq!(tokens[1].permissions, Permissions::Viewer);
        assert_eq!(tokens[1].expires, Some("2026-01-01T00:00:00Z".parse().unwrap()));
        assert_eq!(tokens[2].permissions, Permissions::Only(vec!["compute.zones.*".to_owned()]));
        assert!(!format!("{tokens:?}").contains("\"a\""), "tokens are not printed");
        for bad in [
            "",
            "{}",
            r#"{"tokens": [{"token": "secret", "permissions": "owner"}]}"#,
            r#"{"tokens": [{"token": ""}]}"#,
        ] {
            let error = read(bad).unwrap_err().to_string();
            assert!(error.contains("tokens.json") && !error.contains("secret"), "{error}");
        }
    }
}
