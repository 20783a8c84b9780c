//! Keys of the file `api-potluck-keys.json`, in and out. A secret goes on to work as it is; of it a digest is kept and, for the
//! way back, the record of the file sealed with the key ring.

use super::usage::parse_day;
use super::{GatewayKeyService, day_text};
use crate::error::{Error, Result};
use crate::jsontext::{Kind, Member, Node, merge_patch};
use crate::providers::keys::meter::digest;
use crate::providers::keys::port::{ChangeKey, KeyLimits, KeyOutcome, KeyRecord, Tally};
use crate::providers::keys::record::{Imported, KeyBody, Original};
use crate::providers::settings::readable;
use crate::secrets::{KeyRing, Place, key_id};
use crate::text::cut;
use crate::{Caller, Scope, secrets};
use mainstay_api::gateway::{ExportedGatewayKeys, ImportGatewayKeys, ImportedGatewayKeys, KeyNotImported};
use mainstay_api::providers::GatewayKeyId;
use mainstay_api::{Namespace, RawJson, Timestamp};
use secrecy::ExposeSecret;
use serde_json::{Map, Value};

/// Most keys of a file.
const MAX_IMPORTED: usize = 10_000;
/// Keys that a step of an export reads.
const PAGE: u32 = 100;
/// Shortest secret that is imported, in bytes: a short one can be guessed.
const MIN_SECRET_BYTES: usize = 8;

impl GatewayKeyService {
    /// Imports the keys of a file into the namespace of the call. A key that is there already stays as it is.
    ///
    /// # Errors
    /// An invalid request where the file has another form; `secrets.key_missing`; those of the store.
    pub async fn import(&self, caller: &Caller, import: ImportGatewayKeys) -> Result<ImportedGatewayKeys> {
        caller.require(Scope::GatewayAdmin)?;
        if !import.dry_run {
            self.ring()?;
        }
        let text = import.file.as_str();
        let root = Node::of(&import.file)?;
        let Kind::Object(members) = &root.kind else { return Err(another_form()) };
        let keys = root.member("keys").ok_or_else(another_form)?;
        let Kind::Object(keys) = &keys.value.kind else { return Err(another_form()) };
        if keys.len() > MAX_IMPORTED {
            return Err(Error::invalid(format!("file: it has more than {MAX_IMPORTED} keys")));
        }
        let others = members.iter().filter(|member| member.name != "keys").map(|member| member.name.clone());
        let mut report = ImportedGatewayKeys { ignored: others.collect(), ..ImportedGatewayKeys::default() };
        for (place, member) in (1..).zip(keys) {
            match self.import_one(caller, Entry { member, text, place }, import.dry_run).await {
                Ok(true) => report.created += 1,
                Ok(false) => report.unchanged += 1,
                Err(error) if error.code().entry().retryable => return Err(error),
                Err(error) => {
                    let name = name_of(member, text);
                    report.failed.push(KeyNotImported { place, name, cause: error.problem.detail });
                }
            }
        }
        Ok(report)
    }

    /// Imports a key; false where it is there already.
    async fn import_one(&self, caller: &Caller, entry: Entry<'_>, dry_run: bool) -> Result<bool> {
        let secret = &entry.member.name;
        let broken = || Error::invalid("its secret has less than 8 or more than 512 bytes");
        let digest = digest(secret).filter(|_| secret.len() >= MIN_SECRET_BYTES).ok_or_else(broken)?;
        let now = self.clock.now();
        if let Some(known) = self.store.key_of(&digest, now).await? {
            if known.namespace == caller.namespace {
                return Ok(false);
            }
            return Err(super::exists());
        }
        let original = entry.original()?;
        if !dry_run {
            self.store_new(self.record(caller, &entry, original, digest)?).await?;
        }
        Ok(true)
    }

    fn record(
        &self,
        caller: &Caller,
        entry: &Entry<'_>,
        (original, read): (RawJson, Map<String, Value>),
        digest: String,
    ) -> Result<KeyRecord> {
        let id = GatewayKeyId::parse(format!("gwk-{}", &digest[..16])).map_err(|e| Error::bug(e.to_string()))?;
        let ring = self.ring()?;
        let original = Original { secret: entry.member.name.clone(), record: original };
        let sealed = seal(ring, (&caller.namespace, &id), &original)?;
        let created_by = caller.principal.to_string();
        let imported = Some(Imported { place: entry.place, sealed });
        let name = cut(&name_of(entry.member, entry.text), super::MAX_NAME_BYTES);
        let body = KeyBody { name, models: Vec::new(), pools: Vec::new(), created_by, imported };
        let count = |name: &str| read.get(name).and_then(count_of);
        let small = |name: &str| count(name).map(|count| u32::try_from(count).unwrap_or(u32::MAX));
        let time = |name: &str| read.get(name).and_then(Value::as_str).and_then(|text| text.parse::<Timestamp>().ok());
        let day = read.get("lastResetDate").and_then(Value::as_str).and_then(|text| parse_day("", text).ok());
        let tally = Tally {
            requests: count("totalUsage").unwrap_or(0),
            requests_today: small("todayUsage").unwrap_or(0),
            day: day.unwrap_or(0),
            used_at: time("lastUsedAt"),
            ..Tally::default()
        };
        let bonus_requests = small("bonusRemaining").unwrap_or(0);
        let limits = KeyLimits { requests_per_day: small("dailyLimit"), bonus_requests, ..KeyLimits::default() };
        Ok(KeyRecord {
            id,
            digest,
            namespace: caller.namespace.clone(),
            body: body.write()?,
            seal_key: Some(ring.primary().id.clone()),
            limits,
            disabled: read.get("enabled") == Some(&Value::Bool(false)),
            expires_at: None,
            version: 1,
            created_at: time("createdAt").unwrap_or_else(|| self.clock.now()),
            tally,
        })
    }

