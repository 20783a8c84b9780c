//! Writing documents.

use super::DocumentService;
use super::preparing::{Prepared, Preparing};
use crate::documents::REQUEST_MEMO_MS;
use crate::documents::port::{DocumentName, Transact, Transacted};
use crate::documents::refusals::{conflict, contended, full, memo_mismatch, not_found};
use crate::error::{Error, Result};
use crate::mail::RequestMemo;
use crate::text::hex;
use crate::{Caller, Scope};
use mainstay_api::documents::{Committed, MAX_CHANGES, Transaction, WriteDocument, WriteOp};
use mainstay_api::ids::RequestId;
use mainstay_api::{Epoch, Timestamp};
use sha2::{Digest, Sha256};
use std::collections::HashSet;

/// How often a change is tried again where somebody else was first.
const MAX_ATTEMPTS: u32 = 16;

impl DocumentService {
    /// Writes documents together, or none of them. With a request id, a repetition returns the first result. Where no
    /// revision was expected, a change that another one overtook is made again on what stands then.
    ///
    /// # Errors
    /// `documents.not_found`, `documents.version_conflict`, `documents.schema_violation`, `documents.full`,
    /// `request.id_reused`, `request.too_large`, or an invalid request.
    pub async fn write(
        &self,
        caller: &Caller,
        request: Option<RequestId>,
        transaction: &Transaction,
    ) -> Result<Committed> {
        caller.require(Scope::DocumentsWrite)?;
        check(&transaction.changes)?;
        let memo = self.memo(caller, request, transaction)?;
        for _ in 0..MAX_ATTEMPTS {
            let prepared = Preparing::new(self, &caller.namespace).all(&transaction.changes).await?;
            if transaction.dry_run {
                return self.look_ahead(caller, prepared).await;
            }
            let Prepared { changes, guards, told, named } = prepared;
            let transact = Transact {
                namespace: caller.namespace.clone(),
                changes,
                guards,
                memo: memo.clone(),
                by: caller.principal.to_string(),
                epoch: self.epoch()?,
                limits: self.rules.limits,
                now: self.clock.now(),
            };
            match self.store.transact(transact).await? {
                Transacted::Committed(position) => {
                    let count = told.len();
                    tracing::info!(revision = position.offset.0, count, by = %caller.principal, "documents changed");
                    return Ok(Committed { position: Some(position), replayed: false, changes: told });
                }
                Transacted::Replayed(position) => {
                    return Ok(Committed { position: Some(position), replayed: true, changes: Vec::new() });
                }
                Transacted::MemoMismatch => return Err(memo_mismatch()),
                Transacted::Full => return Err(full(self.rules.limits.max_documents)),
                Transacted::Conflict { name, current } if named.contains(&name) => {
                    return Err(conflict(&name, current));
                }
                Transacted::Conflict { name, current: 0 } if deletes(transaction, &name) => {
                    return Err(not_found(&name));
                }
                Transacted::Conflict { .. } => {}
            }
        }
        Err(contended(&first_name(transaction)))
    }

    /// What would become of a transaction that is only asked about.
    async fn look_ahead(&self, caller: &Caller, prepared: Prepared) -> Result<Committed> {
        let now = self.clock.now();
        let guards = prepared.guards.iter().map(|guard| (&guard.name, Some(guard.revision), false));
        let changes = prepared.changes.iter().map(|change| (&change.name, change.expected, change.write.is_none()));
        for (name, expected, must_be) in guards.chain(changes) {
            let found = self.store.document(&caller.namespace, name, now).await?;
            let current = found.map_or(0, |row| row.revision);
            if expected.is_some_and(|expected| expected != current) {
                return Err(conflict(name, current));
            }
            if must_be && current == 0 {
                return Err(not_found(name));
            }
        }
        Ok(Committed { position: None, replayed: false, changes: prepared.told })
    }

    fn memo(&self, caller: &Caller, id: Option<RequestId>, transaction: &Transaction) -> Result<Option<RequestMemo>> {
        let Some(id) = id else { return Ok(None) };
        let asked = serde_json::to_vec(transaction).map_err(|e| Error::bug(format!("a request is no JSON: {e}")))?;
        Ok(Some(RequestMemo {
            key: format!("{} {id}", caller.principal),
            fingerprint: hex(&Sha256::digest(&asked)[..16]),
            until: Timestamp::from_millis(self.clock.now().as_millis() + REQUEST_MEMO_MS),
        }))
    }

    /// The life that begins where nothing was ever written.
    fn epoch(&self) -> Result<Epoch> {
        let random = hex(&self.mint.secret()[..8]);
        Epoch::parse(random).map_err(|e| Error::bug(e.to_string()))
    }
}

fn check(writes: &[WriteDocument]) -> Result<()> {
    if writes.is_empty() || writes.len() > MAX_CHANGES {
        return Err(Error::invalid(format!("changes: {} of them; give 1 to {MAX_CHANGES}", writes.len())));
    }
    if writes.iter().all(|write| write.op == WriteOp::Check) {
        return Err(Error::invalid("changes: nothing but checks; there must be something to do"));
    }
    let mut names = HashSet::new();
    match writes.iter().find(|write| !names.insert((&write.collection, &write.key))) {
        Some(twice) => Err(Error::invalid(format!("changes: {}/{} is named twice", twice.collection, twice.key))),
        None => Ok(()),
    }
}

fn deletes(transaction: &Transaction, name: &DocumentName) -> bool {
    let same = |write: &&WriteDocument| write.collection == name.collection && write.key == name.key;
    transaction.changes.iter().find(same).is_some_and(|write| write.op == WriteOp::Delete)
}

fn first_name(transaction: &Transaction) -> DocumentName {
    let first = &transaction.changes[0];
    DocumentName { collection: first.collection.clone(), key: first.key.clone() }
}
