//! `POST /v1/auth/challenge`.

use super::Secret;
use super::visit::{Visit, at_account, begun};
use crate::app::App;
use crate::extract::Json;
use axum::extract::State;
use axum::response::Response;
use mainstay_core::api::identity::{AnswerChallenge, NewSession};
use std::sync::Arc;

/// Answers the challenge of a login with a code of the authenticator, or with a recovery code.
///
/// Problems: `auth.login_failed`, `auth.locked`, `auth.challenge_invalid`.
#[utoipa::path(post, path = "/v1/auth/challenge", operation_id = "answer_challenge", tag = "identity",
    request_body = AnswerChallenge,
    responses((status = 200, description = "The session that begins", body = NewSession))
)]
pub(crate) async fn answer(
    State(app): State<Arc<App>>,
    Visit(visitor): Visit,
    Json(answer): Json<AnswerChallenge>,
) -> Response {
    let attempt = app.services.identity.answer(answer, visitor).await;
    let answer = async {
        let session = attempt.outcome?;
        begun(&app, &session, Secret(&session)).await
    };
    at_account(attempt.account, answer.await)
}