    /// Writes imported keys as the file that they came from, with their secrets and what they used since. Members that are not
    /// known, and values that did not change, are as they were.
    ///
    /// # Errors
    /// `secrets.key_missing`, `secrets.unreadable`; those of the store.
    pub async fn export(&self, caller: &Caller) -> Result<ExportedGatewayKeys> {
        caller.require(Scope::GatewayAdmin)?;
        let (mut written, mut left_out) = (Vec::new(), Vec::new());
        let mut after = None;
        loop {
            let page = self.store.keys(&caller.namespace, after.as_ref(), PAGE, self.clock.now()).await?;
            let Some(last) = page.last() else { break };
            after = Some(last.id.clone());
            for record in page {
                match KeyBody::of(&record)? {
                    KeyBody { imported: Some(imported), name, .. } => {
                        let original = open(self.ring()?, (&record.namespace, &record.id), &imported.sealed)?;
                        let text = updated(&original, &record, &name)?;
                        written.push((imported.place, original.secret, text));
                    }
                    _ => left_out.push(record.id),
                }
            }
        }
        written.sort_by(|a, b| (a.0, &a.1).cmp(&(b.0, &b.1)));
        let keys: Vec<String> = written
            .iter()
            .map(|(_, secret, record)| format!("{}:{}", Value::String(secret.clone()), record.as_str()))
            .collect();
        let file = RawJson::parse(&format!("{{\"keys\":{{{}}}}}", keys.join(",")));
        let file = file.map_err(|e| Error::bug(format!("keys cannot be written: {e}")))?;
        Ok(ExportedGatewayKeys { file, left_out })
    }

    /// Seals the originals of imported keys with the primary key of the ring; returns how many were sealed with another.
    /// Doing it twice is doing it once.
    ///
    /// # Errors
    /// `secrets.key_missing`, `secrets.unreadable`; those of the store.
    pub async fn reseal(&self, caller: &Caller) -> Result<u32> {
        caller.require_everywhere(Scope::GatewayAdmin)?;
        self.check_ring().await?;
        let mut resealed = 0;
        for namespace in self.store.key_namespaces().await? {
            let mut after: Option<GatewayKeyId> = None;
            loop {
                let page = self.store.keys(&namespace, after.as_ref(), PAGE, self.clock.now()).await?;
                let Some(last) = page.last() else { break };
                after = Some(last.id.clone());
                for record in page {
                    resealed += u32::from(self.reseal_one(record).await?);
                }
            }
        }
        Ok(resealed)
    }

    async fn reseal_one(&self, mut record: KeyRecord) -> Result<bool> {
        if record.seal_key.is_none() {
            return Ok(false);
        }
        let ring = self.ring()?;
        while record.seal_key.as_ref() != Some(&ring.primary().id) {
            let mut body = KeyBody::of(&record)?;
            let Some(imported) = &mut body.imported else { return Ok(false) };
            let original = open(ring, (&record.namespace, &record.id), &imported.sealed)?;
            imported.sealed = seal(ring, (&record.namespace, &record.id), &original)?;
            let now = self.clock.now();
            let seal_key = key_id(&imported.sealed).map(str::to_owned);
            let wanted = KeyRecord { body: body.write()?, seal_key, ..record.clone() };
            match self.store.change_key(ChangeKey { record: wanted, now }).await? {
                KeyOutcome::Stored(_) => return Ok(true),
                KeyOutcome::Conflict(_) => {
                    let Some(again) = self.store.key(&record.namespace, &record.id, now).await? else {
                        return Ok(false);
                    };
                    record = again;
                }
                _ => return Ok(false),
            }
        }
        Ok(false)
    }

    /// The keys of the ring that something is sealed with.
    ///
    /// # Errors
    /// Those of the store.
    pub async fn seal_keys(&self, caller: &Caller) -> Result<Vec<String>> {
        caller.require_everywhere(Scope::GatewayAdmin)?;
        self.store.seal_keys().await
    }

