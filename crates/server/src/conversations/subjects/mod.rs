//! The conversations of another user: for administrators, with a reason, and recorded.

pub(crate) mod erase;
pub(crate) mod export;

use crate::extract::{Path, header_text};
use crate::problem::Failure;
use axum::extract::FromRequestParts;
use http::request::Parts;
use mainstay_core::Result;
use mainstay_core::api::{REASON_HEADER, Realm, Subject, SubjectId, TenantId};
use mainstay_core::conversations::Whose;

/// The user in the path, and the reason in the header.
pub(crate) struct Another(Whose);

impl<S: Send + Sync> FromRequestParts<S> for Another {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Failure> {
        let Path((realm, tenant, user)) =
            Path::<(Realm, TenantId, SubjectId)>::from_request_parts(parts, state).await?;
        let reason = header_text(&parts.headers, REASON_HEADER)?.unwrap_or_default();
        Ok(Self(Whose::Other { subject: Subject { realm, tenant, user }, reason }))
    }
}
