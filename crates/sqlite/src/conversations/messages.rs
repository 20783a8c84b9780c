//! Pages of messages.

use super::row;
use crate::errors::Outcome;
use mainstay_core::api::Timestamp;
use mainstay_core::api::conversations::MessageState;
use mainstay_core::conversations::{From, MAX_PAGE_BYTES, MessageRow, MessagesPage, MessagesQuery};
use rusqlite::{Connection, Row};

/// See [`mainstay_core::conversations::ConversationStore::messages`].
pub(super) fn page(connection: &Connection, query: &MessagesQuery) -> Outcome<Option<MessagesPage>> {
    let Some(stored) = row::find(connection, &query.at)? else { return Ok(None) };
    let (comparison, direction, seq) = match query.from {
        From::After(seq) => (">", "ASC", seq),
        From::Before(seq) => ("<", "DESC", seq),
    };
    let sql = format!(
        "SELECT seq, at_ms, fence, pending, document FROM conversation_messages
         WHERE conversation = ?1 AND seq {comparison} ?2 ORDER BY seq {direction}"
    );
    let running = stored.summary.turn.as_ref().map(|turn| turn.fence);
    let seq = i64::try_from(seq).unwrap_or(i64::MAX);
    let mut statement = connection.prepare_cached(&sql)?;
    let mut found = statement.query((stored.number, seq))?;
    let (mut rows, mut bytes, mut more) = (Vec::new(), 0, false);
    while let Some(row) = found.next()? {
        bytes += row.get_ref(4)?.as_blob().map_or(0, <[u8]>::len);
        if rows.len() >= query.limit as usize || (bytes > MAX_PAGE_BYTES && !rows.is_empty()) {
            more = true;
            break;
        }
        rows.push(message(row, running)?);
    }
    if direction == "DESC" {
        rows.reverse();
    }
    Ok(Some(MessagesPage { summary: stored.summary, rows, more }))
}

fn message(row: &Row<'_>, running: Option<u64>) -> Outcome<MessageRow> {
    let pending: Option<u64> = row.get(3)?;
    let state = |fence| if running == Some(fence) { MessageState::Pending } else { MessageState::Failed };
    Ok(MessageRow {
        seq: row.get(0)?,
        at: Timestamp::from_millis(row.get(1)?),
        fence: row.get(2)?,
        state: pending.map(state),
        document: row.get::<_, Vec<u8>>(4)?.into(),
    })
}
