//! Registering, beating, listing.

use super::roll::{Roll, instance, run};
use crate::conformance::mail::hostile::HOSTILE;
use crate::conformance::waking::Subscriber;
use crate::conformance::{Bed, cases};
use mainstay_core::Topic;
use mainstay_core::api::presence::RegisterInstance;
use mainstay_core::presence::{BeatOutcome, PresenceRow, RegisterOutcome};

cases! {
    ($) presence_living_tests, presence::living:
    an_instance_is_listed_with_everything_that_it_said,
    an_empty_namespace_lists_nobody,
    instances_are_listed_by_name,
    registering_again_replaces_what_was_said,
    a_beat_keeps_what_was_said_and_moves_the_time,
    a_beat_may_say_what_is_being_done,
    a_beat_registers_an_instance_that_was_not_there,
    a_beat_of_a_replaced_run_changes_nothing,
    a_name_that_no_run_holds_takes_the_beat_of_any,
    a_full_namespace_takes_no_new_instance_and_keeps_the_known_ones,
    of_many_that_register_at_once_no_more_than_allowed_do,
    hostile_names_and_texts_are_names_and_texts,
    namespaces_do_not_see_each_other,
    a_change_wakes_those_who_watch_the_namespace,
}

async fn an_instance_is_listed_with_everything_that_it_said(bed: &Bed) {
    let roll = Roll::new(bed);
    let details = RegisterInstance {
        role: Some("backend".into()),
        host: Some("höst \"1\"".into()),
        process_id: Some(u32::MAX),
        repository: Some("/srv/repo\n".into()),
        branch: Some("main".into()),
        capabilities: vec!["rust".into(), String::new(), "rust".into()],
        current_work: Some("🦀".into()),
        session_id: Some("s1".into()),
    };
    assert_eq!(roll.register("ada", details.clone()).await, RegisterOutcome::Registered);
    let row = PresenceRow { instance: instance("ada"), details, registered_at: roll.now, last_beat: roll.now };
    assert_eq!(roll.rows().await, [row]);
}

async fn an_empty_namespace_lists_nobody(bed: &Bed) {
    assert_eq!(Roll::new(bed).rows().await, []);
}

async fn instances_are_listed_by_name(bed: &Bed) {
    let roll = Roll::new(bed);
    for name in ["zoe", "a b", "ärger", "Bob", "a"] {
        roll.register(name, RegisterInstance::default()).await;
    }
    roll.beat("ab", None, None).await;
    assert_eq!(roll.names().await, ["Bob", "a", "a b", "ab", "zoe", "ärger"], "by the bytes of the name");
}

async fn registering_again_replaces_what_was_said(bed: &Bed) {
    let roll = Roll::new(bed);
    let first = RegisterInstance { role: Some("backend".into()), branch: Some("main".into()), ..run("s1") };
    roll.register("ada", first).await;
    let later = roll.later(60_000);
    let second = RegisterInstance { host: Some("h".into()), ..run("s2") };
    assert_eq!(later.register("ada", second.clone()).await, RegisterOutcome::Registered);
    let row =
        PresenceRow { instance: instance("ada"), details: second, registered_at: later.now, last_beat: later.now };
    assert_eq!(roll.rows().await, [row], "nothing is left of what was said before");
}

async fn a_beat_keeps_what_was_said_and_moves_the_time(bed: &Bed) {
    let roll = Roll::new(bed);
    let details = RegisterInstance { role: Some("backend".into()), current_work: Some("w".into()), ..run("s1") };
    roll.register("ada", details.clone()).await;
    for (millis, session) in [(1, Some("s1")), (60_000, None)] {
        let later = roll.later(millis);
        assert_eq!(later.beat("ada", session, None).await, BeatOutcome::Beaten);
        let row = roll.row("ada").await;
        assert_eq!((row.registered_at, row.last_beat), (roll.now, later.now));
        assert_eq!(row.details, details);
    }
}

async fn a_beat_may_say_what_is_being_done(bed: &Bed) {
    let roll = Roll::new(bed);
    roll.register("ada", RegisterInstance { current_work: Some("one".into()), ..run("s1") }).await;
    roll.beat("ada", Some("s1"), Some("two")).await;
    assert_eq!(roll.row("ada").await.details.current_work.as_deref(), Some("two"));
    roll.later(1_000).beat("ada", Some("s1"), None).await;
    assert_eq!(roll.row("ada").await.details.current_work.as_deref(), Some("two"), "unchanged where absent");
    assert_eq!(roll.row("ada").await.details.session_id.as_deref(), Some("s1"));
}

async fn a_beat_registers_an_instance_that_was_not_there(bed: &Bed) {
    let roll = Roll::new(bed);
    assert_eq!(roll.beat("ada", Some("s1"), Some("work")).await, BeatOutcome::Beaten);
    assert_eq!(roll.beat("bob", None, None).await, BeatOutcome::Beaten);
    let ada = roll.row("ada").await;
    assert_eq!(ada.details, RegisterInstance { current_work: Some("work".into()), ..run("s1") });
    assert_eq!((ada.registered_at, ada.last_beat), (roll.now, roll.now));
    assert_eq!(roll.row("bob").await.details, RegisterInstance::default());
    assert_eq!(roll.beat("ada", Some("s2"), None).await, BeatOutcome::Superseded, "s1 holds the name");
}

