//! The rules of gateway keys.

mod legacy;
mod usage;

use super::meter::digest;
use super::port::{ChangeKey, CreateKey, KeyOutcome, KeyRecord, KeyStore, Tally};
use super::record::{KeyBody, limits, told};
use super::refusals::{conflict, exists, full, not_found};
use super::rules::{day_of, start_of_day};
use crate::error::{Error, Result};
use crate::secrets::KeyRing;
use crate::{Caller, Clock, Mint, Scope};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use mainstay_api::gateway::{
    ChangeGatewayKey, CreateGatewayKey, CreatedGatewayKey, GatewayKey, ListGatewayKeys, MAX_GATEWAY_KEYS,
    MAX_LISTED_NAMES,
};
use mainstay_api::page::Page;
use mainstay_api::providers::{GatewayKeyId, PoolType};
use mainstay_api::{Code, Timestamp};
use std::sync::Arc;

/// What the secret of a key begins with.
const SECRET: &str = "mgw_";
/// Longest name of a key, in bytes.
const MAX_NAME_BYTES: usize = 200;
/// Longest pattern of models, in bytes.
const MAX_PATTERN_BYTES: usize = 200;
/// Keys of a page where nobody says how many.
const USUAL_KEYS: u32 = 100;
/// How often a change is tried again where somebody else was first.
const MAX_ATTEMPTS: u32 = 16;

/// What is configured about gateway keys.
#[derive(Debug, Clone)]
pub struct KeyRules {
    /// Most keys of a namespace.
    pub max_keys: u32,
    /// How long usage is kept, in days.
    pub usage_days: u32,
    /// Keys that imported secrets are sealed with; without, none can be imported.
    pub ring: Option<KeyRing>,
}

impl Default for KeyRules {
    /// 10,000 keys; 400 days of usage.
    fn default() -> Self {
        Self { max_keys: 10_000, usage_days: 400, ring: None }
    }
}

/// Gateway keys: every operation of administration, for every surface.
pub struct GatewayKeyService {
    store: Arc<dyn KeyStore>,
    clock: Arc<dyn Clock>,
    mint: Arc<dyn Mint>,
    rules: KeyRules,
}

impl GatewayKeyService {
    /// Gateway keys on a store.
    #[must_use]
    pub fn new(store: Arc<dyn KeyStore>, clock: Arc<dyn Clock>, mint: Arc<dyn Mint>, rules: KeyRules) -> Self {
        Self { store, clock, mint, rules }
    }

    /// Makes a key in the namespace of the call. Its secret is shown this once.
    ///
    /// # Errors
    /// `gateway.too_many_keys`, or an invalid request.
    pub async fn create(&self, caller: &Caller, create: CreateGatewayKey) -> Result<CreatedGatewayKey> {
        caller.require(Scope::GatewayAdmin)?;
        let now = self.clock.now();
        check_name(&create.name)?;
        check_lists(&create.models, &create.pools)?;
        check_end(create.expires_at, now)?;
        let secret = format!("{SECRET}{}", URL_SAFE_NO_PAD.encode(self.mint.secret()));
        let created_by = caller.principal.to_string();
        let body =
            KeyBody { name: create.name, models: create.models, pools: create.pools, created_by, imported: None };
        let record = KeyRecord {
            id: self.mint.gateway_key_id(),
            digest: digest(&secret).ok_or_else(|| Error::bug("a new secret is too long"))?,
            namespace: caller.namespace.clone(),
            body: body.write()?,
            seal_key: None,
            limits: limits(&create.limits, 0)?,
            disabled: create.disabled,
            expires_at: create.expires_at,
            version: 1,
            created_at: now,
            tally: Tally::default(),
        };
        self.store_new(record.clone()).await?;
        tracing::info!(key = %record.id, by = body.created_by, "gateway key made");
        Ok(CreatedGatewayKey { key: told(record, now)?, secret })
    }

    async fn store_new(&self, record: KeyRecord) -> Result<()> {
        let (max_keys, now) = (self.rules.max_keys, self.clock.now());
        match self.store.create_key(CreateKey { record, max_keys, now }).await? {
            KeyOutcome::Stored(_) => Ok(()),
            KeyOutcome::Full => Err(full(max_keys)),
            KeyOutcome::Exists | KeyOutcome::Conflict(_) | KeyOutcome::NotFound => Err(exists()),
        }
    }

    /// One key.
    ///
    /// # Errors
    /// `gateway.key_not_found`.
    pub async fn read(&self, caller: &Caller, id: &GatewayKeyId) -> Result<GatewayKey> {
        caller.require(Scope::GatewayAdmin)?;
        let now = self.clock.now();
        let record = self.store.key(&caller.namespace, id, now).await?.ok_or_else(not_found)?;
        told(record, now)
    }

