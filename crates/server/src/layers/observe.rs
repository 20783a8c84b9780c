//! The outermost layer: the request id, the span, the counters, and the last word on errors.

use crate::access;
use crate::app::App;
use crate::metrics::Answered;
use crate::problem::{self, Failure, Shape};
use axum::extract::{MatchedPath, Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use http::{HeaderMap, HeaderValue};
use mainstay_core::Error;
use mainstay_core::api::REQUEST_ID_HEADER;
use mainstay_core::api::store::{KEPT_HEADER, STALE_HEADER};
use mainstay_core::outage::noting;
use std::any::Any;
use std::sync::Arc;
use std::time::Instant;
use tracing::Instrument;

/// Gives a request its id and span, and its answer the id; counts and logs it.
pub(crate) async fn observe(State(app): State<Arc<App>>, mut request: Request, next: Next) -> Response {
    let id = request_id(request.headers());
    let origin = access::origin(&request, &id, &app.config.trusted_proxies);
    request.extensions_mut().insert(origin);
    let method = request.method().clone();
    let shape = Shape::of(request.uri().path());
    let route = request.extensions().get::<MatchedPath>().cloned();
    let route = route.as_ref().map_or("unmatched", MatchedPath::as_str);
    let span = tracing::info_span!("request", request_id = %id, %method, path = request.uri().path());
    let started = Instant::now();
    let (mut response, noted) = noting(next.run(request)).instrument(span.clone()).await;
    let took = started.elapsed();
    span.in_scope(|| {
        problem::stamp(&mut response, &id, shape);
        tracing::info!(status = response.status().as_u16(), latency_ms = took.as_secs_f64() * 1_000.0, "answered");
    });
    let status = response.status();
    app.services.metrics.answered(&Answered { route, method: &method, status, took });
    if let Some(stale_ms) = noted.stale_ms {
        response.headers_mut().insert(STALE_HEADER, HeaderValue::from(stale_ms.div_ceil(1_000)));
    }
    if let Some(seq) = noted.kept {
        response.headers_mut().insert(KEPT_HEADER, HeaderValue::from(seq));
    }
    if let Ok(id) = HeaderValue::try_from(id) {
        response.headers_mut().insert(REQUEST_ID_HEADER, id);
    }
    response
}

/// The id that the caller gave, where it is fit for a log, or a new one.
fn request_id(headers: &HeaderMap) -> String {
    let given = headers.get(REQUEST_ID_HEADER).and_then(|value| value.to_str().ok());
    given.filter(|id| access::is_fit(id)).map_or_else(|| uuid::Uuid::now_v7().to_string(), str::to_owned)
}

/// The answer where a handler panicked.
pub(crate) fn caught(panic: Box<dyn Any + Send>) -> Response {
    let said = panic.downcast_ref::<String>().map(String::as_str).or_else(|| panic.downcast_ref::<&str>().copied());
    Failure(Error::bug(format!("a handler panicked: {}", said.unwrap_or("no message"))).maybe_applied()).into_response()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_that_could_forge_a_log_line_is_replaced() {
        let id = |text: &'static str| {
            request_id(&HeaderMap::from_iter([(
                http::HeaderName::from_static(REQUEST_ID_HEADER),
                HeaderValue::from_static(text),
            )]))
        };
        assert_eq!(id("4bf92f3577b34da6-1"), "4bf92f3577b34da6-1");
        for hostile in ["", "a b", "a\tb", "{\"level\":\"error\"}"] {
            assert_ne!(id(hostile), hostile);
        }
        let long: &'static str = Box::leak("x".repeat(129).into_boxed_str());
        assert_ne!(id(long), long);
    }
}