async fn a_beat_of_a_replaced_run_changes_nothing(bed: &Bed) {
    let roll = Roll::new(bed);
    roll.register("ada", run("s1")).await;
    roll.register("ada", run("s2")).await;
    let before = roll.rows().await;
    assert_eq!(roll.later(60_000).beat("ada", Some("s1"), Some("ghost")).await, BeatOutcome::Superseded);
    assert_eq!(roll.rows().await, before);
    assert_eq!(roll.later(60_000).beat("ada", Some("s2"), None).await, BeatOutcome::Beaten);
}

async fn a_name_that_no_run_holds_takes_the_beat_of_any(bed: &Bed) {
    let roll = Roll::new(bed);
    roll.register("ada", RegisterInstance::default()).await;
    let later = roll.later(60_000);
    assert_eq!(later.beat("ada", Some("s1"), Some("work")).await, BeatOutcome::Beaten);
    assert_eq!(later.beat("ada", Some("s2"), None).await, BeatOutcome::Beaten);
    let row = roll.row("ada").await;
    assert_eq!((row.last_beat, row.details.session_id), (later.now, None));
    assert!(!roll.unregister("ada", Some("s1")).await, "a beat does not take the name");
    assert!(roll.unregister("ada", None).await);
}

async fn a_full_namespace_takes_no_new_instance_and_keeps_the_known_ones(bed: &Bed) {
    let roll = Roll { max_instances: 2, ..Roll::new(bed) };
    roll.register("ada", run("s1")).await;
    roll.register("bob", run("s1")).await;
    assert_eq!(roll.register("cyd", run("s1")).await, RegisterOutcome::Full);
    assert_eq!(roll.beat("cyd", None, None).await, BeatOutcome::Full);
    assert_eq!(roll.names().await, ["ada", "bob"]);
    assert_eq!(roll.register("ada", run("s2")).await, RegisterOutcome::Registered);
    assert_eq!(roll.beat("bob", Some("s1"), None).await, BeatOutcome::Beaten);
    assert_eq!(roll.beat("bob", Some("s0"), None).await, BeatOutcome::Superseded);
    assert!(roll.unregister("bob", None).await);
    assert_eq!(roll.register("cyd", run("s1")).await, RegisterOutcome::Registered);
    assert_eq!(roll.names().await, ["ada", "cyd"]);
}

async fn of_many_that_register_at_once_no_more_than_allowed_do(bed: &Bed) {
    let roll = Roll { max_instances: 10, ..Roll::new(bed) };
    let tasks: Vec<_> = (0..64)
        .map(|task| {
            let roll = roll.clone();
            tokio::spawn(async move { roll.register(&format!("agent{task}"), run("s1")).await })
        })
        .collect();
    let mut registered = 0;
    for task in tasks {
        registered += usize::from(task.await.expect("a task") == RegisterOutcome::Registered);
    }
    assert_eq!((registered, roll.rows().await.len()), (10, 10));
}

async fn hostile_names_and_texts_are_names_and_texts(bed: &Bed) {
    let roll = Roll::new(bed);
    let long = "🦀".repeat(300);
    let names: Vec<&str> = HOSTILE.into_iter().chain([long.as_str()]).collect();
    for name in &names {
        let details = RegisterInstance { current_work: Some((*name).into()), ..run(name) };
        roll.register(name, details.clone()).await;
        assert_eq!(roll.row(name).await.details, details, "{name:?}");
        assert_eq!(roll.beat(name, Some(name), None).await, BeatOutcome::Beaten, "{name:?}");
    }
    assert_eq!(roll.rows().await.len(), names.len());
    for name in &names {
        assert!(!roll.unregister(name, Some("another")).await, "{name:?}");
        assert!(roll.unregister(name, Some(name)).await, "{name:?}");
    }
    assert_eq!(roll.rows().await, []);
}

async fn namespaces_do_not_see_each_other(bed: &Bed) {
    let (here, there) = (Roll::new(bed), Roll { max_instances: 1, ..Roll::new(bed) });
    for name in ["ada", "bob", "cyd"] {
        here.register(name, run("s1")).await;
    }
    assert_eq!(there.rows().await, []);
    assert_eq!(there.register("ada", run("s2")).await, RegisterOutcome::Registered, "a bound of its own");
    assert!(there.unregister("ada", Some("s2")).await);
    assert!(!there.unregister("bob", None).await);
    assert_eq!(here.names().await, ["ada", "bob", "cyd"]);
}

async fn a_change_wakes_those_who_watch_the_namespace(bed: &Bed) {
    let roll = Roll::new(bed);
    let topic = Topic::Presence(roll.namespace.clone());
    let mut subscriber = Subscriber::on(bed).await;
    roll.register("ada", run("s1")).await;
    subscriber.woken(&topic, "registering").await;
    subscriber.settle().await;
    roll.beat("ada", None, Some("work")).await;
    subscriber.woken(&topic, "saying what is being done").await;
    subscriber.settle().await;
    roll.beat("bob", None, None).await;
    subscriber.woken(&topic, "a first beat").await;
    subscriber.settle().await;
    roll.unregister("ada", None).await;
    subscriber.woken(&topic, "unregistering").await;
}
