//! Access tokens of providers, for the gateway.

use async_trait::async_trait;
use mainstay_core::Result;
use mainstay_core::api::providers::ProviderId;
use mainstay_core::providers::PoolName;
use mainstay_core::providers::credentials::{Refreshed, TokenService, Whose};
use mainstay_gateway::serving::{Supply, Token, Tokens};
use std::sync::Arc;

/// Tokens of the service.
pub struct CredentialTokens(pub Arc<TokenService>);

#[async_trait]
impl Tokens for CredentialTokens {
    async fn bearer(&self, pool: &PoolName, provider: &ProviderId, version: Option<u64>) -> Result<Supply> {
        Ok(supply(self.0.bearer(&whose(pool, provider), version).await?))
    }

    async fn refresh(&self, pool: &PoolName, provider: &ProviderId, seen: u64) -> Result<Supply> {
        Ok(supply(self.0.refresh(&whose(pool, provider), seen).await?))
    }
}

fn whose(pool: &PoolName, provider: &ProviderId) -> Whose {
    Whose { pool: pool.clone(), provider: provider.clone() }
}

fn supply(refreshed: Refreshed) -> Supply {
    match refreshed {
        Refreshed::Current(bearer) => Supply::Token(Token { text: bearer.access_token, version: bearer.version }),
        Refreshed::Later { reason, .. } | Refreshed::Dead(reason) | Refreshed::Refused(reason) => Supply::None(reason),
        Refreshed::NotFound => Supply::None("it has no credential".into()),
    }
}
