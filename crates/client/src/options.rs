//! What a client can be told.

use mainstay_api::{InstanceId, Namespace};

/// A bearer token. Its debug form does not show it.
#[derive(Clone)]
pub struct Credential(String);

impl Credential {
    /// A credential from its text, surrounding white space removed.
    #[must_use]
    pub fn new(token: impl AsRef<str>) -> Self {
        Self(token.as_ref().trim().to_owned())
    }

    pub(crate) fn text(&self) -> &str {
        &self.0
    }

    pub(crate) fn bearer(&self) -> String {
        format!("Bearer {}", self.0)
    }
}

impl std::fmt::Debug for Credential {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Credential(…)")
    }
}

/// The choices of a client.
#[derive(Debug, Clone)]
pub struct ClientOptions {
    /// The owner key or token that every call carries.
    pub credential: Option<Credential>,
    /// The instance that the calls speak for.
    pub instance: Option<InstanceId>,
    /// The namespace of the calls; the server's default when absent.
    pub namespace: Option<Namespace>,
    /// How long a call that may succeed later is repeated, in milliseconds; 0 for a single attempt.
    pub retry_for_ms: u64,
    /// How long making a connection may take, in milliseconds.
    pub connect_timeout_ms: u64,
    /// How long an answer may take, in milliseconds, beyond the time that a long poll asks the server to wait.
    pub response_timeout_ms: u64,
    /// How long a live stream may be silent before it counts as lost, in milliseconds: three times the 15 s after
    /// which the server sends a sign of life.
    pub idle_timeout_ms: u64,
}

impl Default for ClientOptions {
    fn default() -> Self {
        Self {
            credential: None,
            instance: None,
            namespace: None,
            retry_for_ms: 0,
            connect_timeout_ms: 5_000,
            response_timeout_ms: 30_000,
            idle_timeout_ms: 45_000,
        }
    }
}

impl ClientOptions {
    /// The same choices, speaking for another instance.
    #[must_use]
    pub fn speaking_for(mut self, instance: InstanceId) -> Self {
        self.instance = Some(instance);
        self
    }
}
