//! Rooms on Redis.

use crate::answer::Answer;
use crate::connection::{Connection, Repeat, read};
use crate::keys::{Keys, encode};
use crate::scripts::{self, Script};
use async_trait::async_trait;
use mainstay_core::api::events::{MemberId, StreamName};
use mainstay_core::api::{Namespace, RawJson, Timestamp};
use mainstay_core::events::{Admit, Enter, EnterOutcome, Membership, Occupant, RoomKey, RoomStore};
use mainstay_core::{Error, Result};
use redis::Value;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

/// Connections that one script renews at most.
const MAX_RENEWED: usize = 500;

/// Rooms in Redis.
pub(crate) struct RedisRooms {
    connection: Arc<Connection>,
    keys: Keys,
}

impl RedisRooms {
    /// Rooms over a connection.
    pub fn new(connection: Arc<Connection>, keys: Keys) -> Self {
        Self { connection, keys }
    }

    async fn run(&self, script: &Script, at: &House, args: &[&[u8]]) -> Result<Value> {
        let key = self.keys.rooms(&at.namespace, &at.stream);
        self.connection.script(script, &key, args, Repeat::Safe).await
    }

    async fn flag(&self, script: &Script, at: &House, args: &[&[u8]]) -> Result<bool> {
        Ok(read::<u8>(self.run(script, at, args).await?, script.name)? == 1)
    }

    /// Rooms are in a slot of their own, so the set of all is another step. A purge that never hears of them costs those who
    /// watch them a wake-up: the keys expire by themselves.
    async fn note(&self, at: &House) {
        let mut command = redis::cmd("SADD");
        command.arg(self.keys.streams_with_rooms()).arg(format!("{}:{}", at.namespace, at.stream));
        if let Err(error) = self.connection.command("note the rooms", &command, Repeat::Safe).await {
            tracing::warn!(namespace = at.namespace, %error, "rooms could not be noted for maintenance");
        }
    }

    async fn renew_some(&self, at: &House, rooms: &[&(RoomKey, String)], args: [&str; 2]) -> Result<Vec<usize>> {
        let names: Vec<String> = rooms.iter().map(|(room, _)| encode(room.room.as_str())).collect();
        let mut args: Vec<&[u8]> = args.iter().map(|arg| arg.as_bytes()).collect();
        for (name, (_, connection)) in names.iter().zip(rooms) {
            args.extend([name.as_bytes(), connection.as_bytes()]);
        }
        let script = &scripts::ROOMS_RENEW;
        read(self.run(script, at, &args).await?, script.name)
    }
}

#[async_trait]
impl RoomStore for RedisRooms {
    async fn enter(&self, enter: Enter) -> Result<EnterOutcome> {
        let (at, occupant) = (House::of(&enter.room), &enter.occupant);
        let (room, since) = (encode(enter.room.room.as_str()), format!("{:016}", occupant.since.as_millis()));
        let info = occupant.info.as_ref().map_or("", RawJson::as_str);
        let (ttl, most) = (enter.ttl.as_millis().to_string(), enter.max_occupants.to_string());
        let (now, channel, wake) = (enter.now.as_millis().to_string(), self.keys.channel(), at.wake());
        let member = occupant.member.as_str();
        let args = [&room, member, &occupant.connection, info, &since, &ttl, &most, &now, &channel, &wake];
        let script = &scripts::ROOMS_ENTER;
        let word: String = read(self.run(script, &at, &args.map(str::as_bytes)).await?, script.name)?;
        match word.as_str() {
            "joined" => {
                self.note(&at).await;
                Ok(EnterOutcome::Joined)
            }
            "present" => Ok(EnterOutcome::Present),
            "full" => Ok(EnterOutcome::Full),
            other => Err(Error::inconsistent(format!("{} answered {other:?}", script.name))),
        }
    }

    async fn renew(
        &self,
        rooms: &[(RoomKey, String)],
        ttl: Duration,
        now: Timestamp,
    ) -> Result<Vec<(RoomKey, String)>> {
        let (ttl, now) = (ttl.as_millis().to_string(), now.as_millis().to_string());
        let mut houses: BTreeMap<House, Vec<&(RoomKey, String)>> = BTreeMap::new();
        for pair in rooms {
            houses.entry(House::of(&pair.0)).or_default().push(pair);
        }
        let mut gone = Vec::new();
        for (at, rooms) in houses {
            for some in rooms.chunks(MAX_RENEWED) {
                let places = self.renew_some(&at, some, [&ttl, &now]).await?;
                gone.extend(places.into_iter().filter_map(|place| some.get(place)).map(|pair| (*pair).clone()));
            }
        }
        Ok(gone)
    }

    async fn leave(&self, room: &RoomKey, connection: &str, now: Timestamp) -> Result<bool> {
        let (at, name) = (House::of(room), encode(room.room.as_str()));
        let (now, channel, wake) = (now.as_millis().to_string(), self.keys.channel(), at.wake());
        let args = [&name, connection, &now, &channel, &wake].map(str::as_bytes);
        self.flag(&scripts::ROOMS_LEAVE, &at, &args).await
    }

    async fn occupants(&self, room: &RoomKey, limit: u32, now: Timestamp) -> Result<Vec<Occupant>> {
        let name = encode(room.room.as_str());
        let (limit, now) = (limit.to_string(), now.as_millis().to_string());
        let script = &scripts::ROOMS_OCCUPANTS_LIST;
        let args = [&name, &limit, &now].map(|arg| arg.as_bytes());
        let mut answer = Answer::of(self.run(script, &House::of(room), &args).await?, script.name)?;
        let mut occupants = Vec::new();
        while !answer.is_empty() {
            let (member, since) = (parse_member(answer.next()?)?, time(&answer.next::<String>()?)?);
            let (connection, info) = (answer.next()?, answer.next::<String>()?);
            occupants.push(Occupant { member, connection, info: parse_info(&info)?, since });
        }
        Ok(occupants)
    }

