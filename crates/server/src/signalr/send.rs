//! `POST /hubs/{hub}`: what a client sends, where its transport carries one direction alone.

use super::held::Held;
use super::{empty, relay, unknown};
use crate::app::App;
use crate::caller::Authenticated;
use crate::problem::Failure;
use axum::extract::{Path, State};
use axum::response::Response;
use bytes::Bytes;
use http::{StatusCode, Uri};
use mainstay_core::Error;
use mainstay_core::api::Code;
use mainstay_signalr::negotiate::Transport;
use std::sync::Arc;

/// Takes messages of a connection over server-sent events or long polls.
#[utoipa::path(post, path = "/hubs/{hub}", operation_id = "send_to_hub", tag = "hubs",
    params(("hub" = String, Path, description = "The hub"),
        ("id" = String, Query, description = "The token of the connection")),
    request_body(content = String, description = "Messages, as the handshake agreed", content_type = "text/plain"),
    responses((status = 200, description = "They were taken"))
)]
pub(crate) async fn send(
    State(app): State<Arc<App>>,
    Authenticated(caller): Authenticated,
    Path(hub): Path<String>,
    uri: Uri,
    body: Bytes,
) -> Result<Response, Failure> {
    let session = match Held::find(&app, &caller, (&hub, &uri)).await? {
        Held::Here(session) => session,
        Held::Elsewhere(key) => {
            relay::send(&app, &key, &body).await?;
            return Ok(empty(StatusCode::OK));
        }
    };
    if session.transport == Transport::WebSockets {
        return Err(Failure(Error::new(
            Code::MethodNotAllowed,
            "this connection has a socket, which carries what the client sends",
            "Send on the socket.",
        )));
    }
    let limit_ms = app.config.request_timeout_ms;
    let delivered = tokio::time::timeout(std::time::Duration::from_millis(limit_ms), session.deliver(body)).await;
    match delivered {
        Ok(true) => Ok(empty(StatusCode::OK)),
        Ok(false) => Err(unknown()),
        Err(_) => Err(Failure(crate::layers::timed_out(limit_ms).maybe_applied())),
    }
}
