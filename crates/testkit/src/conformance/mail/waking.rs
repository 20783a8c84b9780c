//! Every write wakes the readers of the inboxes that it changed, after it took effect.

use super::desk::{Desk, MINUTE_MS, after, instance, merge};
use crate::conformance::waking::Subscriber;
use crate::conformance::{Bed, cases};
use mainstay_core::Topic;
use mainstay_core::mail::{Append, Merge, TailQuery};

cases! {
    ($) mail_waking_tests, mail::waking:
    a_message_wakes_each_of_its_recipients,
    a_broadcast_wakes_every_member,
    an_acknowledgement_wakes_its_inbox,
    marking_as_read_wakes_its_inbox,
    an_import_wakes_its_inboxes,
    joining_wakes_the_inbox_that_receives_broadcasts,
    a_purge_wakes_the_inboxes_that_it_changed,
    what_a_hint_announces_can_be_read,
    every_subscriber_is_woken,
}

fn inbox(desk: &Desk, name: &str) -> Topic {
    Topic::Mail(desk.namespace.clone(), instance(name))
}

async fn a_message_wakes_each_of_its_recipients(bed: &Bed) {
    let desk = Desk::new(bed);
    for (id, name) in [("m1", "ada"), ("m2", "bob")] {
        let mut subscriber = Subscriber::on(bed).await;
        desk.store(desk.letter(id, &["ada", "bob"])).await;
        subscriber.woken(&inbox(&desk, name), "an append").await;
    }
}

async fn a_broadcast_wakes_every_member(bed: &Bed) {
    let desk = Desk::new(bed);
    desk.join("ada").await;
    desk.join("bob").await;
    for (id, name) in [("b1", "ada"), ("b2", "bob")] {
        let mut subscriber = Subscriber::on(bed).await;
        desk.store(desk.broadcast(id)).await;
        subscriber.woken(&inbox(&desk, name), "a broadcast").await;
    }
}

async fn an_acknowledgement_wakes_its_inbox(bed: &Bed) {
    let desk = Desk::new(bed);
    desk.store(desk.letter("m1", &["ada"])).await;
    let mut subscriber = Subscriber::on(bed).await;
    desk.ack("m1", "ada").await;
    subscriber.woken(&inbox(&desk, "ada"), "an acknowledgement").await;
}

async fn marking_as_read_wakes_its_inbox(bed: &Bed) {
    let desk = Desk::new(bed);
    desk.store(desk.letter("m1", &["ada"])).await;
    let mut subscriber = Subscriber::on(bed).await;
    desk.mark_read("ada", &["m1"]).await;
    subscriber.woken(&inbox(&desk, "ada"), "marking as read").await;
}

async fn an_import_wakes_its_inboxes(bed: &Bed) {
    let desk = Desk::new(bed);
    let mut subscriber = Subscriber::on(bed).await;
    desk.mail.merge(merge(desk.letter("m1", &["ada"]))).await.expect("merge");
    subscriber.woken(&inbox(&desk, "ada"), "an import").await;
    subscriber.settle().await;
    let settled = Merge { settled: true, ..merge(desk.letter("m1", &["ada"])) };
    desk.mail.merge(settled).await.expect("merge");
    subscriber.woken(&inbox(&desk, "ada"), "an import of news").await;
}

async fn joining_wakes_the_inbox_that_receives_broadcasts(bed: &Bed) {
    let desk = Desk::new(bed);
    desk.store(desk.broadcast("b1")).await;
    let mut subscriber = Subscriber::on(bed).await;
    desk.join("ada").await;
    subscriber.woken(&inbox(&desk, "ada"), "joining").await;
}

async fn a_purge_wakes_the_inboxes_that_it_changed(bed: &Bed) {
    let window = bed.window().await;
    let desk = Desk::on(bed.stores(), bed.namespace(), window.start);
    desk.store(Append { expires_at: after(desk.now, MINUTE_MS), ..desk.letter("m1", &["ada"]) }).await;
    let mut subscriber = Subscriber::on(bed).await;
    desk.later(MINUTE_MS).purge().await;
    subscriber.woken(&inbox(&desk, "ada"), "a purge").await;
}

async fn what_a_hint_announces_can_be_read(bed: &Bed) {
    let desk = Desk::new(bed);
    let mut query = desk.whole_inbox("ada");
    for number in 0..20 {
        let mut subscriber = Subscriber::on(bed).await;
        query = TailQuery { after: desk.drain(query.clone()).await.position, ..query };
        let sender = tokio::spawn({
            let desk = desk.clone();
            async move { desk.store(desk.letter(&format!("m{number}"), &["ada"])).await }
        });
        // A superfluous hint is allowed, one that comes before its message and has no successor is not.
        loop {
            subscriber.woken(&inbox(&desk, "ada"), "an append").await;
            if !desk.drain(query.clone()).await.rows.is_empty() {
                break;
            }
        }
        sender.await.expect("the sender");
    }
}

async fn every_subscriber_is_woken(bed: &Bed) {
    let desk = Desk::new(bed);
    let mut subscribers = Vec::new();
    for _ in 0..3 {
        subscribers.push(Subscriber::on(bed).await);
    }
    desk.store(desk.letter("m1", &["ada"])).await;
    for subscriber in &mut subscribers {
        subscriber.woken(&inbox(&desk, "ada"), "an append").await;
    }
}
