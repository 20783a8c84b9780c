//! The journal of an outage.

use super::OutageFile;
use crate::errors::Outcome;
use async_trait::async_trait;
use mainstay_core::Result;
use mainstay_core::api::Timestamp;
use mainstay_core::outage::{
    Discard, Entry, EntryState, Held, Journal, JournalBounds, Journaled, NewEntry, Rewritten, Settlement,
};
use rusqlite::{Connection, OptionalExtension, Row, named_params, params};

/// What is read of an entry.
const COLUMNS: &str = "seq, kind, request, subject, body, by, at_ms, refused, refused_ms";

#[async_trait]
impl Journal for OutageFile {
    async fn append(&self, entry: NewEntry, bounds: JournalBounds) -> Result<Journaled> {
        self.store.write(move |connection, _| append(connection, &entry, bounds)).await
    }

    async fn entries(&self, after: u64, limit: u32) -> Result<Vec<Entry>> {
        let sql = format!("SELECT {COLUMNS} FROM entries WHERE seq > ?1 ORDER BY seq LIMIT ?2");
        self.store.read(move |connection| read(connection, &sql, after, limit)).await
    }

    async fn waiting(&self, after: u64, limit: u32) -> Result<Vec<Entry>> {
        let sql = format!("SELECT {COLUMNS} FROM entries WHERE refused IS NULL AND seq > ?1 ORDER BY seq LIMIT ?2");
        self.store.read(move |connection| read(connection, &sql, after, limit)).await
    }

    async fn rewrite(&self, rewritten: Rewritten) -> Result<bool> {
        let sql = "UPDATE entries SET body = ?2 WHERE seq = ?1 AND refused IS NULL";
        let rewrite = move |connection: &Connection| {
            Ok(connection.prepare_cached(sql)?.execute(params![rewritten.seq, rewritten.body])? > 0)
        };
        self.store.write(move |connection, _| rewrite(connection)).await
    }

    async fn settle(&self, seq: u64, settlement: Settlement) -> Result<bool> {
        self.store.write(move |connection, _| settle(connection, seq, &settlement)).await
    }

    async fn discard(&self, discard: Discard) -> Result<u64> {
        let remove = move |connection: &Connection| {
            let removed = match discard {
                Discard::One(seq) => connection.execute("DELETE FROM entries WHERE seq = ?1", [seq]),
                Discard::Refused => connection.execute("DELETE FROM entries WHERE refused IS NOT NULL", []),
                Discard::AllBut(kind) => connection.execute("DELETE FROM entries WHERE kind <> ?1", [kind]),
            };
            Ok(u64::try_from(removed?).unwrap_or(u64::MAX))
        };
        self.store.write(move |connection, _| remove(connection)).await
    }

    async fn held(&self) -> Result<Held> {
        self.store.read(held).await
    }
}

fn append(connection: &Connection, entry: &NewEntry, bounds: JournalBounds) -> Outcome<Journaled> {
    let sql = format!("SELECT {COLUMNS} FROM entries WHERE kind = ?1 AND request = ?2");
    let known = connection.prepare_cached(&sql)?.query_row([&entry.kind, &entry.request], entry_of).optional()?;
    if let Some(known) = known {
        return Ok(Journaled::Known(Box::new(known)));
    }
    let holds = held(connection)?;
    let bytes = u64::try_from(entry.body.len()).unwrap_or(u64::MAX);
    let fits = holds.waiting.saturating_add(holds.refused) < bounds.max_entries
        && holds.bytes.saturating_add(bytes) <= bounds.max_bytes;
    if !fits {
        return Ok(Journaled::Full(holds));
    }
    let sql = "INSERT INTO entries (kind, request, subject, body, by, at_ms) \
               VALUES (:kind, :request, :subject, :body, :by, :at_ms)";
    connection.prepare_cached(sql)?.execute(named_params! {
        ":kind": entry.kind,
        ":request": entry.request,
        ":subject": entry.subject,
        ":body": entry.body,
        ":by": entry.by,
        ":at_ms": entry.at.as_millis(),
    })?;
    Ok(Journaled::Kept(u64::try_from(connection.last_insert_rowid()).unwrap_or(0)))
}

fn settle(connection: &Connection, seq: u64, settlement: &Settlement) -> Outcome<bool> {
    let settled = match settlement {
        Settlement::Applied(_) => {
            connection.prepare_cached("DELETE FROM entries WHERE seq = ?1 AND refused IS NULL")?.execute([seq])?
        }
        Settlement::Refused { reason, at } => connection
            .prepare_cached("UPDATE entries SET refused = ?2, refused_ms = ?3 WHERE seq = ?1 AND refused IS NULL")?
            .execute(params![seq, reason, at.as_millis()])?,
    };
    if settled == 0 {
        return Ok(false);
    }
    if let Settlement::Applied(rewritten) = settlement {
        let mut statement =
            connection.prepare_cached("UPDATE entries SET body = ?2 WHERE seq = ?1 AND refused IS NULL")?;
        for entry in rewritten {
            statement.execute(params![entry.seq, entry.body])?;
        }
    }
    Ok(true)
}

fn held(connection: &Connection) -> Outcome<Held> {
    let sql = "SELECT waiting, refused, bytes, \
               (SELECT at_ms FROM entries WHERE refused IS NULL ORDER BY seq LIMIT 1) FROM held";
    let read = |row: &Row<'_>| {
        let oldest_at: Option<i64> = row.get(3)?;
        Ok(Held {
            waiting: row.get(0)?,
            refused: row.get(1)?,
            bytes: row.get(2)?,
            oldest_at: oldest_at.map(Timestamp::from_millis),
        })
    };
    Ok(connection.prepare_cached(sql)?.query_row([], read)?)
}

fn read(connection: &Connection, sql: &str, after: u64, limit: u32) -> Outcome<Vec<Entry>> {
    // Numbers of rows are signed: beyond the largest there is none.
    let after = i64::try_from(after).unwrap_or(i64::MAX);
    let mut statement = connection.prepare_cached(sql)?;
    Ok(statement.query_map(params![after, limit], entry_of)?.collect::<Result<_, _>>()?)
}

fn entry_of(row: &Row<'_>) -> rusqlite::Result<Entry> {
    let refused: Option<String> = row.get(7)?;
    let refused_ms: Option<i64> = row.get(8)?;
    let state = refused.map_or(EntryState::Waiting, |reason| EntryState::Refused {
        reason,
        at: Timestamp::from_millis(refused_ms.unwrap_or_default()),
    });
    let write = NewEntry {
        kind: row.get(1)?,
        request: row.get(2)?,
        subject: row.get(3)?,
        body: row.get(4)?,
        by: row.get(5)?,
        at: Timestamp::from_millis(row.get(6)?),
    };
    Ok(Entry { seq: row.get(0)?, write, state })
}
