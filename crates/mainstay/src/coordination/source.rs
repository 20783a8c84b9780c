//! Where messages come from: a legacy folder, a legacy Redis, or a store of Mainstay.

use super::folder;
use crate::failure::{Failure, Result};
use crate::settings::Settings;
use crate::wiring::{self, Connection};
use mainstay_api::Code;
use mainstay_api::mail::{ImportMessage, ListMessages, MAX_PAGE};
use mainstay_client::Client;
use std::collections::HashSet;
use std::path::PathBuf;

/// Most messages that one import, export or comparison holds in memory.
const MAX_MESSAGES: usize = 1_000_000;

/// A message of a source, or why it cannot be read.
#[derive(Debug, Clone)]
pub struct Entry {
    /// Where in the source it stands: a file, a key or an id.
    pub origin: String,
    /// The message.
    pub message: Result<ImportMessage, String>,
}

impl Entry {
    /// The id of the message, where it can be read.
    pub fn id(&self) -> Option<&str> {
        self.message.as_ref().ok().map(|message| message.content.id.as_str())
    }
}

/// A source, or a destination.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Place {
    /// A legacy folder.
    Folder(PathBuf),
    /// The keys of the original in a Redis: `coord+redis://…`.
    LegacyRedis(String),
    /// A store of Mainstay, by its URL; or the one that is configured, by `store`.
    Store(Option<String>),
}

impl Place {
    /// Reads what a person wrote: `store`, a URL, or a folder.
    pub fn parse(text: &str) -> Self {
        if text == "store" {
            return Self::Store(None);
        }
        if let Some(url) = text.strip_prefix("coord+") {
            return Self::LegacyRedis(url.to_owned());
        }
        if text.contains("://") || text.starts_with("sqlite:") {
            return Self::Store(Some(text.to_owned()));
        }
        Self::Folder(PathBuf::from(text))
    }

    /// Whether the place keeps messages in the shape of the original, which has seconds and one acknowledgement.
    pub fn is_legacy(&self) -> bool {
        !matches!(self, Self::Store(_))
    }
}

impl std::fmt::Display for Place {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Folder(folder) => folder.display().fmt(f),
            Self::LegacyRedis(url) => write!(f, "coord+{}", wiring::location(url)),
            Self::Store(Some(url)) => f.write_str(&wiring::location(url)),
            Self::Store(None) => f.write_str("the configured store"),
        }
    }
}

/// Reads every message of a place, oldest first.
///
/// # Errors
/// Where the place cannot be read at all; an entry that cannot be read is an entry.
pub async fn read(place: &Place, settings: &Settings) -> Result<Vec<Entry>> {
    let mut entries = match place {
        Place::Folder(path) => folder::read(path).map_err(|error| {
            let detail = format!("the folder {} cannot be read: {error}", path.display());
            let help = "Name the folder that holds messages/, such as .claude/coordination, or the URL of a store.";
            Failure::new(Code::ImportSource, detail, help)
        })?,
        Place::LegacyRedis(url) => {
            let entries = wiring::read_legacy(settings, url).await?;
            let entry = |entry: mainstay_redis::legacy::LegacyEntry| Entry {
                origin: entry.key,
                message: entry.message.and_then(mainstay_api::legacy::LegacyMessage::into_import),
            };
            let mut ids = HashSet::new();
            // By falling trust: a message that the broken migration copied stands under its own key already.
            entries
                .into_iter()
                .map(entry)
                .filter(|entry| entry.id().is_none_or(|id| ids.insert(id.to_owned())))
                .collect()
        }
        Place::Store(url) => {
            let opened = match url {
                Some(url) => Connection::to_store(settings, url).await?,
                None => Connection::open(settings, None).await?,
            };
            let entries = read_store(&opened.client).await;
            opened.close().await;
            entries?
        }
    };
    let time = |entry: &Entry| entry.message.as_ref().ok().map(|message| message.content.timestamp);
    entries.sort_by(|a, b| time(a).cmp(&time(b)).then_with(|| a.origin.cmp(&b.origin)));
    Ok(entries)
}

/// Reads every message of a store, oldest first.
///
/// # Errors
/// Those of the store; `import.source` where it holds more than one comparison can.
pub async fn read_store(client: &Client) -> Result<Vec<Entry>> {
    let mut entries = Vec::new();
    let mut list =
        ListMessages { oldest_first: true, receipts: true, limit: Some(MAX_PAGE), ..ListMessages::default() };
    loop {
        let page = client.mail().list(&list).await?;
        for message in page.items {
            let import = ImportMessage {
                content: message.content,
                receipts: message.receipts.unwrap_or_default(),
                settled: message.settled,
            };
            entries.push(Entry { origin: import.content.id.to_string(), message: Ok(import) });
        }
        if entries.len() > MAX_MESSAGES {
            let detail = format!("the store holds more than {MAX_MESSAGES} messages");
            return Err(Failure::new(Code::ImportSource, detail, "Compare or copy one namespace at a time."));
        }
        match page.next {
            Some(next) => list.cursor = Some(next),
            None => return Ok(entries),
        }
    }
}
