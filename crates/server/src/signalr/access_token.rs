//! The credential in the query. A browser can give a WebSocket and an `EventSource` no header.

use super::parameter;
use axum::extract::Request;
use axum::middleware::Next;
use axum::response::Response;
use http::HeaderValue;
use http::header::AUTHORIZATION;

/// Takes the credential from `?access_token`, where the request has no header with one. What is logged of a request
/// is its path alone.
pub(crate) async fn from_query(mut request: Request, next: Next) -> Response {
    if !request.headers().contains_key(AUTHORIZATION) {
        let token = parameter(request.uri(), "access_token").filter(|token| !token.is_empty());
        let value = token.and_then(|token| HeaderValue::try_from(format!("Bearer {token}")).ok());
        if let Some(mut value) = value {
            value.set_sensitive(true);
            request.headers_mut().insert(AUTHORIZATION, value);
        }
    }
    next.run(request).await
}
