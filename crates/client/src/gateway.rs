//! Calls about keys of the gateway, and what was used.

use crate::call::{Call, path};
use crate::{Client, Result};
use http::Method;
use mainstay_api::gateway::{
    ChangeGatewayKey, CreateGatewayKey, CreatedGatewayKey, ExportedGatewayKeys, GatewayKey, GatewayUsage,
    ImportGatewayKeys, ImportedGatewayKeys, ListGatewayKeys, ListGatewayUsage,
};
use mainstay_api::page::Page;
use mainstay_api::providers::GatewayKeyId;

/// Calls about keys of the gateway, see [`Client::gateway_keys`].
pub struct GatewayKeys<'a>(pub(crate) &'a Client);

impl GatewayKeys<'_> {
    /// Makes a key.
    ///
    /// # Errors
    /// `gateway.too_many_keys`.
    pub async fn create(&self, key: &CreateGatewayKey) -> Result<CreatedGatewayKey> {
        self.0.call(Call::write(Method::POST, path(&["v1", "gateway", "keys"]), None)?.json(key)?.once()).await
    }

    /// A page of the keys, by id. The last page is the empty one.
    ///
    /// # Errors
    /// Those of the store.
    pub async fn list(&self, list: &ListGatewayKeys) -> Result<Page<GatewayKey>> {
        self.0.call(Call::get(path(&["v1", "gateway", "keys"])).query(list)?).await
    }

    /// One key.
    ///
    /// # Errors
    /// `gateway.key_not_found`.
    pub async fn read(&self, id: &GatewayKeyId) -> Result<GatewayKey> {
        self.0.call(Call::get(path(&["v1", "gateway", "keys", id.as_str()]))).await
    }

    /// Changes a key.
    ///
    /// # Errors
    /// `gateway.key_not_found`, `gateway.key_version_conflict`.
    pub async fn change(&self, id: &GatewayKeyId, change: &ChangeGatewayKey) -> Result<GatewayKey> {
        let path = path(&["v1", "gateway", "keys", id.as_str()]);
        self.0.call(Call::write(Method::PATCH, path, None)?.json(change)?.once()).await
    }

    /// Removes a key at once.
    ///
    /// # Errors
    /// `gateway.key_not_found`.
    pub async fn remove(&self, id: &GatewayKeyId) -> Result<()> {
        let path = path(&["v1", "gateway", "keys", id.as_str()]);
        self.0.call(Call::write(Method::DELETE, path, None)?).await
    }

    /// Imports the keys of a file. Made twice it is made once.
    ///
    /// # Errors
    /// `secrets.key_missing`.
    pub async fn import(&self, import: &ImportGatewayKeys) -> Result<ImportedGatewayKeys> {
        self.0.call(Call::write(Method::POST, path(&["v1", "gateway", "keys", "import"]), None)?.json(import)?).await
    }

    /// Imported keys as the file that they came from.
    ///
    /// # Errors
    /// `secrets.key_missing`, `secrets.unreadable`.
    pub async fn export(&self) -> Result<ExportedGatewayKeys> {
        self.0.call(Call::get(path(&["v1", "gateway", "keys", "export"]))).await
    }

    /// A page of what was used.
    ///
    /// # Errors
    /// An invalid request.
    pub async fn usage(&self, list: &ListGatewayUsage) -> Result<Page<GatewayUsage>> {
        self.0.call(Call::get(path(&["v1", "gateway", "usage"])).query(list)?).await
    }
}
