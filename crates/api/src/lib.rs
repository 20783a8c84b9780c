//! The wire types of Mainstay: one request and one response per operation, the ids they carry, and the
//! catalogue of errors. No I/O and no rules beyond "this value cannot be built wrong".

pub mod audit;
pub mod conversations;
pub mod documents;
pub mod errors;
pub mod events;
pub mod gateway;
pub mod health;
pub mod identity;
pub mod ids;
pub mod legacy;
pub mod mail;
pub mod page;
pub mod presence;
pub mod providers;
pub mod raw;
pub mod store;
mod text;
pub mod time;

pub use errors::{Code, Problem};
pub use identity::Subject;
pub use ids::{
    ConversationId, Epoch, InstanceId, KeyId, MessageId, MessageType, Namespace, Offset, Position, Realm, SessionId,
    SubjectId, TenantId, UserId,
};
pub use raw::RawJson;
pub use text::{InvalidText, fnv1a};
pub use time::Timestamp;

/// The header that names the instance a request speaks for, percent-encoded UTF-8.
pub const INSTANCE_HEADER: &str = "mainstay-instance";
/// The header that names the namespace of a request, percent-encoded UTF-8.
pub const NAMESPACE_HEADER: &str = "mainstay-namespace";
/// The header with the caller's request id, by which a repeated write is recognised
/// (draft-ietf-httpapi-idempotency-key-header).
pub const IDEMPOTENCY_KEY_HEADER: &str = "idempotency-key";
/// The header that relates requests of several services to one occurrence; letters, digits and `-_.:/+=`.
pub const CORRELATION_ID_HEADER: &str = "x-correlation-id";
/// The header that says why the data of another is accessed, percent-encoded UTF-8; recorded in the audit trail.
pub const REASON_HEADER: &str = "mainstay-reason";
/// The header that carries the id under which a request appears in the log.
pub const REQUEST_ID_HEADER: &str = "x-request-id";
