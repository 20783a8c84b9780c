//! What is configured about the server.

use crate::conversations::CardRules;
use crate::identity::tokens::TokenVerifier;
use crate::live::LiveRules;
use crate::signalr::SignalrRules;
use sha2::{Digest, Sha256};
use std::net::IpAddr;
use std::sync::Arc;
use subtle::ConstantTimeEq;

/// What is configured about the server.
#[derive(Debug, Clone)]
pub struct ServerConfig {
    /// The key of the owner.
    pub owner_key: OwnerKey,
    /// Hosts that requests may name besides the loopback ones: `name`, `name:port`, or `*` for any.
    pub allowed_hosts: Vec<String>,
    /// Origins of web pages that may call besides the server's own, such as `https://team.example`.
    pub allowed_origins: Vec<String>,
    /// Requests served at a time; more are refused with `server.overloaded`. Live streams, long polls and health
    /// checks do not count.
    pub max_in_flight: usize,
    /// Longest time that a request may take, in milliseconds; a long poll gets its wait on top.
    pub request_timeout_ms: u64,
    /// Largest request body, in bytes.
    pub max_body_bytes: usize,
    /// Largest body of a request of the gateway, in bytes.
    pub max_gateway_body_bytes: usize,
    /// The version that the server reports.
    pub version: String,
    /// Live streams and long polls at a time.
    pub max_live: usize,
    /// Whether `/metrics` answers without a credential.
    pub open_metrics: bool,
    /// The key of the HTTP bridge; without it nobody may call the bridge.
    pub bridge_key: Option<BridgeKey>,
    /// What cards may do.
    pub cards: CardRules,
    /// The time-outs and bounds of WebSockets and streams of events.
    pub live: LiveRules,
    /// The time-outs and bounds of SignalR connections.
    pub signalr: SignalrRules,
    /// The issuers whose tokens are accepted.
    pub tokens: Option<Arc<TokenVerifier>>,
    /// Proxies that are believed who their client is (`X-Forwarded-For`).
    pub trusted_proxies: Vec<IpAddr>,
}

impl ServerConfig {
    /// The defaults: loopback hosts only, 1,024 requests and 16,384 live streams at a time, 30 s a request, and 16 MiB
    /// a body: room for an import of 500 ordinary messages. Bodies of the gateway have 10 MiB, as in the founding system.
    #[must_use]
    pub fn new(owner_key: OwnerKey) -> Self {
        Self {
            owner_key,
            allowed_hosts: Vec::new(),
            allowed_origins: Vec::new(),
            max_in_flight: 1_024,
            request_timeout_ms: 30_000,
            max_body_bytes: 16 * 1_024 * 1_024,
            max_gateway_body_bytes: 10 * 1_024 * 1_024,
            version: env!("CARGO_PKG_VERSION").into(),
            max_live: 16_384,
            open_metrics: false,
            bridge_key: None,
            cards: CardRules::default(),
            live: LiveRules::default(),
            signalr: SignalrRules::default(),
            tokens: None,
            trusted_proxies: Vec::new(),
        }
    }
}

/// The key of the owner, of which only the digest is kept.
#[derive(Clone)]
pub struct OwnerKey([u8; 32]);

impl OwnerKey {
    /// Takes the digest of a key.
    #[must_use]
    pub fn new(key: &str) -> Self {
        Self(Sha256::digest(key.as_bytes()).into())
    }

    /// Whether the offered key is this one; takes the same time whatever it is.
    #[must_use]
    pub fn matches(&self, offered: &str) -> bool {
        let offered: [u8; 32] = Sha256::digest(offered.as_bytes()).into();
        self.0.ct_eq(&offered).into()
    }
}

impl std::fmt::Debug for OwnerKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("OwnerKey(…)")
    }
}

/// The key of the HTTP bridge, of which only the digest is kept.
#[derive(Debug, Clone)]
pub struct BridgeKey(OwnerKey);

impl BridgeKey {
    /// Takes the digest of a key.
    #[must_use]
    pub fn new(key: &str) -> Self {
        Self(OwnerKey::new(key))
    }

    /// Whether the offered key is this one; takes the same time whatever it is.
    #[must_use]
    pub fn matches(&self, offered: &str) -> bool {
        self.0.matches(offered)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_key_itself_matches_and_it_never_shows() {
        let key = OwnerKey::new("secret");
        assert!(key.matches("secret"));
        for other in ["", "Secret", "secret ", "secre"] {
            assert!(!key.matches(other), "{other:?}");
        }
        assert!(!format!("{key:?}").contains("secret"));
    }
}