    async fn connections_of(
        &self,
        namespace: &Namespace,
        stream: &StreamName,
        member: &MemberId,
        now: Timestamp,
    ) -> Result<u64> {
        let at = House { namespace: encode(namespace.as_str()), stream: encode(stream.as_str()) };
        let (member, now) = (encode(member.as_str()), now.as_millis().to_string());
        let script = &scripts::ROOMS_CONNECTIONS_OF;
        read(self.run(script, &at, &[member.as_bytes(), now.as_bytes()]).await?, script.name)
    }

    async fn admit(&self, admit: Admit) -> Result<bool> {
        let (at, room) = (House::of(&admit.room), encode(admit.room.room.as_str()));
        let until = admit.until.map_or_else(|| "+inf".to_owned(), |until| until.as_millis().to_string());
        let (most, now) = (admit.max_members.to_string(), admit.now.as_millis().to_string());
        let (channel, wake) = (self.keys.channel(), at.wake());
        let args = [&room, admit.member.as_str(), &until, &most, &now, &channel, &wake].map(str::as_bytes);
        let admitted = self.flag(&scripts::ROOMS_ADMIT, &at, &args).await?;
        if admitted && admit.until.is_some() {
            self.note(&at).await;
        }
        Ok(admitted)
    }

    async fn dismiss(&self, room: &RoomKey, member: &MemberId, now: Timestamp) -> Result<bool> {
        let (at, name) = (House::of(room), encode(room.room.as_str()));
        let (now, channel, wake) = (now.as_millis().to_string(), self.keys.channel(), at.wake());
        let args = [&name, member.as_str(), &now, &channel, &wake].map(str::as_bytes);
        self.flag(&scripts::ROOMS_DISMISS, &at, &args).await
    }

    async fn membership(&self, room: &RoomKey, member: &MemberId, now: Timestamp) -> Result<Option<Membership>> {
        let (name, now) = (encode(room.room.as_str()), now.as_millis().to_string());
        let args = [&name, member.as_str(), &now].map(str::as_bytes);
        let script = &scripts::ROOMS_MEMBERSHIP;
        let until: String = read(self.run(script, &House::of(room), &args).await?, script.name)?;
        if until.is_empty() { Ok(None) } else { membership(&until).map(Some) }
    }

    async fn members(
        &self,
        room: &RoomKey,
        after: Option<&MemberId>,
        limit: u32,
        now: Timestamp,
    ) -> Result<Vec<(MemberId, Membership)>> {
        let (name, after) = (encode(room.room.as_str()), after.map_or("", MemberId::as_str));
        let (limit, now) = (limit.to_string(), now.as_millis().to_string());
        let args = [&name, after, &limit, &now].map(str::as_bytes);
        let script = &scripts::ROOMS_MEMBERS_LIST;
        let mut answer = Answer::of(self.run(script, &House::of(room), &args).await?, script.name)?;
        let mut members = Vec::new();
        while !answer.is_empty() {
            members.push((parse_member(answer.next()?)?, membership(&answer.next::<String>()?)?));
        }
        Ok(members)
    }

    async fn purge(&self, now: Timestamp, limit: u32) -> Result<u32> {
        let mut command = redis::cmd("SMEMBERS");
        command.arg(self.keys.streams_with_rooms());
        let listed = self.connection.command("list the rooms", &command, Repeat::Safe).await?;
        let (now, channel) = (now.as_millis().to_string(), self.keys.channel());
        let (mut occupants, mut members) = (0, 0);
        for entry in read::<Vec<String>>(listed, "SMEMBERS")? {
            let Some((namespace, stream)) = entry.split_once(':') else { continue };
            let at = House { namespace: namespace.to_owned(), stream: stream.to_owned() };
            let (most, wake) = ((limit - limit.min(occupants.max(members))).to_string(), at.wake());
            let script = &scripts::ROOMS_PURGE;
            let args = [&now, &most, &channel, &wake].map(|arg| arg.as_bytes());
            let (gone, over): (u32, u32) = read(self.run(script, &at, &args).await?, script.name)?;
            occupants += gone;
            members += over;
            if occupants.max(members) >= limit {
                break;
            }
        }
        Ok(occupants + members)
    }
}

/// The rooms of a stream in a namespace, both encoded.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
struct House {
    namespace: String,
    stream: String,
}

impl House {
    fn of(room: &RoomKey) -> Self {
        Self { namespace: encode(room.namespace.as_str()), stream: encode(room.stream.as_str()) }
    }

    fn wake(&self) -> String {
        format!("r {} {}", self.namespace, self.stream)
    }
}

fn parse_member(text: String) -> Result<MemberId> {
    MemberId::parse(text).map_err(|broken| Error::inconsistent(broken.to_string()))
}

fn parse_info(text: &str) -> Result<Option<RawJson>> {
    let parsed = (!text.is_empty()).then(|| RawJson::parse(text)).transpose();
    parsed.map_err(|e| Error::inconsistent(format!("what a connection says is no JSON: {e}")))
}

fn membership(until: &str) -> Result<Membership> {
    Ok(Membership { until: if until == "inf" { None } else { Some(time(until)?) } })
}

fn time(text: &str) -> Result<Timestamp> {
    let millis = text.parse().map_err(|_| Error::inconsistent(format!("{text:?} is not a time of a room")))?;
    Ok(Timestamp::from_millis(millis))
}
