//! `/hubs/remote-access`.

use super::floor::Entry;
use super::groups::{Group, Id};
use super::{Answer, done, value};
use crate::signalr::session::{Call, Peer};
use mainstay_core::api::RawJson;
use serde_json::{Value as Json, json};
use std::sync::Arc;

/// Longest name of a signal.
const MAX_SIGNAL_BYTES: usize = 64;

/// Methods of clients that only the server calls: no signal passes for one.
const OURS: [&str; 12] = [
    "sessionjoined",
    "sessionleft",
    "sessionended",
    "participantjoined",
    "participantleft",
    "controlenabled",
    "controldisabled",
    "uacdetected",
    "uacdismissed",
    "remotesessionreconnect",
    "gap",
    "conflated",
];

pub(super) async fn invoke(peer: &Arc<Peer>, call: Call) -> Answer {
    let session = || call.argument::<Id>(0).map(Id::text);
    match call.method.as_str() {
        "joinsession" => join(peer, session()?, &call).await?,
        "leavesession" => leave(peer, session()?).await?,
        "sendsignal" => signal(peer, session()?, (&call.argument::<String>(1)?, call.argument(2)?)).await?,
        "sendsdpoffer" => signal(peer, session()?, ("SdpOffer", call.argument(1)?)).await?,
        "sendsdpanswer" => signal(peer, session()?, ("SdpAnswer", call.argument(1)?)).await?,
        "sendicecandidate" => signal(peer, session()?, ("IceCandidate", call.argument(1)?)).await?,
        "enablecontrol" => control(peer, session()?, true).await?,
        "disablecontrol" => control(peer, session()?, false).await?,
        "notifyuacdetected" => {
            let session = session()?;
            let message = "Waiting for the user to answer the UAC prompt";
            let payload = json!({ "sessionId": session, "message": message, "byUserId": peer.user() });
            peer.say(&Group::Session(session), ("uac_detected", payload)).await?;
        }
        "notifyuacdismissed" => {
            let session = session()?;
            let payload = json!({ "sessionId": session, "byUserId": peer.user() });
            peer.say(&Group::Session(session), ("uac_dismissed", payload)).await?;
        }
        _ => return Ok(None),
    }
    done()
}

/// The client has gone without leaving: the others are told.
pub(super) async fn disconnected(peer: &Arc<Peer>) {
    for group in peer.groups().await {
        if let Group::Session(session) = &group {
            let payload = json!({ "sessionId": session, "userId": peer.user() });
            if let Err(cause) = peer.say(&group, ("participant_left", payload)).await {
                tracing::debug!(cause, "others were not told that a participant has left");
            }
        }
    }
}

/// Whoever is not the agent is the requester.
async fn join(peer: &Arc<Peer>, session: String, call: &Call) -> Result<(), String> {
    let said: String = call.argument(1)?;
    let role = if said.eq_ignore_ascii_case("agent") { "agent" } else { "requester" };
    let told = vec![value(&json!({ "sessionId": session, "participantType": role }))?];
    let info = RawJson::of(&json!({ "participantType": role })).map_err(|cause| cause.to_string())?;
    let group = Group::Session(session.clone());
    let entry = Entry { info: Some(info), ..group.clone().into() };
    peer.join(entry, |_| Ok(Some(("SessionJoined", told)))).await?;
    let payload = json!({ "sessionId": session, "participantType": role, "userId": peer.user() });
    peer.say(&group, ("participant_joined", payload)).await
}

async fn leave(peer: &Arc<Peer>, session: String) -> Result<(), String> {
    let (group, told) = (Group::Session(session.clone()), vec![value(&session)?]);
    if peer.leave(&group).await {
        let payload = json!({ "sessionId": session, "userId": peer.user() });
        peer.say(&group, ("participant_left", payload)).await?;
    }
    peer.tell("SessionLeft", told)
}

/// Calls a method of the other end.
async fn signal(peer: &Arc<Peer>, session: String, (name, payload): (&str, Json)) -> Result<(), String> {
    let valid = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
    if !(1..=MAX_SIGNAL_BYTES).contains(&name.len()) || !name.bytes().all(valid) {
        return Err(format!("the name of a signal is 1 to {MAX_SIGNAL_BYTES} letters, digits, `-` and `_`"));
    }
    if OURS.contains(&name.to_ascii_lowercase().as_str()) {
        return Err(format!("{name} is told by the server alone"));
    }
    let from = peer.user();
    let kind = match name {
        "SdpOffer" => "sdp_offer",
        "SdpAnswer" => "sdp_answer",
        "IceCandidate" => "ice_candidate",
        _ => "signal",
    };
    let payload = json!({ "sessionId": session, "type": name, "payload": payload, "fromUserId": from });
    peer.say(&Group::Session(session), (kind, payload)).await
}

async fn control(peer: &Arc<Peer>, session: String, enabled: bool) -> Result<(), String> {
    let payload = json!({ "sessionId": session, "enabled": enabled, "byUserId": peer.user() });
    peer.say(&Group::Session(session), ("remote_control_mode", payload)).await
}
