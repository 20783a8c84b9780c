//! `GET /v1/events/ws`.

use super::socket::{Opening, serve};
use crate::app::App;
use crate::caller::{Authenticated, Credential};
use crate::live::socket::Upgrade;
use crate::problem::Failure;
use axum::Extension;
use axum::extract::{Request, State};
use axum::response::Response;
use std::sync::Arc;

/// Opens a WebSocket: subscriptions to rooms, with what was missed, and publishing.
///
/// Messages are JSON texts, described in the guide and in `docs/reference/live.schema.json`. The close code says whether to
/// come back: 45xx after a moment, from the positions; 44xx not without a change; 1000 is the client's own. A browser, which
/// can give a WebSocket no header, says its credential as `access_token`.
#[utoipa::path(get, path = "/v1/events/ws", operation_id = "open_socket", tag = "events",
    params(("access_token" = Option<String>, Query, description = "The credential, where no header can be given")),
    responses((status = 101, description = "A WebSocket"))
)]
pub(crate) async fn ws(
    State(app): State<Arc<App>>,
    Authenticated(caller): Authenticated,
    Extension(credential): Extension<Credential>,
    request: Request,
) -> Result<Response, Failure> {
    let upgrade = Upgrade::of(&mut request.into_parts().0)?;
    let seat = app.seats.take(&caller, app.config.live.max_per_principal)?;
    let permit = app.admission.live()?;
    let (response, socket) = upgrade.accept();
    let tasks = app.services.sockets.clone();
    let sockets = tasks.clone();
    tasks.spawn(async move {
        if let Some(socket) = socket.await {
            // A task of its own: this one has room for the request as well, which an open socket does not need.
            sockets.spawn(serve(socket, Opening { app, caller, credential, permit, seat }));
        }
    });
    Ok(response)
}
