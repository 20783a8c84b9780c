//! How tokens are refreshed, as the settings of providers and of their pools say.

use super::authorizer::OAuthClient;
use super::service::{ClientSource, Whose};
use crate::Clock;
use crate::error::{Error, Result};
use crate::providers::{ProviderStore, sealing};
use crate::secrets::KeyRing;
use async_trait::async_trait;
use secrecy::ExposeSecret;
use serde_json::{Map, Value};
use std::sync::Arc;

/// The member of settings that says it.
const MEMBER: &str = "oauth";

/// Reads the member `oauth` of the settings of a provider, completed by that of its pool. It is read for each refresh, which is
/// seldom, so that a change of settings holds from the next one on.
pub struct SettingsClients {
    store: Arc<dyn ProviderStore>,
    ring: Option<KeyRing>,
    clock: Arc<dyn Clock>,
}

impl SettingsClients {
    /// Settings in a store, whose secrets a ring opens.
    #[must_use]
    pub fn new(store: Arc<dyn ProviderStore>, ring: Option<KeyRing>, clock: Arc<dyn Clock>) -> Self {
        Self { store, ring, clock }
    }
}

#[async_trait]
impl ClientSource for SettingsClients {
    async fn client(&self, whose: &Whose) -> Result<Option<OAuthClient>> {
        let Some(pool) = self.store.pool(&whose.pool, self.clock.now()).await? else { return Ok(None) };
        let Some(provider) = pool.providers.iter().find(|provider| provider.id == whose.provider) else {
            return Ok(None);
        };
        let opened = sealing(self.ring.as_ref(), &whose.owner(), &[]).open(&provider.settings.body)?;
        let own = said(opened.expose_secret())?;
        let mut oauth = said(pool.settings.as_str())?;
        oauth.extend(own);
        if oauth.is_empty() {
            return Ok(None);
        }
        OAuthClient::parse(&Value::Object(oauth).to_string()).map(Some)
    }
}

/// The members of `oauth` in settings; none where nothing is said of it.
fn said(settings: &str) -> Result<Map<String, Value>> {
    let mut settings: Map<String, Value> =
        serde_json::from_str(settings).map_err(|_| Error::invalid("the settings are no JSON object"))?;
    match settings.remove(MEMBER) {
        Some(Value::Object(members)) => Ok(members),
        None | Some(Value::Null) => Ok(Map::new()),
        Some(_) => Err(Error::invalid("`oauth` is no JSON object")),
    }
}
