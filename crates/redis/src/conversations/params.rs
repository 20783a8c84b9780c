//! Parameters of the conversation scripts: names percent-encoded, numbers as JSON numbers, what users wrote never inside.

use crate::keys::{Keys, encode};
use mainstay_core::api::conversations::RetentionMode;
use mainstay_core::conversations::{
    Append, Create, Fork, Lifetime, ListQuery, Lookup, MAX_PAGE_BYTES, Owner, Patch, Renew, Settle, Take,
};
use mainstay_core::mail::RequestMemo;
use mainstay_core::{Error, Result};
use serde_json::{Value, json};

/// Conversations that one list examines at most.
const MAX_EXAMINED: u32 = 5_000;

/// The wake-up of an owner's conversations.
pub(super) fn wake(owner: &Owner) -> String {
    let subject = &owner.subject;
    let parts = [owner.namespace.as_str(), subject.realm.as_str(), subject.tenant.as_str(), subject.user.as_str()];
    format!("c {}", parts.map(encode).join(" "))
}

pub(super) fn create(create: &Create, epoch: &str, keys: &Keys) -> Result<Vec<u8>> {
    bytes(&beginning(create, epoch, keys))
}

/// The parameters of a fork that is published; with `check`, of one that is only asked about.
pub(super) fn fork(fork: &Fork, copy: &str, check: bool, keys: &Keys) -> Result<Vec<u8>> {
    let mut params = beginning(&fork.create, copy, keys);
    params["source"] = encode(fork.source.as_str()).into();
    params["up_to"] = fork.up_to.into();
    params["copy"] = copy.into();
    params["check"] = check.into();
    bytes(&params)
}

fn beginning(create: &Create, epoch: &str, keys: &Keys) -> Value {
    let mut params = lookup(&create.at, keys);
    let lifetime = lifetime(create.lifetime);
    for name in ["mode", "ttl", "pinned"] {
        params[name] = lifetime[name].clone();
    }
    params["status"] = create.status.as_str().into();
    params["max"] = create.max_conversations.into();
    params["epoch"] = epoch.into();
    params["has_workflow"] = create.workflow.is_some().into();
    remember(&mut params, create.memo.as_ref());
    params
}

pub(crate) fn append(append: &Append, keys: &Keys) -> Result<Vec<u8>> {
    let mut params = lookup(&append.at, keys);
    params["pending"] = append.pending.into();
    params["release"] = append.release.into();
    params["has_workflow"] = append.workflow.is_some().into();
    params["max_messages"] = append.limits.max_messages.into();
    params["max_bytes"] = append.limits.max_bytes.into();
    // Absent means absent: a JSON null would be a value in Lua.
    if let Some(version) = append.expected_version {
        params["expected"] = version.into();
    }
    if let Some(fence) = append.fence {
        params["fence"] = fence.into();
    }
    match append.settle.filter(|_| append.fence.is_some()) {
        Some(Settle::Done) => params["settle"] = "done".into(),
        Some(Settle::Failed) => params["settle"] = "failed".into(),
        None => {}
    }
    remember(&mut params, append.memo.as_ref());
    bytes(&params)
}

pub(super) fn patch(patch: &Patch, keys: &Keys) -> Result<Vec<u8>> {
    let mut params = lookup(&patch.at, keys);
    params["expected"] = patch.expected_version.into();
    params["status"] = patch.status.as_str().into();
    params["has_workflow"] = patch.workflow.is_some().into();
    if let Some(given) = patch.lifetime {
        params["lifetime"] = lifetime(given);
    }
    bytes(&params)
}

pub(super) fn list(query: &ListQuery) -> Result<Vec<u8>> {
    let mut params = json!({
        "now": query.now.as_millis(),
        "status": query.status.map_or("", mainstay_core::api::conversations::Status::as_str),
        "limit": query.limit,
        "max_bytes": MAX_PAGE_BYTES,
        "max_examined": MAX_EXAMINED,
    });
    if let Some(place) = &query.after {
        params["after_ms"] = place.updated_at.as_millis().into();
        params["after_id"] = encode(place.id.as_str()).into();
    }
    bytes(&params)
}

pub(super) fn take(take: &Take, keys: &Keys) -> Result<Vec<u8>> {
    let mut params = lookup(&take.at, keys);
    params["ttl"] = take.ttl_ms.into();
    bytes(&params)
}

pub(super) fn renew(renew: &Renew, keys: &Keys) -> Result<Vec<u8>> {
    let mut params = lookup(&renew.at, keys);
    params["fence"] = renew.fence.into();
    params["ttl"] = renew.ttl_ms.into();
    bytes(&params)
}

fn lookup(at: &Lookup, keys: &Keys) -> Value {
    json!({
        "id": encode(at.id.as_str()),
        "now": at.now.as_millis(),
        "channel": keys.channel(),
        "wake": wake(&at.owner),
    })
}

fn lifetime(lifetime: Lifetime) -> Value {
    let mode = match lifetime.retention.mode {
        RetentionMode::Sliding => "sliding",
        RetentionMode::Fixed => "fixed",
    };
    json!({ "mode": mode, "ttl": lifetime.retention.ttl_ms, "pinned": lifetime.pinned })
}

fn remember(params: &mut Value, memo: Option<&RequestMemo>) {
    if let Some(memo) = memo {
        params["memo"] = json!({ "key": encode(&memo.key), "fp": memo.fingerprint, "until": memo.until.as_millis() });
    }
}

fn bytes(params: &Value) -> Result<Vec<u8>> {
    serde_json::to_vec(params).map_err(|e| Error::bug(format!("parameters are not JSON: {e}")))
}
