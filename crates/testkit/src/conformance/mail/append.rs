//! Sending: what is stored, under which id and offset, and what a request id remembers.

use super::desk::{Desk, after, document, ids, instance, memo, message_id};
use crate::conformance::{Bed, cases};
use mainstay_core::mail::{Append, Appended, InboxLimits, ListQuery, RequestMemo};

cases! {
    ($) mail_append_tests, mail::append:
    a_message_reaches_each_named_recipient_and_nobody_else,
    a_sender_that_names_itself_receives_its_message,
    a_document_comes_back_byte_for_byte,
    offsets_grow_and_follow_the_clock_given,
    offsets_grow_where_the_clock_goes_back,
    an_epoch_is_the_same_in_every_answer,
    an_epoch_seen_before_the_first_message_is_that_of_the_first_message,
    an_id_that_exists_is_refused_and_the_first_message_stands,
    one_id_may_be_used_once_in_each_namespace,
    a_repeated_request_id_returns_the_first_message_and_stores_nothing,
    a_repeated_request_id_wins_over_every_other_outcome,
    a_request_id_with_another_fingerprint_is_refused,
    a_request_id_is_remembered_until_its_end_and_not_longer,
    a_refused_append_is_not_remembered_under_its_request_id,
    a_request_id_belongs_to_one_namespace,
    what_a_request_id_did_can_be_recalled_without_doing_it,
}

async fn a_message_reaches_each_named_recipient_and_nobody_else(bed: &Bed) {
    let desk = Desk::new(bed);
    let appended = desk.append(desk.letter("m1", &["ada", "bob"])).await;
    assert!(matches!(appended, Appended::Stored { delivered: 2, .. }), "{appended:?}");
    desk.store(desk.note("m2", &["ada"])).await;

    assert_eq!(desk.tail("ada").await, ["m1", "m2"]);
    assert_eq!(desk.tail("bob").await, ["m1"]);
    assert_eq!(desk.tail("lead").await, [""; 0]);
    assert_eq!(desk.counts("ada").await, (2, 2, 1));
    assert_eq!(desk.counts("bob").await, (1, 1, 1));
    assert_eq!(desk.counts("lead").await, (0, 0, 0));
    let row = desk.row("m1").await;
    assert_eq!((row.delivery.delivered, row.delivery.read, row.delivery.acknowledged), (2, 0, 0));
    assert!(!row.settled);
}

async fn a_sender_that_names_itself_receives_its_message(bed: &Bed) {
    let desk = Desk::new(bed);
    desk.store(desk.letter("m1", &["lead"])).await;
    assert_eq!(desk.tail("lead").await, ["m1"]);
}

async fn a_document_comes_back_byte_for_byte(bed: &Bed) {
    let desk = Desk::new(bed);
    let every_byte: Vec<u8> = (0..=255).collect();
    for (id, size) in [("small", 1), ("kib", 4), ("large", 1_000)] {
        let append = Append { document: document(id, &every_byte.repeat(size)), ..desk.letter(id, &["ada"]) };
        let given = append.document.clone();
        desk.store(append).await;
        assert_eq!(desk.row(id).await.document, given, "find {id}");
        let listed = desk.page(&ListQuery { limit: 1, ..desk.inbox("ada") }).await;
        assert_eq!(listed.rows[0].document, given, "list {id}");
    }
    let tailed = desk.drain(desk.whole_inbox("ada")).await.rows;
    assert_eq!(tailed.iter().map(|row| row.document.len()).max(), Some("large".len() + 3 + 256_000));
}

async fn offsets_grow_and_follow_the_clock_given(bed: &Bed) {
    let desk = Desk::new(bed);
    let first = desk.store(desk.letter("m1", &["ada"])).await;
    let second = desk.store(desk.letter("m2", &["bob"])).await;
    let later = desk.later(3_600_000);
    let third = later.store(later.letter("m3", &["ada"])).await;

    let micros = |millis: i64| u64::try_from(millis).expect("after 1970") * 1_000;
    assert!(first.0 >= micros(desk.now.as_millis()), "{first} is before the clock");
    assert!(second > first, "{second} after {first}");
    assert!(third > second && third.0 >= micros(later.now.as_millis()), "{third} is before the clock");
    assert_eq!(desk.row("m2").await.offset, second);
    assert_eq!(later.drain(later.whole_inbox("ada")).await.rows[1].offset, third);
}

