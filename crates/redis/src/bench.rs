//! What the benchmarks send to a server by themselves, to measure what this crate adds to it. No part of the API.

use crate::conversations::params as conversation_params;
use crate::keys::{Keys, encode};
use crate::mail::params;
use crate::providers::{Place, params as provider_params};
use crate::scripts;
use mainstay_core::Result;
use mainstay_core::conversations;
use mainstay_core::mail::Append;
use mainstay_core::providers::{Choose, Finish, FinishUses};

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

/// The text of the script that appends to a conversation.
#[must_use]
pub fn conversation_append_script() -> String {
    scripts::CONVERSATIONS_APPEND.source()
}

/// The key and the arguments with which the script appends these messages.
///
/// # Errors
/// The prefix cannot be used.
pub fn conversation_append_call(append: &conversations::Append, prefix: &str) -> Result<(String, Vec<Vec<u8>>)> {
    let keys = Keys::new(prefix)?;
    let workflow = append.workflow.clone().unwrap_or_default();
    let mut args = vec![conversation_params::append(append, &keys)?, workflow.to_vec()];
    args.extend(append.documents.iter().map(|document| document.to_vec()));
    Ok((keys.conversations(&append.at.owner), args))
}

/// The text of the script that chooses a provider.
#[must_use]
pub fn choose_script() -> String {
    scripts::PROVIDERS_CHOOSE.source()
}

/// The key and the arguments with which the script makes this choice.
///
/// # Errors
/// The prefix cannot be used.
pub fn choose_call(choose: &Choose, prefix: &str) -> Result<(String, Vec<String>)> {
    Ok((Place::of(&choose.pool, &Keys::new(prefix)?).key, provider_params::choose(choose)))
}

/// The text of the script that ends uses of providers.
#[must_use]
pub fn finish_script() -> String {
    scripts::PROVIDERS_FINISH.source()
}

/// The key and the first arguments with which the script ends these uses. Those of each use follow.
///
/// # Errors
/// The prefix cannot be used.
pub fn finish_call(uses: &FinishUses, prefix: &str) -> Result<(String, Vec<String>)> {
    let keys = Keys::new(prefix)?;
    let place = Place::of(&uses.pool, &keys);
    Ok((place.key, vec![provider_params::rules(&uses.rules, uses.now), keys.channel(), place.wake]))
}

/// The arguments of one use that is over.
#[must_use]
pub fn ended_arguments(ended: &Finish) -> Vec<String> {
    provider_params::ended(ended).collect()
}
