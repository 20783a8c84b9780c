//! Looking through the trail, verifying it, and taking it out.

use super::{AuditService, may_read, visible};
use crate::audit::checkpoint::Notary;
use crate::audit::port::{Order, PageQuery, Sealed};
use crate::audit::verify::{StoreTrail, Verification};
use crate::audit::{fhir, ocsf};
use crate::error::{Error, Result};
use crate::{Caller, Scope};
use futures::stream::{self, BoxStream, StreamExt};
use mainstay_api::audit::{
    AuditChain, AuditChains, AuditEntry, AuditFormat, ChainId, ExportAudit, ListAudit, ListChains, MAX_ENTRIES,
    ReadStored, StoredEntries, StoredEntry, VerifyAudit, VerifyReport,
};
use mainstay_api::page::Page;
use mainstay_api::{Code, Timestamp};
use std::sync::Arc;

/// Entries of a page where the caller does not say.
const USUAL_LIMIT: u32 = 100;
/// Entries that are read from the store at a time.
const STEP: u32 = 500;
/// Entries that one call of a listing examines at most.
const MAX_EXAMINED: usize = 10_000;
/// By how much an entry may be older than the one before it: the clocks of nodes differ, and entries wait in a queue.
const MAX_SKEW_MS: i64 = 10 * 60 * 1_000;

impl AuditService {
    /// Lists entries, newest first.
    ///
    /// # Errors
    /// `auth.forbidden` for a chain that the caller may not see; an invalid limit or cursor.
    pub async fn list(&self, caller: &Caller, list: ListAudit) -> Result<Page<AuditEntry>> {
        let chain = visible(caller, list.chain.clone())?;
        let limit = limit(list.limit)? as usize;
        let mut before = list.cursor.as_deref().map(from_cursor).transpose()?.unwrap_or(u64::MAX);
        let (mut items, mut examined) = (Vec::new(), 0);
        let oldest = list.since.map(|since| since.as_millis().saturating_sub(MAX_SKEW_MS));
        loop {
            let rows = self.page(&chain, Order::Before(before), STEP).await?;
            if rows.is_empty() {
                return Ok(Page { items, next: None });
            }
            for row in rows {
                before = row.seq.min(before.saturating_sub(1));
                examined += 1;
                // What cannot be read was changed by somebody: that is told by a verification.
                let Ok(entry) = serde_json::from_str::<AuditEntry>(&row.body) else { continue };
                if oldest.is_some_and(|oldest| entry.at.as_millis() < oldest) {
                    return Ok(Page { items, next: None });
                }
                if passes(&list, &entry) {
                    items.push(entry);
                }
                if items.len() == limit || examined == MAX_EXAMINED {
                    let next = (before > 1).then(|| before.to_string());
                    return Ok(Page { items, next });
                }
            }
        }
    }

    /// One chain, or those that the caller may see, and where each begins and ends.
    ///
    /// # Errors
    /// `auth.forbidden`, and those of the store.
    pub async fn chains(&self, caller: &Caller, list: ListChains) -> Result<AuditChains> {
        may_read(caller)?;
        let mut ids = match (list.chain, caller.require_everywhere(Scope::AuditAdmin)) {
            (Some(chain), _) => vec![chain],
            (None, Ok(())) => self.store.chains().await?,
            (None, Err(_)) => vec![ChainId::Namespace(caller.namespace.clone())],
        };
        ids.sort();
        let mut chains = Vec::with_capacity(ids.len());
        for id in ids {
            chains.extend(self.chain(caller, id).await?);
        }
        Ok(AuditChains { chains, at: self.clock.now() })
    }

    async fn chain(&self, caller: &Caller, chain: ChainId) -> Result<Option<AuditChain>> {
        let chain = visible(caller, Some(chain))?;
        Ok(self.store.state(&chain).await?.map(|state| AuditChain {
            chain,
            seq: state.head.seq,
            hash: state.head.hash.to_string(),
            count: state.count,
            base_seq: state.base.seq,
            base_hash: state.base.hash.to_string(),
            trim: state.trim,
        }))
    }

    /// Entries as they are stored, for those who verify a chain themselves.
    ///
    /// # Errors
    /// `auth.forbidden`, an invalid limit, and those of the store.
    pub async fn stored(&self, caller: &Caller, read: ReadStored) -> Result<StoredEntries> {
        let chain = visible(caller, read.chain)?;
        let rows = self.page(&chain, Order::After(read.after.unwrap_or(0)), limit(read.limit)?).await?;
        let entry = |row: Sealed| StoredEntry { seq: row.seq, hash: row.hash.to_string(), body: row.body };
        Ok(StoredEntries { entries: rows.into_iter().map(entry).collect() })
    }

