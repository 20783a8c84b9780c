//! A chain of one's own, and what the cases do with it.

use crate::conformance::Bed;
use mainstay_core::api::audit::{AuditClass, ChainId};
use mainstay_core::audit::{
    Append, Appended, AuditStore, ChainState, Head, Order, PageQuery, Record, Sealed, Stamp, Trim, Trimmed, seal,
};
use std::sync::Arc;

pub struct Trail<'a> {
    pub store: Arc<dyn AuditStore>,
    pub chain: ChainId,
    bed: &'a Bed,
}

impl<'a> Trail<'a> {
    pub fn new(bed: &'a Bed) -> Self {
        Self::of(bed, ChainId::Namespace(bed.namespace()))
    }

    pub fn of(bed: &'a Bed, chain: ChainId) -> Self {
        Self { store: Arc::clone(&bed.stores().audit), chain, bed }
    }

    /// Entries that follow a place, one for each name.
    pub fn entries(&self, after: Head, names: &[&str]) -> Vec<Sealed> {
        let (mut head, stamp) = (after, Stamp { at: self.bed.now(), nonce: "0".into() });
        let record = |name: &&str| Record { chain: self.chain.clone(), ..Record::system(*name, AuditClass::System) };
        let sealed = names.iter().map(record).map(|record| {
            let sealed = seal(&record, &stamp, &head).expect("an entry");
            head = sealed.head();
            sealed
        });
        sealed.collect()
    }

    pub async fn append(&self, expected: Head, entries: &[Sealed]) -> Appended {
        let append = Append { chain: self.chain.clone(), expected, entries: entries.to_vec() };
        self.store.append(append).await.expect("append")
    }

    /// Appends one entry for each name behind whatever is the head.
    pub async fn write(&self, names: &[&str]) -> Vec<Sealed> {
        let head = self.state().await.map_or(Head::GENESIS, |state| state.head);
        let entries = self.entries(head, names);
        assert_eq!(self.append(head, &entries).await, Appended::Appended);
        entries
    }

    pub async fn state(&self) -> Option<ChainState> {
        self.store.state(&self.chain).await.expect("state")
    }

    pub async fn page(&self, order: Order, limit: u32) -> Vec<Sealed> {
        self.store.page(PageQuery { chain: self.chain.clone(), order, limit }).await.expect("page")
    }

    pub async fn all(&self) -> Vec<Sealed> {
        self.page(Order::After(0), 1_000).await
    }

    pub async fn trim(&self, base: Head, statement: &str) -> Trimmed {
        let trim = Trim { chain: self.chain.clone(), base, statement: statement.into() };
        self.store.trim(trim).await.expect("trim")
    }
}