    /// The keys of the namespace of the call, by id.
    ///
    /// # Errors
    /// An invalid request.
    pub async fn list(&self, caller: &Caller, list: ListGatewayKeys) -> Result<Page<GatewayKey>> {
        caller.require(Scope::GatewayAdmin)?;
        let (now, limit) = (self.clock.now(), bounded(list.limit, USUAL_KEYS, MAX_GATEWAY_KEYS)?);
        let after = list.cursor.map(|cursor| GatewayKeyId::parse(&*cursor).map_err(|_| foreign_cursor(&cursor)));
        let records = self.store.keys(&caller.namespace, after.transpose()?.as_ref(), limit, now).await?;
        // A page that is not full may still have one behind it, which an empty one ends.
        let next = records.last().map(|last| last.id.to_string());
        let items = records.into_iter().map(|record| told(record, now)).collect::<Result<_>>()?;
        Ok(Page { items, next })
    }

    /// Changes a key.
    ///
    /// # Errors
    /// `gateway.key_not_found`, `gateway.key_version_conflict`, or an invalid request.
    pub async fn change(&self, caller: &Caller, id: &GatewayKeyId, change: ChangeGatewayKey) -> Result<GatewayKey> {
        caller.require(Scope::GatewayAdmin)?;
        let now = self.clock.now();
        for _ in 0..MAX_ATTEMPTS {
            let known = self.store.key(&caller.namespace, id, now).await?.ok_or_else(not_found)?;
            if change.expected.is_some_and(|expected| expected != known.version) {
                return Err(conflict(known.version));
            }
            let record = changed(known, &change, now)?;
            match self.store.change_key(ChangeKey { record: record.clone(), now }).await? {
                KeyOutcome::Stored(version) => return told(KeyRecord { version, ..record }, now),
                KeyOutcome::Conflict(version) if change.expected.is_some() => return Err(conflict(version)),
                KeyOutcome::Conflict(_) => {}
                _ => return Err(not_found()),
            }
        }
        let help = "Repeat the call.";
        Err(Error::new(Code::StoreBusy, "the key was changed by others at the same time", help).retry_after_ms(200))
    }

    /// Removes a key; its usage stays.
    ///
    /// # Errors
    /// `gateway.key_not_found`.
    pub async fn remove(&self, caller: &Caller, id: &GatewayKeyId) -> Result<()> {
        caller.require(Scope::GatewayAdmin)?;
        let removed = self.store.remove_key(&caller.namespace, id).await?;
        if removed { Ok(()) } else { Err(not_found()) }
    }

    /// Forgets what can be settled no more and usage that is too old, for the maintenance job. Answers whether there is more.
    ///
    /// # Errors
    /// Those of the store.
    pub async fn purge(&self) -> Result<bool> {
        let now = self.clock.now();
        self.store.purge(now, day_of(now).saturating_sub(self.rules.usage_days)).await
    }
}

fn changed(known: KeyRecord, change: &ChangeGatewayKey, now: Timestamp) -> Result<KeyRecord> {
    let mut body = KeyBody::of(&known)?;
    body.name = change.name.clone().unwrap_or(body.name);
    body.models = change.models.clone().unwrap_or(body.models);
    body.pools = change.pools.clone().unwrap_or(body.pools);
    check_name(&body.name)?;
    check_lists(&body.models, &body.pools)?;
    check_end(change.expires_at, now)?;
    let limits = match &change.limits {
        Some(wanted) => limits(wanted, known.tally.bonus_used)?,
        None => known.limits.clone(),
    };
    let expires_at = if change.never_expires { None } else { change.expires_at.or(known.expires_at) };
    let disabled = change.disabled.unwrap_or(known.disabled);
    Ok(KeyRecord { body: body.write()?, limits, expires_at, disabled, ..known })
}

fn check_name(name: &str) -> Result<()> {
    if name.trim().is_empty() || name.len() > MAX_NAME_BYTES {
        return Err(Error::invalid(format!("name: say in 1 to {MAX_NAME_BYTES} bytes what the key is for")));
    }
    Ok(())
}

fn check_lists(models: &[String], pools: &[String]) -> Result<()> {
    if models.len().max(pools.len()) > MAX_LISTED_NAMES {
        return Err(Error::invalid(format!("models, pools: at most {MAX_LISTED_NAMES} can be named")));
    }
    if models.iter().any(|model| model.is_empty() || model.len() > MAX_PATTERN_BYTES) {
        return Err(Error::invalid(format!("models: each has 1 to {MAX_PATTERN_BYTES} bytes")));
    }
    let parsed = pools.iter().try_for_each(|pool| PoolType::parse(&**pool).map(drop));
    parsed.map_err(|broken| Error::invalid(format!("pools: {broken}")))
}

fn check_end(end: Option<Timestamp>, now: Timestamp) -> Result<()> {
    match end {
        Some(at) if at <= now => Err(Error::invalid("expires_at: it is not in the future")),
        _ => Ok(()),
    }
}

fn bounded(asked: Option<u32>, usual: u32, most: u32) -> Result<u32> {
    let limit = asked.unwrap_or(usual);
    if (1..=most).contains(&limit) {
        return Ok(limit);
    }
    Err(Error::invalid(format!("limit: {limit} is not between 1 and {most}")))
}

fn foreign_cursor(cursor: &str) -> Error {
    Error::new(
        Code::CursorInvalid,
        format!("{cursor:?} is not a cursor of this listing"),
        "Continue with `next` of the page before, or begin again without a cursor.",
    )
}

/// A day as it is written.
fn day_text(day: u32) -> String {
    start_of_day(day).to_seconds_text()[..10].to_owned()
}
