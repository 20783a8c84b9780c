//! What a node keeps on its own disk while its Redis is away.

use crate::failure::Result;
use crate::notary;
use crate::owner_key;
use crate::settings::Settings;
use mainstay_core::audit::{AuditRules, AuditService};
use mainstay_core::outage::{Outage, OutlastingDocuments, OutlastingParts};
use mainstay_core::{RandomMint, Stores, SystemClock};
use mainstay_sqlite::OutageFile;
use std::path::PathBuf;
use std::sync::Arc;

/// The open file of this node, and what stands on it.
pub struct Outlasting {
    file: OutageFile,
    /// The journal and the copies.
    pub outage: Arc<Outage>,
}

impl Outlasting {
    /// Opens the file for the store of the settings; makes it where it is missing.
    ///
    /// # Errors
    /// Those of the disk.
    pub async fn open(settings: &Settings) -> Result<Self> {
        owner_key::create_private_dir(&settings.data_dir)?;
        let file = OutageFile::open(path(settings)).await?;
        let outage = Outage::new(Arc::new(file.clone()), Arc::new(file.clone()), settings.outage);
        Ok(Self { file, outage: Arc::new(outage) })
    }

    /// The same where the file is there.
    ///
    /// # Errors
    /// Those of the disk.
    pub async fn find(settings: &Settings) -> Result<Option<Self>> {
        match path(settings).exists() {
            true => Self::open(settings).await.map(Some),
            false => Ok(None),
        }
    }

    /// Whether there is a copy to go on with.
    ///
    /// # Errors
    /// Those of the disk.
    pub async fn has_copies(&self) -> Result<bool> {
        Ok(!self.outage.snapshots.names("", 1).await?.is_empty())
    }

    /// Has the documents and pools of a store outlast its absence.
    ///
    /// # Errors
    /// Those of the disk.
    pub async fn attach(&self, stores: &mut Stores, audit: AuditRules) -> Result<Arc<OutlastingDocuments>> {
        let (clock, mint) = (Arc::new(SystemClock), Arc::new(RandomMint));
        let parts = OutlastingParts {
            documents: Arc::clone(&stores.documents),
            providers: Arc::clone(&stores.providers),
            credentials: Arc::clone(&stores.credentials),
            probe: Arc::clone(&stores.probe),
            outage: Arc::clone(&self.outage),
            audit: AuditService::new(Arc::clone(&stores.audit), clock.clone(), mint.clone(), audit),
            clock,
            mint,
        };
        let documents = Arc::new(OutlastingDocuments::open(parts).await?);
        stores.documents = Arc::clone(&documents) as Arc<_>;
        stores.providers = Arc::clone(documents.pools()) as Arc<_>;
        stores.credentials = Arc::clone(documents.pools()) as Arc<_>;
        Ok(documents)
    }

    /// Closes the file.
    pub async fn close(&self) {
        self.file.close().await;
    }
}

/// A file for each store: what was written for one is never brought to another.
fn path(settings: &Settings) -> PathBuf {
    settings.data_dir.join(format!("outage-{}.db", notary::store_digits(settings)))
}
