//! What processes go through: many of them at once, killed in the middle, with a store that goes away under them, with
//! hostile names, and with clients that others wrote. All on the real binary and on real stores.

mod abuse;
mod bed;
mod benchmark;
mod bridge;
mod browsers;
mod chats;
mod clients;
#[path = "../common/mod.rs"]
mod common;
mod connections;
mod crashes;
mod events;
mod gateway;
mod gateway_nodes;
mod hostile;
mod hubs;
mod listener;
mod live;
mod load;
mod node;
mod nodes;
mod outages;
mod presence;
mod realtime_defects;
mod senders;
mod settings_outages;
mod transports;
mod watchers;
mod workers;
