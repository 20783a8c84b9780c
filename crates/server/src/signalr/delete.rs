//! `DELETE /hubs/{hub}`: the end of a connection over long polls.

use super::held::Held;
use super::{empty, relay, unfit};
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
    let session = match Held::find(&app, &caller, (&hub, &uri)).await? {
        Held::Here(session) => session,
        Held::Elsewhere(key) => {
            relay::end(&app, &key).await?;
            return Ok(empty(StatusCode::ACCEPTED));
        }
    };
    if session.transport != Transport::LongPolling {
        return Err(unfit("Cannot terminate this connection using the DELETE endpoint."));
    }
    session.end(Ending::Done);
    Ok(empty(StatusCode::ACCEPTED))
}
