//! The rules of Mainstay: services, the ports they need from a store, and what is handed to them (clock, ids, the
//! caller). No I/O, and no backend has a name here.

pub mod audit;
pub mod caller;
pub mod clock;
pub mod conversations;
pub mod documents;
pub mod error;
pub mod events;
pub mod hints;
pub mod identity;
pub mod jsontext;
pub mod mail;
pub mod mint;
pub mod outage;
pub mod presence;
pub mod providers;
pub mod roles;
pub mod secrets;
pub mod stores;
pub mod text;

pub use caller::{Caller, Principal, Scope, Scopes};
pub use clock::{Clock, FakeClock, SystemClock};
pub use error::{Error, Result};
pub use hints::{Hint, HintSource, Topic};
pub use mint::{Mint, RandomMint};
pub use roles::{Grant, Grants, Identified, Role};
pub use stores::{StoreActivity, StoreInfo, StoreProbe, Stores};

/// The wire types, for the crates that implement the ports.
pub use mainstay_api as api;
