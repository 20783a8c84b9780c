//! Parameters of the scripts of documents: numbers, ids of keys, encoded names; what users wrote never inside.

use crate::keys::{Keys, encode};
use mainstay_core::api::documents::MAX_CHANGES;
use mainstay_core::api::{Namespace, Timestamp};
use mainstay_core::documents::{DocumentLimits, DocumentsQuery, MAX_PAGE_BYTES, PurgeDocuments, Transact};
use mainstay_core::{Error, Result};
use serde_json::{Value, json};

/// The names of a transaction, as the scripts know them.
pub(super) struct Names {
    pub guards: Vec<String>,
    pub changes: Vec<String>,
}

pub(super) fn names(transact: &Transact) -> Names {
    Names {
        guards: transact.guards.iter().map(|guard| guard.name.to_string()).collect(),
        changes: transact.changes.iter().map(|change| change.name.to_string()).collect(),
    }
}

pub(super) fn transact(transact: &Transact, keys: &Keys) -> Result<Vec<u8>> {
    let mut params = bounds(&transact.namespace, (transact.limits, transact.now), keys);
    params["epoch"] = transact.epoch.as_str().into();
    params["guards"] = transact.guards.iter().map(|guard| guard.revision).collect();
    let changes = transact.changes.iter().map(|change| {
        let new = change.write.as_ref();
        let mut row = json!({ "seal": new.and_then(|new| new.body.seal_key.as_deref()).unwrap_or_default() });
        // Absent means absent: a JSON null would be a value in Lua.
        if new.is_none() {
            row["delete"] = true.into();
        }
        if let Some(expected) = change.expected {
            row["expected"] = expected.into();
        }
        if let Some(at) = new.and_then(|new| new.expires_at) {
            row["ends"] = at.as_millis().into();
        }
        row
    });
    params["changes"] = changes.collect();
    if let Some(memo) = &transact.memo {
        params["memo"] = json!({ "key": encode(&memo.key), "fp": memo.fingerprint, "until": memo.until.as_millis() });
    }
    bytes(&params)
}

pub(super) fn documents(query: &DocumentsQuery) -> Result<Vec<u8>> {
    bytes(&json!({ "now": query.now.as_millis(), "limit": query.limit, "max_bytes": MAX_PAGE_BYTES }))
}

pub(super) fn purge(namespace: &Namespace, purge: PurgeDocuments, keys: &Keys) -> Result<Vec<u8>> {
    let mut params = bounds(namespace, (purge.limits, purge.now), keys);
    params["before"] = purge.history_before.as_millis().max(0).saturating_mul(1_000).into();
    params["limit"] = purge.limit.into();
    params["max_changes"] = MAX_CHANGES.into();
    bytes(&params)
}

fn bounds(namespace: &Namespace, (limits, now): (DocumentLimits, Timestamp), keys: &Keys) -> Value {
    json!({
        "now": now.as_millis(),
        "max_documents": limits.max_documents,
        "max_revisions": limits.max_revisions,
        "max_history_bytes": limits.max_history_bytes,
        "max_log": limits.max_log,
        "channel": keys.channel(),
        "wake": format!("d {}", encode(namespace.as_str())),
    })
}

fn bytes(params: &Value) -> Result<Vec<u8>> {
    serde_json::to_vec(params).map_err(|e| Error::bug(format!("parameters are not JSON: {e}")))
}
