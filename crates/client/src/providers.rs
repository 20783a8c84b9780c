//! Calls about providers and their credentials.

use crate::call::{Call, path};
use crate::{Client, Result};
use http::Method;
use mainstay_api::RawJson;
use mainstay_api::providers::{Credential, PoolType, ProviderId, PutCredentialQuery};

/// Calls about the credential of one provider, see [`Client::credential`].
pub struct CredentialClient<'a> {
    pub(crate) client: &'a Client,
    pub(crate) pool: &'a PoolType,
    pub(crate) provider: &'a ProviderId,
}

impl CredentialClient<'_> {
    fn path(&self) -> Vec<&str> {
        vec!["v1", "providers", self.pool.as_str(), self.provider.as_str(), "credential"]
    }

    /// Writes it.
    ///
    /// # Errors
    /// `credentials.not_found`, `credentials.version_conflict`.
    pub async fn put(&self, text: &RawJson, query: &PutCredentialQuery) -> Result<Credential> {
        self.client.call(Call::write(Method::PUT, path(&self.path()), None)?.query(query)?.json(text)?).await
    }

    /// Shows it, masked.
    ///
    /// # Errors
    /// `credentials.not_found`.
    pub async fn show(&self) -> Result<Credential> {
        self.client.call(Call::get(path(&self.path()))).await
    }

    /// Shows it with its secrets, which is recorded.
    ///
    /// # Errors
    /// `credentials.not_found`.
    pub async fn reveal(&self) -> Result<Credential> {
        self.client.call(Call::get(path(&[self.path(), vec!["revealed"]].concat()))).await
    }

    /// Refreshes it now.
    ///
    /// # Errors
    /// `credentials.not_found`, `credentials.dead`, `credentials.refresh_pending`, `credentials.not_refreshable`.
    pub async fn refresh(&self) -> Result<Credential> {
        let path = path(&[self.path(), vec!["refresh"]].concat());
        self.client.call(Call::write(Method::POST, path, None)?.once()).await
    }

    /// Removes it.
    ///
    /// # Errors
    /// `credentials.not_found`.
    pub async fn remove(&self) -> Result<()> {
        self.client.call(Call::write(Method::DELETE, path(&self.path()), None)?).await
    }
}
