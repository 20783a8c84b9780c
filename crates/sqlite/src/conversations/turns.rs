//! The exclusive right to write.

use super::row::{self, Stored};
use crate::errors::Outcome;
use crate::wakeups::Wakes;
use mainstay_core::api::Timestamp;
use mainstay_core::conversations::{Lookup, Renew, Take, Taken, TurnKept};
use rusqlite::{Connection, named_params};
use std::time::Duration;

/// See [`mainstay_core::conversations::ConversationStore::take_turn`].
pub(super) fn take(connection: &Connection, take: &Take, wakes: &mut Wakes) -> Outcome<Taken> {
    let at = &take.at;
    let Some(stored) = row::find(connection, at)? else { return Ok(Taken::NotFound) };
    if let Some(running) = &stored.summary.turn {
        let (fence, until) = (running.fence, running.until);
        let again = take.key.is_some() && take.key == stored.key;
        return Ok(if again { Taken::Taken { fence, until } } else { Taken::Busy { until } });
    }
    let (fence, until) = (stored.fence + 1, at.now.after(Duration::from_millis(take.ttl_ms)));
    connection.prepare_cached(include_str!("turns_take.sql"))?.execute(named_params! {
        ":number": stored.number,
        ":fence": fence,
        ":until_ms": until.as_millis(),
        ":holder": take.holder,
        ":key": take.key,
        ":now_ms": at.now.as_millis(),
        ":expires_ms": stored.ends_ms(at.now),
    })?;
    row::wake(wakes, &at.owner);
    Ok(Taken::Taken { fence, until })
}

/// See [`mainstay_core::conversations::ConversationStore::renew_turn`].
pub(super) fn renew(connection: &Connection, renew: &Renew) -> Outcome<TurnKept> {
    let until = renew.at.now.after(Duration::from_millis(renew.ttl_ms));
    let Some(stored) = row::find(connection, &renew.at)? else { return Ok(TurnKept::NotFound) };
    if !runs(&stored, renew.fence) {
        return Ok(TurnKept::Lost);
    }
    move_end(connection, &stored, renew.at.now, until.as_millis())?;
    Ok(TurnKept::Until(until))
}

/// See [`mainstay_core::conversations::ConversationStore::end_turn`].
pub(super) fn end(connection: &Connection, at: &Lookup, fence: u64, wakes: &mut Wakes) -> Outcome<TurnKept> {
    let Some(stored) = row::find(connection, at)? else { return Ok(TurnKept::NotFound) };
    if !runs(&stored, fence) {
        return Ok(TurnKept::Lost);
    }
    move_end(connection, &stored, at.now, 0)?;
    row::wake(wakes, &at.owner);
    Ok(TurnKept::Until(at.now))
}

fn runs(stored: &Stored, fence: u64) -> bool {
    stored.summary.turn.as_ref().is_some_and(|turn| turn.fence == fence)
}

fn move_end(connection: &Connection, stored: &Stored, now: Timestamp, until_ms: i64) -> Outcome<()> {
    let sql = "UPDATE conversations SET turn_until_ms = ?2, accessed_ms = ?3, expires_ms = ?4 WHERE number = ?1";
    let values = (stored.number, until_ms, now.as_millis(), stored.ends_ms(now));
    connection.prepare_cached(sql)?.execute(values)?;
    Ok(())
}
