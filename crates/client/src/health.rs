//! Calls about the server itself.

use crate::call::{Call, path};
use crate::{Client, Result};
use mainstay_api::health::Health;
use mainstay_api::identity::WhoAmI;

impl Client {
    /// Whether the server and its store can do their work. A server that says it cannot is an answer, not an error.
    ///
    /// # Errors
    /// `server.unreachable`.
    pub async fn health(&self) -> Result<Health> {
        self.ask(&Call::get(path(&["health", "ready"]))).await
    }

    /// What the server makes of the caller's credential and headers.
    ///
    /// # Errors
    /// `auth.credential_invalid`, `auth.credential_missing`.
    pub async fn whoami(&self) -> Result<WhoAmI> {
        self.call(Call::get(path(&["v1", "whoami"]))).await
    }
}
