//! A WebSocket that is written by us: frames that are encoded once for many connections, drained into one vectored
//! write. A library reads, because what clients send may be anything.

mod frame;
mod read;
mod upgrade;
mod write;

pub(crate) use frame::{close, ping, text};
pub(crate) use read::{Heard, Reader};
pub(crate) use upgrade::{Socket, Upgrade, WriteHalf};
pub(crate) use write::{hang_up, message, reply, write_all};
