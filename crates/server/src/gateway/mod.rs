//! The gateway: requests of clients of OpenAI, Anthropic and Gemini, answered by providers of pools.
//!
//! Its routes speak protocols of others, whose owners describe them: they are not in the description of this server's own
//! interface. What a request used is in the usage of who asked, so the audit trail holds no entry for each, but
//! those that were refused.

mod answering;
mod checking;
mod circuits;
mod directions;
mod entrance;
mod observing;
mod opening;
mod renewing;
mod routes;
mod shaping;
mod till;
mod tokens;

pub use checking::{Checking, CircuitLook};
pub(crate) use circuits::CircuitParts;
pub use circuits::Circuits;
pub(crate) use observing::{GatewayMetrics, GatewayObserver};
pub use opening::GatewaySetup;
pub use renewing::Renewing;
pub(crate) use routes::routes;
pub(crate) use shaping::shaped;
pub use tokens::CredentialTokens;
