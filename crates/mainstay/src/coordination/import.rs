//! Copying messages into a store, or out into a folder.

use super::folder::FolderWriter;
use super::source::Entry;
use crate::failure::{Failure, Result};
use mainstay_api::legacy::LegacyMessage;
use mainstay_api::mail::{ImportMessage, ImportMessages, Imported, Message};
use mainstay_api::{Epoch, Offset, Position};
use mainstay_client::Client;
use serde::Serialize;
use std::path::Path;

/// Messages in one call.
const BATCH: usize = 500;

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

/// Imports entries, oldest first. `progress` is told how many are done.
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
    let mut done = 0;
    for batch in entries.chunks(BATCH) {
        let mut readable: Vec<(&str, ImportMessage)> = Vec::with_capacity(batch.len());
        for entry in batch {
            match &entry.message {
                Ok(message) => readable.push((&entry.origin, message.clone())),
                Err(reason) => {
                    report.failed.push(Failed { origin: entry.origin.clone(), reason: reason.clone() });
                }
            }
        }
        let messages = readable.iter().map(|(_, message)| message.clone()).collect();
        let outcomes = client.mail().import(&ImportMessages { messages, dry_run }).await?.outcomes;
        for ((origin, message), outcome) in readable.iter().zip(outcomes) {
            match outcome {
                Imported::Created => report.created += 1,
                Imported::Updated => report.updated += 1,
                Imported::Unchanged => report.unchanged += 1,
                Imported::Conflict => report.failed.push(Failed {
                    origin: (*origin).to_owned(),
                    reason: format!(
                        "the destination holds another message under the id {:?}",
                        message.content.id.as_str()
                    ),
                }),
            }
        }
        done += batch.len();
        progress(done);
    }
    Ok(report)
}

/// Writes entries into a legacy folder.
///
/// # Errors
/// Where a file cannot be written.
pub fn into_folder(folder: &Path, entries: &[Entry]) -> Result<Report> {
    let failed =
        |cause: std::io::Error| Failure::io(format!("the folder {} cannot be written", folder.display()), &cause);
    let writer = FolderWriter::create(folder).map_err(failed)?;
    let mut report = Report { found: entries.len(), ..Report::default() };
    for entry in entries {
        match &entry.message {
            Ok(message) => {
                writer.put(&to_legacy(message)).map_err(failed)?;
                report.created += 1;
            }
            Err(reason) => {
                report.failed.push(Failed { origin: entry.origin.clone(), reason: reason.clone() });
            }
        }
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
