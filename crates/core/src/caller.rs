//! Who makes a call, and what it may do. Known from the credential alone, from the first handler on.

use crate::error::{Error, Result};
use crate::roles::Grants;
use mainstay_api::{Code, InstanceId, KeyId, Namespace, SessionId, Subject, UserId};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

/// Everything in a part of a principal's name is encoded but letters, digits and these.
const PART: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.');

macro_rules! scopes {
    ($($(#[doc = $doc:literal])+ $variant:ident = $text:literal;)*) => {
        /// One thing that a caller may be allowed to do.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Scope {
            $($(#[doc = $doc])+ $variant,)*
        }

        impl Scope {
            /// Every scope.
            pub const ALL: &[Self] = &[$(Self::$variant),*];

            /// The scope as credentials spell it.
            #[must_use]
            pub fn as_str(self) -> &'static str {
                match self {
                    $(Self::$variant => $text,)*
                }
            }
        }
    };
}

scopes! {
    /// Read the mail of the namespace: a team shares it, as it shares a mailing list.
    MailRead = "mail:read";
    /// Send mail, and acknowledge or mark what was received.
    MailWrite = "mail:write";
    /// Acknowledge on behalf of another recipient, import and export.
    MailAdmin = "mail:admin";
    /// See who is there.
    PresenceRead = "presence:read";
    /// Say that one is there.
    PresenceWrite = "presence:write";
    /// Speak for any instance of the namespace.
    ActAsAny = "instance:any";
    /// Read one's own conversations.
    ConversationsRead = "conversations:read";
    /// Begin, continue, change and delete one's own conversations.
    ConversationsWrite = "conversations:write";
    /// Read streams of events and subscribe to rooms.
    EventsRead = "events:read";
    /// Publish events, and speak in rooms.
    EventsWrite = "events:write";
    /// Take events in a consumer group and acknowledge them.
    EventsConsume = "events:consume";
    /// Make and remove groups, say who may be in a room, and choose the transport of publishers.
    EventsAdmin = "events:admin";
    /// Send requests through the gateway.
    GatewayUse = "gateway:use";
    /// Make and change keys of the gateway, and read its usage.
    GatewayAdmin = "gateway:admin";
    /// Export and erase the conversations of another user, with a reason that is recorded.
    ConversationsAdmin = "conversations:admin";
    /// Read pools of providers, their settings without their secrets, and how they do.
    ProvidersRead = "providers:read";
    /// Change pools of providers, their settings and their credentials.
    ProvidersWrite = "providers:write";
    /// Read the secrets in settings of providers, and their credentials.
    ProvidersSecrets = "providers:secrets";
    /// Read documents, such as settings, with masks in the place of secrets.
    DocumentsRead = "documents:read";
    /// Change documents and their schemas.
    DocumentsWrite = "documents:write";
    /// Read the secrets in documents.
    DocumentsSecrets = "documents:secrets";
    /// Make and change users and API keys, and end the sessions of others.
    IdentityAdmin = "identity:admin";
    /// Read and verify the audit trail.
    AuditRead = "audit:read";
    /// Write checkpoints of the audit trail, and end what its retention allows.
    AuditAdmin = "audit:admin";
    /// See how the store stands, and what waits for it on a node.
    StoreRead = "store:read";
    /// Have what waits for the store written to it, or give it up.
    StoreAdmin = "store:admin";
    /// Read the metrics of the server.
    MetricsRead = "metrics:read";
}

impl Scope {
    /// Finds a scope by its text.
    #[must_use]
    pub fn find(text: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|scope| scope.as_str() == text)
    }
}

/// A set of scopes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Scopes(u64);

impl Scopes {
    /// Every scope: what the owner key has.
    #[must_use]
    pub fn all() -> Self {
        Scope::ALL.iter().copied().collect()
    }

    /// Whether the scope is in the set.
    #[must_use]
    pub fn contains(self, scope: Scope) -> bool {
        self.0 & (1 << scope as u64) != 0
    }

    /// What is in either set.
    #[must_use]
    pub fn union(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// What is in both sets.
    #[must_use]
    pub fn intersection(self, other: Self) -> Self {
        Self(self.0 & other.0)
    }

    /// The scopes of the set, in the order of [`Scope::ALL`].
    pub fn iter(self) -> impl Iterator<Item = Scope> {
        Scope::ALL.iter().copied().filter(move |scope| self.contains(*scope))
    }
}

impl FromIterator<Scope> for Scopes {
    fn from_iter<I: IntoIterator<Item = Scope>>(scopes: I) -> Self {
        Self(scopes.into_iter().fold(0, |set, scope| set | (1 << scope as u64)))
    }
}

/// Who is behind a credential. Written as text it is unique: no part of one principal can imitate another.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Principal {
    /// The owner of this installation.
    Owner,
    /// A service with an API key.
    Key(KeyId),
    /// A user of this installation.
    User(UserId),
    /// The bearer of a token of a trusted issuer.
    Token(Subject),
}

impl std::fmt::Display for Principal {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let part = |text: &str| utf8_percent_encode(text, PART).to_string();
        match self {
            Self::Owner => f.write_str("owner"),
            Self::Key(id) => write!(f, "key:{id}"),
            Self::User(id) => write!(f, "user:{id}"),
            Self::Token(subject) => {
                let (tenant, user) = (part(subject.tenant.as_str()), part(subject.user.as_str()));
                write!(f, "token:{}:{tenant}:{user}", subject.realm)
            }
        }
    }
}

