//! The layer around every handler: what the route needs is checked there, and nowhere else.

use super::Access;
use crate::caller::missing;
use crate::problem::Failure;
use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::Response;
use mainstay_core::Caller;

/// Lets a call reach its handler only with what the route needs.
pub(crate) async fn guard(State(access): State<Access>, request: Request, next: Next) -> Result<Response, Failure> {
    if access.needs != super::Needs::Nothing {
        let caller = request.extensions().get::<Caller>().ok_or_else(|| Failure(missing()))?;
        access.needs.check(caller)?;
    }
    Ok(next.run(request).await)
}
