//! The rules of events, on the reference model and with a clock that stands still.

use mainstay_core::api::errors::Applied;
use mainstay_core::api::events::{
    ChangeTransport, EventMetadata, MAX_METADATA_BYTES, MAX_PAYLOAD_BYTES, MAX_PUBLISH, PublishEvent, PublishEvents,
    ReadEvents, RoomId, StreamName, TransportSettings,
};
use mainstay_core::api::ids::RequestId;
use mainstay_core::api::{Code, Namespace, RawJson, Subject};
use mainstay_core::events::{Admit, EventParts, EventService, RoomAccess, StreamOptions, Streams};
use mainstay_core::{Caller, FakeClock, Principal, RandomMint, Scope, Stores};
use mainstay_testkit::model;
use std::sync::Arc;

fn stream(name: &str) -> StreamName {
    StreamName::parse(name).unwrap()
}

fn room(name: &str) -> RoomId {
    RoomId::parse(name).unwrap()
}

/// Events on the model; `wide` has eight partitions, `closed` is for members alone.
fn desk() -> (EventService, Stores, Arc<FakeClock>) {
    let mut streams = Streams::default();
    let usual = |name: &str| StreamOptions::usual(&stream(name));
    streams.set(stream("wide"), StreamOptions { partitions: 8, ..usual("wide") }).unwrap();
    streams.set(stream("closed"), StreamOptions { access: RoomAccess::Members, ..usual("closed") }).unwrap();
    let (stores, clock) = (model::stores(), Arc::new(FakeClock::at(1_763_673_827_000)));
    let service = EventService::new(EventParts {
        events: stores.events.clone(),
        rooms: stores.rooms.clone(),
        transport: stores.transport.clone(),
        streams: Arc::new(streams),
        clock: clock.clone(),
        mint: Arc::new(RandomMint),
    });
    (service, stores, clock)
}

fn event(room: &str, payload: &str) -> PublishEvent {
    PublishEvent {
        id: None,
        kind: "chat_message".parse().unwrap(),
        room: room.parse().unwrap(),
        timestamp: None,
        payload: RawJson::parse(payload).unwrap(),
        metadata: EventMetadata::default(),
    }
}

fn several(events: Vec<PublishEvent>) -> PublishEvents {
    PublishEvents { events }
}

/// A user who may do these things.
fn user(id: &str, scopes: &[Scope]) -> Caller {
    let subject = Subject::local(id);
    let principal = Principal::Token(subject.clone());
    Caller { principal, subject, scopes: scopes.iter().copied().collect(), ..Caller::owner() }
}

async fn payloads(desk: &EventService, caller: &Caller, name: &str, read: ReadEvents) -> Vec<String> {
    let page = desk.read(caller, &stream(name), read).await.unwrap();
    page.events.into_iter().map(|event| event.payload.as_str().to_owned()).collect()
}

#[tokio::test]
async fn a_batch_is_divided_among_partitions_and_keeps_the_order_of_each_room() {
    let (desk, _, _) = desk();
    let me = Caller::owner();
    let rooms: Vec<String> = (0..10).map(|n| format!("request:{n}")).collect();
    let events: Vec<_> = (0..40).map(|n| event(&rooms[n % 10], &format!("{{\"n\":{n}}}"))).collect();
    let report = desk.publish(&me, &stream("wide"), None, several(events.clone())).await.unwrap();
    assert_eq!(report.published.events.len(), 40);
    assert!(report.published.events.iter().all(|event| !event.duplicate));
    let mut positions = std::collections::HashSet::new();
    for (n, name) in rooms.iter().enumerate() {
        let read = ReadEvents { room: Some(room(name)), ..ReadEvents::default() };
        let page = desk.read(&me, &stream("wide"), read).await.unwrap();
        let told: Vec<_> = page.events.iter().map(|event| (event.id.clone(), event.position.clone())).collect();
        let asked: Vec<_> = (0..4).map(|turn| &report.published.events[turn * 10 + n]).collect();
        let asked: Vec<_> = asked.into_iter().map(|event| (event.id.clone(), event.position.clone())).collect();
        assert_eq!(told, asked, "{name}");
        positions.insert(page.partition);
    }
    assert!(positions.len() > 1, "ten rooms are in several partitions");
}

