//! The trail as the API shows it, for a verification that does not trust the server.

use async_trait::async_trait;
use mainstay_api::audit::{AuditChain, ChainId, ListChains, ReadStored};
use mainstay_client::{Client, ClientError};
use mainstay_core::audit::{ChainState, Hash, Head, Order, PageQuery, Sealed, Trail};
use mainstay_core::{Error, Result};

/// A trail behind a client.
pub struct ApiTrail<'a>(pub &'a Client);

#[async_trait]
impl Trail for ApiTrail<'_> {
    async fn chains(&self) -> Result<Vec<ChainId>> {
        let listed = self.0.audit().chains(&ListChains::default()).await.map_err(failed)?;
        Ok(listed.chains.into_iter().map(|chain| chain.chain).collect())
    }

    async fn state(&self, chain: &ChainId) -> Result<Option<ChainState>> {
        let list = ListChains { chain: Some(chain.clone()) };
        let listed = self.0.audit().chains(&list).await.map_err(failed)?;
        listed.chains.into_iter().next().map(state).transpose()
    }

    async fn page(&self, query: PageQuery) -> Result<Vec<Sealed>> {
        let (Order::After(after) | Order::Before(after)) = query.order;
        let read = ReadStored { chain: Some(query.chain), after: Some(after), limit: Some(query.limit) };
        let stored = self.0.audit().stored(&read).await.map_err(failed)?;
        // A hash that is none counts as one that does not fit.
        let sealed = |entry: mainstay_api::audit::StoredEntry| Sealed {
            seq: entry.seq,
            hash: Hash::parse(&entry.hash).unwrap_or(Hash::GENESIS),
            body: entry.body,
        };
        Ok(stored.entries.into_iter().map(sealed).collect())
    }
}

fn state(chain: AuditChain) -> Result<ChainState> {
    Ok(ChainState {
        head: Head { seq: chain.seq, hash: Hash::parse(&chain.hash)? },
        count: chain.count,
        base: Head { seq: chain.base_seq, hash: Hash::parse(&chain.base_hash)? },
        trim: chain.trim,
    })
}

fn failed(error: ClientError) -> Error {
    Error { problem: Box::new(error.problem()), internal: None }
}
