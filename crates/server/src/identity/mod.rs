//! Who a credential stands for; users, API keys and sessions.

pub(crate) mod challenge;
pub(crate) mod keys;
pub(crate) mod login;
pub(crate) mod logout;
pub(crate) mod password;
pub(crate) mod recovery_codes;
pub(crate) mod sessions;
pub mod tokens;
pub(crate) mod totp;
pub(crate) mod users;
mod visit;

use axum::Json;
use axum::response::{IntoResponse, Response};
use http::header::CACHE_CONTROL;
use serde::Serialize;

/// An answer with something secret in it, which nothing between here and the caller may keep.
pub(crate) struct Secret<T>(T);

impl<T> Secret<T> {
    /// This answer is secret.
    pub fn of(answer: T) -> Self {
        Self(answer)
    }
}

impl<T: Serialize> IntoResponse for Secret<T> {
    fn into_response(self) -> Response {
        ([(CACHE_CONTROL, "no-store")], Json(self.0)).into_response()
    }
}
