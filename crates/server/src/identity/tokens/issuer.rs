//! One trusted issuer: its name, and whether it signed a token.

use super::cache::{KeyCache, Loaded};
use super::compact::Compact;
use super::config::{InvalidIssuer, IssuerConfig, KeyOrigin, TENANT_PLACE, TenantRule};
use super::fetch::Fetch;
use super::keys::{Key, NoKey};
use super::refusal::{invalid, keys_unavailable};
use jsonwebtoken::{Algorithm, DecodingKey};
use mainstay_core::{Clock, Result};
use secrecy::ExposeSecret;
use serde_json::Value;
use std::sync::Arc;

/// What tokens of an issuer say in `iss`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum IssuerName {
    /// Nothing: tokens of those who share a secret with this server and never had a name.
    Absent,
    /// This, to the letter.
    Exactly(String),
    /// This, with the tenant of the token between the two.
    Around(String, String),
}

impl IssuerName {
    pub fn parse(text: String) -> Self {
        match text.split_once(TENANT_PLACE) {
            Some((before, after)) => Self::Around(before.into(), after.into()),
            None => Self::Exactly(text),
        }
    }

    /// Whether the name is exactly that of a token.
    pub fn is_exactly(&self, issuer: Option<&str>) -> bool {
        match self {
            Self::Absent => issuer.is_none(),
            Self::Exactly(name) => Some(name.as_str()) == issuer,
            Self::Around(..) => false,
        }
    }

    /// Whether the name is that of a token of the tenant.
    fn matches(&self, issuer: Option<&str>, tenant: Option<&str>) -> bool {
        let (Self::Around(before, after), Some(issuer), Some(tenant)) = (self, issuer, tenant) else {
            return self.is_exactly(issuer);
        };
        // Only what is one plain word can take the place, or a tenant could spell the rest of another name.
        let word = tenant.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-') && !tenant.is_empty();
        let rest = issuer.strip_prefix(before.as_str()).and_then(|rest| rest.strip_suffix(after.as_str()));
        word && rest == Some(tenant)
    }
}

/// One trusted issuer.
pub(super) struct Issuer {
    config: IssuerConfig,
    name: Option<IssuerName>,
    keys: Keys,
}

enum Keys {
    Secret(DecodingKey),
    Published(Arc<KeyCache>),
}

impl Issuer {
    pub fn new(config: IssuerConfig, clock: &Arc<dyn Clock>) -> Result<Self, InvalidIssuer> {
        config.check()?;
        let keys = match (Fetch::new(&config)?, &config.keys) {
            (Some(fetch), _) => Keys::Published(KeyCache::new(config.name.clone(), fetch, Arc::clone(clock))),
            (None, KeyOrigin::Secret(secret)) => {
                Keys::Secret(DecodingKey::from_secret(secret.expose_secret().as_bytes()))
            }
            (None, _) => return Err(InvalidIssuer { name: config.name, rule: "it has no keys".into() }),
        };
        let unnamed = matches!(keys, Keys::Secret(_)).then_some(IssuerName::Absent);
        let name = config.issuer.clone().map(IssuerName::parse).or(unnamed);
        Ok(Self { config, name, keys })
    }

    pub fn config(&self) -> &IssuerConfig {
        &self.config
    }

    /// The name, where it is configured or was published.
    pub fn name(&self) -> Option<IssuerName> {
        match (&self.name, &self.keys) {
            (Some(name), _) => Some(name.clone()),
            (None, Keys::Published(cache)) => cache.known().map(|loaded| loaded.name.clone()),
            (None, Keys::Secret(_)) => None,
        }
    }

    /// Asks the issuer for its name.
    pub async fn learn_name(&self) -> Result<()> {
        match &self.keys {
            Keys::Published(cache) => cache.demand().await.map(|_| ()),
            Keys::Secret(_) => Ok(()),
        }
    }

    /// Whether a token says that it is of this issuer.
    pub fn matches(&self, token: &Compact<'_>) -> bool {
        self.name().is_some_and(|name| name.matches(token.issuer(), self.tenant_of(token)))
    }

    fn tenant_of<'a>(&self, token: &'a Compact<'_>) -> Option<&'a str> {
        match &self.config.tenant {
            TenantRule::Fixed(_) => None,
            TenantRule::Claim { claim, .. } => token.claims.get(claim).and_then(Value::as_str),
        }
    }

    pub async fn keep_current(&self) {
        if let Keys::Published(cache) = &self.keys {
            cache.keep_current().await;
        }
    }

    /// Whether the issuer signed the token, with a key and an algorithm that it may use.
    ///
    /// # Errors
    /// `auth.credential_invalid`; `auth.keys_unavailable`.
    pub async fn check_signature(&self, token: &Compact<'_>) -> Result<()> {
        let alg: Option<Algorithm> = token.alg.parse().ok();
        let alg = alg.filter(|alg| self.config.algorithms.contains(alg));
        let alg = alg.ok_or_else(|| invalid("it is signed with an algorithm that is not accepted of its issuer"))?;
        let signed = match &self.keys {
            Keys::Secret(secret) => holds(token, secret, alg),
            Keys::Published(cache) => self.signed_by_published(cache, token, alg).await?,
        };
        if signed { Ok(()) } else { Err(invalid("its signature does not hold")) }
    }

    async fn signed_by_published(&self, cache: &Arc<KeyCache>, token: &Compact<'_>, alg: Algorithm) -> Result<bool> {
        let loaded = cache.demand().await?;
        match self.signed_by_loaded(&loaded, token, alg) {
            Ok(signed) => return Ok(signed),
            Err(NoKey::Ambiguous) => return Err(invalid("it does not say which key signed it (kid)")),
            Err(NoKey::Unknown) => {}
        }
        let loaded = cache.look_again().await.ok_or_else(keys_unavailable)?;
        let unknown = |_| invalid("its issuer has no key that it could be signed with");
        self.signed_by_loaded(&loaded, token, alg).map_err(unknown)
    }

    fn signed_by_loaded(&self, loaded: &Loaded, token: &Compact<'_>, alg: Algorithm) -> Result<bool, NoKey> {
        let of_issuer = |key: &&Key| match &key.issuer {
            Some(issuer) => IssuerName::parse(issuer.clone()).matches(token.issuer(), self.tenant_of(token)),
            None => true,
        };
        let fitting = loaded.keys.fitting(token, alg)?;
        Ok(fitting.into_iter().filter(of_issuer).any(|key| holds(token, &key.material, alg)))
    }
}

fn holds(token: &Compact<'_>, key: &DecodingKey, alg: Algorithm) -> bool {
    jsonwebtoken::crypto::verify(token.signature, token.signed, key, alg).unwrap_or(false)
}
