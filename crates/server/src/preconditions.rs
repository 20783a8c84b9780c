//! Revisions in headers: `ETag`, `If-Match`, `If-None-Match`.

use crate::problem::Failure;
use crate::tags;
use axum::extract::FromRequestParts;
use http::header::{IF_MATCH, IF_NONE_MATCH};
use http::request::Parts;
use mainstay_core::Error;

/// The revision, or version, that what is written must have: that of `If-Match`, or 0 for `If-None-Match: *`; any where both are absent.
pub(crate) struct Expected(pub Option<u64>);

impl<S: Sync> FromRequestParts<S> for Expected {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, Failure> {
        let (tag, none) = (tags::text(&parts.headers, IF_MATCH)?, tags::text(&parts.headers, IF_NONE_MATCH)?);
        let refuse = |detail: &str| Err(Failure(Error::invalid(detail)));
        match (tag, none) {
            (None, None) => Ok(Self(None)),
            (None, Some("*")) => Ok(Self(Some(0))),
            (Some(tag), None) => match tags::number(tag) {
                Some(revision) => Ok(Self(Some(revision))),
                None => refuse("header if-match: it is not one tag as reads give it, such as \"7\""),
            },
            (None, Some(_)) => {
                refuse("header if-none-match: a write knows `*` alone: what is written must not be there")
            }
            (Some(_), Some(_)) => refuse("headers if-match and if-none-match: give one of them"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::Request;

    async fn expected(headers: &[(&str, &str)]) -> Result<Option<u64>, ()> {
        let request = headers.iter().fold(Request::builder(), |request, (name, value)| request.header(*name, *value));
        let mut parts = request.body(()).unwrap().into_parts().0;
        Expected::from_request_parts(&mut parts, &()).await.map(|expected| expected.0).map_err(drop)
    }

    #[tokio::test]
    async fn a_condition_is_understood_or_refused() {
        assert_eq!(expected(&[]).await, Ok(None));
        assert_eq!(expected(&[("if-match", "\"7\"")]).await, Ok(Some(7)));
        assert_eq!(expected(&[("if-none-match", "*")]).await, Ok(Some(0)));
        for refused in [[("if-match", "*")], [("if-match", "\"a\"")], [("if-none-match", "\"7\"")]] {
            assert_eq!(expected(&refused).await, Err(()), "{refused:?}");
        }
        assert_eq!(expected(&[("if-match", "7"), ("if-none-match", "*")]).await, Err(()));
    }
}
