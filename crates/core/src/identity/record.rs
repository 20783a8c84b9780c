//! Records as they are kept, and what is told of them.

use super::port::{KeyRow, Versioned};
use crate::error::{Error, Result};
use crate::roles::{Grant, Grants, Role};
use crate::{Scope, Scopes};
use bytes::Bytes;
use mainstay_api::identity::{ApiKey, RoleGrant, User};
use mainstay_api::{InstanceId, Namespace, Timestamp, UserId};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

/// A user as it is kept.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct UserRecord {
    pub name: String,
    pub display_name: Option<String>,
    pub grants: Vec<RoleGrant>,
    pub disabled: bool,
    /// Argon2id, in PHC string format.
    pub password: String,
    pub created_at: Timestamp,
    pub password_changed_at: Timestamp,
    pub totp: Option<Totp>,
    /// SHA-256 of each recovery code that is left.
    #[serde(default)]
    pub recovery: Vec<String>,
}

/// An authenticator.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Totp {
    /// The shared secret, sealed.
    pub sealed: String,
    /// Whether the user has shown that it works.
    pub confirmed: bool,
    /// The last step whose code was accepted: none up to it is accepted again.
    pub last_step: u64,
}

/// An API key as it is kept.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct KeyRecord {
    pub name: String,
    pub scopes: Vec<String>,
    pub namespaces: Vec<Namespace>,
    pub instance: Option<InstanceId>,
    pub created_by: String,
    pub created_at: Timestamp,
    pub expires_at: Option<Timestamp>,
}

/// A record as bytes.
pub(super) fn write(record: &impl Serialize) -> Result<Bytes> {
    serde_json::to_vec(record).map(Bytes::from).map_err(|e| Error::bug(format!("a record is not JSON: {e}")))
}

/// A record from bytes.
pub(super) fn read<T: DeserializeOwned>(document: &[u8]) -> Result<T> {
    serde_json::from_slice(document).map_err(|e| Error::inconsistent(format!("a record of identity: {e}")))
}

impl UserRecord {
    pub fn of(row: &Versioned) -> Result<Self> {
        read(&row.document)
    }

    /// The authenticator that is asked for at a login.
    pub fn factor(&self) -> Option<&Totp> {
        self.totp.as_ref().filter(|totp| totp.confirmed)
    }

    /// The key that something in the record is sealed with.
    pub fn seal_key(&self) -> Option<String> {
        self.totp.as_ref().and_then(|totp| crate::secrets::key_id(&totp.sealed)).map(str::to_owned)
    }

    /// What is told of the user.
    pub fn told(&self, id: UserId) -> User {
        User {
            id,
            name: self.name.clone(),
            display_name: self.display_name.clone(),
            grants: self.grants.clone(),
            disabled: self.disabled,
            second_factor: self.factor().is_some(),
            recovery_codes: u32::try_from(self.recovery.len()).unwrap_or(u32::MAX),
            created_at: self.created_at,
            password_changed_at: self.password_changed_at,
        }
    }

    /// What the user may do.
    pub fn grants(&self) -> Result<Grants> {
        granted(&self.grants)
    }
}

/// What roles allow.
pub(super) fn granted(roles: &[RoleGrant]) -> Result<Grants> {
    let grant =
        |role: &RoleGrant| Ok(Grant { namespace: role.namespace.clone(), scopes: Role::parse(&role.role)?.scopes() });
    Ok(Grants::new(roles.iter().map(grant).collect::<Result<_>>()?))
}

impl KeyRecord {
    /// What the key allows. A scope that this version does not know allows nothing.
    pub fn grants(&self) -> Grants {
        let scopes: Scopes = self.scopes.iter().filter_map(|name| Scope::find(name)).collect();
        if self.namespaces.is_empty() {
            return Grants::new(vec![Grant { namespace: None, scopes }]);
        }
        let grant = |namespace: &Namespace| Grant { namespace: Some(namespace.clone()), scopes };
        Grants::new(self.namespaces.iter().map(grant).collect())
    }

    /// What is told of a key.
    pub fn told(row: &KeyRow) -> Result<ApiKey> {
        let record: Self = read(&row.document)?;
        Ok(ApiKey {
            id: row.id.clone(),
            name: record.name,
            scopes: record.scopes,
            namespaces: record.namespaces,
            instance: record.instance,
            created_by: record.created_by,
            created_at: record.created_at,
            expires_at: record.expires_at,
            last_used_at: row.used_at,
        })
    }
}
