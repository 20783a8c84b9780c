//! API keys.

use super::{IdentityService, Purpose};
use crate::error::{Error, Result};
use crate::identity::port::{InsertKey, Inserted};
use crate::identity::record::{KeyRecord, read, write};
use crate::identity::refusals::{full, not_found};
use crate::identity::tokens;
use crate::roles::{Identified, Role};
use crate::{Caller, Principal, Scope, Scopes};
use mainstay_api::identity::{ApiKey, ApiKeys, CreateKey, CreatedKey, MAX_KEY_NAME_BYTES, MAX_NAMESPACES};
use mainstay_api::{KeyId, Subject};
use subtle::ConstantTimeEq;

impl IdentityService {
    /// Makes an API key. It can allow nothing that the caller may not do itself.
    ///
    /// # Errors
    /// `identity.full`, or an invalid request.
    pub async fn create_key(&self, caller: &Caller, create: CreateKey) -> Result<CreatedKey> {
        caller.require_everywhere(Scope::IdentityAdmin)?;
        let scopes = self.scopes_of(caller, &create)?;
        let now = self.clock.now();
        if create.expires_at.is_some_and(|at| at <= now) {
            return Err(Error::invalid("expires_at: it is not in the future"));
        }
        let (id, secret) = (self.mint.key_id(), self.mint.secret());
        let token = tokens::key_text(&id, &secret);
        let record = KeyRecord {
            name: create.name,
            scopes: scopes.iter().map(|scope| scope.as_str().to_owned()).collect(),
            namespaces: create.namespaces,
            instance: create.instance,
            created_by: caller.principal.to_string(),
            created_at: now,
            expires_at: create.expires_at,
        };
        let insert = InsertKey {
            id: id.clone(),
            secret: tokens::digest(&token),
            document: write(&record)?,
            expires_at: create.expires_at,
            now,
            max_keys: self.rules.max_keys,
        };
        match self.store.insert_key(insert).await? {
            Inserted::Inserted => {}
            Inserted::Taken => return Err(Error::bug("the id of a new key was taken")),
            Inserted::Full => return Err(full("key", self.rules.max_keys)),
        }
        tracing::info!(key = %id, by = record.created_by, "API key made");
        Ok(CreatedKey { key: self.read_key(caller, &id).await?, token })
    }

    /// One API key.
    ///
    /// # Errors
    /// `identity.not_found`.
    pub async fn read_key(&self, caller: &Caller, id: &KeyId) -> Result<ApiKey> {
        caller.require_everywhere(Scope::IdentityAdmin)?;
        let row = self.store.key(id, None, self.clock.now()).await?;
        KeyRecord::told(&row.ok_or_else(|| not_found("key"))?)
    }

    /// Every API key, the newest first.
    ///
    /// # Errors
    /// Those of the store.
    pub async fn keys(&self, caller: &Caller) -> Result<ApiKeys> {
        caller.require_everywhere(Scope::IdentityAdmin)?;
        let rows = self.store.keys(self.clock.now()).await?;
        let mut keys = rows.iter().map(KeyRecord::told).collect::<Result<Vec<_>>>()?;
        keys.sort_by(|a, b| b.created_at.cmp(&a.created_at).then_with(|| a.id.cmp(&b.id)));
        Ok(ApiKeys { keys })
    }

    /// Ends an API key at once.
    ///
    /// # Errors
    /// `identity.not_found`.
    pub async fn revoke_key(&self, caller: &Caller, id: &KeyId) -> Result<()> {
        caller.require_everywhere(Scope::IdentityAdmin)?;
        let row = self.store.key(id, None, self.clock.now()).await?.ok_or_else(|| not_found("key"))?;
        let record: KeyRecord = read(&row.document)?;
        caller.holds_all(&record.grants())?;
        if self.store.remove_key(id).await? { Ok(()) } else { Err(not_found("key")) }
    }

    /// Who an API key stands for; `None` where the text is no key that is valid.
    ///
    /// # Errors
    /// Those of the store.
    pub async fn by_key(&self, token: &str, purpose: Purpose) -> Result<Option<Identified>> {
        let Some(id) = tokens::key_id(token) else { return Ok(None) };
        let digest = tokens::digest(token);
        let used = self.r#use();
        let recorded = match purpose {
            Purpose::Use => Some((&digest, used)),
            Purpose::Watch => None,
        };
        let Some(row) = self.store.key(&id, recorded, used.now).await? else { return Ok(None) };
        if !bool::from(row.secret.as_bytes().ct_eq(digest.as_bytes())) {
            return Ok(None);
        }
        let record: KeyRecord = read(&row.document)?;
        Ok(Some(Identified {
            principal: Principal::Key(id.clone()),
            subject: Subject::local(id.as_str()),
            grants: record.grants(),
            instance: record.instance,
            session: None,
        }))
    }

    fn scopes_of(&self, caller: &Caller, create: &CreateKey) -> Result<Scopes> {
        if create.name.trim().is_empty() || create.name.len() > MAX_KEY_NAME_BYTES {
            return Err(Error::invalid(format!("name: say in 1 to {MAX_KEY_NAME_BYTES} bytes what the key is for")));
        }
        if create.namespaces.len() > MAX_NAMESPACES {
            return Err(Error::invalid(format!("namespaces: at most {MAX_NAMESPACES} can be named")));
        }
        let mut scopes = match &create.role {
            Some(role) => Role::parse(role)?.scopes(),
            None => Scopes::default(),
        };
        for name in &create.scopes {
            let scope = Scope::find(name).ok_or_else(|| {
                let valid = Scope::ALL.iter().map(|scope| scope.as_str().to_owned()).collect();
                Error::invalid(format!("scopes: {name:?} is not a scope")).valid_values(valid)
            })?;
            scopes = scopes.union([scope].into_iter().collect());
        }
        if scopes == Scopes::default() {
            return Err(Error::invalid("scopes: none; name a role, scopes, or both"));
        }
        if create.namespaces.is_empty() {
            caller.may_grant(None, scopes)?;
        }
        create.namespaces.iter().try_for_each(|namespace| caller.may_grant(Some(namespace), scopes))?;
        if create.instance.is_some() {
            caller.require_everywhere(Scope::ActAsAny)?;
        }
        Ok(scopes)
    }
}
