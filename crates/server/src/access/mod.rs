//! What a call needs, said once for every route and every tool, and checked before any handler runs.

mod audited;
mod guard;
mod origin;
mod refusals;
mod standing;

pub use audited::Audited;
pub(crate) use audited::{Act, Ended, audited, audited_in_server, record_of};
pub(crate) use guard::{Guard, Recognised, Resource, guard};
pub(crate) use origin::{Origin, Peer, is_fit, origin};
pub(crate) use refusals::Refusals;
pub(crate) use standing::{Standing, while_it_stands};

use mainstay_core::{Caller, Result, Scope};

/// What a caller needs for a route or a tool.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Needs {
    /// This scope in the namespace of the call.
    Scope(Scope),
    /// A valid credential: the call is about the caller itself.
    Caller,
    /// Nothing: the call tells and changes nothing that belongs to anybody.
    Nothing,
}

impl Needs {
    /// Refuses a caller that lacks what is needed.
    ///
    /// # Errors
    /// `auth.forbidden`.
    pub(crate) fn check(self, caller: &Caller) -> Result<()> {
        match self {
            Self::Scope(scope) => caller.require(scope),
            Self::Caller | Self::Nothing => Ok(()),
        }
    }
}

/// What is said of a route where it is listed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Access {
    /// What a caller needs.
    pub needs: Needs,
    /// What is recorded of each call; nothing where it is absent, but that a call was refused.
    pub audit: Option<Audited>,
}

impl From<Scope> for Access {
    fn from(scope: Scope) -> Self {
        Needs::Scope(scope).into()
    }
}

impl From<Needs> for Access {
    fn from(needs: Needs) -> Self {
        Self { needs, audit: None }
    }
}

impl From<Scope> for Needs {
    fn from(scope: Scope) -> Self {
        Self::Scope(scope)
    }
}
