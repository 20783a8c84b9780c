//! The text of a credential: the token file as its owner wrote it, in either family of names.

use super::expiry::{self, Form};
use super::members::Members;
use crate::error::{Error, Result};
use crate::secrets::members::MASK;
use mainstay_api::{RawJson, Timestamp};
use secrecy::{ExposeSecret, SecretString};
use serde_json::Value;
use std::time::Duration;

/// Longest text of a credential, in bytes.
const MAX_TEXT_BYTES: usize = 64 * 1_024;

/// Names of the access token.
const ACCESS: [&str; 2] = ["access_token", "accessToken"];
/// Names of the refresh token.
const REFRESH: [&str; 2] = ["refresh_token", "refreshToken"];
/// Names of the moment of expiry, the most telling first.
const EXPIRES_AT: [&str; 5] = ["expiry_date", "expiryDate", "expiresAt", "expires_at", "expired"];
/// Names of the time until then, counted from when the file was written.
const EXPIRES_IN: [&str; 2] = ["expires_in", "expiresIn"];
/// Members that may be told. All others may be secret.
const OPEN: [&str; 18] = [
    "account_id",
    "authMethod",
    "email",
    "expiresAt",
    "expires_at",
    "expires_in",
    "expiresIn",
    "expired",
    "expiryDate",
    "expiry_date",
    "idcRegion",
    "last_refresh",
    "provider",
    "region",
    "scope",
    "startUrl",
    "token_type",
    "type",
];

/// What an authorization server gave.
#[derive(Debug)]
pub struct Issued {
    /// The access token.
    pub access_token: SecretString,
    /// The refresh token of the next time; the old one stays where absent.
    pub refresh_token: Option<SecretString>,
    /// When the access token expires, where that was said.
    pub expires: Option<Expires>,
    /// Everything else that was said.
    pub others: Vec<(String, RawJson)>,
}

/// When something expires.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Expires {
    /// So long from now.
    In(Duration),
    /// Then.
    At(Timestamp),
}

impl Expires {
    /// The moment.
    #[must_use]
    pub fn at(self, now: Timestamp) -> Timestamp {
        match self {
            Self::In(span) => now.after(span),
            Self::At(at) => at,
        }
    }
}

/// The text of a credential.
pub struct TokenText(SecretString);

impl TokenText {
    /// Reads the text of a credential.
    ///
    /// # Errors
    /// `request.invalid`: it is no JSON object of a bearable size, or has neither of the tokens. Never tells what it holds.
    pub fn parse(text: impl Into<SecretString>) -> Result<Self> {
        let text = Self(text.into());
        if text.0.expose_secret().len() > MAX_TEXT_BYTES {
            return Err(Error::invalid(format!("a credential has at most {MAX_TEXT_BYTES} bytes")));
        }
        if Members::parse(text.0.expose_secret()).is_none() {
            return Err(Error::invalid("a credential is a JSON object, such as a token file"));
        }
        if text.access_token().is_none() && text.refresh_token().is_none() {
            let names = [ACCESS, REFRESH].concat().into_iter().map(str::to_owned).collect();
            return Err(Error::invalid("a credential has an access token or a refresh token").valid_values(names));
        }
        let masked = |name| text.member(name).is_some_and(|value| value == MASK);
        if [ACCESS, REFRESH].concat().into_iter().any(masked) {
            return Err(Error::invalid("a token is masked: what was shown is not the credential itself"));
        }
        Ok(text)
    }

    /// The whole text.
    #[must_use]
    pub fn secret(&self) -> &SecretString {
        &self.0
    }

    /// The access token.
    #[must_use]
    pub fn access_token(&self) -> Option<SecretString> {
        ACCESS.into_iter().find_map(|name| self.member(name)).map(SecretString::from)
    }

    /// The refresh token.
    #[must_use]
    pub fn refresh_token(&self) -> Option<SecretString> {
        REFRESH.into_iter().find_map(|name| self.member(name)).map(SecretString::from)
    }

    /// When the access token expires. A time that counts from when the text was written does so from `written`.
    #[must_use]
    pub fn expires_at(&self, written: Timestamp) -> Option<Timestamp> {
        let members = self.members();
        let value = |name: &str| members.value(name).and_then(|value| serde_json::from_str::<Value>(value).ok());
        let absolute = EXPIRES_AT.into_iter().find_map(|name| expiry::parse_expiry(&value(name)?));
        absolute.or_else(|| {
            let seconds = EXPIRES_IN.into_iter().find_map(|name| seconds(&value(name)?))?;
            Some(written.after(Duration::from_secs(seconds)))
        })
    }

    /// A member that is a text with something in it.
    #[must_use]
    pub fn member(&self, name: &str) -> Option<String> {
        let value = self.members().value(name)?;
        serde_json::from_str::<String>(value).ok().filter(|text| !text.is_empty())
    }

