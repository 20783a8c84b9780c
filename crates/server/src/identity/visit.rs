//! Where somebody logs in from, and who it turned out to be.

use crate::access::{Origin, Recognised, Resource};
use crate::app::App;
use crate::caller::caller_of;
use crate::problem::Failure;
use axum::extract::FromRequestParts;
use axum::response::{IntoResponse, Response};
use http::header::USER_AGENT;
use http::request::Parts;
use mainstay_core::Result;
use mainstay_core::api::UserId;
use mainstay_core::api::identity::NewSession;
use mainstay_core::identity::{Purpose, Visitor};
use std::convert::Infallible;

/// Where a request comes from, as it is noted with a session.
pub(crate) struct Visit(pub Visitor);

impl<S: Sync> FromRequestParts<S> for Visit {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, Infallible> {
        let origin = parts.extensions.get::<Origin>().cloned().unwrap_or_default();
        let agent = parts.headers.get(USER_AGENT).and_then(|agent| agent.to_str().ok());
        Ok(Self(Visitor { from: origin.place(), agent: agent.map(str::to_owned) }))
    }
}

/// The answer that begins a session, with the caller that the audit trail is to name.
pub(super) async fn begun(app: &App, session: &NewSession, answer: impl IntoResponse) -> Result<Response> {
    let mut response = answer.into_response();
    if let Some(identified) = app.services.identity.by_session(&session.token, Purpose::Use).await? {
        response.extensions_mut().insert(Recognised(caller_of(identified, None, None)?));
    }
    Ok(response)
}

/// The answer to an attempt to log in, with the account that the audit trail is to name, whether it succeeded or not. A
/// name that nobody has is told nowhere: people type passwords there.
pub(super) fn at_account(account: Option<UserId>, answer: Result<Response>) -> Response {
    let mut response = answer.map_err(Failure).into_response();
    if let Some(account) = account {
        response.extensions_mut().insert(Resource(account.as_str().to_owned()));
    }
    response
}
