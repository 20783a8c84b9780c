//! Calls about rooms.

use crate::call::{Call, path};
use crate::{Client, Result};
use http::Method;
use mainstay_api::events::{
    AdmitMember, ListMembers, MemberDismissed, MemberId, RoomId, RoomMember, RoomPresence, StreamName,
};
use mainstay_api::page::Page;

/// Calls about a room, see [`Client::room`].
pub struct RoomClient<'a> {
    client: &'a Client,
    stream: &'a StreamName,
    room: &'a RoomId,
}

impl Client {
    /// Calls about a room of a stream.
    #[must_use]
    pub fn room<'a>(&'a self, stream: &'a StreamName, room: &'a RoomId) -> RoomClient<'a> {
        RoomClient { client: self, stream, room }
    }
}

impl RoomClient<'_> {
    /// Who is in the room now.
    ///
    /// # Errors
    /// `events.stream_unknown`, `events.room_forbidden`.
    pub async fn presence(&self) -> Result<RoomPresence> {
        let path = path(&["v1", "events", self.stream.as_str(), "rooms", self.room.as_str(), "presence"]);
        self.client.call(Call::get(path)).await
    }

    /// A page of those who may be in it.
    ///
    /// # Errors
    /// `events.stream_unknown`, `events.room_forbidden`.
    pub async fn members(&self, list: &ListMembers) -> Result<Page<RoomMember>> {
        let path = path(&["v1", "events", self.stream.as_str(), "rooms", self.room.as_str(), "members"]);
        self.client.call(Call::get(path).query(list)?).await
    }

    /// Lets somebody into the room, in place of an earlier admission.
    ///
    /// # Errors
    /// `events.stream_unknown`, `events.room_full`.
    pub async fn admit(&self, member: &MemberId, admit: &AdmitMember) -> Result<RoomMember> {
        self.client.call(Call::write(Method::PUT, self.member(member), None)?.json(admit)?).await
    }

    /// Ends a membership.
    ///
    /// # Errors
    /// `events.stream_unknown`.
    pub async fn dismiss(&self, member: &MemberId) -> Result<MemberDismissed> {
        self.client.call(Call::write(Method::DELETE, self.member(member), None)?).await
    }

    fn member(&self, member: &MemberId) -> String {
        let (stream, room) = (self.stream.as_str(), self.room.as_str());
        path(&["v1", "events", stream, "rooms", room, "members", member.as_str()])
    }
}
