//! `POST /v1/auth/login`.

use super::Secret;
use super::visit::{Visit, at_account, begun};
use crate::app::App;
use crate::extract::Json;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use mainstay_core::api::identity::{Login, LoginOutcome};
use std::sync::Arc;

/// Logs in with a name and a password.
///
/// A user with a second factor gets a challenge to answer, any other a session, whose token is a bearer credential.
/// Problems: `auth.login_failed`, `auth.locked`.
#[utoipa::path(post, path = "/v1/auth/login", operation_id = "login", tag = "identity", request_body = Login,
    responses((status = 200, description = "A session, or a challenge", body = LoginOutcome))
)]
pub(crate) async fn login(State(app): State<Arc<App>>, Visit(visitor): Visit, Json(login): Json<Login>) -> Response {
    let attempt = app.services.identity.login(login, visitor).await;
    let answer = async {
        let outcome = attempt.outcome?;
        let LoginOutcome::Session(session) = &outcome else { return Ok(Secret(outcome).into_response()) };
        begun(&app, session, Secret(&outcome)).await
    };
    at_account(attempt.account, answer.await)
}
