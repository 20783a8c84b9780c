//! Errors in the shape of each protocol: written, and read from an upstream of another one.

use crate::Protocol;
use crate::json::{Field, Kind as JsonKind, Members, parse};
use bytes::Bytes;

/// Longest complaint of an upstream that is passed on, in bytes.
const MAX_COMPLAINT_BYTES: usize = 4_000;

/// What went wrong, by who can mend it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// The request cannot be understood, or asks for what there is not.
    Invalid,
    /// Nobody, or nobody known.
    Unauthenticated,
    /// There is nothing left to spend.
    Unpaid,
    /// Known, and not let in.
    Forbidden,
    /// No such model, or no such address.
    NotFound,
    /// More bytes than are taken.
    TooLarge,
    /// Too many requests, or tokens.
    RateLimited,
    /// The server has failed.
    Internal,
    /// An upstream has failed.
    Upstream,
    /// There is nobody free to answer.
    Overloaded,
    /// Nobody answered in time.
    Timeout,
}

impl Kind {
    /// What a status means.
    #[must_use]
    pub const fn of_status(status: u16) -> Self {
        match status {
            401 => Self::Unauthenticated,
            402 => Self::Unpaid,
            403 => Self::Forbidden,
            404 => Self::NotFound,
            413 => Self::TooLarge,
            429 => Self::RateLimited,
            408 | 504 => Self::Timeout,
            400..=499 => Self::Invalid,
            502 => Self::Upstream,
            503 | 529 => Self::Overloaded,
            _ => Self::Internal,
        }
    }

    /// The status with which a protocol says this.
    #[must_use]
    pub const fn status(self, protocol: Protocol) -> u16 {
        match self {
            Self::Invalid => 400,
            Self::Unauthenticated => 401,
            Self::Unpaid => 402,
            Self::Forbidden => 403,
            Self::NotFound => 404,
            Self::TooLarge => 413,
            Self::RateLimited => 429,
            Self::Internal => 500,
            Self::Upstream => 502,
            Self::Overloaded if matches!(protocol, Protocol::Anthropic) => 529,
            Self::Overloaded => 503,
            Self::Timeout => 504,
        }
    }

    /// The type that OpenAI gives it, and the code where there is one.
    const fn open_ai(self) -> (&'static str, Option<&'static str>) {
        match self {
            Self::Invalid => ("invalid_request_error", None),
            Self::Unauthenticated => ("authentication_error", Some("invalid_api_key")),
            Self::Unpaid => ("insufficient_quota", Some("insufficient_quota")),
            Self::Forbidden => ("permission_error", None),
            Self::NotFound => ("invalid_request_error", Some("model_not_found")),
            Self::TooLarge => ("invalid_request_error", Some("request_too_large")),
            Self::RateLimited => ("rate_limit_error", Some("rate_limit_exceeded")),
            Self::Internal => ("api_error", Some("server_error")),
            Self::Upstream => ("api_error", Some("upstream_error")),
            Self::Overloaded => ("overloaded_error", Some("overloaded")),
            Self::Timeout => ("api_error", Some("timeout")),
        }
    }