async fn offsets_grow_where_the_clock_goes_back(bed: &Bed) {
    let desk = Desk::new(bed);
    let first = desk.store(desk.letter("m1", &["ada"])).await;
    let earlier = desk.later(-3_600_000);
    let second = earlier.store(earlier.letter("m2", &["ada"])).await;
    assert!(second > first, "{second} after {first}");
    assert_eq!(desk.tail("ada").await, ["m1", "m2"]);
}

async fn an_epoch_is_the_same_in_every_answer(bed: &Bed) {
    let desk = Desk::new(bed);
    let Appended::Stored { epoch, .. } = desk.append(desk.letter("m1", &["ada"])).await else {
        panic!("not stored");
    };
    let Appended::Stored { epoch: second, .. } = desk.append(desk.letter("m2", &["ada"])).await else {
        panic!("not stored");
    };
    assert_eq!(second, epoch);
    assert_eq!(desk.page(&desk.all()).await.epoch, epoch);
    assert_eq!(desk.tail_page(&desk.whole_inbox("ada")).await.epoch, epoch);
    let found = desk.mail.find(&desk.namespace, &message_id("m1"), None, desk.now).await.expect("find");
    assert_eq!(found.expect("m1 is there").0, epoch);
}

async fn an_epoch_seen_before_the_first_message_is_that_of_the_first_message(bed: &Bed) {
    let desk = Desk::new(bed);
    desk.join("ada").await;
    let before = desk.tail_page(&desk.whole_inbox("ada")).await;
    assert!(before.rows.is_empty() && !before.more);
    desk.store(desk.letter("m1", &["ada"])).await;
    let page =
        desk.tail_page(&mainstay_core::mail::TailQuery { after: before.position, ..desk.whole_inbox("ada") }).await;
    assert_eq!(page.epoch, before.epoch, "a reader of a new namespace must not be told that the log was replaced");
    assert_eq!(ids(&page.rows), ["m1"]);
}

async fn an_id_that_exists_is_refused_and_the_first_message_stands(bed: &Bed) {
    let desk = Desk::new(bed);
    desk.store(desk.letter("m1", &["ada"])).await;
    let other = Append { document: document("m1", b"other"), ..desk.letter("m1", &["bob"]) };
    let given = desk.row("m1").await.document;

    assert_eq!(desk.append(other).await, Appended::DuplicateId);
    assert_eq!(desk.append(desk.letter("m1", &["ada"])).await, Appended::DuplicateId);
    assert_eq!(desk.row("m1").await.document, given);
    assert_eq!(desk.counts("ada").await, (1, 1, 1));
    assert_eq!(desk.counts("bob").await, (0, 0, 0));
}

async fn one_id_may_be_used_once_in_each_namespace(bed: &Bed) {
    let (here, there) = (Desk::new(bed), Desk::new(bed));
    here.store(here.letter("m1", &["ada"])).await;
    there.store(Append { from: instance("other lead"), ..there.note("m1", &["bob"]) }).await;

    assert_eq!(here.list(here.all()).await, ["m1"]);
    assert_eq!(here.counts("bob").await, (0, 0, 0));
    assert_eq!(there.counts("ada").await, (0, 0, 0));
    assert_eq!(there.list(ListQuery { sender: Some(instance("lead")), ..there.all() }).await, [""; 0]);
}

async fn a_repeated_request_id_returns_the_first_message_and_stores_nothing(bed: &Bed) {
    let desk = Desk::new(bed);
    let send = |id: &str| Append { memo: memo("owner r1", "same", desk.now), ..desk.letter(id, &["ada"]) };
    desk.store(send("m1")).await;
    let head = desk.tail_page(&desk.whole_inbox("ada")).await.position;

    // A sender that let the server make the id repeats the request with a new one.
    assert_eq!(desk.append(send("m2")).await, Appended::Replayed(message_id("m1")));
    assert_eq!(desk.append(send("m1")).await, Appended::Replayed(message_id("m1")));
    assert_eq!(desk.list(desk.all()).await, ["m1"]);
    assert_eq!(desk.counts("ada").await, (1, 1, 1));
    assert_eq!(desk.tail_page(&desk.whole_inbox("ada")).await.position, head, "a replay is no append");
}

