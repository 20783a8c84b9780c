//! The rules of rooms, on the model.

use mainstay_core::api::events::{AdmitMember, ListMembers, MemberId, RoomId, StreamName};
use mainstay_core::api::{Code, RawJson, Subject, Timestamp};
use mainstay_core::events::{
    Arrival, EventParts, EventService, RoomAccess, RoomParts, RoomRules, RoomService, StreamOptions, Streams,
};
use mainstay_core::{Caller, Clock, FakeClock, Principal, RandomMint, Result, Scope};
use mainstay_testkit::model;
use std::sync::Arc;

struct House {
    rooms: RoomService,
    clock: Arc<FakeClock>,
}

/// Rooms of the streams `chat`, which is open, and `team`, whose rooms are for their members.
fn house(rules: RoomRules) -> House {
    let stores = model::stores();
    let mut streams = Streams::default();
    let team = stream("team");
    streams.set(team.clone(), StreamOptions { access: RoomAccess::Members, ..StreamOptions::usual(&team) }).unwrap();
    let clock = Arc::new(FakeClock::at(1_800_000_000_000));
    let events = Arc::new(EventService::new(EventParts {
        events: stores.events.clone(),
        rooms: stores.rooms.clone(),
        transport: stores.transport.clone(),
        streams: Arc::new(streams),
        clock: clock.clone(),
        mint: Arc::new(RandomMint),
    }));
    House { rooms: RoomService::new(RoomParts { rooms: stores.rooms, events, clock: clock.clone(), rules }), clock }
}

impl House {
    async fn enter(&self, who: &str, stream_name: &str, connection: &str) -> Result<()> {
        let arrival =
            Arrival { stream: stream(stream_name), room: room("r"), connection: connection.into(), info: None };
        self.rooms.enter(&user(who), arrival).await.map(drop)
    }

    async fn present(&self, stream_name: &str) -> Vec<String> {
        let told = self.rooms.presence(&Caller::owner(), &stream(stream_name), &room("r")).await.unwrap();
        told.present.into_iter().map(|present| format!("{} {}", present.member, present.connections)).collect()
    }
}

fn stream(name: &str) -> StreamName {
    StreamName::parse(name).unwrap()
}

fn room(name: &str) -> RoomId {
    RoomId::parse(name).unwrap()
}

fn member(name: &str) -> MemberId {
    MemberId::parse(name).unwrap()
}

/// Somebody with the token of an application, who may read events.
fn user(id: &str) -> Caller {
    let subject = Subject::local(id);
    let scopes = [Scope::EventsRead].into_iter().collect();
    Caller { principal: Principal::Token(subject.clone()), subject, scopes, ..Caller::owner() }
}

#[tokio::test]
async fn a_member_is_present_while_one_of_its_connections_is_renewed() {
    let house = house(RoomRules::default());
    let ttl = i64::try_from(RoomRules::default().ttl.as_millis()).unwrap();
    house.enter("ada", "chat", "c1").await.unwrap();
    house.enter("ada", "chat", "c2").await.unwrap();
    assert_eq!(house.present("chat").await, ["ada 2"]);
    assert!(house.rooms.renew_every() * 3 <= RoomRules::default().ttl);
    house.clock.advance(ttl - 1);
    let key = mainstay_core::events::RoomKey {
        namespace: Caller::owner().namespace,
        stream: stream("chat"),
        room: room("r"),
    };
    let gone = house.rooms.renew(&[(key.clone(), "c1".into()), (key.clone(), "c9".into())]).await.unwrap();
    assert_eq!(gone, [(key.clone(), "c9".to_owned())]);
    house.clock.advance(1);
    assert_eq!(house.present("chat").await, ["ada 1"]);
    assert_eq!(house.rooms.connections_of(&user("bob"), &stream("chat"), &member("ada")).await.unwrap(), 1);
    assert!(house.rooms.leave(&key, "c1").await.unwrap());
    assert_eq!(house.present("chat").await, [""; 0]);
}

#[tokio::test]
async fn only_members_enter_a_room_of_members_and_only_while_they_are() {
    let house = house(RoomRules::default());
    let at = (&stream("team"), &room("r"));
    let refused = house.enter("ada", "team", "c1").await.unwrap_err();
    assert_eq!(refused.code(), Code::EventRoomForbidden);
    let admit = AdmitMember { until: Some(Timestamp::from_millis(house.clock.now().as_millis() + 1_000)) };
    let by_user = house.rooms.admit(&user("ada"), at, member("ada"), admit.clone()).await.unwrap_err();
    assert_eq!(by_user.code(), Code::Forbidden, "nobody admits oneself");
    house.rooms.admit(&Caller::owner(), at, member("ada"), admit.clone()).await.unwrap();
    house.enter("ada", "team", "c1").await.unwrap();
    assert_eq!(house.rooms.members(&user("ada"), at, ListMembers::default()).await.unwrap().items.len(), 1);
    assert_eq!(house.rooms.presence(&user("bob"), at.0, at.1).await.unwrap_err().code(), Code::EventRoomForbidden);
    house.clock.advance(1_000);
    assert_eq!(house.enter("ada", "team", "c1").await.unwrap_err().code(), Code::EventRoomForbidden);
    let late = house.rooms.admit(&Caller::owner(), at, member("ada"), admit).await.unwrap_err();
    assert_eq!(late.code(), Code::InvalidRequest, "it would be over already");
    house.rooms.admit(&Caller::owner(), at, member("ada"), AdmitMember::default()).await.unwrap();
    house.enter("ada", "team", "c1").await.unwrap();
    assert!(house.rooms.dismiss(&Caller::owner(), at, &member("ada")).await.unwrap().changed);
    assert_eq!(house.enter("ada", "team", "c2").await.unwrap_err().code(), Code::EventRoomForbidden);
}

#[tokio::test]
async fn bounds_are_refusals_that_say_so() {
    let house = house(RoomRules { max_occupants: 1, max_members: 1, ..RoomRules::default() });
    house.enter("ada", "chat", "c1").await.unwrap();
    assert_eq!(house.enter("bob", "chat", "c2").await.unwrap_err().code(), Code::EventRoomFull);
    house.enter("ada", "chat", "c1").await.unwrap();
    let at = (&stream("team"), &room("r"));
    house.rooms.admit(&Caller::owner(), at, member("ada"), AdmitMember::default()).await.unwrap();
    let full = house.rooms.admit(&Caller::owner(), at, member("bob"), AdmitMember::default()).await.unwrap_err();
    assert_eq!(full.code(), Code::EventRoomFull);
    let info = Some(RawJson::of(&"x".repeat(1_023)).unwrap());
    let arrival = Arrival { stream: stream("chat"), room: room("r"), connection: "c1".into(), info };
    assert_eq!(house.rooms.enter(&user("ada"), arrival).await.unwrap_err().code(), Code::TooLarge);
    for limit in [0, 1_001] {
        let list = ListMembers { limit: Some(limit), cursor: None };
        assert_eq!(house.rooms.members(&Caller::owner(), at, list).await.unwrap_err().code(), Code::InvalidRequest);
    }
    assert_eq!(house.enter("ada", "nowhere", "c1").await.unwrap_err().code(), Code::EventStreamUnknown);
}
