//! What is to be recorded, and how it becomes an entry.

use super::hash::Hash;
use super::port::{Head, Sealed};
use crate::error::{Error, Result};
use crate::text::{cut, hex};
use crate::{Caller, Clock, Mint};
use mainstay_api::audit::{AuditClass, AuditEntry, AuditOutcome, AuditResource, ChainId};
use mainstay_api::{Code, Namespace, Subject, Timestamp};

/// Longest principal, in bytes: a token's tenant and user with every byte encoded.
const MAX_PRINCIPAL_BYTES: usize = 3_072;
/// Longest id of a resource, in bytes: that of the longest id there is.
const MAX_ID_BYTES: usize = 1_280;
/// Longest reason, in bytes.
const MAX_REASON_BYTES: usize = 1_024;
/// Longest id of a request or correlation, in bytes.
const MAX_REQUEST_BYTES: usize = 320;
/// Longest name of an action, a kind or an address, in bytes.
const MAX_NAME_BYTES: usize = 128;

/// Something to record. Texts that are too long are cut: an entry is never refused for what somebody wrote.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Record {
    /// Where.
    pub chain: ChainId,
    /// What was done, such as `conversations.read`.
    pub action: String,
    /// What kind of act that is.
    pub class: AuditClass,
    /// How it ended, or that it began.
    pub outcome: AuditOutcome,
    /// Who was behind the credential.
    pub principal: String,
    /// Whose data the credential stands for.
    pub subject: Option<Subject>,
    /// The namespace of the call.
    pub namespace: Option<Namespace>,
    /// What was acted on.
    pub resource: Option<AuditResource>,
    /// The HTTP status of the answer.
    pub status: Option<u16>,
    /// The code of the error.
    pub code: Option<Code>,
    /// The entry whose end this one tells.
    pub of: Option<u64>,
    /// The address that the request came from.
    pub from: Option<String>,
    /// The id of the request.
    pub request_id: Option<String>,
    /// The id of the occurrence.
    pub correlation_id: Option<String>,
    /// Why.
    pub reason: Option<String>,
}

/// What sets an entry apart from every other, also from one of the same act in the same moment by another node.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stamp {
    /// When.
    pub at: Timestamp,
    /// Something random.
    pub nonce: String,
}

impl Stamp {
    /// Random bytes of a nonce: enough that no two entries of a place in a chain have the same.
    const NONCE_BYTES: usize = 8;

    /// A stamp of the present.
    #[must_use]
    pub fn new(clock: &dyn Clock, mint: &dyn Mint) -> Self {
        Self { at: clock.now(), nonce: hex(&mint.secret()[..Self::NONCE_BYTES]) }
    }
}

impl Record {
    /// The beginning of an act of a caller, in the chain of its namespace.
    #[must_use]
    pub fn of(caller: &Caller, action: impl Into<String>, class: AuditClass) -> Self {
        Self {
            chain: ChainId::Namespace(caller.namespace.clone()),
            principal: caller.principal.to_string(),
            subject: Some(caller.subject.clone()),
            namespace: Some(caller.namespace.clone()),
            outcome: AuditOutcome::Started,
            ..Self::system(action, class)
        }
    }

    /// An act of somebody without a valid credential, in the chain of the server.
    #[must_use]
    pub fn anonymous(action: impl Into<String>, class: AuditClass) -> Self {
        Self { principal: "anonymous".into(), outcome: AuditOutcome::Refused, ..Self::system(action, class) }
    }

    /// An act of the installation itself, in the chain of the server.
    #[must_use]
    pub fn system(action: impl Into<String>, class: AuditClass) -> Self {
        Self {
            chain: ChainId::Server,
            action: action.into(),
            class,
            outcome: AuditOutcome::Success,
            principal: "system".into(),
            subject: None,
            namespace: None,
            resource: None,
            status: None,
            code: None,
            of: None,
            from: None,
            request_id: None,
            correlation_id: None,
            reason: None,
        }
    }

    /// How the act ended that this record began, told in an entry of its own.
    #[must_use]
    pub fn ended(&self, of: u64, outcome: AuditOutcome) -> Self {
        Self { of: Some(of), outcome, ..self.clone() }
    }

