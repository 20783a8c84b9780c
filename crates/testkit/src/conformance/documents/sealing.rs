//! What texts are sealed with.

use super::desk::{Desk, LIMITS, name, put};
use crate::conformance::{Bed, cases};
use mainstay_core::documents::{ChangeDocument, DocumentLimits, NewBody, SealedRevision, StoredBody};
use mainstay_core::{Mint, RandomMint};

cases! {
    ($) documents_sealing_tests, documents::sealing:
    the_keys_that_revisions_are_sealed_with_are_known,
    a_revision_is_sealed_anew_without_a_change,
}

fn sealed(change: ChangeDocument, key: &str) -> ChangeDocument {
    let write = change.write.map(|new| NewBody { body: StoredBody { seal_key: Some(key.into()), ..new.body }, ..new });
    ChangeDocument { write, ..change }
}

async fn the_keys_that_revisions_are_sealed_with_are_known(bed: &Bed) {
    let desk = Desk { limits: DocumentLimits { max_revisions: 2, ..LIMITS }, ..Desk::new(bed) };
    let key = RandomMint.key_id().as_str().to_owned();
    let uses = async || desk.documents.seal_keys().await.expect("seal keys").contains(&key);
    assert!(!uses().await);
    desk.transact(vec![sealed(put("a/1", "1"), &key)]).await;
    assert_eq!(desk.read("a/1").await.expect("a document").body.seal_key.as_ref(), Some(&key));
    desk.put("a/1", "2").await;
    assert!(uses().await, "an earlier revision is sealed with it");
    desk.put("a/1", "3").await;
    assert!(!uses().await);
}

async fn a_revision_is_sealed_anew_without_a_change(bed: &Bed) {
    let desk = Desk::new(bed);
    let [old, new] = [(); 2].map(|()| RandomMint.key_id().as_str().to_owned());
    desk.transact(vec![sealed(put("a/é", "\"old\""), &old)]).await;
    desk.transact(vec![sealed(put("a/é", "\"old 2\""), &old), put("a/2", "1")]).await;
    let head = desk.head().await;
    let all = desk.documents.sealed_otherwise(&new, 100_000).await.expect("sealed");
    let mut here: Vec<_> = all.into_iter().filter(|found| found.namespace == desk.namespace).collect();
    here.sort_by_key(|found| found.revision);
    assert_eq!(here.len(), 2);
    assert_eq!(here[1].body.text.as_str(), "\"old 2\"");
    for found in here {
        assert_eq!((found.name.clone(), found.body.seal_key.as_ref()), (name("a/é"), Some(&old)));
        let body = StoredBody { text: found.body.text.clone(), seal_key: Some(new.clone()) };
        let again = SealedRevision { body, ..found };
        assert!(desk.documents.reseal(again.clone(), &old).await.expect("reseal"));
        assert!(!desk.documents.reseal(again, &old).await.expect("reseal"), "it is sealed with another key by now");
    }
    let keys = desk.documents.seal_keys().await.expect("seal keys");
    assert_eq!((keys.contains(&old), keys.contains(&new)), (false, true));
    assert_eq!(desk.head().await, head);
    assert_eq!(desk.read("a/é").await.expect("a document").revision, head.offset.0);
}
