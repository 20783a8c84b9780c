//! The last known copies of what the store holds.

use super::OutageFile;
use async_trait::async_trait;
use mainstay_core::Result;
use mainstay_core::api::Timestamp;
use mainstay_core::outage::{Snapshot, Snapshots};
use rusqlite::{OptionalExtension, params};

#[async_trait]
impl Snapshots for OutageFile {
    async fn put(&self, name: &str, snapshot: Snapshot) -> Result<()> {
        let name = name.to_owned();
        let sql = "INSERT INTO snapshots (name, text, at_ms) VALUES (?1, ?2, ?3) \
                   ON CONFLICT (name) DO UPDATE SET text = excluded.text, at_ms = excluded.at_ms \
                   WHERE excluded.at_ms >= at_ms";
        let put = move |connection: &rusqlite::Connection| {
            let at_ms = snapshot.at.as_millis();
            connection.prepare_cached(sql)?.execute(params![name, snapshot.text, at_ms])?;
            Ok(())
        };
        self.store.write(move |connection, _| put(connection)).await
    }

    async fn snapshot(&self, name: &str) -> Result<Option<Snapshot>> {
        let name = name.to_owned();
        let read = move |connection: &rusqlite::Connection| {
            let mut statement = connection.prepare_cached("SELECT text, at_ms FROM snapshots WHERE name = ?1")?;
            let found = statement
                .query_row([&name], |row| Ok(Snapshot { text: row.get(0)?, at: Timestamp::from_millis(row.get(1)?) }));
            Ok(found.optional()?)
        };
        self.store.read(read).await
    }

    async fn names(&self, prefix: &str, limit: u32) -> Result<Vec<String>> {
        let prefix = prefix.to_owned();
        let read = move |connection: &rusqlite::Connection| {
            // Compared byte by byte: LIKE knows no difference between letters of either case.
            let sql = "SELECT name FROM snapshots WHERE substr(name, 1, length(?1)) = ?1 ORDER BY name LIMIT ?2";
            let mut statement = connection.prepare_cached(sql)?;
            Ok(statement.query_map(params![prefix, limit], |row| row.get(0))?.collect::<Result<_, _>>()?)
        };
        self.store.read(read).await
    }

    async fn forget(&self, name: &str) -> Result<bool> {
        let name = name.to_owned();
        let forget = move |connection: &rusqlite::Connection| {
            Ok(connection.execute("DELETE FROM snapshots WHERE name = ?1", [&name])? > 0)
        };
        self.store.write(move |connection, _| forget(connection)).await
    }
}
