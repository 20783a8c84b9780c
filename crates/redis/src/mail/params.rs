//! Parameters of the mail scripts: names percent-encoded, numbers as JSON numbers, what users wrote never inside.

use crate::keys::{Keys, encode};
use mainstay_core::api::mail::Ack;
use mainstay_core::api::{InstanceId, MessageId, MessageType, Timestamp};
use mainstay_core::mail::{Append, ListQuery, MAX_PAGE_BYTES, Merge, Recipients, TailQuery};
use mainstay_core::text::hex;
use mainstay_core::{Error, Result};
use serde_json::{Map, Value, json};

/// Entries that one call examines at most.
const MAX_EXAMINED: u32 = 20_000;

/// A candidate for the epoch of a namespace that has none yet.
pub(crate) fn new_epoch() -> String {
    let mut random = [0; 8];
    // Without random numbers the clock of this process still tells two lives of a store apart.
    if getrandom::fill(&mut random).is_err() {
        random = std::process::id().to_be_bytes().repeat(2).try_into().unwrap_or_default();
    }
    hex(&random)
}

pub(crate) fn append(append: &Append, keys: &Keys) -> Result<Vec<u8>> {
    let mut params = message(append, keys);
    if let Some(memo) = &append.memo {
        let memo = json!({ "key": encode(&memo.key), "fp": memo.fingerprint, "until": memo.until.as_millis() });
        params.insert("memo".into(), memo);
    }
    params.insert("max_pending".into(), append.limits.max_pending.into());
    bytes(&Value::Object(params))
}

/// The parameters of a merge, and the acknowledgements that follow them as arguments of their own.
pub(super) fn merge(merge: &Merge, keys: &Keys) -> Result<(Vec<u8>, Vec<Vec<u8>>)> {
    /// The first argument that is an acknowledgement, counted from one as Lua does.
    const FIRST_ACK: usize = 4;
    let mut acks = Vec::new();
    let mut receipts = Vec::new();
    for receipt in &merge.receipts {
        let mut index = 0;
        if let Some(given) = &receipt.ack {
            index = FIRST_ACK + acks.len();
            acks.push(ack(given)?);
        }
        let read = receipt.read_at.or(receipt.ack.as_ref().map(|ack| ack.at));
        // A read at the very beginning of 1970 would look unread.
        let read = read.map_or(0, |at| at.as_millis().max(1));
        receipts.push(json!({ "name": encode(receipt.recipient.as_str()), "read": read, "ack": index }));
    }
    let mut params = message(&merge.append, keys);
    params.insert("receipts".into(), Value::Array(receipts));
    params.insert("settled".into(), merge.settled.into());
    params.insert("dry_run".into(), merge.dry_run.into());
    Ok((bytes(&Value::Object(params))?, acks))
}

fn message(append: &Append, keys: &Keys) -> Map<String, Value> {
    let (everyone, to) = match &append.recipients {
        Recipients::Everyone => (true, Vec::new()),
        Recipients::Named(names) => (false, names.iter().map(|name| encode(name.as_str())).collect()),
    };
    let params = json!({
        "id": encode(append.id.as_str()),
        "from": encode(append.from.as_str()),
        "type": append.kind.as_str(),
        "th": append.thread.as_ref().map(|thread| encode(thread.as_str())).unwrap_or_default(),
        "req": append.requires_ack,
        "ts": append.timestamp.as_millis(),
        "exp": append.expires_at.as_millis(),
        "now": append.now.as_millis(),
        "everyone": everyone,
        "to": to,
        "max_inbox": append.limits.max_inbox,
        "max_messages": append.limits.max_messages,
        "epoch": new_epoch(),
        "channel": keys.channel(),
        "namespace": encode(append.namespace.as_str()),
    });
    match params {
        Value::Object(params) => params,
        _ => Map::new(),
    }
}

pub(super) fn list(query: &ListQuery) -> Result<Vec<u8>> {
    let instance = |name: &Option<InstanceId>| name.as_ref().map(|name| encode(name.as_str())).unwrap_or_default();
    let mut params = json!({
        "recipient": instance(&query.recipient),
        "sender": instance(&query.sender),
        "type": query.kind.as_ref().map_or("", MessageType::as_str),
        "thread": query.thread.as_ref().map(|thread: &MessageId| encode(thread.as_str())).unwrap_or_default(),
        "pending": query.pending,
        "oldest_first": query.oldest_first,
        "limit": query.limit,
        "viewer": instance(&query.viewer),
        "receipts": query.receipts,
        "now": query.now.as_millis(),
        "max_bytes": MAX_PAGE_BYTES,
        "max_examined": MAX_EXAMINED,
        "epoch": new_epoch(),
    });
    // Absent means absent: a JSON null would be a value in Lua.
    let time = |time: Option<Timestamp>| time.map(Timestamp::as_millis);
    for (name, value) in [("since", time(query.since)), ("until", time(query.until))] {
        if let Some(millis) = value {
            params[name] = millis.into();
        }
    }
    if let Some(place) = query.after {
        params["after_ts"] = place.timestamp.as_millis().into();
        params["after_off"] = format!("{:016}", place.offset.0).into();
    }
    bytes(&params)
}

pub(super) fn tail(query: &TailQuery) -> Result<Vec<u8>> {
    bytes(&json!({
        "recipient": encode(query.recipient.as_str()),
        "after": format!("{:016}", query.after.0),
        "unread_only": query.unread_only,
        "type": query.kind.as_ref().map_or("", MessageType::as_str),
        "sender": query.sender.as_ref().map(|sender| encode(sender.as_str())).unwrap_or_default(),
        "limit": query.limit,
        "now": query.now.as_millis(),
        "max_bytes": MAX_PAGE_BYTES,
        "max_examined": MAX_EXAMINED,
        "epoch": new_epoch(),
    }))
}

pub(super) fn ack(ack: &Ack) -> Result<Vec<u8>> {
    serde_json::to_vec(ack).map_err(|e| Error::bug(format!("an acknowledgement is not JSON: {e}")))
}

fn bytes(params: &Value) -> Result<Vec<u8>> {
    serde_json::to_vec(params).map_err(|e| Error::bug(format!("parameters are not JSON: {e}")))
}