    /// Checks that every key is in the ring that something in the store is sealed with.
    ///
    /// # Errors
    /// `secrets.key_missing`, naming the keys.
    pub async fn check_ring(&self) -> Result<()> {
        secrets::check(self.rules.ring.as_ref(), self.store.seal_keys().await?)
    }

    fn ring(&self) -> Result<&KeyRing> {
        secrets::needed(self.rules.ring.as_ref(), "this server has no key ring to seal secrets with")
    }
}

/// A key of a file.
struct Entry<'a> {
    member: &'a Member,
    text: &'a str,
    place: u32,
}

impl Entry<'_> {
    /// Its record, as it is and with its members.
    fn original(&self) -> Result<(RawJson, Map<String, Value>)> {
        let original = RawJson::parse(self.member.value.text(self.text)).map_err(|e| Error::bug(e.to_string()))?;
        let members =
            readable(original.as_str()).ok_or_else(|| Error::invalid("it is no object with the members of a key"))?;
        Ok((original, members))
    }
}

fn another_form() -> Error {
    Error::invalid("file: an object with the member `keys`, an object of keys by their secrets, is wanted")
}

/// The name of a key of a file; what it is called where it has none says nothing of its secret.
fn name_of(member: &Member, text: &str) -> String {
    let name = member.value.member("name").map(|name| name.value.text(text));
    let name = name.and_then(|text| serde_json::from_str::<String>(text).ok());
    name.filter(|name| !name.trim().is_empty()).unwrap_or_else(|| "imported".into())
}

/// A count of a file; none where there is no limit, which is written as null or below zero.
fn count_of(value: &Value) -> Option<u64> {
    value.as_u64().or_else(|| {
        value.as_f64().filter(|number| *number >= 0.0).and_then(|number| format!("{number:.0}").parse().ok())
    })
}

fn seal(ring: &KeyRing, (namespace, id): (&Namespace, &GatewayKeyId), original: &Original) -> Result<String> {
    let owner = format!("{namespace}/{id}");
    let text = serde_json::to_vec(original).map_err(|e| Error::bug(format!("a key cannot be written: {e}")))?;
    ring.seal(Place { purpose: "gateway-key", owner: &owner }, &text)
}

fn open(ring: &KeyRing, (namespace, id): (&Namespace, &GatewayKeyId), sealed: &str) -> Result<Original> {
    let owner = format!("{namespace}/{id}");
    let opened = ring.open(Place { purpose: "gateway-key", owner: &owner }, sealed)?;
    serde_json::from_slice(opened.expose_secret()).map_err(|_| Error::inconsistent("the original of an imported key"))
}

/// The record of a file with what changed since it was imported.
fn updated(original: &Original, record: &KeyRecord, name: &str) -> Result<RawJson> {
    let was = readable(original.record.as_str()).ok_or_else(|| Error::inconsistent("an imported key"))?;
    let mut patch = Map::new();
    let mut count = |name: &str, now: Option<u64>| {
        if was.get(name).and_then(count_of).unwrap_or(0) != now.unwrap_or(0) {
            patch.insert(name.to_owned(), now.map_or(Value::from(-1), Value::from));
        }
    };
    let (limits, tally) = (&record.limits, &record.tally);
    count("totalUsage", Some(tally.requests));
    count("todayUsage", Some(tally.requests_today.into()));
    count("bonusRemaining", Some(limits.bonus_requests.saturating_sub(tally.bonus_used).into()));
    if was.get("dailyLimit").and_then(count_of) != limits.requests_per_day.map(u64::from) {
        patch.insert("dailyLimit".into(), limits.requests_per_day.map_or(Value::from(-1), Value::from));
    }
    let day = was.get("lastResetDate").and_then(Value::as_str).and_then(|text| parse_day("", text).ok());
    if day.unwrap_or(0) != tally.day {
        patch.insert("lastResetDate".into(), day_text(tally.day).into());
    }
    let used = was.get("lastUsedAt").and_then(Value::as_str).and_then(|text| text.parse::<Timestamp>().ok());
    if used != tally.used_at {
        patch.insert("lastUsedAt".into(), tally.used_at.map_or(Value::Null, |at| at.to_millis_text().into()));
    }
    if (was.get("enabled") == Some(&Value::Bool(false))) != record.disabled {
        patch.insert("enabled".into(), (!record.disabled).into());
    }
    let was_named = was.get("name").and_then(Value::as_str).filter(|name| !name.trim().is_empty());
    if cut(was_named.unwrap_or("imported"), super::MAX_NAME_BYTES) != name {
        patch.insert("name".into(), name.into());
    }
    let patch = RawJson::of(&patch).map_err(|e| Error::bug(e.to_string()))?;
    merge_patch(&original.record, &patch)
}
