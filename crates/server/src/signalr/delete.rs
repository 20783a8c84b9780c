//! `DELETE /hubs/{hub}`: the end of a connection over long polls.

use super::connections::{Named, Place, key_of};
use super::{empty, hub_of, parameter, relay, unfit, unknown};
use crate::app::App;
use crate::caller::Authenticated;
use crate::problem::Failure;
use axum::extract::{Path, State};
use axum::response::Response;
use http::{StatusCode, Uri};
use mainstay_signalr::close::Ending;
use mainstay_signalr::negotiate::Transport;
use std::sync::Arc;

/// Ends a connection over long polls. Others end with their socket or stream.
#[utoipa::path(delete, path = "/hubs/{hub}", operation_id = "disconnect_hub", tag = "hubs",
    params(("hub" = String, Path, description = "The hub"),
        ("id" = String, Query, description = "The token of the connection")),
    responses((status = 202, description = "It ends"))
)]
pub(crate) async fn end(
    State(app): State<Arc<App>>,
    Authenticated(caller): Authenticated,
    Path(hub): Path<String>,
    uri: Uri,
) -> Result<Response, Failure> {
    let hub = hub_of(&hub)?;
    let token = parameter(&uri, "id").ok_or_else(|| unfit("query: Connection ID required"))?;
    let key = key_of(&token);
    let named = Named { key: &key, hub, caller: &caller };
    let session = match app.connections.find(named).await? {
        Place::Here(session) => session,
        Place::Elsewhere => {
            relay::end(&app, &key).await?;
            return Ok(empty(StatusCode::ACCEPTED));
        }
        Place::Ready { .. } | Place::Unknown => return Err(unknown()),
    };
    if session.transport != Transport::LongPolling {
        return Err(unfit("Cannot terminate this connection using the DELETE endpoint."));
    }
    session.end(Ending::Done);
    Ok(empty(StatusCode::ACCEPTED))
}
