//! The legacy folder as a mirror.

use super::folder::FolderWriter;
use super::import::to_legacy;
use async_trait::async_trait;
use mainstay_api::mail::ImportMessage;
use mainstay_api::{Code, Namespace, Timestamp};
use mainstay_core::mail::MailMirror;
use mainstay_core::{Error, Result};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// A legacy folder that follows a store.
pub struct FolderMirror {
    folder: PathBuf,
    writer: Arc<FolderWriter>,
}

impl FolderMirror {
    /// A mirror in a folder, which is created when it is not there.
    ///
    /// # Errors
    /// `settings.invalid` where the folder cannot be created.
    pub fn create(folder: &Path) -> Result<Self> {
        let writer = FolderWriter::create(folder).map_err(|e| {
            Error::new(
                Code::SettingInvalid,
                format!("the mirror {} cannot be created: {e}", folder.display()),
                "Name a folder that can be written in MAINSTAY_MIRROR.",
            )
        })?;
        Ok(Self { folder: folder.to_path_buf(), writer: Arc::new(writer) })
    }
}

#[async_trait]
impl MailMirror for FolderMirror {
    async fn put(&self, _namespace: &Namespace, message: ImportMessage, _now: Timestamp) -> Result<()> {
        let writer = Arc::clone(&self.writer);
        let failed = |why: String| {
            Error::new(
                Code::MirrorFailed,
                format!("the mirror {} cannot be written", self.folder.display()),
                "When it is back, `mainstay mirror repair` copies what is missing.",
            )
            .internal(why)
        };
        let written = tokio::task::spawn_blocking(move || writer.put(&to_legacy(&message))).await;
        written.map_err(|e| failed(e.to_string()))?.map_err(|e| failed(e.to_string()))
    }

    fn location(&self) -> String {
        self.folder.display().to_string()
    }
}
