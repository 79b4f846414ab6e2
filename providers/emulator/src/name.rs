//! The rule for names of resources.

use crate::error::ApiError;

/// The pattern that Google's text quotes.
const PATTERN: &str = "(?:[a-z](?:[-a-z0-9]{0,61}[a-z0-9])?)";

/// Whether a text is a resource name: RFC 1035, 1 to 63 characters.
pub(crate) fn is_valid(name: &str) -> bool {
    let bytes = name.as_bytes();
    let (Some(first), Some(last)) = (bytes.first(), bytes.last()) else { return false };
    bytes.len() <= 63
        && first.is_ascii_lowercase()
        && *last != b'-'
        && bytes.iter().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || *byte == b'-')
}

/// Refuses a text that is no resource name, in Google's words.
pub(crate) fn check(field: &str, name: &str) -> Result<(), ApiError> {
    if is_valid(name) {
        Ok(())
    } else {
        Err(ApiError::invalid(field, name, &format!("Must be a match of regex '{PATTERN}'")))
    }
}

/// Refuses what can be neither the name nor the numeric id of a resource in a path, in Google's words. `parameter` is what
/// the document calls that part of the path.
pub(crate) fn check_in_path(parameter: &str, name: &str) -> Result<(), ApiError> {
    let is_id = name.len() <= 20 && !name.starts_with('0') && name.bytes().all(|byte| byte.is_ascii_digit());
    if is_valid(name) || is_id {
        Ok(())
    } else {
        let pattern = "[a-z](?:[-a-z0-9]{0,61}[a-z0-9])?|[1-9][0-9]{0,19}";
        Err(ApiError::invalid(parameter, name, &format!("Must be a match of regex '{pattern}'")))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names() {
        for good in ["a", "a1", "a-b", &"a".repeat(63)] {
            assert!(is_valid(good), "{good}");
        }
        for bad in ["", "1a", "-a", "a-", "A", "a_b", "a.b", "ä", &"a".repeat(64)] {
            assert!(!is_valid(bad), "{bad}");
        }
    }
}
