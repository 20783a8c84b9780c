//! Versions in headers: `ETag`, `If-Match`, `If-None-Match`.
//!
//! The tag is the version of the conversation. Reading prolongs a conversation and changes no version: an answer that was
//! kept may show an earlier time of expiry.

use crate::problem::Failure;
use axum::extract::FromRequestParts;
use http::header::{IF_MATCH, IF_NONE_MATCH};
use http::request::Parts;
use http::{HeaderMap, HeaderName};
use mainstay_core::{Error, Result};

/// The tag of a version.
pub(super) fn etag(version: u64) -> String {
    format!("\"{version}\"")
}

/// The version that the caller has seen, from `If-Match`; none where the header is absent or `*`.
pub(crate) struct IfMatch(pub Option<u64>);

impl<S: Sync> FromRequestParts<S> for IfMatch {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, Failure> {
        match text(&parts.headers, IF_MATCH)? {
            None | Some("*") => Ok(Self(None)),
            Some(tag) => version(tag).map(|version| Self(Some(version))).ok_or_else(|| {
                Failure(Error::invalid(format!(
                    "header if-match: {tag:?} is not one tag as reads give it, such as \"7\""
                )))
            }),
        }
    }
}

impl IfMatch {
    /// The version to expect, said by the header, by the body, or by both in the same way.
    pub(super) fn or(self, body: Option<u64>) -> Result<Option<u64>> {
        match (self.0, body) {
            (Some(header), Some(body)) if header != body => {
                Err(Error::invalid("expectedVersion: it differs from the header If-Match; give one of them"))
            }
            (header, body) => Ok(header.or(body)),
        }
    }

    /// Refuses what an endpoint would not look at: a condition that is passed over is worse than none.
    pub(super) fn absent(self) -> Result<()> {
        match self.0 {
            None => Ok(()),
            Some(_) => Err(Error::invalid("header if-match: this call knows no versions; leave the header out")),
        }
    }
}

/// Whether the caller has this version already, by its `If-None-Match`.
pub(super) fn is_known(headers: &HeaderMap, current: u64) -> Result<bool> {
    let Some(tags) = text(headers, IF_NONE_MATCH)? else { return Ok(false) };
    Ok(tags.split(',').any(|tag| tag.trim() == "*" || version(tag.trim()) == Some(current)))
}

/// A version as a tag. A weak one means the same: what is compared is the version.
fn version(tag: &str) -> Option<u64> {
    let tag = tag.strip_prefix("W/").unwrap_or(tag);
    let bare = tag.strip_prefix('"').and_then(|tag| tag.strip_suffix('"')).unwrap_or(tag);
    bare.parse().ok()
}

fn text(headers: &HeaderMap, name: HeaderName) -> Result<Option<&str>> {
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

    #[test]
    fn two_expectations_must_agree() {
        assert_eq!(IfMatch(Some(7)).or(None).unwrap(), Some(7));
        assert_eq!(IfMatch(None).or(Some(7)).unwrap(), Some(7));
        assert_eq!(IfMatch(Some(7)).or(Some(7)).unwrap(), Some(7));
        assert!(IfMatch(Some(7)).or(Some(8)).is_err());
    }
}