/// Who makes a call.
#[derive(Debug, Clone)]
pub struct Caller {
    /// Who is behind the credential. Request ids are remembered per principal.
    pub principal: Principal,
    /// Whose data the caller reads and writes.
    pub subject: Subject,
    /// The instance that the caller speaks for.
    pub instance: Option<InstanceId>,
    /// The namespace of the call.
    pub namespace: Namespace,
    /// What the caller may do there.
    pub scopes: Scopes,
    /// What the caller may do anywhere, for what concerns more than one namespace.
    pub grants: Grants,
    /// The session, where the credential is one.
    pub session: Option<SessionId>,
}

impl Caller {
    /// The owner of this installation, in the default namespace.
    #[must_use]
    pub fn owner() -> Self {
        Self {
            principal: Principal::Owner,
            subject: Subject::local("owner"),
            instance: None,
            namespace: Namespace::default(),
            scopes: Scopes::all(),
            grants: Grants::everything(),
            session: None,
        }
    }

    /// Refuses a caller that lacks a scope, here or in any other namespace: for what concerns the whole installation.
    ///
    /// # Errors
    /// `auth.forbidden`, naming the scope.
    pub fn require_everywhere(&self, scope: Scope) -> Result<()> {
        self.require(scope)?;
        self.may_grant(None, [scope].into_iter().collect())
    }

    /// Refuses a caller that would give what it does not have: scopes in a namespace, or everywhere.
    ///
    /// # Errors
    /// `auth.forbidden`, naming the scope.
    pub fn may_grant(&self, namespace: Option<&Namespace>, scopes: Scopes) -> Result<()> {
        let Some(lacking) = self.grants.lacks(namespace, scopes) else { return Ok(()) };
        let place = namespace.map_or_else(|| "everywhere".to_owned(), |name| format!("in the namespace {name}"));
        Err(Error::new(
            Code::Forbidden,
            format!("this credential does not hold the scope {} {place}", lacking.as_str()),
            "Use a credential that holds it there, such as that of the owner.",
        ))
    }

    /// Refuses a caller that does not hold all of these grants: who holds more is not the caller's to change, and nobody
    /// gives more than they hold.
    ///
    /// # Errors
    /// `auth.forbidden`, naming the first scope that is lacking.
    pub fn holds_all(&self, grants: &Grants) -> Result<()> {
        grants.iter().try_for_each(|grant| self.may_grant(grant.namespace.as_ref(), grant.scopes))
    }

    /// Refuses a caller that lacks a scope.
    ///
    /// # Errors
    /// `auth.forbidden`, naming the scope.
    pub fn require(&self, scope: Scope) -> Result<()> {
        if self.scopes.contains(scope) { Ok(()) } else { Err(lacking(scope)) }
    }

    /// Refuses a caller that may not use a scope on what is another subject's. The bearer of a token has what its
    /// issuer says of it, which holds for its tenant alone; everybody else needs the scope everywhere, for subjects
    /// belong to no namespace.
    ///
    /// # Errors
    /// `auth.forbidden`, naming the scope.
    pub fn require_over(&self, subject: &Subject, scope: Scope) -> Result<()> {
        let Principal::Token(bearer) = &self.principal else { return self.require_everywhere(scope) };
        self.require(scope)?;
        let same = subject.realm == bearer.realm && subject.tenant == bearer.tenant;
        if same { Ok(()) } else { Err(lacking(scope)) }
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

fn lacking(scope: Scope) -> Error {
    Error::new(
        Code::Forbidden,
        format!("this credential lacks the scope {} in this namespace", scope.as_str()),
        format!("Use a credential that has the scope {} there; `mainstay whoami` shows what it has.", scope.as_str()),
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use mainstay_api::{Realm, SubjectId, TenantId};

    #[test]
    fn no_part_of_a_token_can_imitate_another_principal() {
        let token = |tenant: &str, user: &str| {
            Principal::Token(Subject {
                realm: Realm::parse("entra").unwrap(),
                tenant: TenantId::parse(tenant).unwrap(),
                user: SubjectId::parse(user).unwrap(),
            })
        };
        assert_eq!(token("acme", "ada").to_string(), "token:entra:acme:ada");
        assert_ne!(token("a:b", "c").to_string(), token("a", "b:c").to_string());
        assert_eq!(token("a b", "日").to_string(), "token:entra:a%20b:%E6%97%A5");
    }

    #[test]
    fn scopes_have_names_of_their_own_and_fit_the_set() {
        let names: std::collections::BTreeSet<_> = Scope::ALL.iter().map(|scope| scope.as_str()).collect();
        assert_eq!(names.len(), Scope::ALL.len());
        assert!(Scope::ALL.len() < 64);
        assert_eq!(Scopes::all().iter().count(), Scope::ALL.len());
        assert_eq!(Scope::find("mail:read"), Some(Scope::MailRead));
    }
}
