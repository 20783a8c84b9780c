//! Calls about pools of providers, and their credentials.

use crate::call::{Call, path};
use crate::{Client, Result};
use http::Method;
use mainstay_api::RawJson;
use mainstay_api::ids::RequestId;
use mainstay_api::providers::{
    AddProvider, Credential, Pool, PoolList, PoolType, Provider, ProviderId, ProvidersReset, PutCredentialQuery,
    PutPool, ResetProviders, SetBreaker,
};

/// Calls about pools of providers, see [`Client::providers`].
pub struct Providers<'a>(pub(crate) &'a Client);

impl Providers<'_> {
    /// The pools of the namespace, by name.
    ///
    /// # Errors
    /// Those of every call.
    pub async fn pools(&self) -> Result<PoolList> {
        self.0.call(Call::get(path(&["v1", "providers"]))).await
    }

    /// A pool with its providers, with masks in the place of secrets.
    ///
    /// # Errors
    /// `providers.not_found`.
    pub async fn pool(&self, pool: &PoolType) -> Result<Pool> {
        self.0.call(Call::get(of_pool(pool, &[]))).await
    }

    /// Writes a pool: its settings, or all of its providers, or both, in one step. `expected` is the revision that is replaced, 0
    /// where there is to be none.
    ///
    /// # Errors
    /// `providers.version_conflict`, `providers.full`, `request.invalid`.
    pub async fn put_pool(&self, pool: &PoolType, put: &PutPool, expected: Option<u64>) -> Result<Pool> {
        self.0.call(Call::write(Method::PUT, of_pool(pool, &[]), None)?.expecting(expected).json(put)?).await
    }

    /// Merges the settings of a pool itself with a patch (RFC 7396).
    ///
    /// # Errors
    /// `providers.not_found`, `providers.version_conflict`, `request.invalid`.
    pub async fn patch_pool(&self, pool: &PoolType, patch: &RawJson, expected: Option<u64>) -> Result<Pool> {
        self.0.call(Call::write(Method::PATCH, of_pool(pool, &[]), None)?.expecting(expected).json(patch)?).await
    }

    /// Removes a pool with all that is in it.
    ///
    /// # Errors
    /// `providers.not_found`, `providers.version_conflict`.
    pub async fn remove_pool(&self, pool: &PoolType, expected: Option<u64>) -> Result<()> {
        self.0.call(Call::write(Method::DELETE, of_pool(pool, &[]), None)?.expecting(expected)).await
    }

    /// Sets counters or health of all providers of a pool back.
    ///
    /// # Errors
    /// `providers.not_found`.
    pub async fn reset_pool(&self, pool: &PoolType, reset: &ResetProviders) -> Result<ProvidersReset> {
        self.0.call(Call::write(Method::POST, of_pool(pool, &["reset"]), None)?.json(reset)?).await
    }

    /// Adds a provider at the end of its pool, which is made where there is none. With the same request id, a repetition
    /// answers with the same provider.
    ///
    /// # Errors
    /// `providers.exists`, `providers.full`, `request.invalid`.
    pub async fn add(&self, pool: &PoolType, add: &AddProvider, request: Option<RequestId>) -> Result<Provider> {
        self.0.call(Call::write(Method::POST, of_pool(pool, &[]), request)?.json(add)?).await
    }

    /// Calls about one provider.
    #[must_use]
    pub fn provider<'a>(&'a self, pool: &'a PoolType, provider: &'a ProviderId) -> ProviderClient<'a> {
        ProviderClient { client: self.0, pool, provider }
    }
}

fn of_pool(pool: &PoolType, rest: &[&str]) -> String {
    path(&[&["v1", "providers", pool.as_str()], rest].concat())
}

/// Calls about one provider, see [`Providers::provider`].
pub struct ProviderClient<'a> {
    client: &'a Client,
    pool: &'a PoolType,
    provider: &'a ProviderId,
}

impl ProviderClient<'_> {
    fn path(&self, rest: &[&str]) -> String {
        path(&[&["v1", "providers", self.pool.as_str(), self.provider.as_str()], rest].concat())
    }

    async fn act(&self, action: &str) -> Result<Provider> {
        self.client.call(Call::write(Method::POST, self.path(&[action]), None)?).await
    }

    /// It, with masks in the place of secrets.
    ///
    /// # Errors
    /// `providers.not_found`.
    pub async fn read(&self) -> Result<Provider> {
        self.client.call(Call::get(self.path(&[]))).await
    }

    /// It with the secrets in its settings, which is recorded.
    ///
    /// # Errors
    /// `providers.not_found`.
    pub async fn reveal(&self) -> Result<Provider> {
        self.client.call(Call::get(self.path(&["revealed"]))).await
    }

    /// Writes its settings whole; adds it where it is not there. `expected` is the version that is replaced, 0 where there is
    /// to be none.
    ///
    /// # Errors
    /// `providers.version_conflict`, `providers.full`, `request.invalid`.
    pub async fn put(&self, settings: &RawJson, expected: Option<u64>) -> Result<Provider> {
        self.client.call(Call::write(Method::PUT, self.path(&[]), None)?.expecting(expected).json(settings)?).await
    }

    /// Merges its settings with a patch (RFC 7396).
    ///
    /// # Errors
    /// `providers.not_found`, `providers.version_conflict`, `request.invalid`.
    pub async fn patch(&self, patch: &RawJson, expected: Option<u64>) -> Result<Provider> {
        self.client.call(Call::write(Method::PATCH, self.path(&[]), None)?.expecting(expected).json(patch)?).await
    }

    /// Removes it with its counters and its credential.
    ///
    /// # Errors
    /// `providers.not_found`.
    pub async fn remove(&self) -> Result<()> {
        self.client.call(Call::write(Method::DELETE, self.path(&[]), None)?).await
    }

    /// Lets it be chosen again.
    ///
    /// # Errors
    /// `providers.not_found`.
    pub async fn enable(&self) -> Result<Provider> {
        self.act("enable").await
    }

    /// Leaves it out of every choice.
    ///
    /// # Errors
    /// `providers.not_found`.
    pub async fn disable(&self) -> Result<Provider> {
        self.act("disable").await
    }

    /// Sets its counters or its health back.
    ///
    /// # Errors
    /// `providers.not_found`.
    pub async fn reset(&self, reset: &ResetProviders) -> Result<ProvidersReset> {
        self.client.call(Call::write(Method::POST, self.path(&["reset"]), None)?.json(reset)?).await
    }

    /// Forces its circuit open, or closes it.
    ///
    /// # Errors
    /// `providers.not_found`, `request.invalid`.
    pub async fn set_breaker(&self, set: &SetBreaker) -> Result<Provider> {
        self.client.call(Call::write(Method::POST, self.path(&["breaker"]), None)?.json(set)?).await
    }
}

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
