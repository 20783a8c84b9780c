//! Ids that try to be something else: part of a key, a pattern, another id.

use super::desk::{Desk, document, ids, instance, memo, message_id};
use crate::conformance::{Bed, cases};
use mainstay_core::mail::{AckOutcome, Append, Appended, ListQuery};

cases! {
    ($) mail_hostile_tests, mail::hostile:
    a_hostile_id_of_a_message_is_an_id,
    a_hostile_name_of_an_instance_is_a_name,
    a_hostile_thread_is_a_thread,
    a_hostile_namespace_is_a_namespace,
    a_hostile_request_id_is_remembered,
    ids_that_look_alike_are_not_alike,
    no_id_reaches_into_another_namespace,
    many_recipients_each_receive_one_message,
}

/// Texts that have meant something to some store: its keys, patterns, scripts, quotes and encodings.
pub(crate) const HOSTILE: [&str; 18] = [
    ":",
    "a:b",
    "{x}",
    "}{",
    "*",
    "a?b[c]",
    "line\nbreak",
    "\r\n",
    " ",
    "日本語",
    "e\u{301}",
    "🦀",
    "'; DROP TABLE x; --",
    "\"quoted\"",
    "\\",
    "%_",
    "../../etc/passwd",
    "nil",
];

/// The longest id: 300 characters of four bytes.
fn long() -> String {
    "🦀".repeat(300)
}

fn hostile() -> impl Iterator<Item = String> {
    HOSTILE.into_iter().map(str::to_owned).chain([long()])
}

async fn a_hostile_id_of_a_message_is_an_id(bed: &Bed) {
    let desk = Desk::new(bed);
    let all: Vec<String> = hostile().collect();
    for id in &all {
        desk.store(desk.letter(id, &["ada"])).await;
        assert_eq!(desk.append(desk.letter(id, &["ada"])).await, Appended::DuplicateId, "{id:?}");
    }
    assert_eq!(desk.tail("ada").await, all);
    for id in &all {
        assert_eq!(ids(&[desk.row(id).await]), [id.as_str()]);
        assert_eq!(desk.mark_read("ada", &[id]).await, 1, "{id:?}");
        let outcome = desk.ack(id, "ada").await;
        assert!(matches!(outcome, AckOutcome::Stands { already: false, .. }), "{id:?}: {outcome:?}");
    }
    assert_eq!(desk.counts("ada").await, (all.len() as u64, 0, 0));
}

async fn a_hostile_name_of_an_instance_is_a_name(bed: &Bed) {
    let desk = Desk::new(bed);
    for (number, name) in hostile().enumerate() {
        let id = format!("m{number}");
        let append = Append { from: instance(&name), ..desk.letter(&id, &[&name]) };
        desk.store(append).await;
        assert_eq!(desk.tail(&name).await, [id.as_str()], "{name:?}");
        assert_eq!(desk.list(desk.pending(&name)).await, [id.as_str()], "{name:?}");
        let sent = ListQuery { sender: Some(instance(&name)), ..desk.all() };
        assert_eq!(desk.list(sent).await, [id.as_str()], "{name:?}");
        assert_eq!(desk.counts(&name).await, (1, 1, 1), "{name:?}");
        desk.ack(&id, &name).await;
        assert_eq!(desk.counts(&name).await, (1, 0, 0), "{name:?}");
        assert_eq!(desk.row(&id).await.receipts.expect("receipts")[0].recipient, instance(&name));
    }
    for name in hostile() {
        assert!(desk.join(&name).await, "{name:?}");
        assert!(!desk.join(&name).await, "{name:?}");
    }
    desk.store(desk.broadcast("b1")).await;
    for name in hostile() {
        assert_eq!(desk.counts(&name).await, (2, 1, 1), "{name:?}");
    }
}

async fn a_hostile_thread_is_a_thread(bed: &Bed) {
    let desk = Desk::new(bed);
    for (number, thread) in hostile().enumerate() {
        let append = desk.letter(&format!("m{number}"), &["ada"]);
        desk.store(Append { thread: Some(message_id(&thread)), ..append }).await;
    }
    for (number, thread) in hostile().enumerate() {
        let query = ListQuery { thread: Some(message_id(&thread)), ..desk.all() };
        assert_eq!(desk.list(query).await, [format!("m{number}")], "{thread:?}");
    }
}

