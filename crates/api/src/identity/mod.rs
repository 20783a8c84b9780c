//! Who a credential stands for; users, API keys and sessions.

mod keys;
mod login;
mod users;

pub use keys::*;
pub use login::*;
pub use users::*;

use crate::{InstanceId, Namespace, Realm, SubjectId, TenantId};
use serde::{Deserialize, Serialize};

/// Whose data it is: a user of a tenant of a realm. Comes from the credential, never from a parameter.
#[derive(
    Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, utoipa::ToSchema, schemars::JsonSchema,
)]
pub struct Subject {
    /// Where the identity comes from.
    pub realm: Realm,
    /// The tenant.
    pub tenant: TenantId,
    /// The user within the tenant.
    pub user: SubjectId,
}

impl Subject {
    /// An identity of this installation.
    ///
    /// # Panics
    /// Where the name is empty, too long, or holds a NUL character.
    #[must_use]
    pub fn local(user: &str) -> Self {
        let user = SubjectId::parse(user).expect("ids of this installation are valid users");
        Self { realm: Realm::local(), tenant: TenantId::local(), user }
    }
}

/// Who the caller is, as the server sees it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema, schemars::JsonSchema)]
pub struct WhoAmI {
    /// The principal behind the credential.
    pub principal: String,
    /// Whose data the caller reads and writes.
    pub subject: Subject,
    /// The instance that the call speaks for, where it said one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub instance: Option<InstanceId>,
    /// The namespace of the call.
    pub namespace: Namespace,
    /// What the credential allows, such as `mail:read`.
    pub scopes: Vec<String>,
}
