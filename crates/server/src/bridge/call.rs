//! `POST /internal/{area}/{act}`.

use crate::app::App;
use crate::caller::Authenticated;
use crate::events::{Coalesced, Passing, Way};
use crate::extract::Path;
use crate::metrics::Transport;
use crate::problem::Failure;
use axum::Json;
use axum::extract::State;
use bytes::Bytes;
use mainstay_core::Error;
use mainstay_core::api::Code;
use mainstay_core::api::events::bridge::{BridgeAnswer, Bridged, CALLS, bridged};
use mainstay_core::api::events::{PublishEvent, PublishEvents};
use mainstay_hub::live::coalesced_with;
use serde::Deserialize;
use std::sync::Arc;

/// Takes a call of the HTTP bridge, and publishes the event that it stands for.
///
/// The calls are those of the founding system, such as `chat/message`; the guide lists them, with the event and the room
/// of each. The answer is `{"broadcast": true}` once the event is stored, and `{"duplicate": true}` where an event of this
/// `event_id` had been taken before. Who types and what was read is stored within a tenth of a second, as the last state
/// of several. The credential is the key of the bridge in the header `X-Internal-Api-Key`.
#[utoipa::path(post, path = "/internal/{area}/{act}", operation_id = "call_bridge", tag = "bridge",
    request_body = serde_json::Value,
    params(("area" = String, Path, description = "`chat`, `ticket`, `notification` or `remote-access`"),
        ("act" = String, Path, description = "What has happened")),
    responses((status = 200, description = "The event is stored", body = BridgeAnswer))
)]
pub(crate) async fn call(
    State(app): State<Arc<App>>,
    Authenticated(caller): Authenticated,
    Path((area, act)): Path<(String, String)>,
    body: Bytes,
) -> Result<Json<BridgeAnswer>, Failure> {
    let bridged = bridged(&format!("{area}/{act}"), &body).ok_or_else(unknown)?;
    let Bridged { stream, events } = bridged.map_err(|rule| Error::invalid(format!("body: {rule}")))?;
    let services = &app.services;
    let published = match passing(&events) {
        Some((user, event)) => {
            match services.coalescer.publish(&caller, Transport::Bridge, Passing { stream, user, event }).await? {
                Coalesced::Published(published) => published,
                Coalesced::Held => return Ok(Json(BridgeAnswer { broadcast: true, duplicate: false })),
            }
        }
        None => {
            let way = Way { stream: &stream, from: Transport::Bridge, request: None };
            services.publisher.publish(&caller, way, PublishEvents { events }).await?
        }
    };
    let duplicate = published.events.iter().all(|event| event.duplicate);
    Ok(Json(BridgeAnswer { broadcast: !duplicate, duplicate }))
}

/// The event, where it is one of which only the last state of its user matters, and that user.
fn passing(events: &[PublishEvent]) -> Option<(String, PublishEvent)> {
    #[derive(Deserialize)]
    struct OfUser {
        user_id: String,
    }
    let [event] = events else { return None };
    coalesced_with(&event.kind)?;
    let OfUser { user_id } = event.payload.read().ok()?;
    Some((user_id, event.clone()))
}

fn unknown() -> Error {
    Error::new(
        Code::NoSuchRoute,
        "the bridge has no such call",
        "Make one of the calls that it has, or publish with POST /v1/events/{stream}.",
    )
    .valid_values(CALLS.map(str::to_owned).into())
}
