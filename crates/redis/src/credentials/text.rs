//! Credentials as a file holds them or a program prints them.

use super::Credentials;
use mainstay_core::{Error, Result, api::Code};
use secrecy::SecretString;
use serde_json::{Map, Value};
use std::time::Duration;

/// Longest text that is read, in bytes. Tokens have a few kilobytes.
pub(super) const MAX_BYTES: u64 = 64 * 1_024;

/// Reads a password alone, or a JSON object: `password` (or `access_token`), and where they are known `username` and
/// `expires_in`, in seconds. `origin` is what the error names.
pub(super) fn parse(text: &str, origin: &str) -> Result<Credentials> {
    let text = text.trim_end_matches(['\r', '\n']);
    if text.is_empty() {
        return Err(unusable(origin, "it is empty"));
    }
    match serde_json::from_str::<Value>(text) {
        Ok(Value::Object(object)) => from_object(&object, origin),
        // A password may well be a number or begin with a brace: what is no object stands for itself.
        _ => Ok(Credentials { username: None, password: SecretString::from(text), lifetime: None }),
    }
}

/// Reads the answer of an identity service, or the same written to a file.
pub(super) fn from_object(object: &Map<String, Value>, origin: &str) -> Result<Credentials> {
    let text = |name: &str| object.get(name).and_then(Value::as_str).filter(|text| !text.is_empty());
    let password = text("password").or_else(|| text("access_token"));
    let password = password.ok_or_else(|| unusable(origin, "it has neither `password` nor `access_token`"))?;
    Ok(Credentials {
        username: text("username").map(str::to_owned),
        password: SecretString::from(password),
        lifetime: lifetime(object.get("expires_in"), origin)?,
    })
}

/// Identity services write seconds as a number or, some of them, as a text.
fn lifetime(value: Option<&Value>, origin: &str) -> Result<Option<Duration>> {
    let seconds = match value {
        None | Some(Value::Null) => return Ok(None),
        Some(Value::String(text)) => text.parse().ok(),
        Some(value) => value.as_u64(),
    };
    let seconds = seconds.ok_or_else(|| unusable(origin, "`expires_in` is not a number of seconds"))?;
    Ok(Some(Duration::from_secs(seconds)))
}

/// Never shows what was read: it may hold a secret.
pub(super) fn unusable(origin: &str, why: &str) -> Error {
    Error::new(
        Code::StoreUnavailable,
        format!("{origin} gives no credentials of Redis: {why}"),
        "Give the password alone, or a JSON object with `password`, `username` and `expires_in`.",
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use secrecy::ExposeSecret;

    #[test]
    fn a_password_stands_alone_or_in_an_object() {
        for (text, username, password, seconds) in [
            ("s3cret\n", None, "s3cret", None),
            ("{not json", None, "{not json", None),
            ("12345", None, "12345", None),
            (" with spaces ", None, " with spaces ", None),
            (r#"{"username":"u","password":"p","expires_in":900}"#, Some("u"), "p", Some(900)),
            (r#"{"access_token":"t","expires_in":"86399","token_type":"Bearer"}"#, None, "t", Some(86_399)),
        ] {
            let read = parse(text, "the file x").unwrap();
            assert_eq!((read.username.as_deref(), read.password.expose_secret()), (username, password), "{text}");
            assert_eq!(read.lifetime, seconds.map(Duration::from_secs), "{text}");
        }
    }

    #[test]
    fn what_cannot_be_used_is_said_without_showing_it() {
        for text in ["", "\n", r#"{"token":"hunter2"}"#, r#"{"password":"hunter2","expires_in":"soon"}"#] {
            let error = parse(text, "the file x").unwrap_err();
            assert!(!format!("{error:?}").contains("hunter2"), "{error:?}");
        }
    }
}
