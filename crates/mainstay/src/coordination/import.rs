//! Copying messages into a store, or out into a folder.

use super::folder::FolderWriter;
use super::source::Entry;
use crate::failure::{Failure, Result};
use mainstay_api::legacy::LegacyMessage;
use mainstay_api::mail::{ImportMessage, ImportMessages, Imported, Message};
use mainstay_api::{Epoch, Offset, Position};
use mainstay_client::Client;
use serde::Serialize;
use std::collections::HashMap;
use std::path::Path;

/// Messages in one call.
const BATCH: usize = 500;
/// Bytes of subjects and bodies in one call, where it is more than one message; well below the largest request.
const BATCH_BYTES: usize = 2 * 1_024 * 1_024;

/// Files that are written to disk at the same time: a disk serves several such waits as fast as one.
const WRITERS: usize = 16;

/// What an import did.
#[derive(Debug, Default, Clone, PartialEq, Eq, Serialize)]
pub struct Report {
    /// Whether nothing was written.
    pub dry_run: bool,
    /// Entries found in the source.
    pub found: usize,
    /// Messages that were not there before.
    pub created: usize,
    /// Messages that were there and got acknowledgements added.
    pub updated: usize,
    /// Messages that were there, the same.
    pub unchanged: usize,
    /// Entries that could not be read, and messages that the destination holds with another content.
    pub failed: Vec<Failed>,
}

/// An entry that was not imported.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Failed {
    /// Where in the source it stands.
    pub origin: String,
    /// Why.
    pub reason: String,
}

impl Report {
    fn fail(&mut self, entry: &Entry, reason: String) {
        self.failed.push(Failed { origin: entry.origin.clone(), reason });
    }

    fn count(&mut self, entry: &Entry, outcome: Imported, conflict: impl FnOnce() -> String) {
        match outcome {
            Imported::Created => self.created += 1,
            Imported::Updated => self.updated += 1,
            Imported::Unchanged => self.unchanged += 1,
            Imported::Conflict => self.fail(entry, conflict()),
        }
    }
}

/// Imports entries, oldest first. Of two with one id and different content the first counts, and the other has
/// failed. `progress` is told how many are done.
///
/// # Errors
/// Where the destination fails; what was imported until then stays, and a repetition goes on from there.
pub async fn into_store(
    client: &Client,
    entries: &[Entry],
    dry_run: bool,
    mut progress: impl FnMut(usize),
) -> Result<Report> {
    let mut report = Report { dry_run, found: entries.len(), ..Report::default() };
    let mut first: HashMap<&str, &Entry> = HashMap::new();
    let mut batch = Batch::default();
    for (done, entry) in entries.iter().enumerate() {
        let message = match &entry.message {
            Ok(message) => message,
            Err(reason) => {
                report.fail(entry, reason.clone());
                continue;
            }
        };
        let before = *first.entry(message.content.id.as_str()).or_insert(entry);
        match repeats(before, entry) {
            Repeats::Nothing => {}
            Repeats::Message => {
                report.unchanged += 1;
                continue;
            }
            // A dry run has not stored the first, and cannot ask what the second adds to it.
            Repeats::Content if dry_run => {
                report.updated += 1;
                continue;
            }
            Repeats::Content => {}
            Repeats::Id => {
                let reason = format!("its id stands before with other content, in {}", before.origin);
                report.fail(entry, reason);
                continue;
            }
        }
        if batch.is_full_with(message) {
            std::mem::take(&mut batch).send(client, &mut report).await?;
            progress(done);
        }
        batch.add(entry, message);
    }
    batch.send(client, &mut report).await?;
    progress(entries.len());
    Ok(report)
}

/// What an entry repeats of the first one with its id.
enum Repeats {
    Nothing,
    Message,
    Content,
    Id,
}

fn repeats(first: &Entry, entry: &Entry) -> Repeats {
    let (Ok(before), Ok(message)) = (&first.message, &entry.message) else {
        return Repeats::Nothing;
    };
    if std::ptr::eq(first, entry) {
        Repeats::Nothing
    } else if before == message {
        Repeats::Message
    } else if before.content == message.content {
        Repeats::Content
    } else {
        Repeats::Id
    }
}