async fn a_repeated_request_id_wins_over_every_other_outcome(bed: &Bed) {
    let limits = InboxLimits { max_inbox: 1, max_pending: 1, max_messages: 1 };
    let desk = Desk::new(bed).bounded(limits);
    let send = |id: &str| Append { memo: memo("owner r1", "same", desk.now), ..desk.letter(id, &["ada"]) };
    desk.store(send("m1")).await;
    assert_eq!(desk.append(desk.letter("m2", &["ada"])).await, Appended::InboxFull(instance("ada")));
    assert_eq!(desk.append(desk.letter("m2", &["bob"])).await, Appended::NamespaceFull);

    assert_eq!(desk.append(send("m1")).await, Appended::Replayed(message_id("m1")), "over a duplicate id");
    assert_eq!(desk.append(send("m3")).await, Appended::Replayed(message_id("m1")), "over a full inbox");
}

async fn a_request_id_with_another_fingerprint_is_refused(bed: &Bed) {
    let desk = Desk::new(bed);
    desk.store(Append { memo: memo("owner r1", "one", desk.now), ..desk.letter("m1", &["ada"]) }).await;
    let other = Append { memo: memo("owner r1", "two", desk.now), ..desk.letter("m2", &["ada"]) };
    assert_eq!(desk.append(other).await, Appended::MemoMismatch);
    assert_eq!(desk.list(desk.all()).await, ["m1"]);
    let another_principal = Append { memo: memo("guest r1", "two", desk.now), ..desk.letter("m3", &["ada"]) };
    desk.store(another_principal).await;
}

async fn a_request_id_is_remembered_until_its_end_and_not_longer(bed: &Bed) {
    let desk = Desk::new(bed);
    let until = after(desk.now, 3_600_000);
    let memo = Some(RequestMemo { key: "owner r1".into(), fingerprint: "one".into(), until });
    desk.store(Append { memo: memo.clone(), ..desk.letter("m1", &["ada"]) }).await;

    let just_before = desk.later(3_600_000 - 1);
    let repeated = Append { memo, ..just_before.letter("m2", &["ada"]) };
    assert_eq!(just_before.append(repeated).await, Appended::Replayed(message_id("m1")));
    let past = desk.later(3_600_000 + 1);
    let memo = super::desk::memo("owner r1", "two", past.now);
    past.store(Append { memo: memo.clone(), ..past.letter("m3", &["ada"]) }).await;
    let repeated = Append { memo, ..past.letter("m4", &["ada"]) };
    assert_eq!(past.append(repeated).await, Appended::Replayed(message_id("m3")), "the newer memory counts");
}

async fn a_refused_append_is_not_remembered_under_its_request_id(bed: &Bed) {
    let desk = Desk::new(bed).bounded(InboxLimits { max_inbox: 10, max_pending: 1, max_messages: 10 });
    desk.store(desk.letter("m1", &["ada"])).await;
    let send = |id: &str, to: &str| Append { memo: memo("owner r1", "same", desk.now), ..desk.letter(id, &[to]) };

    // A server that makes ids tries again with the next one when an id exists.
    assert_eq!(desk.append(send("m1", "bob")).await, Appended::DuplicateId);
    assert_eq!(desk.append(send("m2", "ada")).await, Appended::InboxFull(instance("ada")));
    desk.store(send("m3", "bob")).await;
    assert_eq!(desk.append(send("m4", "bob")).await, Appended::Replayed(message_id("m3")));
}

async fn a_request_id_belongs_to_one_namespace(bed: &Bed) {
    let (here, there) = (Desk::new(bed), Desk::new(bed));
    here.store(Append { memo: memo("owner r1", "same", here.now), ..here.letter("m1", &["ada"]) }).await;
    there.store(Append { memo: memo("owner r1", "same", there.now), ..there.letter("m2", &["ada"]) }).await;
    assert_eq!(there.list(there.all()).await, ["m2"]);
}

async fn what_a_request_id_did_can_be_recalled_without_doing_it(bed: &Bed) {
    let desk = Desk::new(bed);
    let known = memo("r1", "x", desk.now).expect("a memo");
    let recall = async |memo: &RequestMemo, now| desk.mail.recall(&desk.namespace, memo, now).await.expect("recall");
    assert_eq!(recall(&known, desk.now).await, None);
    desk.store(Append { memo: Some(known.clone()), ..desk.letter("m1", &["ada"]) }).await;
    assert_eq!(recall(&known, desk.now).await, Some(Appended::Replayed(message_id("m1"))));
    let other = RequestMemo { fingerprint: "y".into(), ..known.clone() };
    assert_eq!(recall(&other, desk.now).await, Some(Appended::MemoMismatch));
    assert_eq!(recall(&known, known.until).await, None);
    assert_eq!(desk.tail("ada").await, ["m1"]);
}
