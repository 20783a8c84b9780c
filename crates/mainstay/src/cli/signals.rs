//! The signals that ask a command to stop.

use crate::failure::{Failure, Result};

/// The signals that ask for a stop.
pub struct Signals {
    #[cfg(unix)]
    terminate: tokio::signal::unix::Signal,
    #[cfg(unix)]
    interrupt: tokio::signal::unix::Signal,
}

impl Signals {
    /// Hears them from now on.
    #[cfg(unix)]
    pub fn new() -> Result<Self> {
        use tokio::signal::unix::{SignalKind, signal};
        let failed = |cause| Failure::io("signals cannot be heard", &cause);
        Ok(Self {
            terminate: signal(SignalKind::terminate()).map_err(failed)?,
            interrupt: signal(SignalKind::interrupt()).map_err(failed)?,
        })
    }

    /// Hears them from now on.
    #[cfg(not(unix))]
    pub fn new() -> Result<Self> {
        Ok(Self {})
    }

    /// The name of the next one.
    #[cfg(unix)]
    pub async fn next(&mut self) -> &'static str {
        tokio::select! {
            _ = self.terminate.recv() => "SIGTERM",
            _ = self.interrupt.recv() => "SIGINT",
        }
    }

    /// The name of the next one.
    #[cfg(not(unix))]
    pub async fn next(&mut self) -> &'static str {
        // Without signals nothing asks for a stop, and the wait goes on.
        if tokio::signal::ctrl_c().await.is_err() {
            std::future::pending::<()>().await;
        }
        "Ctrl-C"
    }
}
