//! `GET`: the stream over which clients of the earlier protocols are told of changes.

use super::{Endpoint, refusal};
use crate::mcp::subscriptions;
use axum::extract::State;
use axum::response::sse::{Event, KeepAlive, Sse};
use axum::response::{IntoResponse, Response};
use futures::stream::{self, StreamExt};
use http::{Extensions, HeaderMap, HeaderName};
use mainstay_core::Caller;
use serde_json::json;
use std::convert::Infallible;
use std::sync::Arc;

/// The first protocol without this stream.
const STATELESS: &str = "2026-07-28";

pub(super) async fn open(State(endpoint): State<Endpoint>, headers: HeaderMap, extensions: Extensions) -> Response {
    let version = headers.get("mcp-protocol-version").and_then(|value| value.to_str().ok());
    if version.is_some_and(|version| version >= STATELESS) {
        return refusal::no_stream().into_response();
    }
    let Some(caller) = extensions.get::<Caller>() else {
        return refusal::no_caller().into_response();
    };
    let Ok(permit) = Arc::clone(&endpoint.waits).try_acquire_owned() else {
        return refusal::too_many().into_response();
    };
    let backend = endpoint.parts.backend(caller.clone());
    let uris = subscriptions::uris(&*backend);
    let changes = subscriptions::changes(&*backend, uris.iter().map(|(watched, _)| *watched));
    let events = changes.flat_map(move |what| {
        // The permit is held by the stream for as long as it lives.
        let _held = &permit;
        let told = uris.iter().filter(|(watched, _)| *watched == what).flat_map(|(_, uris)| uris);
        stream::iter(told.map(|uri| Ok::<_, Infallible>(updated(uri))).collect::<Vec<_>>())
    });
    let events = events.take_until(endpoint.stopping.cancelled_owned());
    let sse = Sse::new(events).keep_alive(KeepAlive::new().interval(endpoint.keep_alive));
    ([(HeaderName::from_static("x-accel-buffering"), "no")], sse).into_response()
}

fn updated(uri: &str) -> Event {
    let notification = json!({"jsonrpc": "2.0", "method": "notifications/resources/updated", "params": {"uri": uri}});
    Event::default().data(notification.to_string())
}
