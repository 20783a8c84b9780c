//! Gateway keys. A key that is there is never replaced: what it used since the import is worth more than what a file says.

use super::super::keys::{merged, records};
use super::super::picture::{Failed, KEYS_FILE};
use super::super::plan::{LEGACY, Place, Sealed, named, sealed};
use super::super::report::Report;
use super::{Writing, boxed, texts};
use mainstay_api::gateway::ImportGatewayKeys;
use mainstay_api::{Code, Problem, RawJson};
use mainstay_client::Client;
use std::collections::{BTreeMap, BTreeSet};

/// The imported file, and what it is now.
struct KeyFile {
    imported: Option<RawJson>,
    now: Option<RawJson>,
}

impl KeyFile {
    /// Reads both.
    async fn read(client: &Client) -> Result<Self, Box<Problem>> {
        let imported = match texts::read(client, &place()?).await? {
            Some(stored) => stored.text.read::<Sealed>().ok().and_then(|sealed| RawJson::parse(&sealed.secret).ok()),
            None => None,
        };
        let standing = client.gateway_keys().export().await.map_err(boxed)?.file;
        let now = merged(imported.as_ref(), &standing);
        Ok(Self { imported, now })
    }
}

/// The file of gateway keys as it is now; absent where none was imported.
///
/// # Errors
/// Those of the store.
pub async fn read(client: &Client) -> Result<Option<RawJson>, Box<Problem>> {
    Ok(KeyFile::read(client).await?.now)
}

fn place() -> Result<Place, Box<Problem>> {
    let name = named(LEGACY, KEYS_FILE);
    name.map(Place::Document).map_err(|reason| problem(&reason))
}

fn problem(reason: &str) -> Box<Problem> {
    Box::new(Problem::new(Code::InvalidRequest, reason, "Mend the file, and import again."))
}

/// Makes the keys that are not there, and keeps the file that they are written into again.
pub(super) async fn apply(writing: Writing<'_>, file: &RawJson, report: &mut Report) -> Result<(), Box<Problem>> {
    let Writing { client, options, origin } = writing;
    let before = KeyFile::read(client).await?;
    let import = ImportGatewayKeys { file: file.clone(), dry_run: options.dry_run };
    let imported = client.gateway_keys().import(&import).await.map_err(boxed)?;
    report.created += imported.created as usize;
    report.unchanged += imported.unchanged as usize;
    let refused: BTreeSet<u32> = imported.failed.iter().map(|key| key.place).collect();
    for key in imported.failed {
        let origin = format!("{origin}: key {} ({})", key.place, key.name);
        report.failed.push(Failed { origin, reason: key.cause });
    }
    keep_others(origin, file, &before, report);
    if before.now.as_ref() == Some(file) {
        report.unchanged += 1;
        report.verified += 1;
    } else {
        let text = sealed(file.as_str()).map_err(|reason| problem(&reason))?;
        texts::apply(writing, (&place()?, &text), report).await?;
    }
    if !options.dry_run {
        verify(writing, file, &refused, report).await?;
    }
    Ok(())
}

/// Tells of keys that are there otherwise than the file says, and than the file said that they came from.
fn keep_others(origin: &str, file: &RawJson, before: &KeyFile, report: &mut Report) {
    let of = |file: &Option<RawJson>| -> BTreeMap<String, RawJson> {
        file.as_ref().map(records).unwrap_or_default().into_iter().collect()
    };
    let (imported, now) = (of(&before.imported), of(&before.now));
    for (place, (secret, record)) in (1..).zip(records(file)) {
        let Some(known) = now.get(&secret) else { continue };
        if *known != record && imported.get(&secret) != Some(&record) {
            let reason = "the key is there otherwise, and is left so; `mainstay gateway key change` changes it";
            report.keep(&format!("{origin}: key {place}"), reason);
        }
    }
}

async fn verify(
    Writing { client, origin, .. }: Writing<'_>,
    file: &RawJson,
    refused: &BTreeSet<u32>,
    report: &mut Report,
) -> Result<(), Box<Problem>> {
    let now = read(client).await?.as_ref().map(records).unwrap_or_default();
    let there: BTreeSet<&str> = now.iter().map(|(secret, _)| secret.as_str()).collect();
    for (place, (secret, _)) in (1..).zip(records(file)) {
        if there.contains(secret.as_str()) {
            report.verified += 1;
        } else if !refused.contains(&place) {
            let reason = "what was written was not read back; somebody may have changed it meanwhile".into();
            report.failed.push(Failed { origin: format!("{origin}: key {place}"), reason });
        }
    }
    Ok(())
}