#[tokio::test]
async fn an_event_of_a_known_id_is_published_once_and_answered_with_its_place() {
    let (desk, _, clock) = desk();
    let me = Caller::owner();
    let known = PublishEvent { id: Some("e1".parse().unwrap()), ..event("a", "{}") };
    let first = desk.publish(&me, &stream("chat"), None, several(vec![known.clone()])).await.unwrap().published;
    clock.advance(1_000);
    let again = several(vec![event("a", "{\"new\":1}"), known]);
    let again = desk.publish(&me, &stream("chat"), None, again).await.unwrap().published;
    assert!(!again.events[0].duplicate && again.events[1].duplicate);
    assert_eq!(again.events[1].position, first.events[0].position);
    assert_eq!(payloads(&desk, &me, "chat", ReadEvents::default()).await, ["{}", "{\"new\":1}"]);
}

#[tokio::test]
async fn a_repeated_call_publishes_nothing_twice_and_is_nobody_elses() {
    let (desk, _, _) = desk();
    let request = RequestId::parse("r1").unwrap();
    let publish = || several(vec![event("a", "{\"n\":1}"), event("a", "{\"n\":2}")]);
    let write = [Scope::EventsWrite];
    for (caller, new) in [(user("7", &write), true), (user("7", &write), false), (user("8", &write), true)] {
        let report = desk.publish(&caller, &stream("chat"), Some(&request), publish()).await.unwrap();
        assert!(report.published.events.iter().all(|event| event.duplicate != new), "{:?}", caller.principal);
        assert_ne!(report.published.events[0].id, report.published.events[1].id);
    }
    let me = Caller::owner();
    for _ in 0..2 {
        desk.publish(&me, &stream("chat"), None, several(vec![event("b", "{}")])).await.unwrap();
    }
    let of_b = ReadEvents { room: Some(room("b")), ..ReadEvents::default() };
    assert_eq!(payloads(&desk, &me, "chat", of_b).await.len(), 2, "without a request id, two calls are two events");
}

#[tokio::test]
async fn what_is_out_of_bounds_is_refused_with_the_place_and_nothing_is_published() {
    let (desk, _, _) = desk();
    let me = Caller::owner();
    let big = format!("{{\"a\":\"{}\"}}", "x".repeat(MAX_PAYLOAD_BYTES));
    let trace = EventMetadata { trace_id: Some("x".repeat(MAX_METADATA_BYTES)), ..EventMetadata::default() };
    let none = EventMetadata { coalesced_count: Some(0), ..EventMetadata::default() };
    for (events, said, code) in [
        (vec![], "events", Code::InvalidRequest),
        (vec![event("a", "{}"); MAX_PUBLISH + 1], "events", Code::InvalidRequest),
        (vec![event("a", "{}"), event("a", "[]")], "events[1].payload", Code::InvalidRequest),
        (vec![event("a", "1")], "payload", Code::InvalidRequest),
        (vec![event("a", &big)], "payload", Code::TooLarge),
        (vec![PublishEvent { metadata: trace, ..event("a", "{}") }], "metadata", Code::TooLarge),
        (vec![PublishEvent { metadata: none, ..event("a", "{}") }], "metadata.coalesced_count", Code::InvalidRequest),
    ] {
        let refused = desk.publish(&me, &stream("chat"), None, several(events)).await.unwrap_err();
        assert!(refused.problem.detail.starts_with(said), "{said}: {refused}");
        assert_eq!((refused.code(), refused.problem.applied), (code, Applied::No), "{said}");
    }
    assert!(payloads(&desk, &me, "chat", ReadEvents::default()).await.is_empty());
}

