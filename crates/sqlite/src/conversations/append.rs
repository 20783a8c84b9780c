//! Appending.

use super::requests::{self, Remember};
use super::row::{self, Stored};
use crate::errors::Outcome;
use crate::wakeups::Wakes;
use bytes::Bytes;
use mainstay_core::api::Timestamp;
use mainstay_core::conversations::{Append, Appended, Full, Lookup, Recalled, Settle, Written};
use mainstay_core::mail::RequestMemo;
use rusqlite::{Connection, OptionalExtension, named_params};

/// See [`mainstay_core::conversations::ConversationStore::append`].
pub(super) fn append(connection: &Connection, append: &Append, wakes: &mut Wakes) -> Outcome<Appended> {
    let at = &append.at;
    let Some(owner) = row::owner(connection, &at.owner)? else { return Ok(Appended::NotFound) };
    let Some(stored) = row::alive(connection, owner, at)? else { return Ok(Appended::NotFound) };
    if let Some(memo) = &append.memo {
        match remembered(connection, owner, &stored, memo, at.now)? {
            Some(Recalled::Written(written)) => return Ok(Appended::Replayed(written)),
            Some(Recalled::MemoMismatch) => return Ok(Appended::MemoMismatch),
            None => {}
        }
    }
    if let Some(refused) = refuses(&stored, append) {
        return Ok(refused);
    }
    let written = write(connection, &stored, append)?;
    if let Some(memo) = &append.memo {
        let conversation = stored.number;
        let remember = Remember { owner, memo, conversation, id: &at.id, written: Some(written) };
        requests::remember(connection, &remember)?;
    }
    row::wake(wakes, &at.owner);
    let expires_at = stored.ends_ms(at.now).map(Timestamp::from_millis);
    Ok(Appended::Stored { written, expires_at })
}

/// See [`mainstay_core::conversations::ConversationStore::recall`].
pub(super) fn recall(connection: &Connection, at: &Lookup, memo: &RequestMemo) -> Outcome<Option<Recalled>> {
    let Some(owner) = row::owner(connection, &at.owner)? else { return Ok(None) };
    let Some(stored) = row::alive(connection, owner, at)? else { return Ok(None) };
    remembered(connection, owner, &stored, memo, at.now)
}

/// What is remembered of a request, unless its messages failed.
fn remembered(
    connection: &Connection,
    owner: i64,
    stored: &Stored,
    memo: &RequestMemo,
    now: Timestamp,
) -> Outcome<Option<Recalled>> {
    let Some(memory) = requests::find(connection, owner, &memo.key, now)? else { return Ok(None) };
    let written = memory.written.filter(|_| memory.conversation == stored.number);
    let Some(written) = written.filter(|_| memory.fingerprint == memo.fingerprint) else {
        return Ok(Some(Recalled::MemoMismatch));
    };
    let sql = "SELECT pending FROM conversation_messages WHERE conversation = ?1 AND seq = ?2";
    let key = (stored.number, written.first_seq);
    let pending = connection.prepare_cached(sql)?.query_row(key, |row| row.get::<_, Option<u64>>(0)).optional()?;
    let running = stored.summary.turn.as_ref().map(|turn| turn.fence);
    let failed = pending.flatten().is_some_and(|fence| running != Some(fence));
    Ok((!failed).then_some(Recalled::Written(written)))
}

/// Why an append is refused, where it is.
fn refuses(stored: &Stored, append: &Append) -> Option<Appended> {
    let (summary, limits) = (&stored.summary, append.limits);
    if append.expected_version.is_some_and(|expected| expected != summary.version) {
        return Some(Appended::Conflict { current: summary.version });
    }
    match (&summary.turn, append.fence) {
        (Some(turn), None) => return Some(Appended::TurnBusy { until: turn.until }),
        (Some(turn), Some(fence)) if turn.fence != fence => return Some(Appended::TurnLost),
        (None, Some(_)) => return Some(Appended::TurnLost),
        _ => {}
    }
    if append.documents.is_empty() {
        return None;
    }
    if summary.messages + append.documents.len() as u64 > limits.max_messages {
        return Some(Appended::Full(Full::Messages));
    }
    (summary.bytes + bytes_of(append) > limits.max_bytes).then_some(Appended::Full(Full::Bytes))
}

fn write(connection: &Connection, stored: &Stored, append: &Append) -> Outcome<Written> {
    let (number, summary, now_ms) = (stored.number, &stored.summary, append.at.now.as_millis());
    if let Some(settle) = append.settle {
        let failed = match settle {
            Settle::Done => None,
            Settle::Failed => Some(0),
        };
        let sql = "UPDATE conversation_messages SET pending = ?3 WHERE conversation = ?1 AND pending = ?2";
        connection.prepare_cached(sql)?.execute((number, append.fence, failed))?;
    }
    let pending = append.fence.filter(|_| append.pending);
    let sql = "INSERT INTO conversation_messages (conversation, seq, at_ms, fence, pending, document)
               VALUES (?1, ?2, ?3, ?4, ?5, ?6)";
    let mut insert = connection.prepare_cached(sql)?;
    let first_seq = summary.messages + 1;
    for (document, seq) in append.documents.iter().zip(first_seq..) {
        insert.execute((number, seq, now_ms, append.fence, pending, document.as_ref()))?;
    }
    let last_seq = summary.messages + append.documents.len() as u64;
    let version = summary.version + 1;
    connection.prepare_cached(include_str!("append_count.sql"))?.execute(named_params! {
        ":number": number,
        ":version": version,
        ":messages": last_seq,
        ":bytes": summary.bytes + bytes_of(append),
        ":now_ms": now_ms,
        ":expires_ms": stored.ends_ms(append.at.now),
        // Without a fence no turn ran for the caller: it must not run for an earlier clock either.
        ":release": append.release || append.fence.is_none(),
        ":workflow": append.workflow.as_deref(),
    })?;
    Ok(Written { first_seq, last_seq, version, fence: append.fence })
}

fn bytes_of(append: &Append) -> u64 {
    append.documents.iter().map(Bytes::len).sum::<usize>() as u64
}
