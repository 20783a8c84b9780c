//! What is remembered of requests.

use crate::errors::Outcome;
use mainstay_core::Error;
use mainstay_core::api::{ConversationId, Timestamp};
use mainstay_core::conversations::Written;
use mainstay_core::mail::RequestMemo;
use rusqlite::{Connection, OptionalExtension, Row, named_params};

/// What is remembered of a request.
pub(super) struct Memory {
    pub fingerprint: String,
    /// The number of the conversation.
    pub conversation: i64,
    pub id: ConversationId,
    /// What an append wrote.
    pub written: Option<Written>,
}

/// What to remember.
pub(super) struct Remember<'a> {
    pub owner: i64,
    pub memo: &'a RequestMemo,
    pub conversation: i64,
    pub id: &'a ConversationId,
    pub written: Option<Written>,
}

/// What is remembered of a request of an owner.
pub(super) fn find(connection: &Connection, owner: i64, key: &str, now: Timestamp) -> Outcome<Option<Memory>> {
    let sql = include_str!("requests_find.sql");
    let read = |row: &Row<'_>| {
        let written = match row.get(3)? {
            Some(first_seq) => {
                Some(Written { first_seq, last_seq: row.get(4)?, version: row.get(5)?, fence: row.get(6)? })
            }
            None => None,
        };
        Ok((row.get(0)?, row.get(1)?, row.get::<_, String>(2)?, written))
    };
    let found = connection.prepare_cached(sql)?.query_row((owner, key, now.as_millis()), read).optional()?;
    let Some((fingerprint, conversation, id, written)) = found else { return Ok(None) };
    let id = ConversationId::parse(id).map_err(|broken| Error::inconsistent(broken.to_string()))?;
    Ok(Some(Memory { fingerprint, conversation, id, written }))
}

/// Remembers a request, in place of an earlier one with the same id.
pub(super) fn remember(connection: &Connection, remember: &Remember<'_>) -> Outcome<()> {
    let written = remember.written;
    connection.prepare_cached(include_str!("requests_remember.sql"))?.execute(named_params! {
        ":owner": remember.owner,
        ":key": remember.memo.key,
        ":fingerprint": remember.memo.fingerprint,
        ":conversation": remember.conversation,
        ":id": remember.id.as_str(),
        ":first_seq": written.map(|written| written.first_seq),
        ":last_seq": written.map(|written| written.last_seq),
        ":version": written.map(|written| written.version),
        ":fence": written.and_then(|written| written.fence),
        ":until_ms": remember.memo.until.as_millis(),
    })?;
    Ok(())
}
