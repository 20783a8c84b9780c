//! The SignalR hub protocol as bytes and rules: no sockets, no clock, no tasks.
//!
//! [`negotiate`] says how a connection begins, [`handshake`] what is spoken on it, and a [`Reader`] cuts what arrives
//! into [`Message`]s of a [`Protocol`]. What a call carries stays as it was written ([`Value`]): it is converted only
//! where it leaves in the other protocol, so that one event is encoded once per protocol and its bytes are shared.
//! [`sequence`] holds what a stateful reconnect needs on either side.

pub mod close;
pub mod handshake;
mod invalid;
mod json;
mod limits;
mod message;
mod messagepack;
pub mod negotiate;
mod pack;
mod protocol;
pub mod sequence;
mod timestamp;
mod transcode;
mod value;

pub use invalid::{Invalid, Unrepresentable};
pub use limits::Limits;
pub use message::{Completion, Headers, Invocation, Message, Outcome};
pub use protocol::{Protocol, Reader, TransferFormat};
pub use value::Value;
