//! Who makes a call, and what it may do. Known from the credential alone, from the first handler on.

use crate::error::{Error, Result};
use mainstay_api::{Code, InstanceId, Namespace};

/// One thing that a caller may be allowed to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Scope {
    /// Read the mail of the namespace: a team shares it, as it shares a mailing list.
    MailRead,
    /// Send mail, and acknowledge or mark what was received.
    MailWrite,
    /// Acknowledge on behalf of another recipient, import and export.
    MailAdmin,
    /// See who is there.
    PresenceRead,
    /// Say that one is there.
    PresenceWrite,
    /// Speak for any instance of the namespace.
    ActAsAny,
}

impl Scope {
    /// Every scope.
    pub const ALL: [Self; 6] =
        [Self::MailRead, Self::MailWrite, Self::MailAdmin, Self::PresenceRead, Self::PresenceWrite, Self::ActAsAny];

    /// The scope as credentials spell it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::MailRead => "mail:read",
            Self::MailWrite => "mail:write",
            Self::MailAdmin => "mail:admin",
            Self::PresenceRead => "presence:read",
            Self::PresenceWrite => "presence:write",
            Self::ActAsAny => "instance:any",
        }
    }
}

/// A set of scopes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Scopes(u64);

impl Scopes {
    /// Every scope: what the owner key has.
    #[must_use]
    pub fn all() -> Self {
        Scope::ALL.into_iter().collect()
    }

    /// Whether the scope is in the set.
    #[must_use]
    pub fn contains(self, scope: Scope) -> bool {
        self.0 & (1 << scope as u64) != 0
    }
}

impl FromIterator<Scope> for Scopes {
    fn from_iter<I: IntoIterator<Item = Scope>>(scopes: I) -> Self {
        Self(scopes.into_iter().fold(0, |set, scope| set | (1 << scope as u64)))
    }
}

/// Who makes a call.
#[derive(Debug, Clone)]
pub struct Caller {
    /// The principal behind the credential, such as `owner`. Request ids are remembered per principal.
    pub principal: String,
    /// The instance that the caller speaks for.
    pub instance: Option<InstanceId>,
    /// The namespace of the call.
    pub namespace: Namespace,
    /// What the caller may do.
    pub scopes: Scopes,
}

impl Caller {
    /// Refuses a caller that lacks a scope.
    ///
    /// # Errors
    /// `auth.forbidden`, naming the scope.
    pub fn require(&self, scope: Scope) -> Result<()> {
        if self.scopes.contains(scope) {
            return Ok(());
        }
        Err(Error::new(
            Code::Forbidden,
            format!("this credential lacks the scope {}", scope.as_str()),
            format!("Use a credential that has the scope {}.", scope.as_str()),
        ))
    }

    /// The instance that the caller speaks for.
    ///
    /// # Errors
    /// `auth.instance_missing` where the call did not say, or said `all`.
    pub fn instance(&self) -> Result<&InstanceId> {
        let help = "Set MAINSTAY_INSTANCE, give --as <name>, or send the header Mainstay-Instance.";
        let instance = self.instance.as_ref().ok_or_else(|| {
            Error::new(Code::InstanceUnknown, "this call needs to know which instance it speaks for", help)
        })?;
        if instance.is_all() {
            let detail = "\"all\" addresses everyone and cannot be an instance itself";
            return Err(Error::new(Code::InstanceUnknown, detail, help));
        }
        Ok(instance)
    }
}
