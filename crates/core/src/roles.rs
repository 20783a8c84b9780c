//! Roles: names for sets of scopes, given per namespace.

use crate::caller::{Principal, Scope, Scopes};
use crate::error::{Error, Result};
use mainstay_api::{InstanceId, Namespace, SessionId, Subject};

/// A set of scopes with a name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Role {
    /// Everything.
    Owner,
    /// Everything but to administer the audit trail: whoever is watched by it does not.
    Admin,
    /// Works: reads and writes.
    Member,
    /// Looks on.
    Viewer,
}

impl Role {
    /// Every role, the mightiest first.
    pub const ALL: [Self; 4] = [Self::Owner, Self::Admin, Self::Member, Self::Viewer];

    /// The role as text.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Owner => "owner",
            Self::Admin => "admin",
            Self::Member => "member",
            Self::Viewer => "viewer",
        }
    }

    /// Finds a role by its text.
    ///
    /// # Errors
    /// `request.invalid` with the roles that there are.
    pub fn parse(text: &str) -> Result<Self> {
        Self::ALL.into_iter().find(|role| role.as_str() == text).ok_or_else(|| {
            let valid = Self::ALL.iter().map(|role| role.as_str().to_owned()).collect();
            Error::invalid(format!("role: {text:?} is not a role")).valid_values(valid)
        })
    }

    /// What the role allows.
    #[must_use]
    pub fn scopes(self) -> Scopes {
        use Scope::{
            AuditAdmin, ConversationsRead, ConversationsWrite, DocumentsRead, EventsConsume, EventsRead, EventsWrite,
            GatewayUse, MailRead, MailWrite, PresenceRead, PresenceWrite,
        };
        let viewer = [MailRead, PresenceRead, ConversationsRead, DocumentsRead, EventsRead];
        let member = [MailWrite, PresenceWrite, ConversationsWrite, EventsWrite, EventsConsume, GatewayUse];
        match self {
            Self::Owner => Scopes::all(),
            Self::Admin => Scopes::all().iter().filter(|scope| *scope != AuditAdmin).collect(),
            Self::Member => viewer.into_iter().chain(member).collect(),
            Self::Viewer => viewer.into_iter().collect(),
        }
    }
}

/// Scopes in one namespace, or in every one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Grant {
    /// Where; everywhere when absent.
    pub namespace: Option<Namespace>,
    /// What.
    pub scopes: Scopes,
}

/// Everything that a principal may do.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Grants(Vec<Grant>);

impl Grants {
    /// The sum of these.
    #[must_use]
    pub fn new(grants: Vec<Grant>) -> Self {
        Self(grants)
    }

    /// Every scope everywhere: the owner key.
    #[must_use]
    pub fn everything() -> Self {
        Self(vec![Grant { namespace: None, scopes: Scopes::all() }])
    }

    /// What is allowed in a namespace. The one place that decides it.
    #[must_use]
    pub fn scopes_in(&self, namespace: &Namespace) -> Scopes {
        let holds = |grant: &&Grant| grant.namespace.as_ref().is_none_or(|named| named == namespace);
        self.0.iter().filter(holds).fold(Scopes::default(), |all, grant| all.union(grant.scopes))
    }

    /// What is allowed in every namespace, also in those that nobody has used yet.
    #[must_use]
    pub fn scopes_everywhere(&self) -> Scopes {
        let everywhere = self.0.iter().filter(|grant| grant.namespace.is_none());
        everywhere.fold(Scopes::default(), |all, grant| all.union(grant.scopes))
    }

    /// The first scope that is wanted in a namespace, or everywhere, and is not held there.
    #[must_use]
    pub fn lacks(&self, namespace: Option<&Namespace>, wanted: Scopes) -> Option<Scope> {
        let held = namespace.map_or_else(|| self.scopes_everywhere(), |namespace| self.scopes_in(namespace));
        wanted.iter().find(|scope| !held.contains(*scope))
    }

    /// The only namespace that anything is allowed in; none where there are several, or all.
    #[must_use]
    pub fn only_namespace(&self) -> Option<&Namespace> {
        let first = self.0.first()?.namespace.as_ref()?;
        self.0.iter().all(|grant| grant.namespace.as_ref() == Some(first)).then_some(first)
    }

    /// The grants.
    pub fn iter(&self) -> impl Iterator<Item = &Grant> {
        self.0.iter()
    }
}

/// Who a credential stands for, before the call says in which namespace and for which instance.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Identified {
    /// Who is behind the credential.
    pub principal: Principal,
    /// Whose data it is about.
    pub subject: Subject,
    /// What is allowed where.
    pub grants: Grants,
    /// The instance that the credential is bound to.
    pub instance: Option<InstanceId>,
    /// The session, where the credential is one.
    pub session: Option<SessionId>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_role_allows_no_more_than_the_one_above_it() {
        for pair in Role::ALL.windows(2) {
            let (more, less) = (pair[0].scopes(), pair[1].scopes());
            assert_eq!(less.intersection(more), less, "{pair:?}");
            assert_ne!(less, more, "{pair:?}");
        }
        assert!(Role::parse("root").unwrap_err().problem.valid_values.contains(&"viewer".to_owned()));
    }

    #[test]
    fn a_grant_of_one_namespace_gives_nothing_in_another() {
        let ns = |name: &str| Namespace::parse(name).unwrap();
        let grants = Grants::new(vec![
            Grant { namespace: Some(ns("a")), scopes: Role::Member.scopes() },
            Grant { namespace: Some(ns("b")), scopes: Role::Viewer.scopes() },
        ]);
        assert!(grants.scopes_in(&ns("a")).contains(Scope::MailWrite));
        assert!(!grants.scopes_in(&ns("b")).contains(Scope::MailWrite));
        assert_eq!(grants.scopes_in(&ns("c")), Scopes::default());
        assert_eq!(grants.only_namespace(), None);
        assert_eq!(Grants::everything().scopes_in(&ns("c")), Scopes::all());
        assert_eq!(grants.lacks(Some(&ns("a")), Role::Member.scopes()), None);
        assert!(grants.lacks(Some(&ns("b")), Role::Member.scopes()).is_some());
        assert!(grants.lacks(None, Role::Viewer.scopes()).is_some(), "two namespaces are not all of them");
        assert_eq!(Grants::everything().lacks(None, Scopes::all()), None);
    }
}
