//! `/hubs/notification`.

use super::floor::Refused;
use super::groups::{Group, Id};
use super::{Answer, done, nothing, value};
use crate::signalr::session::{Call, Peer};
use mainstay_core::api::RawJson;
use serde_json::json;
use std::sync::Arc;

/// Most requests that one client is notified of.
const MAX_REQUESTS: usize = 100;

pub(super) async fn connected(peer: &Peer) -> Result<(), Refused> {
    let told = vec![value(&json!({ "userId": peer.user() }))?];
    peer.join(own(peer).into(), |_| Ok(Some(("Connected", told)))).await.map(drop)
}

pub(super) async fn invoke(peer: &Arc<Peer>, call: Call) -> Answer {
    match call.method.as_str() {
        "setactivechat" => {
            let id = call.optional::<Id>(0)?.map(Id::text);
            // Whoever asks who is there sees which chat is open, and need not notify of it.
            let info = RawJson::of(&json!({ "activeChat": id })).map_err(|cause| cause.to_string())?;
            peer.show(&own(peer), info).await?;
            peer.tell("ActiveChatSet", vec![value(&id)?])?;
        }
        "refreshsubscriptions" => {
            if let Some(requests) = call.optional::<Vec<Id>>(0)? {
                refresh(peer, requests).await?;
            }
            peer.tell("SubscriptionsRefreshed", Vec::new())?;
        }
        _ => return Ok(None),
    }
    done()
}

fn own(peer: &Peer) -> Group {
    Group::Notifications(peer.user().to_owned())
}

/// From now on the client is notified of these requests, and no others.
async fn refresh(peer: &Arc<Peer>, requests: Vec<Id>) -> Result<(), String> {
    if requests.len() > MAX_REQUESTS {
        return Err(format!("a client is notified of at most {MAX_REQUESTS} requests"));
    }
    let wanted: Vec<Group> = requests.into_iter().map(|id| Group::RequestNotifications(id.text())).collect();
    for group in peer.groups().await {
        if matches!(group, Group::RequestNotifications(_)) && !wanted.contains(&group) {
            peer.leave(&group).await;
        }
    }
    for group in wanted {
        peer.join(group.into(), nothing).await?;
    }
    Ok(())
}
