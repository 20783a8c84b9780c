//! How the server ends a connection, and whether its client may come back.

use crate::Message;

/// Why the server ends a connection.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Ending {
    /// The application is done with it.
    Done,
    /// The server stops or is about to: another node, or the next run of this one, takes over.
    Stopping,
    /// The client read too slowly for what it is sent. It comes back and continues where it was.
    Slow,
    /// Events of a room were lost to the client, and it has no word for that. It comes back and fetches what it missed.
    Missed,
    /// Nothing was heard of the client for too long.
    Silent,
    /// The credential has ended. The client must get another one, which a reconnect alone does not.
    CredentialEnded,
    /// The application does not take the client.
    Refused(String),
    /// The client sent what is no message.
    Invalid(String),
    /// Something went wrong that the client did not cause.
    Failed,
}

impl Ending {
    /// The last message of the connection.
    #[must_use]
    pub fn message(&self) -> Message {
        let (error, allow_reconnect) = match self {
            Self::Done => (None, false),
            Self::Stopping => (Some("Connection closed because the server is stopping.".into()), true),
            Self::Slow => (Some("Connection closed because the client reads too slowly.".into()), true),
            Self::Missed => (Some("Connection closed because events were missed.".into()), true),
            Self::Silent => (Some("Connection closed because nothing was heard of the client.".into()), true),
            Self::CredentialEnded => (Some("Connection closed because its credential has ended.".into()), false),
            Self::Refused(cause) => (Some(format!("Connection closed. {cause}")), false),
            Self::Invalid(cause) => (Some(format!("Connection closed with an error. {cause}")), false),
            Self::Failed => (Some("Connection closed with an error.".into()), true),
        };
        Message::Close { error, allow_reconnect }
    }

    /// The close code of a WebSocket: 1000 where nothing went wrong, 1011 otherwise.
    #[must_use]
    pub fn websocket_code(&self) -> u16 {
        match self {
            Self::Done | Self::Stopping => 1000,
            _ => 1011,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_client_comes_back_where_that_can_help() {
        let allows = |ending: Ending| matches!(ending.message(), Message::Close { allow_reconnect: true, .. });
        assert!(
            allows(Ending::Stopping)
                && allows(Ending::Slow)
                && allows(Ending::Missed)
                && allows(Ending::Silent)
                && allows(Ending::Failed)
        );
        assert!(!allows(Ending::Done) && !allows(Ending::CredentialEnded) && !allows(Ending::Invalid("x".into())));
        assert_eq!((Ending::Stopping.websocket_code(), Ending::Slow.websocket_code()), (1000, 1011));
    }
}
