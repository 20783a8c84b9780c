//! What browsers are told of pages of other origins (CORS): the configured ones may call, with a credential that the
//! page itself holds. Cookies play no part.

use http::{HeaderName, HeaderValue, Method, header};
use mainstay_core::api::{
    CORRELATION_ID_HEADER, IDEMPOTENCY_KEY_HEADER, INSTANCE_HEADER, NAMESPACE_HEADER, REASON_HEADER, REQUEST_ID_HEADER,
};
use std::time::Duration;
use tower_http::cors::CorsLayer;

/// How long a browser may remember the answer to its question.
const MAX_AGE: Duration = Duration::from_secs(600);

/// The layer for these origins. Without any there is no layer: a browser then lets no page of another origin call.
pub(crate) fn cross_origin(allowed_origins: &[String]) -> CorsLayer {
    let origins: Vec<HeaderValue> = allowed_origins.iter().filter_map(|origin| origin.parse().ok()).collect();
    CorsLayer::new()
        .allow_origin(origins)
        .allow_methods([Method::GET, Method::POST, Method::PUT, Method::PATCH, Method::DELETE])
        .allow_headers([
            header::AUTHORIZATION,
            header::CONTENT_TYPE,
            header::ACCEPT,
            header::IF_MATCH,
            header::IF_NONE_MATCH,
            HeaderName::from_static(IDEMPOTENCY_KEY_HEADER),
            HeaderName::from_static(INSTANCE_HEADER),
            HeaderName::from_static(NAMESPACE_HEADER),
            HeaderName::from_static(REQUEST_ID_HEADER),
            HeaderName::from_static(CORRELATION_ID_HEADER),
            HeaderName::from_static(REASON_HEADER),
            HeaderName::from_static("last-event-id"),
            HeaderName::from_static("x-requested-with"),
            HeaderName::from_static("x-signalr-user-agent"),
            HeaderName::from_static("mcp-protocol-version"),
            HeaderName::from_static("mcp-method"),
            HeaderName::from_static("mcp-name"),
        ])
        .expose_headers([
            header::ETAG,
            header::LOCATION,
            header::RETRY_AFTER,
            HeaderName::from_static(REQUEST_ID_HEADER),
        ])
        // SignalR clients ask for it by default. No cookie is ever looked at, and the origins are named one by one.
        .allow_credentials(true)
        .max_age(MAX_AGE)
}