#[tokio::test]
async fn a_stream_that_is_not_there_is_refused_with_those_that_are() {
    let (desk, _, _) = desk();
    let me = Caller::owner();
    let refused = desk.publish(&me, &stream("chats"), None, several(vec![event("a", "{}")])).await.unwrap_err();
    assert_eq!(refused.code(), Code::EventStreamUnknown);
    assert!(refused.problem.valid_values.contains(&"chat".to_owned()));
    assert!(desk.read(&me, &stream("chats"), ReadEvents::default()).await.is_err());
    assert!(desk.state(&me, &stream("chats")).await.is_err());
    assert_eq!(desk.list(&me).await.unwrap().streams.len(), 9);
}

#[tokio::test]
async fn a_reader_pages_from_position_to_position_and_a_full_page_says_that_there_is_more() {
    let (desk, _, _) = desk();
    let me = Caller::owner();
    let events: Vec<_> = (0..7).map(|n| event("a", &format!("{{\"n\":{n}}}"))).collect();
    desk.publish(&me, &stream("chat"), None, several(events)).await.unwrap();
    let (mut from, mut seen, mut pages) = (None, Vec::new(), 0);
    loop {
        let read = ReadEvents { from, limit: Some(3), ..ReadEvents::default() };
        let page = desk.read(&me, &stream("chat"), read).await.unwrap();
        seen.extend(page.events.into_iter().map(|event| event.payload.as_str().to_owned()));
        (from, pages) = (Some(page.position), pages + 1);
        if !page.more {
            break;
        }
    }
    assert_eq!((seen.len(), pages), (7, 3));
    let state = desk.state(&me, &stream("chat")).await.unwrap();
    assert_eq!((state.length, Some(&state.partitions[0].position)), (7, from.as_ref()));
    let large = format!("{{\"a\":\"{}\"}}", "x".repeat(MAX_PAYLOAD_BYTES - 20));
    let events = vec![event("big", &large); MAX_PUBLISH];
    desk.publish(&me, &stream("chat"), None, several(events)).await.unwrap();
    let read = ReadEvents { from, limit: Some(1_000), ..ReadEvents::default() };
    let page = desk.read(&me, &stream("chat"), read).await.unwrap();
    assert!(page.more && page.events.len() < MAX_PUBLISH, "a page is bounded in bytes: {}", page.events.len());
    assert_eq!(page.position, page.events.last().unwrap().position);
}

#[tokio::test]
async fn several_partitions_are_read_one_at_a_time() {
    let (desk, _, _) = desk();
    let me = Caller::owner();
    let missing = desk.read(&me, &stream("wide"), ReadEvents::default()).await.unwrap_err();
    assert!(missing.problem.detail.contains("partitions 0 to 7"), "{missing}");
    let beyond = ReadEvents { partition: Some(8), ..ReadEvents::default() };
    assert!(desk.read(&me, &stream("wide"), beyond).await.is_err());
    let own = desk.stream(&stream("wide")).unwrap().partition_of(&room("a"));
    let other = ReadEvents { partition: Some((own + 1) % 8), room: Some(room("a")), ..ReadEvents::default() };
    assert!(desk.read(&me, &stream("wide"), other).await.is_err());
    let limit = ReadEvents { limit: Some(0), ..ReadEvents::default() };
    assert!(desk.read(&me, &stream("chat"), limit).await.is_err());
}

