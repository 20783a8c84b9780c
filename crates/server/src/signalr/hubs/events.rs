//! `/hubs/events`: any stream and any room, with positions.

use super::floor::{Entry, Joined};
use super::groups::Group;
use super::{Answer, done, value};
use crate::signalr::session::{Call, Peer, Reply};
use futures::{StreamExt, stream};
use mainstay_core::api::RawJson;
use mainstay_signalr::Value;
use std::sync::Arc;
use std::time::Duration;

pub(super) async fn invoke(peer: &Arc<Peer>, call: Call) -> Answer {
    let room = || Ok::<_, String>(Group::Room(call.argument(0)?, call.argument(1)?));
    match call.method.as_str() {
        "subscribe" => {
            let info: Option<RawJson> = call.optional(3)?;
            let entry = Entry { group: room()?, from: call.optional(2)?, present: info.is_some(), info };
            // The answer may come behind the first events; this does not.
            let told = |joined: &Joined| {
                let [stream, room] = [0, 1].map(|at| call.arguments[at].clone());
                Ok(Some(("Subscribed", vec![stream, room, value(joined)?])))
            };
            let joined = peer.join(entry, told).await?;
            Ok(Some(Reply::Value(value(&joined)?)))
        }
        "unsubscribe" => {
            peer.leave(&room()?).await;
            done()
        }
        "probe" => probe(peer, &call).await,
        "probestream" => probe_stream(call),
        _ => Ok(None),
    }
}

/// Asks the client's own method `Probe` the same, and answers what it answers: whether it is there, and how long that
/// takes. A second argument says for how many milliseconds it waits.
async fn probe(peer: &Arc<Peer>, call: &Call) -> Answer {
    let asked = call.arguments.first().cloned().unwrap_or_else(Value::null);
    let within = call.optional(1)?.map_or(Duration::MAX, Duration::from_millis);
    peer.ask("Probe", vec![asked], within).await.map(|answer| Some(Reply::Value(answer)))
}

/// Streams back what the client uploads, as it comes: whether streams get through in both directions, whatever stands
/// between.
fn probe_stream(mut call: Call) -> Answer {
    let upload = call.upload()?;
    let items = stream::unfold(upload, |mut upload| async {
        let item = upload.recv().await?;
        Some((item, upload))
    });
    Ok(Some(Reply::Stream(items.boxed())))
}
