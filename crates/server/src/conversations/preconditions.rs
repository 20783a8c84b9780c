//! Versions in headers: `ETag`, `If-Match`, `If-None-Match`.
//!
//! The tag is the version of the conversation. Reading prolongs a conversation and changes no version: an answer that was
//! kept may show an earlier time of expiry.

use crate::problem::Failure;
use crate::tags;
use axum::extract::FromRequestParts;
use http::header::IF_MATCH;
use http::request::Parts;
use mainstay_core::{Error, Result};

/// The version that the caller has seen, from `If-Match`; none where the header is absent or `*`.
pub(crate) struct IfMatch(pub Option<u64>);

impl<S: Sync> FromRequestParts<S> for IfMatch {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, Failure> {
        match tags::text(&parts.headers, IF_MATCH)? {
            None | Some("*") => Ok(Self(None)),
            Some(tag) => tags::number(tag).map(|version| Self(Some(version))).ok_or_else(|| {
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_expectations_must_agree() {
        assert_eq!(IfMatch(Some(7)).or(None).unwrap(), Some(7));
        assert_eq!(IfMatch(None).or(Some(7)).unwrap(), Some(7));
        assert_eq!(IfMatch(Some(7)).or(Some(7)).unwrap(), Some(7));
        assert!(IfMatch(Some(7)).or(Some(8)).is_err());
    }
}
