//! Taking events.

use super::dead::{self, Death};
use super::group::{self, Group};
use super::hold::{self, COLUMNS, Hold};
use crate::errors::Outcome;
use crate::events::read;
use mainstay_core::events::{
    CONSUMER_FORGOTTEN_AFTER, DELIVERED_TOO_OFTEN, MAX_TAKE_BYTES, StoredEvent, TakeEvents, TakeOutcome, Taken,
    TakenEvent,
};
use rusqlite::Connection;

/// Events left alone that one take examines at most; the next one examines the others.
const MAX_EXAMINED: u32 = 1_000;
/// How exactly it is kept when a consumer last took something: a take that finds nothing need not write.
const SEEN_EVERY_MS: i64 = 60_000;

/// A take that is under way.
struct Taking<'a> {
    take: &'a TakeEvents,
    group: Group,
    taken: Taken,
    bytes: usize,
}

/// See [`mainstay_core::events::GroupStore::take`].
pub(super) fn take(connection: &Connection, take: &TakeEvents) -> Outcome<TakeOutcome> {
    let Some(group) = group::find(connection, &take.group)? else { return Ok(TakeOutcome::NoGroup) };
    let mut taking = Taking { take, group, taken: Taken::default(), bytes: 0 };
    taking.see_consumer(connection)?;
    taking.take_left_alone(connection)?;
    taking.take_new(connection)?;
    let delivered = taking.group.delivered;
    Ok(TakeOutcome::Taken(Taken { delivered, ..taking.taken }))
}

impl Taking<'_> {
    fn room(&self) -> usize {
        let limit = self.take.limit as usize;
        if self.bytes < MAX_TAKE_BYTES { limit.saturating_sub(self.taken.events.len()) } else { 0 }
    }

    fn add(&mut self, event: StoredEvent, delivery: u32) {
        self.bytes += event.event.payload.as_str().len();
        self.taken.events.push(TakenEvent { event, delivery });
    }

    fn hold(&self, connection: &Connection, event: &StoredEvent, deliveries: u32, revived: bool) -> Outcome<()> {
        let (consumer, since_ms) = (Some(self.take.consumer.to_string()), self.take.now.as_millis());
        hold::put(connection, &self.group, &Hold { offset: event.offset, consumer, deliveries, since_ms, revived })
    }

    /// Consumers come and go with their processes. Who joins sweeps up after those that left nothing.
    fn see_consumer(&self, connection: &Connection) -> Outcome<()> {
        let (owner, now_ms) = (self.group.id, self.take.now.as_millis());
        let sql = "INSERT INTO event_consumers (owner, consumer, seen_ms) VALUES (?1, ?2, ?3) ON CONFLICT \
                   DO UPDATE SET seen_ms = excluded.seen_ms WHERE excluded.seen_ms >= seen_ms + ?4";
        let row = (owner, self.take.consumer.as_str(), now_ms, SEEN_EVERY_MS);
        if connection.prepare_cached(sql)?.execute(row)? > 0 {
            let sql = "DELETE FROM event_consumers WHERE owner = ?1 AND seen_ms < ?2 AND consumer NOT IN \
                       (SELECT consumer FROM event_holds WHERE owner = ?1 AND consumer IS NOT NULL)";
            let before_ms = hold::before_ms(self.take.now, CONSUMER_FORGOTTEN_AFTER);
            connection.prepare_cached(sql)?.execute((owner, before_ms))?;
        }
        Ok(())
    }

    fn take_left_alone(&mut self, connection: &Connection) -> Outcome<()> {
        let until_ms = hold::before_ms(self.take.now, self.take.min_idle);
        // The plus signs keep to the index of what was left alone, which is short, where holds may be many.
        let sql = format!(
            "SELECT {COLUMNS} FROM event_holds WHERE owner = ?1 AND since_ms <= ?2 \
             ORDER BY +revived DESC, +ms, +seq LIMIT ?3"
        );
        let mut statement = connection.prepare_cached(&sql)?;
        let rows = statement.query_map((self.group.id, until_ms, MAX_EXAMINED), Hold::of)?;
        for hold in rows.collect::<rusqlite::Result<Vec<_>>>()? {
            if self.room() == 0 {
                break;
            }
            self.take_again(connection, &hold)?;
        }
        Ok(())
    }

    fn take_again(&mut self, connection: &Connection, hold: &Hold) -> Outcome<()> {
        if hold.is_trimmed(&self.group) {
            hold::lose(connection, &self.group, hold)?;
            self.taken.lost += 1;
        } else if hold.deliveries >= self.take.max_deliveries {
            let death = Death { reason: DELIVERED_TOO_OFTEN, at: self.take.now };
            dead::put(connection, &self.group, hold, &death)?;
            self.taken.buried += 1;
        } else {
            let event = hold::event(connection, &self.group, hold)?;
            self.hold(connection, &event, hold.deliveries + 1, hold.revived)?;
            self.add(event, hold.deliveries + 1);
        }
        Ok(())
    }

    fn take_new(&mut self, connection: &Connection) -> Outcome<()> {
        let sql = "SELECT ms, seq, event_id, type, room, timestamp_ms, payload, metadata FROM events \
                   WHERE log = ?1 AND (ms, seq) > (?2, ?3) ORDER BY ms, seq LIMIT ?4";
        let mut statement = connection.prepare_cached(sql)?;
        let after = self.group.delivered;
        let mut rows = statement.query((self.group.log, after.ms, after.seq, self.room()))?;
        while self.room() > 0
            && let Some(row) = rows.next()?
        {
            let event = read::event(row)?;
            self.hold(connection, &event, 1, false)?;
            self.group.delivered = event.offset;
            self.add(event, 1);
        }
        if self.group.delivered != after {
            group::save_delivered(connection, &self.group)?;
        }
        Ok(())
    }
}
