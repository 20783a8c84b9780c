//! How a client learns which transports there are, and gets the id of its connection.

use crate::TransferFormat;
use serde::{Serialize, Serializer};
use std::fmt;

/// The newest version of the answer: the one that tells a token apart from the id.
pub const LATEST_VERSION: u32 = 1;

/// What a client asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Asked {
    /// The version that is answered: 0 or 1.
    pub version: u32,
    /// Whether it wants to continue a connection that was cut.
    pub stateful_reconnect: bool,
}

/// A version that cannot be read, which is answered with status 200 and the text as `error`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InvalidVersion(String);

/// How messages travel.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
pub enum Transport {
    /// One socket for both directions.
    WebSockets,
    /// Server-sent events, and a request for each message of the client.
    ServerSentEvents,
    /// Requests that wait for messages, and one for each message of the client.
    LongPolling,
}

/// What a client is told.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Answer {
    negotiate_version: u32,
    connection_id: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    connection_token: Option<String>,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    use_stateful_reconnect: bool,
    available_transports: Vec<Offer>,
}

/// The connection that an answer is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Connection {
    /// Its public id.
    pub id: String,
    /// What its requests are known by: a secret.
    pub token: String,
    /// Whether it may be continued after it was cut.
    pub stateful_reconnect: bool,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
struct Offer {
    transport: Transport,
    transfer_formats: &'static [TransferFormat],
}

/// Reads the query of a negotiation, decoded. Names are taken in any case; other parameters belong to the application.
///
/// # Errors
/// Where the version is not a number that is at least 0. A newer one is answered with ours.
pub fn ask<'a>(query: impl IntoIterator<Item = (&'a str, &'a str)>) -> Result<Asked, InvalidVersion> {
    let mut asked = Asked { version: 0, stateful_reconnect: false };
    for (name, value) in query {
        if name.eq_ignore_ascii_case("negotiateVersion") {
            let version: u32 = value.trim().parse().map_err(|_| InvalidVersion(value.chars().take(50).collect()))?;
            asked.version = version.min(LATEST_VERSION);
        } else if name.eq_ignore_ascii_case("useStatefulReconnect") {
            asked.stateful_reconnect = value.trim().eq_ignore_ascii_case("true");
        }
    }
    Ok(asked)
}

impl Transport {
    /// All of them, in the order in which clients try them.
    pub const ALL: [Self; 3] = [Self::WebSockets, Self::ServerSentEvents, Self::LongPolling];

    /// What it can carry.
    #[must_use]
    pub fn transfer_format(self) -> TransferFormat {
        match self {
            Self::WebSockets | Self::LongPolling => TransferFormat::Binary,
            Self::ServerSentEvents => TransferFormat::Text,
        }
    }
}

impl Answer {
    /// The answer that offers these transports. Clients of version 0 know no token, so that theirs is the id.
    #[must_use]
    pub fn new(asked: Asked, connection: Connection, transports: &[Transport]) -> Self {
        let offer = |transport: &Transport| {
            let transfer_formats: &[TransferFormat] = match transport.transfer_format() {
                TransferFormat::Binary => &[TransferFormat::Text, TransferFormat::Binary],
                TransferFormat::Text => &[TransferFormat::Text],
            };
            Offer { transport: *transport, transfer_formats }
        };
        let (connection_id, connection_token) = match asked.version {
            0 => (connection.token, None),
            _ => (connection.id, Some(connection.token)),
        };
        Self {
            negotiate_version: asked.version,
            connection_id,
            connection_token,
            // A client that did not ask ends the connection where it is told so.
            use_stateful_reconnect: asked.stateful_reconnect && connection.stateful_reconnect,
            available_transports: transports.iter().map(offer).collect(),
        }
    }
}

impl Serialize for TransferFormat {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(match self {
            Self::Text => "Text",
            Self::Binary => "Binary",
        })
    }
}

impl fmt::Display for InvalidVersion {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "The client requested an invalid protocol version '{}'", self.0)
    }
}

impl std::error::Error for InvalidVersion {}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn connection() -> Connection {
        Connection { id: "public".into(), token: "secret".into(), stateful_reconnect: true }
    }

    #[test]
    fn the_query_is_read_in_any_case() {
        let asked = |query: &[(&'static str, &'static str)]| ask(query.iter().copied());
        assert_eq!(asked(&[]), Ok(Asked { version: 0, stateful_reconnect: false }));
        let newest = Asked { version: 1, stateful_reconnect: true };
        assert_eq!(asked(&[("NEGOTIATEversion", "1"), ("usestatefulreconnect", "True"), ("tenant", "a")]), Ok(newest));
        assert_eq!(asked(&[("negotiateVersion", "99"), ("useStatefulReconnect", "true")]), Ok(newest));
        for version in ["-1", "x", "", "1.0"] {
            assert!(asked(&[("negotiateVersion", version)]).is_err(), "{version}");
        }
    }

    #[test]
    fn an_answer_of_version_1_tells_the_token_apart() {
        let asked = Asked { version: 1, stateful_reconnect: true };
        let answer = Answer::new(asked, connection(), &Transport::ALL);
        assert_eq!(
            serde_json::to_value(&answer).unwrap(),
            json!({
                "negotiateVersion": 1,
                "connectionId": "public",
                "connectionToken": "secret",
                "useStatefulReconnect": true,
                "availableTransports": [
                    { "transport": "WebSockets", "transferFormats": ["Text", "Binary"] },
                    { "transport": "ServerSentEvents", "transferFormats": ["Text"] },
                    { "transport": "LongPolling", "transferFormats": ["Text", "Binary"] },
                ],
            })
        );
    }

    #[test]
    fn an_answer_of_version_0_has_the_token_as_id_and_nothing_that_was_not_asked_for() {
        let asked = Asked { version: 0, stateful_reconnect: false };
        let answer = serde_json::to_value(Answer::new(asked, connection(), &[Transport::LongPolling])).unwrap();
        assert_eq!((&answer["connectionId"], &answer["negotiateVersion"]), (&json!("secret"), &json!(0)));
        assert!(answer.get("connectionToken").is_none() && answer.get("useStatefulReconnect").is_none());
    }
}
