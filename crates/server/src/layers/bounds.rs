//! Bounds on requests: how many at a time, how long, how large.

use crate::app::App;
use crate::extract;
use crate::problem::Failure;
use axum::body::{Body, HttpBody};
use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::Response;
use bytes::Bytes;
use http_body_util::{BodyExt, LengthLimitError, Limited};
use mainstay_core::Error;
use mainstay_core::api::Code;
use std::sync::Arc;
use std::time::Duration;

/// Refuses a request where as many as allowed are in flight.
pub(crate) async fn admit(State(app): State<Arc<App>>, request: Request, next: Next) -> Result<Response, Failure> {
    let _permit = app.admission.brief()?;
    Ok(next.run(request).await)
}

/// Refuses a request where as many live ones as allowed are open.
pub(crate) async fn admit_live(State(app): State<Arc<App>>, request: Request, next: Next) -> Result<Response, Failure> {
    let _permit = app.admission.live()?;
    Ok(next.run(request).await)
}

/// Ends a request that takes too long. A write may have taken place by then.
pub(crate) async fn limit_time(State(app): State<Arc<App>>, request: Request, next: Next) -> Result<Response, Failure> {
    let safe = request.method().is_safe();
    let limit_ms = app.config.request_timeout_ms;
    match tokio::time::timeout(Duration::from_millis(limit_ms), next.run(request)).await {
        Ok(response) => Ok(response),
        Err(_) if safe => Err(Failure(timed_out(limit_ms))),
        Err(_) => Err(Failure(timed_out(limit_ms).maybe_applied())),
    }
}

/// The error of a request that took longer than allowed.
pub(crate) fn timed_out(limit_ms: u64) -> Error {
    Error::new(
        Code::TimedOut,
        format!("the request was not done within {limit_ms} ms"),
        "Repeat the call, a write with the same request id; look at /health/ready if it happens again.",
    )
}

/// Refuses a body that says it is too large, and cuts one that turns out to be.
pub(crate) async fn limit_body(State(app): State<Arc<App>>, request: Request, next: Next) -> Result<Response, Failure> {
    limited(app.config.max_body_bytes, request, next).await
}

/// The same for the gateway, whose bodies have a bound of their own.
pub(crate) async fn limit_gateway_body(
    State(app): State<Arc<App>>,
    request: Request,
    next: Next,
) -> Result<Response, Failure> {
    limited(app.config.max_gateway_body_bytes, request, next).await
}

async fn limited(limit_bytes: usize, request: Request, next: Next) -> Result<Response, Failure> {
    if request.body().size_hint().lower() > limit_bytes as u64 {
        return Err(Failure(extract::too_large()));
    }
    Ok(next.run(request.map(|body| Body::new(Limited::new(body, limit_bytes)))).await)
}

/// Reads the whole body before the handler runs, within the time of a request. For handlers whose answer may be a
/// stream: no time limit stands around them, and a body that never ends would keep its place for ever.
pub(crate) async fn read_body(State(app): State<Arc<App>>, request: Request, next: Next) -> Result<Response, Failure> {
    let (parts, body) = request.into_parts();
    let body = whole(&app, body).await?;
    Ok(next.run(Request::from_parts(parts, Body::from(body))).await)
}

/// A whole body, within the time of a request.
pub(crate) async fn whole(app: &App, body: Body) -> Result<Bytes, Failure> {
    let limit_ms = app.config.request_timeout_ms;
    match tokio::time::timeout(Duration::from_millis(limit_ms), body.collect()).await {
        Ok(Ok(body)) => Ok(body.to_bytes()),
        Ok(Err(cause)) if is_too_large(&cause) => Err(Failure(extract::too_large())),
        Ok(Err(cause)) => {
            Err(Failure(Error::invalid("body: it ended before it was complete").internal(cause.to_string())))
        }
        Err(_) => Err(Failure(timed_out(limit_ms))),
    }
}

fn is_too_large(cause: &(dyn std::error::Error + 'static)) -> bool {
    std::iter::successors(Some(cause), |cause| cause.source()).any(|cause| cause.is::<LengthLimitError>())
}