    /// Verifies one chain, or every one that the caller may see, against the checkpoints that this process can read.
    ///
    /// # Errors
    /// `auth.forbidden`, and those of the store; what is wrong with a chain is no error but a finding.
    pub async fn verify(&self, caller: &Caller, verify: VerifyAudit) -> Result<VerifyReport> {
        may_read(caller)?;
        let all = verify.chain.is_none() && caller.require_everywhere(Scope::AuditAdmin).is_ok();
        let only = if all { None } else { Some(visible(caller, verify.chain)?) };
        let notary = self.notary.as_deref();
        let trusted = match notary {
            Some(notary) => notary.public().await?.into_iter().collect(),
            None => Vec::new(),
        };
        let trail = StoreTrail(Arc::clone(&self.store));
        let notary = notary.map(|notary| notary as &dyn Notary);
        Verification { trail: &trail, notary, trusted, only, now: self.clock.now() }.run().await
    }

    /// Takes entries out, oldest first and up to the present end of the chain: text of whole lines, in pieces.
    ///
    /// # Errors
    /// `auth.forbidden`; the stream ends with those of the store.
    pub async fn export(&self, caller: &Caller, export: ExportAudit) -> Result<BoxStream<'static, Result<String>>> {
        let chain = visible(caller, export.chain.clone())?;
        let end = self.store.state(&chain).await?.map_or(0, |state| state.head.seq);
        let (store, after) = (Arc::clone(&self.store), export.after.unwrap_or(0));
        let pieces = stream::try_unfold(after, move |after| {
            let (store, chain, export) = (Arc::clone(&store), chain.clone(), export.clone());
            async move {
                if after >= end {
                    return Ok(None);
                }
                let query = PageQuery { chain, order: Order::After(after), limit: STEP };
                let rows = store.page(query).await?;
                let Some(last) = rows.iter().map(|row| row.seq).max() else { return Ok(None) };
                let lines = rows.iter().filter(|row| row.seq <= end).filter_map(|row| line(row, &export));
                let piece = lines.collect::<Result<Vec<_>>>()?.concat();
                Ok::<_, Error>(Some((piece, last.max(after + 1))))
            }
        });
        Ok(pieces.boxed())
    }

    async fn page(&self, chain: &ChainId, order: Order, limit: u32) -> Result<Vec<Sealed>> {
        self.store.page(PageQuery { chain: chain.clone(), order, limit }).await
    }
}

/// An entry in the form that was asked for; none where it does not belong to what was asked for.
fn line(row: &Sealed, export: &ExportAudit) -> Option<Result<String>> {
    let entry = serde_json::from_str::<AuditEntry>(&row.body);
    let within =
        |at: Timestamp| export.since.is_none_or(|since| at >= since) && export.until.is_none_or(|until| at < until);
    // What cannot be read has no other form, and its bytes are evidence.
    let Ok(entry) = entry else { return (export.format.unwrap_or_default() == AuditFormat::Jsonl).then(|| plain(row)) };
    if !within(entry.at) {
        return None;
    }
    let document = match export.format.unwrap_or_default() {
        AuditFormat::Jsonl => return Some(plain(row)),
        AuditFormat::Fhir => fhir::event(&entry, row.hash),
        AuditFormat::Ocsf => ocsf::event(&entry, row.hash),
    };
    Some(Ok(format!("{document}\n")))
}

fn plain(row: &Sealed) -> Result<String> {
    Ok(format!("{}\n", row.body))
}

fn passes(list: &ListAudit, entry: &AuditEntry) -> bool {
    let same = |asked: &Option<String>, is: Option<&str>| asked.as_deref().is_none_or(|asked| is == Some(asked));
    let (subject, resource) = (entry.subject.as_ref(), entry.resource.as_ref());
    same(&list.principal, Some(&entry.principal))
        && same(&list.user, subject.map(|subject| subject.user.as_str()))
        && same(&list.tenant, subject.map(|subject| subject.tenant.as_str()))
        && list.action.as_deref().is_none_or(|prefix| entry.action.starts_with(prefix))
        && list.class.is_none_or(|class| class == entry.class)
        && same(&list.resource_kind, resource.map(|resource| resource.kind.as_str()))
        && same(&list.resource_id, resource.and_then(|resource| resource.id.as_deref()))
        && list.outcome.is_none_or(|outcome| outcome == entry.outcome)
        && same(&list.request_id, entry.request_id.as_deref())
        && list.since.is_none_or(|since| entry.at >= since)
        && list.until.is_none_or(|until| entry.at < until)
}

fn limit(asked: Option<u32>) -> Result<u32> {
    let limit = asked.unwrap_or(USUAL_LIMIT);
    if (1..=MAX_ENTRIES).contains(&limit) {
        return Ok(limit);
    }
    Err(Error::invalid(format!("limit: {limit} is not between 1 and {MAX_ENTRIES}")))
}

fn from_cursor(cursor: &str) -> Result<u64> {
    cursor.parse().map_err(|_| {
        Error::new(
            Code::CursorInvalid,
            format!("{cursor:?} is not a cursor of this listing"),
            "Continue with `next` of the page before, or begin again without a cursor.",
        )
    })
}