#[tokio::test]
async fn nobody_reads_the_room_of_another_or_every_room_without_the_right_to_it() {
    let (desk, _, _) = desk();
    let all = Caller::owner();
    for name in ["request:1", "user:7", "notifications:8"] {
        desk.publish(&all, &stream("chat"), None, several(vec![event(name, "{}")])).await.unwrap();
    }
    let seven = user("7", &[Scope::EventsRead]);
    let of = |name: &str| ReadEvents { room: Some(room(name)), ..ReadEvents::default() };
    for open in ["request:1", "user:7"] {
        assert_eq!(payloads(&desk, &seven, "chat", of(open)).await.len(), 1, "{open}");
    }
    let refused = desk.read(&seven, &stream("chat"), of("notifications:8")).await.unwrap_err();
    assert_eq!(refused.code(), Code::EventRoomForbidden);
    assert_eq!(desk.read(&seven, &stream("chat"), ReadEvents::default()).await.unwrap_err().code(), Code::Forbidden);
    let worker = user("9", &[Scope::EventsRead, Scope::EventsConsume]);
    assert_eq!(payloads(&desk, &worker, "chat", ReadEvents::default()).await.len(), 3);
    let elsewhere = Caller { namespace: Namespace::parse("other").unwrap(), ..Caller::owner() };
    assert!(payloads(&desk, &elsewhere, "chat", ReadEvents::default()).await.is_empty());
    let silent = user("7", &[Scope::EventsRead]);
    let publish = several(vec![event("a", "{}")]);
    assert_eq!(desk.publish(&silent, &stream("chat"), None, publish).await.unwrap_err().code(), Code::Forbidden);
}

#[tokio::test]
async fn a_room_of_members_is_open_to_members_while_they_are() {
    let (desk, stores, clock) = desk();
    let seven = user("7", &[Scope::EventsRead]);
    let admitted = async || desk.admit(&seven, &stream("closed"), &room("a")).await;
    assert_eq!(admitted().await.unwrap_err().code(), Code::EventRoomForbidden);
    let key = mainstay_core::events::RoomKey {
        namespace: seven.namespace.clone(),
        stream: stream("closed"),
        room: room("a"),
    };
    let now = mainstay_core::Clock::now(&*clock);
    let until = mainstay_core::api::Timestamp::from_millis(now.as_millis() + 1_000);
    let member = mainstay_core::events::member_of(&seven).unwrap();
    let admit = Admit { room: key, member, until: Some(until), max_members: 10, now };
    assert!(stores.rooms.admit(admit).await.unwrap());
    assert_eq!(admitted().await.unwrap().until, Some(until));
    clock.advance(1_000);
    assert_eq!(admitted().await.unwrap_err().code(), Code::EventRoomForbidden);
    assert!(desk.admit(&Caller::owner(), &stream("closed"), &room("a")).await.is_ok(), "whoever administers may");
}

#[tokio::test]
async fn the_transport_is_changed_by_who_may_and_never_over_the_change_of_another() {
    let (desk, _, _) = desk();
    let (me, service) = (Caller::owner(), user("s", &[Scope::EventsWrite]));
    assert_eq!(desk.transport(&service).await.unwrap().settings, None);
    let settings = TransportSettings { use_streams: true, percentage: 25, ..TransportSettings::default() };
    let change = |expected_version| ChangeTransport { settings, expected_version };
    assert_eq!(desk.set_transport(&service, change(None)).await.unwrap_err().code(), Code::Forbidden);
    assert_eq!(desk.set_transport(&me, change(Some(0))).await.unwrap().version, 1);
    let shown = desk.transport(&service).await.unwrap();
    assert_eq!((shown.settings, shown.version, shown.updated_by.as_deref()), (Some(settings), 1, Some("owner")));
    let conflict = desk.set_transport(&user("a", &[Scope::EventsAdmin]), change(Some(0))).await.unwrap_err();
    assert_eq!((conflict.code(), conflict.problem.current_version), (Code::EventTransportConflict, Some(1)));
    for broken in [
        TransportSettings { percentage: 101, ..settings },
        TransportSettings { publish_timeout_ms: 9, ..settings },
        TransportSettings { publish_timeout_ms: 5_001, ..settings },
    ] {
        let change = ChangeTransport { settings: broken, expected_version: None };
        assert_eq!(desk.set_transport(&me, change).await.unwrap_err().code(), Code::InvalidRequest);
    }
}
