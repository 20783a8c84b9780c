//! The HTTP server: an adapter that holds no state and no rules. A request passes the layers, becomes a call of a
//! `core` service on behalf of a [`mainstay_core::Caller`], and its result or error becomes the answer.

mod access;
mod admission;
mod anchoring;
mod app;
mod audit;
mod bridge;
mod caller;
mod config;
mod conversations;
mod error_page;
mod events;
mod extract;
mod health;
pub mod identity;
mod layers;
mod live;
mod mail;
mod maintenance;
pub mod mcp;
mod metrics;
mod openapi;
mod presence;
mod problem;
mod serve;
mod services;
mod signalr;
mod surveying;
mod whoami;

pub use access::{Audited, Needs};
pub use admission::Admission;
pub use anchoring::{Anchoring, InvalidAnchoring};
pub use app::{in_process, router, router_with_mcp};
pub use caller::Authenticated;
pub use config::{BridgeKey, OwnerKey, ServerConfig};
pub use conversations::CardRules;
pub use layers::InProcess;
pub use live::LiveRules;
pub use maintenance::{InvalidMaintenance, Maintenance, Purged};
pub use metrics::Metrics;
pub use openapi::{OPEN_PATHS, openapi, route_needs};
pub use problem::Failure;
pub use serve::serve;
pub use services::{ServiceRules, Services};
pub use signalr::SignalrRules;
pub use surveying::{InvalidSurveying, Surveying};
