//! From answers of scripts to credentials.

use mainstay_core::api::Timestamp;
use mainstay_core::providers::credentials::{CredentialRecord, RefreshStanding};
use mainstay_core::{Error, Result};
use std::str::FromStr;

/// The flat answer of a script.
pub(super) type Flat = Vec<String>;

/// How many fields a credential has.
const FIELDS: usize = 13;

/// A record that cannot be.
pub(super) fn broken(what: &str) -> Error {
    Error::inconsistent(format!("a stored credential: {what}"))
}

/// A credential from its fields in their order.
pub(super) fn record(fields: &[String]) -> Result<CredentialRecord> {
    let [version, sealed, key, expires, refresh, updated, fence, until, holder, doubt, failures, not_before, dead] =
        fields
    else {
        return Err(broken(&format!("it has {} fields, not {FIELDS}", fields.len())));
    };
    Ok(CredentialRecord {
        version: number(version)?,
        sealed: sealed.clone(),
        seal_key: key.clone(),
        expires_at: time(expires)?,
        refresh_at: time(refresh)?,
        updated_at: time(updated)?.ok_or_else(|| broken("it has no time"))?,
        refresh: RefreshStanding {
            fence: number(fence)?,
            held_until: time(until)?,
            holder: some(holder),
            in_doubt: doubt == "1",
            failures: some(failures).map_or(Ok(0), |failures| number(&failures))?,
            not_before: time(not_before)?,
            dead: some(dead),
        },
    })
}

/// A number, as its digits.
pub(super) fn number<T: FromStr>(text: &str) -> Result<T> {
    text.parse().map_err(|_| broken("a number is none"))
}

/// A time; an empty text stands for none.
pub(super) fn time(text: &str) -> Result<Option<Timestamp>> {
    some(text).map(|text| number(&text).map(Timestamp::from_millis)).transpose()
}

/// An empty text stands for none.
fn some(text: &str) -> Option<String> {
    Some(text.to_owned()).filter(|text| !text.is_empty())
}