    const fn anthropic(self) -> &'static str {
        match self {
            Self::Invalid => "invalid_request_error",
            Self::Unauthenticated => "authentication_error",
            Self::Unpaid => "billing_error",
            Self::Forbidden => "permission_error",
            Self::NotFound => "not_found_error",
            Self::TooLarge => "request_too_large",
            Self::RateLimited => "rate_limit_error",
            Self::Internal | Self::Upstream => "api_error",
            Self::Overloaded => "overloaded_error",
            Self::Timeout => "timeout_error",
        }
    }

    /// The canonical code of `google.rpc.Status`.
    const fn gemini(self) -> &'static str {
        match self {
            Self::Invalid | Self::TooLarge => "INVALID_ARGUMENT",
            Self::Unauthenticated => "UNAUTHENTICATED",
            Self::Unpaid => "FAILED_PRECONDITION",
            Self::Forbidden => "PERMISSION_DENIED",
            Self::NotFound => "NOT_FOUND",
            Self::RateLimited => "RESOURCE_EXHAUSTED",
            Self::Internal => "INTERNAL",
            Self::Upstream | Self::Overloaded => "UNAVAILABLE",
            Self::Timeout => "DEADLINE_EXCEEDED",
        }
    }

    /// What a code of an error object means, in whichever protocol it is written.
    fn named(name: &str) -> Option<Self> {
        Some(match name {
            "invalid_request_error"
            | "INVALID_ARGUMENT"
            | "FAILED_PRECONDITION"
            | "OUT_OF_RANGE"
            | "invalid_prompt" => Self::Invalid,
            "authentication_error" | "UNAUTHENTICATED" | "invalid_api_key" => Self::Unauthenticated,
            "billing_error" | "insufficient_quota" => Self::Unpaid,
            "permission_error" | "PERMISSION_DENIED" => Self::Forbidden,
            "not_found_error" | "NOT_FOUND" | "model_not_found" => Self::NotFound,
            "request_too_large" => Self::TooLarge,
            "rate_limit_error" | "RESOURCE_EXHAUSTED" | "rate_limit_exceeded" => Self::RateLimited,
            "overloaded_error" | "UNAVAILABLE" | "overloaded" => Self::Overloaded,
            "timeout_error" | "DEADLINE_EXCEEDED" => Self::Timeout,
            "api_error" | "server_error" | "INTERNAL" | "UNKNOWN" => Self::Internal,
            _ => return None,
        })
    }
}

/// An error as a client is told of it.
#[derive(Debug, Clone, Copy)]
pub struct Complaint<'a> {
    /// The status of the answer.
    pub status: u16,
    /// What went wrong.
    pub kind: Kind,
    /// In words, for a person.
    pub message: &'a str,
    /// The member of the request that is to blame.
    pub member: Option<&'a str>,
}

/// The body of an error, in the shape of the protocol that was called.
#[must_use]
pub fn body(protocol: Protocol, complaint: &Complaint<'_>) -> Bytes {
    written(protocol, complaint).to_text().into()
}

/// As [`body`], where only the kind is known: the status is the protocol's own for it.
#[must_use]
pub fn of_kind(protocol: Protocol, kind: Kind, message: &str) -> (u16, Bytes) {
    let status = kind.status(protocol);
    (status, body(protocol, &Complaint { status, kind, message, member: None }))
}

pub(crate) fn written(protocol: Protocol, complaint: &Complaint<'_>) -> Members {
    let message = complaint.message.to_owned();
    match protocol {
        Protocol::OpenAi | Protocol::Responses => {
            let (kind, code) = complaint.kind.open_ai();
            let error = Members::new().with("message", message).with("type", kind);
            let error = nullable(error, "param", complaint.member.map(str::to_owned));
            let error = nullable(error, "code", code.map(str::to_owned));
            Members::new().with("error", error)
        }
        Protocol::Anthropic => {
            let error = Members::typed(complaint.kind.anthropic()).with("message", message);
            Members::typed("error").with("error", error)
        }
        Protocol::Gemini => {
            let error = Members::new().with("code", u64::from(complaint.status)).with("message", message);
            Members::new().with("error", error.with("status", complaint.kind.gemini()))
        }
    }
}

fn nullable(members: Members, name: &'static str, text: Option<String>) -> Members {
    use crate::json::Json;
    members.with(name, text.map_or(Json::Null, Json::from))
}

/// What an upstream says of its error, whatever shape it has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Said {
    /// What went wrong, by the words of the upstream or else by its status.
    pub kind: Kind,
    /// In words.
    pub message: String,
}

