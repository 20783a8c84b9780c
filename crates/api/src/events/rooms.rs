//! Rooms: who is in them, and who may be.

use super::{MemberId, RoomId};
use crate::Timestamp;
use crate::raw::RawJson;
use serde::{Deserialize, Serialize};

/// Most that a connection says of itself in a room, in bytes.
pub const MAX_ROOM_INFO_BYTES: usize = 1_024;
/// Most members on one page, and most connections that one answer tells of.
pub const MAX_ROOM_PAGE: u32 = 1_000;
/// Members on a page where the call does not say.
pub const DEFAULT_ROOM_PAGE: u32 = 100;

/// Who is in a room now.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema, schemars::JsonSchema)]
pub struct RoomPresence {
    /// The room.
    pub room: RoomId,
    /// Who is there, by name.
    pub present: Vec<PresentMember>,
    /// Whether more are there: an answer tells of at most 1,000 connections.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub more: bool,
}

/// Somebody who is in a room, over one connection or several.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema, schemars::JsonSchema)]
pub struct PresentMember {
    /// Who.
    pub member: MemberId,
    /// When the first of the connections came.
    pub since: Timestamp,
    /// How many connections.
    pub connections: u32,
    /// What the last of them that says anything says of itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub info: Option<RawJson>,
}

/// Lets somebody into a room.
#[derive(Debug, Clone, Default, Serialize, Deserialize, utoipa::ToSchema, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AdmitMember {
    /// Until when; without an end when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<Timestamp>,
}

/// Somebody who may be in a room.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema, schemars::JsonSchema)]
pub struct RoomMember {
    /// Who.
    pub member: MemberId,
    /// Until when; without an end when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<Timestamp>,
}

/// Which members to list.
#[derive(Debug, Clone, Default, Serialize, Deserialize, utoipa::IntoParams, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct ListMembers {
    /// Most members of the page, 1 to 1000; 100 when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit: Option<u32>,
    /// The member behind which to go on: the `next` of the page before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[param(value_type = Option<String>)]
    pub cursor: Option<MemberId>,
}

/// What became of a membership that was to end.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema, schemars::JsonSchema)]
pub struct MemberDismissed {
    /// Whether there was one.
    pub changed: bool,
}
