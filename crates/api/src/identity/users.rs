//! Users of this installation.

use crate::{Namespace, Timestamp, UserId};
use serde::{Deserialize, Serialize};

/// Longest name of a user, in bytes.
pub const MAX_USER_NAME_BYTES: usize = 100;
/// Longest display name, in bytes.
pub const MAX_DISPLAY_NAME_BYTES: usize = 200;
/// Fewest characters of a password (NIST SP 800-63B asks for 8 and recommends 15 where nothing else protects).
pub const MIN_PASSWORD_CHARS: usize = 12;
/// Longest password, in bytes: hashing takes time that grows with it.
pub const MAX_PASSWORD_BYTES: usize = 256;

/// A role in one namespace, or in every one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RoleGrant {
    /// Where; everywhere when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub namespace: Option<Namespace>,
    /// `owner`, `admin`, `member` or `viewer`.
    pub role: String,
}

/// Adds a user.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct AddUser {
    /// The name to log in with; small and capital letters are the same.
    pub name: String,
    /// The name for people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub display_name: Option<String>,
    /// The first password, 12 characters or more.
    pub password: String,
    /// What the user may do; nothing when empty.
    #[serde(default)]
    pub grants: Vec<RoleGrant>,
}

/// Changes a user; what is absent stays.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ChangeUser {
    /// The name for people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub display_name: Option<String>,
    /// What the user may do, in place of all that it might before. Ends the sessions of the user.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub grants: Option<Vec<RoleGrant>>,
    /// Whether the user is kept out. Ends the sessions of the user.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub disabled: Option<bool>,
}

/// Gives a user a new password.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SetPassword {
    /// The new password.
    pub password: String,
}

/// A user, without anything secret.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct User {
    /// The id.
    pub id: UserId,
    /// The name to log in with.
    pub name: String,
    /// The name for people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub display_name: Option<String>,
    /// What the user may do.
    pub grants: Vec<RoleGrant>,
    /// Whether the user is kept out.
    pub disabled: bool,
    /// Whether a second factor is asked for.
    pub second_factor: bool,
    /// Recovery codes that are left.
    pub recovery_codes: u32,
    /// When the user was added.
    pub created_at: Timestamp,
    /// When the password was last changed.
    pub password_changed_at: Timestamp,
}

/// Users, by name.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Users {
    /// The users.
    pub users: Vec<User>,
}

macro_rules! opaque_debug {
    ($($name:ident),+) => {
        $(impl std::fmt::Debug for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(concat!(stringify!($name), "(…)"))
            }
        })+
    };
}
pub(super) use opaque_debug;

opaque_debug!(AddUser, SetPassword);