    fn entry(&self, stamp: &Stamp, before: &Head) -> AuditEntry {
        let short = |text: &Option<String>, max| text.as_deref().map(|text| cut(text, max));
        AuditEntry {
            chain: self.chain.clone(),
            seq: before.seq + 1,
            at: stamp.at,
            nonce: stamp.nonce.clone(),
            action: cut(&self.action, MAX_NAME_BYTES),
            class: self.class,
            outcome: self.outcome,
            principal: cut(&self.principal, MAX_PRINCIPAL_BYTES),
            subject: self.subject.clone(),
            namespace: self.namespace.clone(),
            resource: self.resource.as_ref().map(|resource| AuditResource {
                kind: cut(&resource.kind, MAX_NAME_BYTES),
                id: short(&resource.id, MAX_ID_BYTES),
            }),
            status: self.status,
            code: self.code.map(|code| code.as_str().to_owned()),
            of: self.of,
            from: short(&self.from, MAX_NAME_BYTES),
            request_id: short(&self.request_id, MAX_REQUEST_BYTES),
            correlation_id: short(&self.correlation_id, MAX_REQUEST_BYTES),
            reason: short(&self.reason, MAX_REASON_BYTES),
            prev: before.hash.to_string(),
        }
    }
}

/// Makes of a record the entry that follows a place in its chain.
///
/// # Errors
/// None that can be expected: every record has a JSON form.
pub fn seal(record: &Record, stamp: &Stamp, before: &Head) -> Result<Sealed> {
    let entry = record.entry(stamp, before);
    let body = serde_json::to_string(&entry).map_err(|e| Error::bug(format!("an audit entry is not JSON: {e}")))?;
    Ok(Sealed { seq: entry.seq, hash: Hash::of(body.as_bytes()), body })
}

/// Reads a record and its stamp back from an entry, whatever its place in a chain: one that was sealed behind the beginning to
/// wait for its place.
///
/// # Errors
/// Where the text is no entry.
pub(crate) fn unseal(body: &str) -> Result<(Record, Stamp)> {
    let entry: AuditEntry = serde_json::from_str(body)
        .map_err(|e| Error::inconsistent(format!("an entry of the audit trail that waits cannot be read: {e}")))?;
    let stamp = Stamp { at: entry.at, nonce: entry.nonce };
    let record = Record {
        chain: entry.chain,
        action: entry.action,
        class: entry.class,
        outcome: entry.outcome,
        principal: entry.principal,
        subject: entry.subject,
        namespace: entry.namespace,
        resource: entry.resource,
        status: entry.status,
        code: entry.code.as_deref().and_then(Code::find),
        of: entry.of,
        from: entry.from,
        request_id: entry.request_id,
        correlation_id: entry.correlation_id,
        reason: entry.reason,
    };
    Ok((record, stamp))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stamp(at_ms: i64) -> Stamp {
        Stamp { at: Timestamp::from_millis(at_ms), nonce: "0".into() }
    }

    #[test]
    fn an_entry_reads_back_as_it_was_written_and_names_the_one_before_it() {
        let record = Record {
            resource: Some(AuditResource { kind: "conversation".into(), id: Some("c\"1\n".into()) }),
            code: Some(Code::Forbidden),
            ..Record::of(&Caller::owner(), "conversations.read", AuditClass::Read)
        };
        let first = seal(&record, &stamp(0), &Head::GENESIS).unwrap();
        let second = seal(&record.ended(1, AuditOutcome::Refused), &stamp(5), &first.head()).unwrap();
        let entry: AuditEntry = serde_json::from_str(&second.body).unwrap();
        assert_eq!((entry.seq, entry.of, entry.prev), (2, Some(1), first.hash.to_string()));
        assert_eq!(entry.code.as_deref(), Some("auth.forbidden"));
        let again: AuditEntry = serde_json::from_str(&first.body).unwrap();
        assert_eq!(serde_json::to_string(&again).unwrap(), first.body, "there is one form of an entry");
    }

    #[test]
    fn what_is_too_long_is_cut_and_never_within_a_character() {
        let record =
            Record { reason: Some("日".repeat(2_000)), ..Record::system("x".repeat(500), AuditClass::System) };
        let sealed = seal(&record, &stamp(0), &Head::GENESIS).unwrap();
        let entry: AuditEntry = serde_json::from_str(&sealed.body).unwrap();
        let reason = entry.reason.unwrap();
        assert!(reason.len() <= MAX_REASON_BYTES && reason.ends_with('…'), "{}", reason.len());
        assert_eq!(entry.action.len(), MAX_NAME_BYTES);
    }
}
