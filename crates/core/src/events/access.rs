//! Who may subscribe to a room, and read what is said there.

use super::rooms::{RoomKey, RoomStore};
use super::streams::{RoomAccess, StreamOptions};
use crate::error::{Error, Result};
use crate::{Caller, Scope};
use mainstay_api::events::{MemberId, RoomId};
use mainstay_api::{Code, Timestamp};

/// Rooms of one person begin with these; what follows is the id of the user.
const PERSONAL: [&str; 3] = ["user:", "notifications:", "user-tickets:"];

/// That a caller may subscribe.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Admitted {
    /// Until when; while the credential stands where absent.
    pub until: Option<Timestamp>,
}

/// What the names of principals begin with; a user of such an id is a member under the name of the principal, so that
/// nobody passes for a service.
const PRINCIPALS: [&str; 4] = ["owner", "key:", "user:", "token:"];

/// Under which name a caller is a member of rooms: the user's id where an issuer's token or a user's session names one,
/// else the principal.
///
/// # Errors
/// Where the name is too long for a member.
pub fn member_of(caller: &Caller) -> Result<MemberId> {
    use crate::Principal;
    let name = match &caller.principal {
        Principal::User(_) | Principal::Token(_) if !passes_for_principal(caller.subject.user.as_str()) => {
            caller.subject.user.as_str().to_owned()
        }
        _ => caller.principal.to_string(),
    };
    MemberId::parse(name).map_err(|rule| Error::invalid(rule.to_string()))
}

fn passes_for_principal(user: &str) -> bool {
    PRINCIPALS.iter().any(|principal| user.starts_with(principal))
}

/// Refuses who may not subscribe to a room.
pub(super) async fn admit(
    caller: &Caller,
    room: &RoomKey,
    options: &StreamOptions,
    rooms: &dyn RoomStore,
    now: Timestamp,
) -> Result<Admitted> {
    caller.require(Scope::EventsRead)?;
    if caller.scopes.contains(Scope::EventsAdmin) {
        return Ok(Admitted { until: None });
    }
    match options.access {
        RoomAccess::Open if is_open_to(caller, &room.room) => Ok(Admitted { until: None }),
        RoomAccess::Open => Err(forbidden(&room.room, "it is the room of another user")),
        RoomAccess::Members => {
            let membership = rooms.membership(room, &member_of(caller)?, now).await?;
            let membership = membership.ok_or_else(|| forbidden(&room.room, "only its members may subscribe"))?;
            Ok(Admitted { until: membership.until })
        }
    }
}

fn is_open_to(caller: &Caller, room: &RoomId) -> bool {
    let user = PERSONAL.iter().find_map(|prefix| room.as_str().strip_prefix(prefix));
    user.is_none_or(|user| user == caller.subject.user.as_str())
}

fn forbidden(room: &RoomId, why: &str) -> Error {
    Error::new(
        Code::EventRoomForbidden,
        format!("the room {:?} is not open to this credential: {why}", room.as_str()),
        "Ask whoever runs the application to admit you, or use a credential with the scope events:admin.",
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Principal;
    use mainstay_api::Subject;

    #[test]
    fn the_room_of_a_person_is_open_to_that_person_alone() {
        let caller = Caller { subject: Subject::local("7"), ..Caller::owner() };
        let open = |room: &str| is_open_to(&caller, &RoomId::parse(room).unwrap());
        for own in ["user:7", "notifications:7", "user-tickets:7", "request:8", "7", "userx:8"] {
            assert!(open(own), "{own}");
        }
        for foreign in ["user:8", "notifications:77", "user-tickets:", "user: 7", "user:7:x"] {
            assert!(!open(foreign), "{foreign}");
        }
    }

    #[test]
    fn a_service_cannot_be_taken_for_a_user() {
        let token = Principal::Token(Subject::local("7"));
        let user = Caller { principal: token, subject: Subject::local("7"), ..Caller::owner() };
        assert_eq!(member_of(&user).unwrap().as_str(), "7");
        assert_eq!(member_of(&Caller::owner()).unwrap().as_str(), "owner");
        for id in ["owner", "key:k1", "user:7", "token:a:b:c"] {
            let token = Principal::Token(Subject::local(id));
            let user = Caller { principal: token, subject: Subject::local(id), ..Caller::owner() };
            assert!(member_of(&user).unwrap().as_str().starts_with("token:local:local:"), "{id}");
        }
    }
}