    /// How it is refreshed, where it says so itself: the member `oauth`.
    #[must_use]
    pub fn oauth(&self) -> Option<&str> {
        self.members().value("oauth").filter(|value| value.starts_with('{'))
    }

    /// The text with what was issued in the members that it has for it. All others keep their bytes, but for those that the
    /// answer tells anew.
    ///
    /// # Errors
    /// `request.invalid` where it became too long.
    pub fn renewed(&self, issued: &Issued, now: Timestamp) -> Result<Self> {
        let members = self.members();
        let mut changes = Vec::new();
        let camel = members.value(ACCESS[1]).or_else(|| members.value(REFRESH[1])).is_some();
        let mut put = |names: &[&str; 2], secret: &SecretString| {
            let known: Vec<&str> = names.iter().copied().filter(|name| members.value(name).is_some()).collect();
            let names = if known.is_empty() { vec![names[usize::from(camel)]] } else { known };
            let literal = Value::from(secret.expose_secret()).to_string();
            changes.extend(names.into_iter().map(|name| (name.to_owned(), literal.clone())));
        };
        put(&ACCESS, &issued.access_token);
        if let Some(token) = &issued.refresh_token {
            put(&REFRESH, token);
        }
        changes.extend(expiry_changes(&members, camel, issued.expires.map(|expires| expires.at(now)), now));
        if members.value("last_refresh").is_some() {
            changes.push(("last_refresh".into(), Value::from(now.to_millis_text()).to_string()));
        }
        for (name, value) in &issued.others {
            let known = members.value(name).is_some_and(|value| !value.starts_with(['{', '[']));
            let ours = changes.iter().any(|(changed, _)| changed == name);
            if known && !ours && !value.as_str().starts_with(['{', '[']) && !is_token(name) {
                changes.push((name.clone(), value.as_str().to_owned()));
            }
        }
        Self::parse(members.with(&changes))
    }

    /// The text with a mask in place of all that may be secret.
    #[must_use]
    pub fn masked(&self) -> String {
        let members = self.members();
        let secret = members
            .iter()
            .filter(|(name, value)| !OPEN.contains(name) && value.starts_with(['"', '{', '[']) && *value != "\"\"");
        let changes: Vec<_> = secret.map(|(name, _)| (name.to_owned(), format!("\"{MASK}\""))).collect();
        members.with(&changes)
    }

    fn members(&self) -> Members<'_> {
        // It was an object when this was made.
        Members::parse(self.0.expose_secret()).unwrap_or_else(|| Members::parse("{}").expect("an object"))
    }
}

impl std::fmt::Debug for TokenText {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("TokenText(…)")
    }
}

/// Whether a member holds a token, or the time of one: what an answer says of it is said elsewhere.
fn is_token(name: &str) -> bool {
    [ACCESS, REFRESH, EXPIRES_IN].concat().contains(&name) || EXPIRES_AT.contains(&name)
}

/// A moment of expiry in the forms of the members that say it. One that is not known any more is said to be unknown: the
/// old one would be wrong.
fn expiry_changes(members: &Members<'_>, camel: bool, at: Option<Timestamp>, now: Timestamp) -> Vec<(String, String)> {
    let value = |name: &str| members.value(name).and_then(|value| serde_json::from_str::<Value>(value).ok());
    let usual = if camel { Form::Iso { millis: true } } else { Form::Millis { text: false } };
    let mut changes = Vec::new();
    for name in EXPIRES_AT {
        let Some(known) = value(name) else { continue };
        let form = expiry::read(&known).map_or(usual, |(_, form)| form);
        changes.push((name.to_owned(), at.map_or_else(|| "null".into(), |at| expiry::write(at, form))));
    }
    if let Some(at) = at.filter(|_| changes.is_empty()) {
        let name = if camel { "expiresAt" } else { "expiry_date" };
        changes.push((name.to_owned(), expiry::write(at, usual)));
    }
    let life = at.map(|at| (at.as_millis() - now.as_millis()).max(0) / 1_000);
    for name in EXPIRES_IN {
        let Some(known) = value(name) else { continue };
        let literal = life.map_or_else(|| "null".into(), |life| life.to_string());
        let literal = if known.is_string() && life.is_some() { format!("\"{literal}\"") } else { literal };
        changes.push((name.to_owned(), literal));
    }
    changes
}

/// A time in seconds, as a number or as digits.
#[must_use]
pub fn seconds(value: &Value) -> Option<u64> {
    match value {
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "it is held within the range")]
        Value::Number(number) => number.as_u64().or_else(|| number.as_f64().map(|float| float.max(0.0) as u64)),
        Value::String(text) => text.trim().parse().ok(),
        _ => None,
    }
}
