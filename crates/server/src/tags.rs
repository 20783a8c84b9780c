//! Tags of what has a number of its last change: `ETag`, and the headers that name one (RFC 9110, section 13).

use http::header::IF_NONE_MATCH;
use http::{HeaderMap, HeaderName};
use mainstay_core::{Error, Result};

/// The tag of a version, or of a revision.
pub(crate) fn etag(number: u64) -> String {
    format!("\"{number}\"")
}

/// What a tag stands for. A weak one means the same: what is compared is the number.
pub(crate) fn number(tag: &str) -> Option<u64> {
    let tag = tag.strip_prefix("W/").unwrap_or(tag);
    let bare = tag.strip_prefix('"').and_then(|tag| tag.strip_suffix('"')).unwrap_or(tag);
    bare.parse().ok()
}

/// Whether the caller has this one already, by its `If-None-Match`.
pub(crate) fn is_known(headers: &HeaderMap, current: u64) -> Result<bool> {
    let Some(tags) = text(headers, IF_NONE_MATCH)? else { return Ok(false) };
    Ok(tags.split(',').any(|tag| tag.trim() == "*" || number(tag.trim()) == Some(current)))
}

/// The text of a header that names tags.
pub(crate) fn text(headers: &HeaderMap, name: HeaderName) -> Result<Option<&str>> {
    let Some(value) = headers.get(&name) else { return Ok(None) };
    let text = value.to_str().map_err(|_| Error::invalid(format!("header {name}: it is not ASCII")))?;
    Ok(Some(text.trim()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::HeaderValue;

    #[test]
    fn a_version_is_known_in_any_form_of_its_tag() {
        let known = |tags| {
            let headers = HeaderMap::from_iter([(IF_NONE_MATCH, HeaderValue::from_static(tags))]);
            is_known(&headers, 7).unwrap()
        };
        for tags in ["\"7\"", "W/\"7\"", "7", "\"3\", \"7\"", "*"] {
            assert!(known(tags), "{tags}");
        }
        for tags in ["\"8\"", "", "\"\"", "seven"] {
            assert!(!known(tags), "{tags}");
        }
    }
}
