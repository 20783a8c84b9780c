//! Acts that are recorded: the wrapper around them, for handlers and for tools.

use super::{Access, Needs, Origin};
use crate::Services;
use http::StatusCode;
use mainstay_core::api::Code;
use mainstay_core::api::audit::{AuditClass, AuditOutcome, AuditResource, ChainId};
use mainstay_core::audit::Record;
use mainstay_core::{Caller, Result, Scopes};

/// What the names of acts begin with that go on while the store is away.
const OUTLASTING: [&str; 3] = ["documents.", "providers.", "store."];

/// What is recorded of the calls of a route or a tool.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Audited {
    /// What is done, such as `conversations.read`.
    pub action: &'static str,
    /// What kind of act that is.
    pub class: AuditClass,
    /// What it is done to, such as `conversation`.
    pub resource: &'static str,
    /// Whether it belongs into the chain of the server, whatever the namespace of the call.
    pub of_server: bool,
}

/// A route or a tool whose calls are recorded in the chain of their namespace.
pub(crate) fn audited(
    needs: impl Into<Needs>,
    class: AuditClass,
    action: &'static str,
    resource: &'static str,
) -> Access {
    Access { needs: needs.into(), audit: Some(Audited { action, class, resource, of_server: false }) }
}

/// The same for what concerns the whole installation.
pub(crate) fn audited_in_server(
    needs: impl Into<Needs>,
    class: AuditClass,
    action: &'static str,
    resource: &'static str,
) -> Access {
    Access { needs: needs.into(), audit: Some(Audited { action, class, resource, of_server: true }) }
}

impl Audited {
    /// Whether the act goes on while the store is away, from a copy and into the journal of this node. What is recorded of it
    /// waits there as well.
    fn outlasts(self) -> bool {
        OUTLASTING.iter().any(|begin| self.action.starts_with(begin))
    }

    /// Whether the act is recorded before it takes place, too: what changes something must not stand unrecorded. What
    /// only tells is recorded before the answer leaves.
    fn is_recorded_ahead(self) -> bool {
        match self.class {
            AuditClass::Write | AuditClass::Delete | AuditClass::Privilege | AuditClass::BreakGlass => true,
            AuditClass::Read | AuditClass::Export | AuditClass::Login | AuditClass::Access | AuditClass::System => {
                false
            }
        }
    }
}

/// How a recorded act ended.
#[derive(Debug, Default)]
pub(crate) struct Ended {
    /// The status of the answer.
    pub status: StatusCode,
    /// The code of the error.
    pub code: Option<Code>,
    /// What was acted on, where only the act itself made it known.
    pub resource_id: Option<String>,
}

impl Ended {
    /// Whether the act was refused: the caller may not, or the request was not valid.
    pub fn is_refused(&self) -> bool {
        self.status.is_client_error()
    }
}

/// An act under way.
pub(crate) struct Act<'a> {
    services: &'a Services,
    audited: Audited,
    record: Record,
    started: Option<Place>,
}

/// Where something is recorded.
#[derive(Clone, Copy)]
enum Place {
    /// In the audit trail, under this number.
    Trail(u64),
    /// In the journal of this node, on its way to the trail.
    Journal,
}

/// Records something.
///
/// # Errors
/// `audit.unavailable`, `store.journal_full`: what was to be recorded must then not take place.
async fn recorded(services: &Services, audited: Audited, record: Record) -> Result<Place> {
    let (audit, outage) = (&services.audit, &services.outage);
    if audited.outlasts() && outage.is_away() {
        return outage.keep_record(audit, &record).await.map(|()| Place::Journal);
    }
    match audit.record(record.clone()).await {
        Ok(recorded) => Ok(Place::Trail(recorded.seq)),
        Err(_) if audited.outlasts() && outage.is_away() => {
            outage.keep_record(audit, &record).await.map(|()| Place::Journal)
        }
        Err(error) => Err(error),
    }
}

impl<'a> Act<'a> {
    /// Begins an act; one that changes something is recorded now, and does not take place where that fails.
    ///
    /// # Errors
    /// `audit.unavailable`.
    pub async fn begin(services: &'a Services, audited: Audited, record: Record) -> Result<Self> {
        let started = match audited.is_recorded_ahead() {
            true => Some(recorded(services, audited, record.clone()).await?),
            false => None,
        };
        Ok(Self { services, audited, record, started })
    }

    /// Records who it turned out to be, for an act that began without a credential.
    pub fn by(&mut self, caller: &Caller) {
        self.record.principal = caller.principal.to_string();
        self.record.subject = Some(caller.subject.clone());
    }

    /// Records how the act ended.
    ///
    /// # Errors
    /// `audit.unavailable` where the act is not recorded at all by then: its answer must not leave.
    pub async fn end(mut self, ended: Ended) -> Result<()> {
        let outcome = match ended.status.as_u16() {
            ..400 => AuditOutcome::Success,
            400..500 => AuditOutcome::Refused,
            _ => AuditOutcome::Failed,
        };
        self.record.status = Some(ended.status.as_u16());
        self.record.code = ended.code;
        if let (Some(resource), Some(id)) = (&mut self.record.resource, ended.resource_id) {
            // What was made within what the path names is told with it.
            let made_within =
                |known: &String| id.strip_prefix(known.as_str()).is_some_and(|rest| rest.starts_with('/'));
            if resource.id.as_ref().is_none_or(made_within) {
                resource.id = Some(id);
            }
        }
        let Some(started) = self.started else {
            self.record.outcome = outcome;
            return recorded(self.services, self.audited, self.record).await.map(drop);
        };
        let end = match started {
            Place::Trail(seq) => self.record.ended(seq, outcome),
            // Its number is not known yet: the id of the request tells what it is the end of.
            Place::Journal => Record { outcome, ..self.record.clone() },
        };
        if let Err(error) = recorded(self.services, self.audited, end).await {
            // That it began is recorded, and it may stand: to call it failed now would invite a repetition.
            tracing::error!(%error, action = self.record.action, "how an act ended could not be recorded");
        }
        Ok(())
    }
}

/// What is recorded of a call: who, what, from where.
pub(crate) fn record_of(audited: Audited, caller: Option<&Caller>, origin: &Origin) -> Record {
    let mut record = match caller {
        Some(caller) => Record::of(caller, audited.action, audited.class),
        None => Record::anonymous(audited.action, audited.class),
    };
    if audited.of_server {
        record.chain = ChainId::Server;
    }
    record.resource = Some(AuditResource { kind: audited.resource.to_owned(), id: None });
    origin.fill(&mut record);
    record
}

/// What is recorded of an access that was refused before anything was done.
pub(crate) fn refusal_of(caller: Option<&Caller>, action: &str, origin: &Origin) -> Record {
    let mut record = match caller {
        Some(caller) => Record::of(caller, action, AuditClass::Access),
        None => Record::anonymous(action, AuditClass::Access),
    };
    if caller.is_some_and(|caller| caller.scopes == Scopes::default()) {
        // The namespace is one that the caller has nothing to do with, and perhaps nobody has: it gets no chain by that.
        record.chain = ChainId::Server;
    }
    record.outcome = AuditOutcome::Refused;
    origin.fill(&mut record);
    record
}
