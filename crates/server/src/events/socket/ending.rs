//! How a socket comes to its end.

use mainstay_core::Error;
use mainstay_core::api::Code;
use mainstay_hub::live::Closed;

/// Why a socket ends.
#[derive(Debug)]
pub(super) enum Ending {
    /// The client is gone, or has closed it.
    Gone,
    /// It took nothing for too long, perhaps in the middle of a frame, behind which nothing can be said.
    Cut,
    /// The server ends it, with the close code of this error.
    Because(Error),
}

impl Ending {
    /// The end that the outlet met.
    pub(super) fn of(closed: Closed) -> Self {
        match closed {
            Closed::Ended => Self::Gone,
            Closed::Slow => Self::Because(Error::new(
                Code::ConnectionTooSlow,
                "the client reads too slowly for what it is sent",
                "Come back, and resume each room from its position.",
            )),
            Closed::Stopping => Self::stopping(),
            Closed::Gap => Self::Because(Error::bug("a gap could not be told")),
        }
    }

    pub(super) fn stopping() -> Self {
        Self::Because(Error::new(
            Code::Stopping,
            "the server is stopping",
            "Come back, and resume each room from its position: another node takes over.",
        ))
    }

    pub(super) fn silent() -> Self {
        Self::Because(Error::new(
            Code::ConnectionSilent,
            "nothing was heard of the client for too long",
            "Come back, and answer pings, or send some.",
        ))
    }

    pub(super) fn credential() -> Self {
        Self::Because(Error::new(
            Code::CredentialInvalid,
            "the credential has ended",
            "Come back with another credential.",
        ))
    }

    pub(super) fn too_large(max_bytes: usize) -> Self {
        Self::Because(Error::new(
            Code::TooLarge,
            format!("a message has more than {max_bytes} bytes"),
            "Send smaller messages.",
        ))
    }

    pub(super) fn invalid(cause: &str) -> Self {
        Self::Because(Error::invalid(format!("the frame is not valid: {cause}")))
    }

    /// The close code, and what is said with it; none where nothing more can be said.
    pub(super) fn told(&self) -> Option<(u16, &str)> {
        match self {
            Self::Gone => Some((1_000, "")),
            Self::Cut => None,
            Self::Because(error) => Some((error.code().entry().websocket, &error.problem.detail)),
        }
    }
}
