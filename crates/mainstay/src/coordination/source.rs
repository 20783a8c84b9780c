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

/// What the schemes of stores begin with.
const STORES: [&str; 3] = ["redis", "valkey", "sqlite"];

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
    ///
    /// # Errors
    /// `settings.invalid` where it is rather a mistyped URL: as a folder it would carry a password in its name. The
    /// error does not show it.
    pub fn parse(text: &str) -> Result<Self> {
        if text == "store" {
            return Ok(Self::Store(None));
        }
        if let Some(url) = text.strip_prefix("coord+").filter(|url| url.contains("://")) {
            return Ok(Self::LegacyRedis(url.to_owned()));
        }
        if text.contains("://") || text.starts_with("sqlite:") {
            return Ok(Self::Store(Some(text.to_owned())));
        }
        if is_mistyped_url(text) {
            let help = "Write a URL with its scheme and `://`, such as redis://host:6379, or the path of a folder; one \
                        that only looks like a URL can be written as ./name.";
            return Err(Failure::new(Code::SettingInvalid, "this is neither a folder nor a URL of a store", help));
        }
        Ok(Self::Folder(PathBuf::from(text)))
    }

    /// Whether the place keeps messages in the shape of the original, which has seconds and one acknowledgement.
    pub fn is_legacy(&self) -> bool {
        !matches!(self, Self::Store(_))
    }
}

/// Whether a text begins as a URL of a store does, or holds what may be a name and a password before an `@`.
fn is_mistyped_url(text: &str) -> bool {
    if text.starts_with("./") || text.starts_with("../") {
        return false;
    }
    let scheme = text.split([':', '/']).next().unwrap_or_default();
    let rest = text.get(scheme.len()..).unwrap_or_default();
    let begins = STORES.iter().any(|store| scheme.to_ascii_lowercase().starts_with(store));
    if text.starts_with("coord+") || begins && (rest.starts_with(':') || rest.starts_with("//")) {
        return true;
    }
    // The colon of a drive, as in C:\work, is none of a password.
    let drive = text.get(1..3).is_some_and(|drive| [":\\", ":/"].contains(&drive));
    let path = text.get(2..).filter(|_| drive).unwrap_or(text);
    path.rsplit_once('@').is_some_and(|(before, _)| before.contains(':'))
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mistyped_url_names_no_folder_and_is_not_shown() {
        for text in [
            "redis//u:hunter2@h",
            "redis:/u:hunter2@h",
            "REDIS:u:hunter2@h",
            "rediss//hunter2",
            "redis+sentinel:hunter2",
            "valkey//u:hunter2@h",
            "SQLITE:hunter2",
            "coord+redis//u:hunter2@h",
            "coord+hunter2",
            "/redis/u:hunter2@h",
            "u:hunter2@h:6379/0",
        ] {
            let failure = Place::parse(text).unwrap_err();
            assert!(matches!(&failure, Failure::Problem(problem) if problem.code == Code::SettingInvalid), "{text}");
            assert!(!format!("{failure:?}").contains("hunter2"), "{failure:?}");
        }
    }

    #[test]
    fn folders_and_urls_are_told_apart() {
        for text in [".claude/coordination", "redis/messages", "/srv/redis:/a", "C:\\me@work", "a@b", "./redis:a@b"] {
            assert_eq!(Place::parse(text).unwrap(), Place::Folder(text.into()), "{text}");
        }
        for text in ["redis://u:p@h", "sqlite:/a.db"] {
            assert_eq!(Place::parse(text).unwrap(), Place::Store(Some(text.into())), "{text}");
        }
        assert_eq!(Place::parse("coord+redis://h").unwrap(), Place::LegacyRedis("redis://h".into()));
        assert_eq!(Place::parse("store").unwrap(), Place::Store(None));
    }
}
