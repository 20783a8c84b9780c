//! From what is written to what is stored: checked, sealed, and compared with what stands.

use super::{ProviderService, owner};
use crate::error::{Error, Result};
use crate::providers::records::{PoolName, ProviderSettings, Traits};
use crate::providers::refusals::too_large;
use crate::providers::settings::{Offer, check_provider, readable};
use crate::secrets::members::{Step, masked};
use mainstay_api::RawJson;
use mainstay_api::providers::{MAX_SETTINGS_BYTES, ProviderId};
use secrecy::ExposeSecret;
use serde_json::{Map, Value};

/// Largest settings as they are stored: sealed secrets are longer than they were.
const MAX_STORED_BYTES: usize = 2 * MAX_SETTINGS_BYTES;
/// The id that is the name of an action on all providers of a pool.
const RESERVED: &str = "reset";

/// Settings of a provider that are ready for the store.
pub(super) struct Prepared {
    pub body: RawJson,
    pub traits: Traits,
    pub seal_key: Option<String>,
    /// Whether they say what the settings before them say, byte for byte.
    pub same: bool,
}

impl ProviderService {
    /// Checks settings and seals their secrets. Where they say what stands already, they are what stands: sealing them anew would be
    /// a change that nobody made.
    pub(super) fn prepare(
        &self,
        pool: &PoolName,
        id: &ProviderId,
        (text, before): (&RawJson, Option<&ProviderSettings>),
    ) -> Result<Prepared> {
        if id.as_str() == RESERVED {
            return Err(Error::invalid(format!("provider: {RESERVED:?} cannot be the id of a provider")));
        }
        measure(&format!("the provider {id}"), text, MAX_SETTINGS_BYTES)?;
        let owner = owner(pool, id);
        let marks = marks(&members(text)?);
        let sealed = self.sealing(&owner, &marks).seal(text, before.map(|settings| &settings.body))?;
        let opened = sealed.opened.expose_secret();
        let members = readable(opened).ok_or_else(no_object)?;
        check_provider(&members).map_err(|error| of_provider(error, id))?;
        measure(&format!("the provider {id}, with its sealed secrets,"), &sealed.stored, MAX_STORED_BYTES)?;
        let traits = Offer::of(&members).traits;
        if let Some(before) = before
            && before.traits == traits
            && self.open(pool, id, &before.body)?.as_str() == opened
        {
            let (body, seal_key) = (before.body.clone(), before.seal_key.clone());
            return Ok(Prepared { body, traits, seal_key, same: true });
        }
        Ok(Prepared { body: sealed.stored, traits, seal_key: sealed.seal_key, same: false })
    }

    /// Settings with their secrets.
    pub(super) fn open(&self, pool: &PoolName, id: &ProviderId, body: &RawJson) -> Result<RawJson> {
        let opened = self.sealing(&owner(pool, id), &[]).open(body)?;
        RawJson::parse(opened.expose_secret()).map_err(|_| Error::inconsistent("opened settings are no JSON"))
    }

    /// Settings as they are shown.
    pub(super) fn shown(
        &self,
        (pool, id): (&PoolName, &ProviderId),
        settings: &ProviderSettings,
        reveal: bool,
    ) -> Result<RawJson> {
        if reveal { self.open(pool, id, &settings.body) } else { masked(&settings.body) }
    }
}

/// Refuses settings that are too large.
pub(super) fn measure(what: &str, text: &RawJson, most: usize) -> Result<()> {
    let bytes = text.as_str().len();
    if bytes > most { Err(too_large(what, bytes, most)) } else { Ok(()) }
}

/// The members of settings.
pub(super) fn members(text: &RawJson) -> Result<Map<String, Value>> {
    readable(text.as_str()).ok_or_else(no_object)
}

/// What is secret though its name does not say so: headers that are added, and addresses with a password in them.
fn marks(members: &Map<String, Value>) -> Vec<Vec<Step>> {
    let name = |name: &str| Step::Name(name.to_owned());
    let with_password = members.iter().filter(|(_, value)| value.as_str().is_some_and(names_a_user));
    let mut marks: Vec<Vec<Step>> = with_password.map(|(member, _)| vec![name(member)]).collect();
    marks.push(vec![name("headers"), name("add"), Step::Any]);
    marks
}

/// Whether a text is an address that names a user before its host, and so perhaps a password.
fn names_a_user(text: &str) -> bool {
    let rest = text.split_once("://").map(|(_, rest)| rest);
    rest.and_then(|rest| rest.split(['/', '?', '#']).next()).is_some_and(|host| host.contains('@'))
}

fn no_object() -> Error {
    Error::invalid("settings: they must be a JSON object")
}

fn of_provider(mut error: Error, id: &ProviderId) -> Error {
    error.problem.detail = format!("provider {id}: {}", error.problem.detail);
    error
}