async fn a_hostile_namespace_is_a_namespace(bed: &Bed) {
    let texts = HOSTILE.into_iter().map(str::to_owned).chain(["🦀".repeat(37)]);
    let desks: Vec<Desk> = texts.map(|text| Desk::on(bed.stores(), bed.namespace_like(&text), bed.now())).collect();
    for desk in &desks {
        assert!(desk.join("ada").await);
        desk.store(desk.broadcast("b1")).await;
        desk.store(desk.letter("m1", &["ada"])).await;
        desk.ack("m1", "ada").await;
    }
    for desk in &desks {
        assert_eq!(desk.tail("ada").await, ["b1", "m1"], "{:?}", desk.namespace);
        assert_eq!(desk.counts("ada").await, (2, 1, 1), "{:?}", desk.namespace);
        assert_eq!(desk.mail.stats(&desk.namespace).await.expect("stats").total_messages, 2);
    }
}

async fn a_hostile_request_id_is_remembered(bed: &Bed) {
    let desk = Desk::new(bed);
    for (number, key) in hostile().enumerate() {
        let send = |id: String| Append { memo: memo(&key, &key, desk.now), ..desk.letter(&id, &["ada"]) };
        let first = format!("m{number}");
        desk.store(send(first.clone())).await;
        let replayed = desk.append(send(format!("n{number}"))).await;
        assert_eq!(replayed, Appended::Replayed(message_id(&first)), "{key:?}");
    }
}

async fn ids_that_look_alike_are_not_alike(bed: &Bed) {
    let desk = Desk::new(bed);
    let alike = ["msg-1", "MSG-1", "msg-1 ", " msg-1", "msg-01", "msg‐1", "é", "e\u{301}", "1", "1.0", "01", "true"];
    for name in alike {
        desk.store(desk.letter(name, &[name])).await;
    }
    for name in alike {
        assert_eq!(desk.tail(name).await, [name]);
        assert_eq!(ids(&[desk.row(name).await]), [name]);
    }
}

async fn no_id_reaches_into_another_namespace(bed: &Bed) {
    let outer = bed.namespace();
    let inner = mainstay_core::api::Namespace::parse(format!("{outer}:a")).expect("a namespace");
    let (outer, inner) = (Desk::on(bed.stores(), outer, bed.now()), Desk::on(bed.stores(), inner, bed.now()));
    outer.store(outer.letter("m1", &["a:b"])).await;
    outer.store(Append { document: document("a:m", b""), ..outer.letter("a:m", &["a"]) }).await;
    inner.store(inner.letter("m", &["b"])).await;
    outer.join("a:c").await;
    inner.store(inner.broadcast("b1")).await;

    assert_eq!(outer.tail("a:b").await, ["m1"]);
    assert_eq!(outer.list(outer.all()).await, ["a:m", "m1"]);
    assert_eq!(inner.tail("b").await, ["m"]);
    assert_eq!(inner.list(inner.all()).await, ["b1", "m"]);
    assert_eq!(inner.counts("c").await, (0, 0, 0));
    outer.ack("a:m", "a").await;
    assert_eq!(inner.counts("b").await, (1, 1, 1));
}

async fn many_recipients_each_receive_one_message(bed: &Bed) {
    let desk = Desk::new(bed);
    let names: Vec<String> = (0..100).map(|number| format!("agent{number}")).collect();
    let to: Vec<&str> = names.iter().map(String::as_str).collect();
    let appended = desk.append(desk.letter("m1", &to)).await;
    assert!(matches!(appended, Appended::Stored { delivered: 100, .. }), "{appended:?}");
    for name in &names {
        assert_eq!(desk.counts(name).await, (1, 1, 1), "{name}");
    }
    assert_eq!(desk.row("m1").await.receipts.map(|receipts| receipts.len()), Some(100));
}
