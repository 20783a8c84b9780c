//! What the benchmarks send to a server by themselves, to measure what this crate adds to it. No part of the API.

use crate::keys::{Keys, encode};
use crate::mail::params;
use crate::scripts;
use mainstay_core::Result;
use mainstay_core::mail::Append;

/// The text of the script that appends a message.
#[must_use]
pub fn append_script() -> String {
    scripts::MAIL_APPEND.source()
}

/// The key and the arguments with which the script appends this message.
///
/// # Errors
/// The prefix cannot be used.
pub fn append_call(append: &Append, prefix: &str) -> Result<(String, [Vec<u8>; 3])> {
    let keys = Keys::new(prefix)?;
    let key = keys.mail(&encode(append.namespace.as_str()));
    let args = [params::append(append, &keys)?, append.document.to_vec(), append.subject_folded.clone().into_bytes()];
    Ok((key, args))
}
