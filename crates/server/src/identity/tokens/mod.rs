//! Tokens of identity providers: which issuers are trusted, with which keys, and what their tokens stand for.
//!
//! The order of the checks is part of the contract. `iss` chooses the keys and so comes first; then the signature; only
//! a token whose signature holds is told that it has expired, is for another audience or of another tenant.

mod cache;
mod claims;
mod compact;
mod config;
mod fetch;
mod issuer;
mod keys;
mod refusal;

pub use config::{Access, InvalidIssuer, IssuerConfig, KeyOrigin, SigningAlgorithm, TenantRule, Tenants};

use compact::Compact;
use futures::future::join_all;
use issuer::Issuer;
use mainstay_core::{Clock, Identified, Result};
use std::sync::Arc;
use std::time::Duration;
use tokio::time::MissedTickBehavior;
use tokio_util::sync::CancellationToken;

/// Most issuers that can be trusted at once.
const MAX_ISSUERS: usize = 32;
/// How often the background job looks whether keys are to be fetched, in milliseconds.
const LOOK_EVERY_MS: u64 = 30_000;

/// Verifies tokens of the trusted issuers.
pub struct TokenVerifier {
    issuers: Vec<Issuer>,
    max_token_bytes: usize,
    clock: Arc<dyn Clock>,
}

impl TokenVerifier {
    /// Trusts the given issuers. Fetches nothing yet: an issuer that is away does not keep a server from starting.
    ///
    /// # Errors
    /// The issuer whose configuration cannot be, and why.
    pub fn new(configs: Vec<IssuerConfig>, clock: Arc<dyn Clock>) -> Result<Self, InvalidIssuer> {
        if let Some(one_too_many) = configs.get(MAX_ISSUERS) {
            let rule = format!("at most {MAX_ISSUERS} issuers can be trusted");
            return Err(InvalidIssuer { name: one_too_many.name.clone(), rule });
        }
        config::check_distinct(&configs)?;
        let max_token_bytes = configs.iter().map(|config| config.max_token_bytes).max().unwrap_or(0);
        let issuers = configs.into_iter().map(|config| Issuer::new(config, &clock)).collect::<Result<_, _>>()?;
        Ok(Self { issuers, max_token_bytes, clock })
    }

    /// Whether a credential has the form of a token: three parts of base64url, of which the signature may be missing.
    /// What has it is never tried as another kind of credential.
    #[must_use]
    pub fn recognizes(credential: &str) -> bool {
        let alphabet = |b: u8| b.is_ascii_alphanumeric() || b == b'-' || b == b'_';
        let parts: Vec<&str> = credential.splitn(4, '.').collect();
        matches!(parts[..], [header, claims, _] if !header.is_empty() && !claims.is_empty())
            && parts.iter().all(|part| part.bytes().all(alphabet))
    }

    /// Who a token stands for.
    ///
    /// # Errors
    /// `auth.issuer_mismatch`, `auth.credential_invalid`, `auth.token_expired`, `auth.audience_mismatch`,
    /// `auth.tenant_not_allowed`; `auth.keys_unavailable` where the keys of the issuer cannot be fetched and none are
    /// known.
    pub async fn verify(&self, token: &str) -> Result<Identified> {
        if token.len() > self.max_token_bytes {
            return Err(refusal::too_long(self.max_token_bytes));
        }
        let token = Compact::parse(token)?;
        let issuer = self.issuer_of(&token).await?;
        issuer.check_signature(&token).await?;
        claims::identify(issuer.config(), &token, self.clock.now().as_millis())
    }

    /// The issuer that a token says it is of. One that was named to the letter goes before one that is a pattern, and
    /// only where none is known to match are issuers asked for their names.
    async fn issuer_of(&self, token: &Compact<'_>) -> Result<&Issuer> {
        let exact = |issuer: &&Issuer| issuer.name().is_some_and(|name| name.is_exactly(token.issuer()));
        let pattern = |issuer: &&Issuer| issuer.matches(token);
        if let Some(issuer) = self.issuers.iter().find(exact).or_else(|| self.issuers.iter().find(pattern)) {
            return Ok(issuer);
        }
        let mut unnamed = Ok(());
        for issuer in self.issuers.iter().filter(|issuer| issuer.name().is_none()) {
            match issuer.learn_name().await {
                Ok(()) if issuer.matches(token) => return Ok(issuer),
                Ok(()) => {}
                Err(away) => unnamed = Err(away),
            }
        }
        unnamed.and_then(|()| Err(refusal::issuer()))
    }

    /// Keeps the keys of the issuers current until told to stop: fetches them at once, then every ten minutes, and
    /// every half minute where that failed.
    pub async fn run(self: Arc<Self>, shutdown: CancellationToken) {
        let mut ticks = tokio::time::interval(Duration::from_millis(LOOK_EVERY_MS));
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let work = async {
            loop {
                ticks.tick().await;
                self.run_once().await;
            }
        };
        let _ended = shutdown.run_until_cancelled(work).await;
    }

    /// Fetches the keys that are missing or ten minutes old. What fails is logged, and the older keys go on serving.
    pub async fn run_once(&self) {
        join_all(self.issuers.iter().map(Issuer::keep_current)).await;
    }
}

impl std::fmt::Debug for TokenVerifier {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let names = self.issuers.iter().map(|issuer| issuer.config().name.as_str());
        f.debug_tuple("TokenVerifier").field(&names.collect::<Vec<_>>()).finish()
    }
}
