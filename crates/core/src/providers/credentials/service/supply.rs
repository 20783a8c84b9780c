//! Access tokens for requests: from memory where the version is known, else from the store, refreshed where they expire.

use super::{Bearer, Refreshed, TokenService, Whose};
use crate::error::Result;
use crate::providers::credentials::port::CredentialRecord;
use mainstay_api::Timestamp;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

/// A token that expires within this is refreshed before it is used.
const MARGIN: Duration = Duration::from_secs(10);
/// Most tokens in memory.
const MAX_CACHED: usize = 10_000;

/// Access tokens that were read, by whose they are.
#[derive(Default)]
pub(super) struct Cache(Mutex<HashMap<Whose, Bearer>>);

impl Cache {
    fn find(&self, whose: &Whose, version: u64) -> Option<Bearer> {
        let cache = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        cache.get(whose).filter(|bearer| bearer.version == version).cloned()
    }

    fn put(&self, whose: &Whose, bearer: &Bearer) {
        let mut cache = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if cache.len() >= MAX_CACHED && !cache.contains_key(whose) {
            cache.clear();
        }
        cache.insert(whose.clone(), bearer.clone());
    }

    /// Forgets a token.
    pub fn forget(&self, whose: &Whose) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).remove(whose);
    }
}

impl TokenService {
    /// A current access token for a request. `version` is that of the credential where it is known, as from a choice; the
    /// store is not asked then as long as the token is in memory. A token that is about to expire is refreshed first;
    /// where that cannot be done now, and it has not expired, it is used as it is.
    ///
    /// # Errors
    /// Those of the store; `secrets.key_missing`, `secrets.unreadable`.
    pub async fn bearer(self: &Arc<Self>, whose: &Whose, version: Option<u64>) -> Result<Refreshed> {
        let now = self.parts.clock.now();
        let soon = now.after(MARGIN);
        let lasts = |bearer: &Bearer, until: Timestamp| bearer.expires_at.is_none_or(|at| at > until);
        if let Some(bearer) = version.and_then(|version| self.cache.find(whose, version))
            && lasts(&bearer, soon)
        {
            return Ok(Refreshed::Current(bearer));
        }
        let Some(record) = self.parts.store.credential(&whose.pool, &whose.provider).await? else {
            return Ok(Refreshed::NotFound);
        };
        let bearer = self.bearer_of(whose, &record)?;
        match bearer {
            Some(bearer) if lasts(&bearer, soon) => Ok(Refreshed::Current(bearer)),
            bearer => match (self.refresh(whose, record.version).await?, bearer) {
                (Refreshed::Current(new), _) => Ok(Refreshed::Current(new)),
                (_, Some(old)) if lasts(&old, now) => Ok(Refreshed::Current(old)),
                (outcome, _) => Ok(outcome),
            },
        }
    }

    /// The access token of a credential; absent where it has none yet.
    pub(super) fn bearer_of(&self, whose: &Whose, record: &CredentialRecord) -> Result<Option<Bearer>> {
        if let Some(known) = self.cache.find(whose, record.version) {
            return Ok(Some(known));
        }
        let text = self.opened(whose, record)?;
        let (version, expires_at) = (record.version, record.expires_at);
        let bearer = text.access_token().map(|access_token| Bearer { access_token, version, expires_at });
        if let Some(bearer) = &bearer {
            self.cache.put(whose, bearer);
        }
        Ok(bearer)
    }

    /// What a credential offers that is newer than what somebody had.
    pub(super) fn current(&self, whose: &Whose, record: &CredentialRecord) -> Result<Refreshed> {
        let none = || Refreshed::Refused("it has no access token yet".into());
        Ok(self.bearer_of(whose, record)?.map_or_else(none, Refreshed::Current))
    }
}
