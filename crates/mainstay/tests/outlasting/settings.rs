//! What is asked of nothing but the copy.

use crate::node::{Node, id, pool, redis};
use mainstay_core::Error;
use mainstay_core::api::Code;
use mainstay_core::api::Namespace;
use mainstay_core::documents::{DocumentStore, HistoryQuery};
use mainstay_core::outage::noting;
use mainstay_core::providers::credentials::{CredentialOutcome, CredentialStore, PutCredential};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_last_known_credential_is_read_and_an_answer_from_a_copy_says_its_age() {
    let (redis, folder) = (redis().await, tempfile::tempdir().unwrap());
    let node = Node::start(redis.port(), folder.path()).await;
    node.seed().await;
    let put = PutCredential {
        pool: pool(),
        provider: id("a"),
        sealed: "sealed".into(),
        seal_key: "k1".into(),
        expires_at: None,
        refresh_at: None,
        expected: None,
        now: node.now(),
    };
    let stored = node.stores.credentials.put_credential(put.clone()).await.unwrap();
    let CredentialOutcome::Stored(version) = stored else { panic!("{stored:?}") };
    // Counters and what stands beside them are read anew after ten seconds.
    for _ in 0..11 {
        node.look().await;
    }
    redis.kill();
    node.is_away().await;
    node.clock.advance(5_000);
    let pools = node.documents.pools();
    let (read, noted) = noting(pools.credential(&pool(), &id("a"))).await;
    assert_eq!(read.unwrap().map(|found| (found.version, found.sealed)), Some((version, "sealed".into())));
    assert!(noted.stale_ms.is_some_and(|age| age >= 5_000), "{noted:?}");
    let code = |answer: Result<_, Error>| answer.map(|_: CredentialOutcome| ()).unwrap_err().code();
    assert_eq!(code(pools.put_credential(put).await), Code::StoreUnavailable);
    let name = mainstay_core::documents::DocumentName {
        collection: mainstay_core::api::documents::CollectionName::parse("settings").unwrap(),
        key: mainstay_core::api::documents::DocumentKey::parse("main").unwrap(),
    };
    let query = HistoryQuery { namespace: Namespace::default(), name, before: None, limit: 10 };
    assert_eq!(node.documents.history(query).await.unwrap_err().code(), Code::StoreUnavailable);
}