/// Reads the body of an error.
#[must_use]
pub fn read(status: u16, body: &[u8]) -> Said {
    let by_status = Kind::of_status(status);
    let object = parse(body).ok().and_then(|raw| from_object(&Field::root(raw)));
    let (named, message) = object.unwrap_or_else(|| (None, String::from_utf8_lossy(body).trim().to_owned()));
    let message = if message.is_empty() { format!("the upstream answers with the status {status}") } else { message };
    // The status decides. Only where it says no more than that something failed do the words say more.
    let kind = if matches!(by_status, Kind::Invalid | Kind::Internal) { named.unwrap_or(by_status) } else { by_status };
    Said { kind, message: cut(message) }
}

/// Reads the error that an event of a stream holds.
pub(crate) fn from_object(field: &Field<'_>) -> Option<(Option<Kind>, String)> {
    // Gemini answers a stream that it refuses with a list.
    let first = match field.kind() {
        JsonKind::List => field.list().ok()?.into_iter().next()?,
        _ => field.clone(),
    };
    let mut outer = first.object().ok()?;
    let inner = outer.take("error").unwrap_or(first);
    if inner.kind() == JsonKind::Text {
        return Some((None, cut(inner.text().ok()?)));
    }
    let mut error = inner.object().ok()?;
    let names = ["code", "status", "type"].map(|name| error.take(name).and_then(|field| field.text().ok()));
    let message = error.text("message").ok()??;
    Some((names.iter().flatten().find_map(|name| Kind::named(name)), cut(message)))
}

fn cut(message: String) -> String {
    mainstay_core::text::cut(&message, MAX_COMPLAINT_BYTES)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(protocol: Protocol, kind: Kind) -> String {
        let (_, body) = of_kind(protocol, kind, "no \"such\" model");
        String::from_utf8(body.to_vec()).unwrap()
    }

    #[test]
    fn each_protocol_has_its_own_shape() {
        let said = [
            (
                Protocol::OpenAi,
                r#"{"error":{"message":"no \"such\" model","type":"invalid_request_error","param":null,"code":"model_not_found"}}"#,
            ),
            (
                Protocol::Anthropic,
                r#"{"type":"error","error":{"type":"not_found_error","message":"no \"such\" model"}}"#,
            ),
            (Protocol::Gemini, r#"{"error":{"code":404,"message":"no \"such\" model","status":"NOT_FOUND"}}"#),
        ];
        for (protocol, expected) in said {
            assert_eq!(text(protocol, Kind::NotFound), expected);
        }
    }

    #[test]
    fn what_one_protocol_writes_is_read_as_the_same_kind() {
        let kinds = [
            Kind::Invalid,
            Kind::Unauthenticated,
            Kind::Unpaid,
            Kind::Forbidden,
            Kind::NotFound,
            Kind::TooLarge,
            Kind::RateLimited,
            Kind::Internal,
            Kind::Upstream,
            Kind::Overloaded,
            Kind::Timeout,
        ];
        for protocol in Protocol::ALL {
            for kind in kinds {
                let (status, body) = of_kind(protocol, kind, "why");
                assert_eq!(read(status, &body), Said { kind, message: "why".into() }, "{protocol} {kind:?}");
            }
        }
    }

    #[test]
    fn an_answer_of_any_shape_says_something() {
        assert_eq!(read(500, b"<html>no</html>").message, "<html>no</html>");
        assert_eq!(read(503, b"").message, "the upstream answers with the status 503");
        assert_eq!(
            read(400, br#"[{"error":{"code":400,"message":"bad","status":"INVALID_ARGUMENT"}}]"#).message,
            "bad"
        );
        assert_eq!(read(400, br#"{"error":"plain"}"#).message, "plain");
        assert_eq!(read(400, br#"{"message":"bare","type":"rate_limit_error"}"#).kind, Kind::RateLimited);
        assert!(read(500, &vec![0xff; 100_000]).message.len() <= MAX_COMPLAINT_BYTES);
    }
}