/// Messages of one call.
#[derive(Default)]
struct Batch<'a> {
    messages: Vec<(&'a Entry, &'a ImportMessage)>,
    bytes: usize,
}

impl<'a> Batch<'a> {
    fn is_full_with(&self, message: &ImportMessage) -> bool {
        self.messages.len() >= BATCH || (!self.messages.is_empty() && self.bytes + weight(message) > BATCH_BYTES)
    }

    fn add(&mut self, entry: &'a Entry, message: &'a ImportMessage) {
        self.bytes += weight(message);
        self.messages.push((entry, message));
    }

    async fn send(self, client: &Client, report: &mut Report) -> Result<()> {
        if self.messages.is_empty() {
            return Ok(());
        }
        let messages = self.messages.iter().map(|(_, message)| (*message).clone()).collect();
        let outcomes = client.mail().import(&ImportMessages { messages, dry_run: report.dry_run }).await?.outcomes;
        for ((entry, message), outcome) in self.messages.iter().zip(outcomes) {
            let id = message.content.id.as_str();
            report.count(entry, outcome, || format!("the destination holds another message under the id {id:?}"));
        }
        Ok(())
    }
}

fn weight(message: &ImportMessage) -> usize {
    message.content.subject.len() + message.content.body.len()
}

/// Writes entries into a legacy folder.
///
/// # Errors
/// Where a file cannot be written.
pub fn into_folder(folder: &Path, entries: &[Entry]) -> Result<Report> {
    let failed =
        |cause: std::io::Error| Failure::io(format!("the folder {} cannot be written", folder.display()), &cause);
    let writer = FolderWriter::create_for_many(folder).map_err(failed)?;
    let mut report = Report { found: entries.len(), ..Report::default() };
    let mut readable = Vec::with_capacity(entries.len());
    for entry in entries {
        match &entry.message {
            Ok(message) => readable.push((entry, message)),
            Err(reason) => report.fail(entry, reason.clone()),
        }
    }
    let put_all = &|part: &[(&Entry, &ImportMessage)]| -> std::io::Result<Vec<Imported>> {
        part.iter().map(|(_, message)| writer.put(&to_legacy(message))).collect()
    };
    let outcomes = std::thread::scope(|scope| {
        let parts = readable.chunks(readable.len().div_ceil(WRITERS).max(1));
        let writers: Vec<_> = parts.map(|part| scope.spawn(move || put_all(part))).collect();
        let ended = |_| std::io::Error::other("a writer ended early");
        writers.into_iter().map(|writer| writer.join().map_err(ended)?).collect::<std::io::Result<Vec<_>>>()
    });
    for ((entry, _), outcome) in readable.iter().zip(outcomes.map_err(failed)?.into_iter().flatten()) {
        report.count(entry, outcome, String::new);
    }
    Ok(report)
}

/// A message in the shape of the original.
pub fn to_legacy(message: &ImportMessage) -> LegacyMessage {
    let count = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
    let acknowledged = message.receipts.iter().filter(|receipt| receipt.ack.is_some()).count();
    // A broadcast that nobody has received yet has no receipts, and is not acknowledged.
    let expected = if message.content.is_broadcast() { message.receipts.len() } else { message.content.to.len() };
    LegacyMessage::of(&Message {
        acknowledged: message.settled || (expected > 0 && acknowledged >= expected),
        delivery: mainstay_api::mail::Delivery {
            delivered: count(expected),
            read: 0,
            acknowledged: count(acknowledged),
        },
        content: message.content.clone(),
        // A place in a log means nothing outside of it, and the shape of the original does not show it.
        position: Position { epoch: nowhere(), offset: Offset(0) },
        receipt: None,
        receipts: Some(message.receipts.clone()),
        settled: message.settled,
    })
}

fn nowhere() -> Epoch {
    Epoch::parse("0").unwrap_or_else(|_| unreachable!("a digit is an epoch"))
}
