//! The second place of the dual write: a legacy folder, or another store that is opened when it is first needed.

use super::folder::FolderWriter;
use super::import::to_legacy;
use async_trait::async_trait;
use futures::future::BoxFuture;
use mainstay_api::mail::ImportMessage;
use mainstay_api::{Code, Namespace, Timestamp};
use mainstay_core::mail::{MailMirror, StoreMirror};
use mainstay_core::{Error, Result, StoreProbe};
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};
use tokio::sync::OnceCell;

/// How long a mirror that could not be opened is left alone: writes are not to wait for it one after the other.
const OPEN_AGAIN_AFTER: Duration = Duration::from_secs(2);

/// A legacy folder that follows one namespace of a store: its files know no namespaces, and the messages of two would
/// mix.
pub struct FolderMirror {
    folder: PathBuf,
    namespace: Namespace,
}

impl FolderMirror {
    /// A mirror of a namespace in a folder, which is created when the first message comes.
    pub fn new(folder: PathBuf, namespace: Namespace) -> Self {
        Self { folder, namespace }
    }
}

#[async_trait]
impl MailMirror for FolderMirror {
    async fn put(&self, namespace: &Namespace, message: ImportMessage, _now: Timestamp) -> Result<()> {
        if *namespace != self.namespace {
            return Ok(());
        }
        let folder = self.folder.clone();
        let written = tokio::task::spawn_blocking(move || FolderWriter::create(&folder)?.put(&to_legacy(&message)));
        let outcome = written.await.map_err(std::io::Error::other).and_then(|outcome| outcome);
        outcome.map(drop).map_err(|cause| failed(&self.location(), "cannot be written", &cause))
    }

    fn location(&self) -> String {
        self.folder.display().to_string()
    }
}

fn failed(location: &str, what: &str, cause: &dyn std::fmt::Display) -> Error {
    Error::new(
        Code::MirrorFailed,
        format!("the mirror {location} {what}: {cause}"),
        "When it is back, `mainstay mirror repair` copies what is missing.",
    )
}

/// Opens the store of a mirror.
pub type Open = Box<dyn Fn() -> BoxFuture<'static, crate::failure::Result<OpenMirror>> + Send + Sync>;

/// A mirror that is open, and how to close it.
pub struct OpenMirror {
    /// The mail.
    pub mail: StoreMirror,
    /// The store.
    pub probe: Arc<dyn StoreProbe>,
}

/// A second store that is opened by the first write, and tried again later where it is away: a mirror never keeps
/// the store from its work.
pub struct LateMirror {
    location: String,
    open: Open,
    opened: OnceCell<OpenMirror>,
    failed_at: Mutex<Option<Instant>>,
}

impl LateMirror {
    /// A mirror that is not open yet.
    pub fn new(location: String, open: Open) -> Self {
        Self { location, open, opened: OnceCell::new(), failed_at: Mutex::new(None) }
    }

    /// Closes it, where it was opened. Calling it twice does no harm.
    pub async fn close(&self) {
        if let Some(opened) = self.opened.get() {
            opened.probe.close().await;
        }
    }

    async fn opened(&self) -> Result<&OpenMirror> {
        self.opened.get_or_try_init(|| self.try_open()).await
    }

    async fn try_open(&self) -> Result<OpenMirror> {
        let failed_at = *self.failed_at.lock().unwrap_or_else(PoisonError::into_inner);
        if failed_at.is_some_and(|at| at.elapsed() < OPEN_AGAIN_AFTER) {
            return Err(failed(&self.location, "cannot be opened", &"it could not a moment ago"));
        }
        (self.open)().await.map_err(|failure| {
            *self.failed_at.lock().unwrap_or_else(PoisonError::into_inner) = Some(Instant::now());
            failed(&self.location, "cannot be opened", &failure.reason())
        })
    }
}

#[async_trait]
impl MailMirror for LateMirror {
    async fn put(&self, namespace: &Namespace, message: ImportMessage, now: Timestamp) -> Result<()> {
        self.opened().await?.mail.put(namespace, message, now).await
    }

    fn location(&self) -> String {
        self.location.clone()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use mainstay_api::legacy::{LegacyMessage, LegacyPayload};

    #[tokio::test]
    async fn a_folder_gets_the_messages_of_its_namespace_alone() {
        let folder = tempfile::tempdir().unwrap();
        let message = LegacyMessage {
            id: "msg-1".into(),
            kind: "GENERAL".into(),
            from: "a".into(),
            to: "b".into(),
            timestamp: "2026-01-22T23:01:25Z".into(),
            requires_ack: false,
            acknowledged: false,
            payload: LegacyPayload { subject: "s".into(), description: String::new() },
            ack_by: None,
            ack_timestamp: None,
            ack_comment: None,
        };
        let message = message.into_import().unwrap();
        let namespace = |name: &str| Namespace::parse(name).unwrap();
        let mirror = FolderMirror::new(folder.path().to_path_buf(), namespace("mine"));
        let count = || std::fs::read_dir(folder.path().join("messages")).map_or(0, Iterator::count);
        mirror.put(&namespace("other"), message.clone(), Timestamp::from_millis(0)).await.unwrap();
        assert_eq!(count(), 0);
        mirror.put(&namespace("mine"), message, Timestamp::from_millis(0)).await.unwrap();
        assert_eq!(count(), 1);
    }
}
