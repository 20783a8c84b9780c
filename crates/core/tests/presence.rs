//! The rules of presence, on the reference model and with a clock that stands still.

use mainstay_core::api::presence::{Heartbeat, PresenceEvent, PresenceState, RegisterInstance};
use mainstay_core::api::{Code, InstanceId};
use mainstay_core::presence::{PresenceRules, PresenceService, changes};
use mainstay_core::{Caller, FakeClock, Scope, Scopes};
use mainstay_testkit::model;
use std::sync::Arc;

const MINUTE_MS: i64 = 60_000;

fn name(text: &str) -> InstanceId {
    InstanceId::parse(text).unwrap()
}

fn caller(instance: &str) -> Caller {
    Caller { instance: Some(name(instance)), ..Caller::owner() }
}

fn desk() -> (PresenceService, Arc<FakeClock>) {
    let clock = Arc::new(FakeClock::at(1_763_673_827_000));
    (PresenceService::new(model::stores().presence, clock.clone(), PresenceRules::default()), clock)
}

#[tokio::test]
async fn silence_makes_inactive_after_five_minutes_a_beat_makes_active_and_a_day_makes_gone() {
    let (presence, clock) = desk();
    let me = caller("a");
    presence.register(&me, &name("a"), RegisterInstance::default()).await.unwrap();
    let state = async || presence.read(&me, &name("a")).await.map(|instance| instance.state);
    clock.advance(5 * MINUTE_MS - 1);
    assert_eq!(state().await.unwrap(), PresenceState::Active);
    clock.advance(1);
    assert_eq!(state().await.unwrap(), PresenceState::Inactive);
    presence.heartbeat(&me, &name("a"), Heartbeat::default()).await.unwrap();
    assert_eq!(state().await.unwrap(), PresenceState::Active);
    clock.advance(24 * 60 * MINUTE_MS);
    assert_eq!(state().await.unwrap_err().code(), Code::PresenceNotFound);
}

#[tokio::test]
async fn a_beat_without_a_registration_registers_as_active() {
    let (presence, _) = desk();
    presence.heartbeat(&caller("a"), &name("a"), Heartbeat::default()).await.unwrap();
    assert_eq!(presence.list(&caller("a")).await.unwrap().instances[0].state, PresenceState::Active);
}

#[tokio::test]
async fn a_run_that_was_replaced_neither_beats_nor_ends_the_new_one() {
    let (presence, _) = desk();
    let me = caller("a");
    let run = |id: &str| RegisterInstance { session_id: Some(id.into()), ..RegisterInstance::default() };
    presence.register(&me, &name("a"), run("1")).await.unwrap();
    presence.register(&me, &name("a"), run("2")).await.unwrap();
    let beat = Heartbeat { session_id: Some("1".into()), current_work: Some("old".into()) };
    assert!(!presence.heartbeat(&me, &name("a"), beat).await.unwrap().changed);
    assert!(!presence.unregister(&me, &name("a"), Some("1")).await.unwrap().changed);
    assert_eq!(presence.read(&me, &name("a")).await.unwrap().details.current_work, None);
    assert!(presence.unregister(&me, &name("a"), Some("2")).await.unwrap().changed);
}

#[tokio::test]
async fn nobody_changes_the_presence_of_another_without_the_scope_for_it() {
    let (presence, _) = desk();
    let scopes: Scopes = [Scope::PresenceRead, Scope::PresenceWrite].into_iter().collect();
    let plain = Caller { scopes, ..caller("a") };
    presence.register(&plain, &name("a"), RegisterInstance::default()).await.unwrap();
    let error = presence.register(&plain, &name("b"), RegisterInstance::default()).await.unwrap_err();
    assert_eq!(error.code(), Code::Forbidden);
}

#[tokio::test]
async fn a_live_reader_is_told_what_changed_and_a_beat_is_no_change() {
    let (presence, clock) = desk();
    let me = caller("a");
    let before = presence.list(&me).await.unwrap();
    presence.register(&me, &name("a"), RegisterInstance::default()).await.unwrap();
    let joined = presence.list(&me).await.unwrap();
    assert!(matches!(changes(&before, &joined)[..], [PresenceEvent::Joined(_)]));
    clock.advance(MINUTE_MS);
    presence.heartbeat(&me, &name("a"), Heartbeat::default()).await.unwrap();
    let beaten = presence.list(&me).await.unwrap();
    assert!(changes(&joined, &beaten).is_empty());
    assert_eq!(presence.next_change_ms(&beaten), Some(5 * 60_000));
    clock.advance(5 * MINUTE_MS);
    let silent = presence.list(&me).await.unwrap();
    assert!(matches!(changes(&beaten, &silent)[..], [PresenceEvent::Inactive(_)]));
    presence.unregister(&me, &name("a"), None).await.unwrap();
    assert!(matches!(changes(&silent, &presence.list(&me).await.unwrap())[..], [PresenceEvent::Left { .. }]));
}
