//! From answers of scripts to rows.

use bytes::Bytes;
use mainstay_core::api::{KeyId, SessionId, Timestamp, UserId};
use mainstay_core::identity::{ChallengeRow, KeyRow, SessionRow, Versioned};
use mainstay_core::{Error, Result};
use std::str::FromStr;

/// The flat answer of a script.
pub(super) type Flat = Vec<Vec<u8>>;

fn text(field: Option<&Vec<u8>>) -> Result<String> {
    let text = field.map(|bytes| String::from_utf8(bytes.clone()));
    text.transpose().ok().flatten().ok_or_else(|| broken("a text is missing, or not UTF-8"))
}

fn broken(what: &str) -> Error {
    Error::inconsistent(format!("a stored record of identity: {what}"))
}

/// A number, as its digits.
pub(super) fn number<T: FromStr>(field: Option<&Vec<u8>>) -> Result<T> {
    text(field)?.parse().map_err(|_| broken("a number is none"))
}

fn time(field: Option<&Vec<u8>>) -> Result<Timestamp> {
    number(field).map(Timestamp::from_millis)
}

fn id<T: FromStr>(field: Option<&Vec<u8>>) -> Result<T>
where
    T::Err: std::fmt::Display,
{
    text(field)?.parse().map_err(|e: T::Err| broken(&e.to_string()))
}

/// An empty text stands for none.
fn some(field: Option<&Vec<u8>>) -> Result<Option<String>> {
    Ok(Some(text(field)?).filter(|text| !text.is_empty()))
}

/// A version and a record.
pub(super) fn versioned(version: Option<&Vec<u8>>, document: Option<&Vec<u8>>) -> Result<Versioned> {
    let document = document.ok_or_else(|| broken("a record is missing"))?;
    Ok(Versioned { version: number(version)?, document: Bytes::from(document.clone()) })
}

/// A user, where there is one.
pub(super) fn user(part: &[Vec<u8>]) -> Result<Option<(UserId, Versioned)>> {
    if part.is_empty() {
        return Ok(None);
    }
    Ok(Some((id(part.first())?, versioned(part.get(1), part.get(2))?)))
}

/// A session.
pub(super) fn session(part: &[Vec<u8>]) -> Result<SessionRow> {
    Ok(SessionRow {
        id: id::<SessionId>(part.first())?,
        user: id(part.get(1))?,
        created_at: time(part.get(2))?,
        used_at: time(part.get(3))?,
        expires_at: time(part.get(4))?,
        from: some(part.get(5))?,
        agent: some(part.get(6))?,
    })
}

/// An API key.
pub(super) fn key(part: &[Vec<u8>]) -> Result<KeyRow> {
    let document = part.get(3).ok_or_else(|| broken("a record is missing"))?;
    Ok(KeyRow {
        id: id::<KeyId>(part.first())?,
        secret: text(part.get(1))?,
        used_at: some(part.get(2))?.map(|_| time(part.get(2))).transpose()?,
        document: Bytes::from(document.clone()),
    })
}

/// A challenge.
pub(super) fn challenge(part: &[Vec<u8>]) -> Result<ChallengeRow> {
    Ok(ChallengeRow { user: id(part.first())?, account: text(part.get(1))?, expires_at: time(part.get(2))? })
}
