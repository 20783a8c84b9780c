//! `/hubs/events`.

use super::Answer;
use crate::signalr::session::{Call, Peer, Reply};
use futures::{StreamExt, stream};
use mainstay_signalr::Value;
use std::sync::Arc;
use std::time::Duration;

pub(super) async fn invoke(peer: &Arc<Peer>, call: Call) -> Answer {
    match call.method.as_str() {
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
