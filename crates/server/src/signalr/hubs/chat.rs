//! `/hubs/chat`.

use super::floor::Refused;
use super::groups::{Group, Id};
use super::{Answer, done, nothing, value};
use crate::signalr::session::{Call, Peer};
use serde_json::json;
use std::sync::Arc;

/// Most messages that one call marks as read.
const MAX_MARKED: usize = 500;

pub(super) async fn connected(peer: &Peer) -> Result<(), Refused> {
    peer.join(Group::User(peer.user().to_owned()).into(), nothing).await.map(drop)
}

pub(super) async fn invoke(peer: &Arc<Peer>, call: Call) -> Answer {
    match call.method.as_str() {
        "joinroom" => {
            let id = call.argument::<Id>(0)?.text();
            let told = vec![value(&id)?];
            peer.join(Group::Request(id).into(), |_| Ok(Some(("RoomJoined", told)))).await?;
        }
        "leaveroom" => {
            let id = call.argument::<Id>(0)?.text();
            let told = vec![value(&id)?];
            peer.leave(&Group::Request(id)).await;
            peer.tell("RoomLeft", told)?;
        }
        "sendtyping" => {
            let (id, is_typing) = (call.argument::<Id>(0)?.text(), call.argument::<bool>(1)?);
            let kind = if is_typing { "typing_start" } else { "typing_stop" };
            let payload = json!({ "user_id": peer.user(), "username": peer.user(), "is_typing": is_typing });
            peer.say(&Group::Request(id), (kind, payload)).await?;
        }
        "markread" => mark_read(peer, &call).await?,
        _ => return Ok(None),
    }
    done()
}

async fn mark_read(peer: &Arc<Peer>, call: &Call) -> Result<(), String> {
    let (id, messages) = (call.argument::<Id>(0)?.text(), call.argument::<Vec<Id>>(1)?);
    if messages.len() > MAX_MARKED {
        return Err(format!("at most {MAX_MARKED} messages are marked at a time"));
    }
    if messages.is_empty() {
        return Ok(());
    }
    let messages: Vec<String> = messages.into_iter().map(Id::text).collect();
    let payload = json!({ "user_id": peer.user(), "message_ids": messages });
    peer.say(&Group::Request(id), ("read_receipt", payload)).await
}
