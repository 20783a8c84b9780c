//! The port of rooms on the model.

use super::wakeups::Wakeups;
use async_trait::async_trait;
use mainstay_core::Result;
use mainstay_core::api::events::{MemberId, StreamName};
use mainstay_core::api::{Namespace, Timestamp};
use mainstay_core::events::{Admit, Enter, EnterOutcome, Membership, Occupant, RoomKey, RoomStore};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// Rooms in memory: one lock around all of them.
pub(super) struct ModelRooms {
    rooms: Mutex<BTreeMap<RoomKey, Room>>,
    wakeups: Arc<Wakeups>,
}

#[derive(Default)]
struct Room {
    /// By connection: the occupant, and when its time ends.
    occupants: BTreeMap<String, (Occupant, Timestamp)>,
    members: BTreeMap<MemberId, Membership>,
}

impl Room {
    /// Whether a member has a connection in the room.
    fn holds(&self, member: &MemberId, now: Timestamp) -> bool {
        self.occupants.values().any(|(occupant, ends)| occupant.member == *member && *ends > now)
    }

    fn alive(&self, now: Timestamp) -> impl Iterator<Item = &Occupant> {
        self.occupants.values().filter(move |(_, ends)| *ends > now).map(|(occupant, _)| occupant)
    }
}

impl ModelRooms {
    pub fn new(wakeups: Arc<Wakeups>) -> Self {
        Self { rooms: Mutex::default(), wakeups }
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<RoomKey, Room>> {
        self.rooms.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[async_trait]
impl RoomStore for ModelRooms {
    async fn enter(&self, enter: Enter) -> Result<EnterOutcome> {
        let Enter { room: key, mut occupant, ttl, max_occupants, now } = enter;
        let mut rooms = self.lock();
        let room = rooms.entry(key.clone()).or_default();
        room.occupants.retain(|_, (_, ends)| *ends > now);
        let known = room.occupants.get(&occupant.connection).map(|(known, _)| known.clone());
        if known.is_none() && room.occupants.len() >= max_occupants as usize {
            return Ok(EnterOutcome::Full);
        }
        let joined = !room.holds(&occupant.member, now);
        let mut wakes = joined;
        if let Some(known) = known {
            wakes |= known.info != occupant.info || known.member != occupant.member;
            if known.member == occupant.member {
                occupant.since = known.since;
            }
        }
        room.occupants.insert(occupant.connection.clone(), (occupant, now.after(ttl)));
        if wakes {
            self.wakeups.rooms(&key);
        }
        Ok(if joined { EnterOutcome::Joined } else { EnterOutcome::Present })
    }

    async fn renew(&self, held: &[(RoomKey, String)], ttl: Duration, now: Timestamp) -> Result<Vec<(RoomKey, String)>> {
        let mut rooms = self.lock();
        let gone = held.iter().filter(|(key, connection)| {
            let found = rooms.get_mut(key).and_then(|room| room.occupants.get_mut(connection));
            match found.filter(|(_, ends)| *ends > now) {
                Some((_, ends)) => {
                    *ends = now.after(ttl);
                    false
                }
                None => true,
            }
        });
        Ok(gone.cloned().collect())
    }

    async fn leave(&self, key: &RoomKey, connection: &str, now: Timestamp) -> Result<bool> {
        let mut rooms = self.lock();
        let Some(room) = rooms.get_mut(key) else { return Ok(false) };
        let Some((occupant, ends)) = room.occupants.remove(connection) else { return Ok(false) };
        let left = ends > now && !room.holds(&occupant.member, now);
        if left {
            self.wakeups.rooms(key);
        }
        Ok(left)
    }

    async fn occupants(&self, key: &RoomKey, limit: u32, now: Timestamp) -> Result<Vec<Occupant>> {
        let rooms = self.lock();
        let mut occupants: Vec<Occupant> = rooms.get(key).into_iter().flat_map(|r| r.alive(now)).cloned().collect();
        occupants.sort_by(|a, b| (&a.member, a.since, &a.connection).cmp(&(&b.member, b.since, &b.connection)));
        occupants.truncate(limit as usize);
        Ok(occupants)
    }

    async fn connections_of(
        &self,
        namespace: &Namespace,
        stream: &StreamName,
        member: &MemberId,
        now: Timestamp,
    ) -> Result<u64> {
        let rooms = self.lock();
        let rooms = rooms.iter().filter(|(key, _)| key.namespace == *namespace && key.stream == *stream);
        let occupants = rooms.flat_map(|(_, room)| room.alive(now)).filter(|occupant| occupant.member == *member);
        Ok(occupants.map(|occupant| &occupant.connection).collect::<BTreeSet<_>>().len() as u64)
    }

    async fn admit(&self, admit: Admit) -> Result<bool> {
        let mut rooms = self.lock();
        let room = rooms.entry(admit.room.clone()).or_default();
        room.members.retain(|_, membership| lasts(*membership, admit.now));
        if !room.members.contains_key(&admit.member) && room.members.len() >= admit.max_members as usize {
            return Ok(false);
        }
        room.members.insert(admit.member, Membership { until: admit.until });
        self.wakeups.rooms(&admit.room);
        Ok(true)
    }

    async fn dismiss(&self, key: &RoomKey, member: &MemberId, now: Timestamp) -> Result<bool> {
        let mut rooms = self.lock();
        let ended = rooms.get_mut(key).and_then(|room| room.members.remove(member));
        let ended = ended.is_some_and(|membership| lasts(membership, now));
        if ended {
            self.wakeups.rooms(key);
        }
        Ok(ended)
    }

    async fn membership(&self, key: &RoomKey, member: &MemberId, now: Timestamp) -> Result<Option<Membership>> {
        let rooms = self.lock();
        let found = rooms.get(key).and_then(|room| room.members.get(member)).copied();
        Ok(found.filter(|membership| lasts(*membership, now)))
    }

    async fn members(
        &self,
        key: &RoomKey,
        behind: Option<&MemberId>,
        limit: u32,
        now: Timestamp,
    ) -> Result<Vec<(MemberId, Membership)>> {
        let rooms = self.lock();
        let members = rooms.get(key).into_iter().flat_map(|room| &room.members);
        let wanted = members
            .filter(|(member, membership)| behind.is_none_or(|behind| *member > behind) && lasts(**membership, now));
        Ok(wanted.map(|(member, membership)| (member.clone(), *membership)).take(limit as usize).collect())
    }

    async fn purge(&self, now: Timestamp, limit: u32) -> Result<u32> {
        let mut rooms = self.lock();
        let (mut occupants, mut members) = (0, 0);
        for (key, room) in rooms.iter_mut() {
            let before = occupants + members;
            room.occupants.retain(|_, (_, ends)| *ends > now || !counts(&mut occupants, limit));
            room.members.retain(|_, membership| lasts(*membership, now) || !counts(&mut members, limit));
            if occupants + members > before {
                self.wakeups.rooms(key);
            }
        }
        Ok(occupants + members)
    }
}

/// Counts one more, where there may be more.
fn counts(removed: &mut u32, limit: u32) -> bool {
    let more = *removed < limit;
    *removed += u32::from(more);
    more
}

fn lasts(membership: Membership, now: Timestamp) -> bool {
    membership.until.is_none_or(|until| until > now)
}
