//! Calls about the audit trail.

use crate::call::{Call, path};
use crate::{Client, ClientError, Result};
use bytes::Bytes;
use futures::stream::{BoxStream, StreamExt};
use http::Method;
use http_body_util::BodyExt;
use mainstay_api::audit::{
    AuditChains, AuditEntry, AuditKey, CheckpointMade, ExportAudit, ListAudit, ListChains, ReadStored, StoredEntries,
    TrimReport, VerifyAudit, VerifyReport,
};
use mainstay_api::errors::Applied;
use mainstay_api::page::Page;

/// Calls about the audit trail, see [`Client::audit`].
pub struct AuditClient<'a>(pub(crate) &'a Client);

impl AuditClient<'_> {
    /// One page of the entries that pass a filter, newest first.
    ///
    /// # Errors
    /// `page.invalid_cursor`, `auth.forbidden`, or an invalid request.
    pub async fn list(&self, list: &ListAudit) -> Result<Page<AuditEntry>> {
        self.0.call(Call::get(path(&["v1", "audit", "entries"])).query(list)?).await
    }

    /// Where chains begin and end.
    ///
    /// # Errors
    /// `auth.forbidden`.
    pub async fn chains(&self, list: &ListChains) -> Result<AuditChains> {
        self.0.call(Call::get(path(&["v1", "audit", "chains"])).query(list)?).await
    }

    /// Entries as they are stored.
    ///
    /// # Errors
    /// `auth.forbidden`, or an invalid limit.
    pub async fn stored(&self, read: &ReadStored) -> Result<StoredEntries> {
        self.0.call(Call::get(path(&["v1", "audit", "stored"])).query(read)?).await
    }

    /// Has the server verify the trail.
    ///
    /// # Errors
    /// `auth.forbidden`; what is wrong with the trail is in the report.
    pub async fn verify(&self, verify: &VerifyAudit) -> Result<VerifyReport> {
        self.0.call(Call::get(path(&["v1", "audit", "verify"])).query(verify)?).await
    }

    /// The public key of the server's checkpoints.
    ///
    /// # Errors
    /// `auth.forbidden`, `audit.key_invalid`.
    pub async fn key(&self) -> Result<AuditKey> {
        self.0.call(Call::get(path(&["v1", "audit", "key"]))).await
    }

    /// Makes a checkpoint. To ask twice is to ask once: where nothing has grown, none is made.
    ///
    /// # Errors
    /// `auth.forbidden`, `audit.checkpoint_failed`, `audit.key_invalid`.
    pub async fn checkpoint(&self) -> Result<CheckpointMade> {
        self.0.call(Call::write(Method::POST, path(&["v1", "audit", "checkpoints"]), None)?).await
    }

    /// Removes entries that are older than the retention.
    ///
    /// # Errors
    /// `auth.forbidden`, `audit.checkpoint_failed`, `audit.key_invalid`.
    pub async fn trim(&self) -> Result<TrimReport> {
        self.0.call(Call::write(Method::POST, path(&["v1", "audit", "trims"]), None)?).await
    }

    /// Takes entries out, one JSON document a line, in pieces that need not end with a line.
    ///
    /// # Errors
    /// `auth.forbidden`; a stream that breaks off ends with an error.
    pub async fn export(&self, export: &ExportAudit) -> Result<BoxStream<'static, Result<Bytes>>> {
        let body = self.0.open(&Call::get(path(&["v1", "audit", "export"])).query(export)?).await?;
        let broken = |cause: crate::BoxError| ClientError::Connection {
            detail: "the export broke off".into(),
            cause: cause.to_string(),
            applied: Applied::No,
        };
        Ok(body.into_data_stream().map(move |piece| piece.map_err(broken)).boxed())
    }
}
