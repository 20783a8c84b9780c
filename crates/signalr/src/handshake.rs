//! The first message of each side: which protocol is spoken. It is JSON whatever the protocol, and messages may follow
//! it in the same frame.

use crate::json::{SEPARATOR, find_separator};
use crate::{Invalid, Protocol, TransferFormat};
use bytes::{Buf, Bytes, BytesMut};
use serde::Deserialize;
use std::fmt;

/// The version that every client speaks.
pub const FIRST_VERSION: u64 = 1;
/// The version that says `Ack` and `Sequence`. Clients ask for it where a stateful reconnect was negotiated.
pub const LATEST_VERSION: u64 = 2;
/// Longest request. Real ones have less than 50 bytes.
pub const MAX_REQUEST_BYTES: usize = 4 * 1024;

/// What a client wants to speak.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Request {
    /// The name of the protocol.
    pub protocol: String,
    /// Its version.
    pub version: u64,
}

/// What was agreed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Agreed {
    /// The protocol of all messages that follow.
    pub protocol: Protocol,
    /// Its version.
    pub version: u64,
}

/// Why a handshake is refused: the text is the `error` of the answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Refused {
    /// No such protocol.
    UnknownProtocol(String),
    /// No such version of the protocol.
    UnsupportedVersion(Request),
    /// The transport carries text alone.
    BinaryOnText(Protocol),
    /// Nothing came within the time for it.
    TimedOut,
    /// What came is no handshake.
    Unreadable(Invalid),
}

/// Takes the request off what has arrived, and leaves what follows it; nothing where it is not whole yet.
///
/// # Errors
/// Where what arrived cannot become a request.
pub fn read(buffer: &mut BytesMut) -> Result<Option<Request>, Refused> {
    let end = find_separator(buffer);
    if end.unwrap_or(buffer.len()) > MAX_REQUEST_BYTES {
        return Err(Refused::Unreadable(Invalid::TooLarge { limit_bytes: MAX_REQUEST_BYTES }));
    }
    let Some(end) = end else {
        return Ok(None);
    };
    let record = buffer.split_to(end);
    buffer.advance(1);
    parse(&record).map(Some).map_err(Refused::Unreadable)
}

fn parse(record: &[u8]) -> Result<Request, Invalid> {
    let broken = |cause: serde_json::Error| Invalid::Json(cause.to_string());
    let value: serde_json::Value = serde_json::from_slice(record).map_err(broken)?;
    for name in ["protocol", "version"] {
        if value.get(name).is_none() {
            return Err(Invalid::Missing(name));
        }
    }
    serde_json::from_value(value).map_err(broken)
}

/// Agrees on what is spoken.
///
/// # Errors
/// Where the request asks for what does not exist, or for what the transport cannot carry.
pub fn agree(request: Request, transport: TransferFormat) -> Result<Agreed, Refused> {
    let Some(protocol) = Protocol::named(&request.protocol) else {
        return Err(Refused::UnknownProtocol(request.protocol));
    };
    if !(FIRST_VERSION..=LATEST_VERSION).contains(&request.version) {
        return Err(Refused::UnsupportedVersion(request));
    }
    if transport == TransferFormat::Text && protocol.transfer_format() == TransferFormat::Binary {
        return Err(Refused::BinaryOnText(protocol));
    }
    Ok(Agreed { protocol, version: request.version })
}

/// The answer to a handshake that succeeds.
#[must_use]
pub fn accepted() -> Bytes {
    Bytes::from_static(b"{}\x1e")
}

impl Refused {
    /// The answer, after which the connection is closed.
    #[must_use]
    pub fn response(&self) -> Bytes {
        let mut response = serde_json::json!({ "error": self.to_string() }).to_string().into_bytes();
        response.push(SEPARATOR);
        response.into()
    }
}

impl fmt::Display for Refused {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::UnknownProtocol(name) => write!(out, "The protocol '{name}' is not supported."),
            Self::UnsupportedVersion(Request { protocol, version }) => {
                write!(out, "The server does not support version {version} of the '{protocol}' protocol.")
            }
            Self::BinaryOnText(protocol) => write!(
                out,
                "Cannot use the '{}' protocol on the current transport. The transport does not support 'Binary' \
                 transfer format.",
                protocol.name()
            ),
            Self::TimedOut => out.write_str("Handshake was canceled."),
            Self::Unreadable(cause) => {
                write!(out, "An unexpected error occurred during connection handshake. {cause}")
            }
        }
    }
}

impl std::error::Error for Refused {}

#[cfg(test)]
mod tests {
    use super::*;

    fn first(bytes: &[u8]) -> (Result<Option<Request>, Refused>, BytesMut) {
        let mut buffer = BytesMut::from(bytes);
        (read(&mut buffer), buffer)
    }

    fn request(protocol: &str, version: u64) -> Request {
        Request { protocol: protocol.into(), version }
    }

    #[test]
    fn what_follows_the_request_in_the_same_frame_is_kept() {
        let (read, rest) = first(b"{\"version\":1,\"more\":[],\"protocol\":\"json\"}\x1e{\"type\":6}\x1e");
        assert_eq!(read, Ok(Some(request("json", 1))));
        assert_eq!(&rest[..], b"{\"type\":6}\x1e");
    }

    #[test]
    fn a_request_in_pieces_is_waited_for_within_bounds() {
        let (read, rest) = first(b"{\"protocol\":\"json\",");
        assert_eq!((read, rest.len()), (Ok(None), 19));
        assert!(first(&[b' '; MAX_REQUEST_BYTES]).0.is_ok());
        let (read, _) = first(&[b' '; MAX_REQUEST_BYTES + 1]);
        assert_eq!(read, Err(Refused::Unreadable(Invalid::TooLarge { limit_bytes: MAX_REQUEST_BYTES })));
    }

    #[test]
    fn what_is_no_request_is_refused_with_its_cause() {
        let table: [(&[u8], &str); 5] = [
            (b"{\"version\":1}\x1e", "Missing required property 'protocol'."),
            (b"{\"protocol\":\"json\"}\x1e", "Missing required property 'version'."),
            (b"[]\x1e", "Missing required property 'protocol'."),
            (b"\x1e", "Error reading JSON"),
            (b"{\"protocol\":\"json\",\"version\":\"1\"}\x1e", "Error reading JSON"),
        ];
        for (bytes, cause) in table {
            let refused = first(bytes).0.unwrap_err();
            assert!(refused.to_string().contains(cause), "{refused}");
        }
    }

    #[test]
    fn agreeing_says_what_is_not_supported() {
        let agreed = agree(request("messagepack", 2), TransferFormat::Binary);
        assert_eq!(agreed, Ok(Agreed { protocol: Protocol::MessagePack, version: 2 }));
        assert!(agree(request("json", 1), TransferFormat::Text).is_ok());
        for (asked, answer) in [
            (request("x", 1), "{\"error\":\"The protocol 'x' is not supported.\"}\u{1e}"),
            (request("json", 3), "{\"error\":\"The server does not support version 3 of the 'json' protocol.\"}\u{1e}"),
            (request("json", 0), "{\"error\":\"The server does not support version 0 of the 'json' protocol.\"}\u{1e}"),
        ] {
            let refused = agree(asked, TransferFormat::Binary).unwrap_err();
            assert_eq!(refused.response(), answer.as_bytes());
        }
        let binary = agree(request("messagepack", 1), TransferFormat::Text);
        assert_eq!(binary, Err(Refused::BinaryOnText(Protocol::MessagePack)));
    }
}
