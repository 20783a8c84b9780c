//! `POST /hubs/{hub}/negotiate`.

use super::connections::{Ticket, Wanted};
use super::{hub_of, uncached};
use crate::app::App;
use crate::caller::Authenticated;
use crate::problem::Failure;
use axum::Json;
use axum::extract::{Path, State};
use axum::response::{IntoResponse, Response};
use http::Uri;
use mainstay_signalr::negotiate::{Answer, Connection, Transport, ask};
use serde_json::json;
use std::sync::Arc;

/// Begins a connection of a SignalR client.
///
/// The query may say `negotiateVersion` (0 or 1) and `useStatefulReconnect`; names are taken in any case. The answer names
/// the connection and the transports. The hubs are `chat`, `ticket`, `notification`, `remote-access` and `events`.
#[utoipa::path(post, path = "/hubs/{hub}/negotiate", operation_id = "negotiate_hub", tag = "hubs",
    params(("hub" = String, Path, description = "The hub"),
        ("negotiateVersion" = Option<u32>, Query, description = "The version of the answer"),
        ("useStatefulReconnect" = Option<bool>, Query, description = "Whether the client can continue a connection")),
    responses((status = 200, description = "The connection, or `error`", body = serde_json::Value))
)]
pub(crate) async fn negotiate(
    State(app): State<Arc<App>>,
    Authenticated(caller): Authenticated,
    Path(hub): Path<String>,
    uri: Uri,
) -> Result<Response, Failure> {
    let hub = hub_of(&hub)?;
    let query: Vec<_> = url::form_urlencoded::parse(uri.query().unwrap_or_default().as_bytes()).collect();
    let asked = match ask(query.iter().map(|(name, value)| (&**name, &**value))) {
        Ok(asked) => asked,
        Err(invalid) => return Ok(uncached(Json(json!({ "error": invalid.to_string() })).into_response())),
    };
    let wanted =
        Wanted { hub, caller: &caller, stateful: asked.stateful_reconnect, waits: app.config.signalr.negotiated_for };
    let Ticket { id, token } = app.connections.negotiate(wanted).await?;
    let connection = Connection { id, token, stateful_reconnect: asked.stateful_reconnect };
    Ok(uncached(Json(Answer::new(asked, connection, &Transport::ALL)).into_response()))
}
