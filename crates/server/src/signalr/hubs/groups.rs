//! Groups of clients, and the rooms of streams whose events reach them.

use super::{Told, value};
use crate::live::Place;
use mainstay_core::api::Problem;
use mainstay_core::api::events::{RoomId, StreamName};
use serde::Deserialize;

/// An id of the application: text, or a number that stands for its text.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(untagged)]
pub(super) enum Id {
    Text(String),
    Number(u64),
}

impl Id {
    pub(super) fn text(self) -> String {
        match self {
            Self::Text(text) => text,
            Self::Number(number) => number.to_string(),
        }
    }
}

/// Those who hear the same.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) enum Group {
    /// The connections of one user to the chat.
    User(String),
    /// A session of a user at a desktop.
    Desktop(String),
    /// Who looks at a request.
    Request(String),
    /// Who looks at a ticket.
    Ticket(String),
    /// Who looks at the tickets of a user.
    UserTickets(String),
    /// Whom notifications of a user reach.
    Notifications(String),
    /// Who is notified of a request.
    RequestNotifications(String),
    /// The two ends of a session of remote access.
    Session(String),
    /// A room of a stream, as it is named.
    Room(StreamName, RoomId),
}

impl Group {
    /// The rooms whose events reach the group, the one that it is named after first. Publishers name a room with its
    /// kind, or, as the founding system does, by the bare id. The bare id of a request is not looked up among tickets
    /// for a chat: notifications of the user who has the same id would stand there.
    ///
    /// # Errors
    /// Where an id cannot be that of a room.
    pub(super) fn places(&self) -> Result<Vec<Place>, String> {
        let named = match self {
            Self::Room(stream, room) => return Ok(vec![(stream.clone(), room.clone())]),
            Self::User(id) => personal("chat", "user", id),
            Self::Notifications(id) => personal("notification", "notifications", id),
            Self::Desktop(id) => vec![("remote", format!("desktop:{id}"))],
            Self::Request(id) => vec![
                ("chat", format!("request:{id}")),
                ("chat", id.clone()),
                ("ticket", format!("request:{id}")),
                ("ticket", format!("ticket:{id}")),
            ],
            Self::Ticket(id) => {
                vec![("ticket", format!("ticket:{id}")), ("ticket", format!("request:{id}")), ("ticket", id.clone())]
            }
            Self::UserTickets(id) => ["ticket", "chat"].map(|stream| (stream, format!("user-tickets:{id}"))).into(),
            Self::RequestNotifications(id) => vec![("notification", format!("request-notifications:{id}"))],
            Self::Session(id) => vec![("remote", format!("remote-access:{id}")), ("remote", id.clone())],
        };
        named.into_iter().map(|(stream, room)| place(stream, room)).collect()
    }

    /// The room that the group is named after.
    ///
    /// # Errors
    /// As with [`Group::places`].
    pub(super) fn named_after(&self) -> Result<Place, String> {
        self.places()?.into_iter().next().ok_or_else(|| "a group without a room".into())
    }

    /// What a client is told when the group ends for it because it may not listen any more; nothing where it has no use
    /// for the connection without the group.
    pub(super) fn farewell(&self, why: &Problem) -> Option<Told> {
        let id = |id: &str| value(&id).ok().map(|id| vec![id]);
        Some(match self {
            Self::User(_) | Self::Notifications(_) | Self::Desktop(_) => return None,
            Self::Request(request) => ("RoomLeft", id(request)?),
            Self::Ticket(ticket) => ("TicketUnsubscribed", id(ticket)?),
            Self::UserTickets(_) => ("UserTicketsUnsubscribed", Vec::new()),
            Self::RequestNotifications(request) => {
                ("SubscriptionRemoved", vec![value(&serde_json::json!({ "requestId": request })).ok()?])
            }
            Self::Session(session) => ("SessionLeft", id(session)?),
            Self::Room(stream, room) => {
                ("Unsubscribed", vec![value(stream).ok()?, value(room).ok()?, value(why).ok()?])
            }
        })
    }
}

/// The rooms of one user. The one that the group is named after comes first.
fn personal(stream: &'static str, kind: &str, id: &str) -> Vec<(&'static str, String)> {
    let names = [format!("user:{id}"), format!("notifications:{id}"), id.to_owned()];
    let all =
        ["notification", "ticket", "remote"].into_iter().flat_map(|stream| names.iter().map(move |n| (stream, n)));
    let first = (stream, format!("{kind}:{id}"));
    let rest: Vec<_> = all.map(|(stream, name)| (stream, name.clone())).filter(|place| *place != first).collect();
    std::iter::once(first.clone()).chain(rest).collect()
}

fn place(stream: &str, room: String) -> Result<Place, String> {
    let stream = StreamName::parse(stream).map_err(|rule| rule.to_string())?;
    Ok((stream, RoomId::parse(room).map_err(|rule| rule.to_string())?))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rooms(group: &Group) -> Vec<String> {
        group.places().unwrap().into_iter().map(|(stream, room)| format!("{stream}/{room}")).collect()
    }

    #[test]
    fn a_group_is_reached_however_its_room_is_named() {
        let request = rooms(&Group::Request("42".into()));
        assert_eq!(request, ["chat/request:42", "chat/42", "ticket/request:42", "ticket/ticket:42"]);
        let personal = rooms(&Group::Notifications("7".into()));
        assert_eq!(personal[0], "notification/notifications:7");
        assert_eq!(personal.len(), 9);
        for room in ["notification/7", "ticket/7", "remote/user:7"] {
            assert!(personal.contains(&room.to_owned()), "{personal:?}");
        }
        let own = rooms(&Group::User("7".into()));
        assert_eq!((own[0].as_str(), own.len()), ("chat/user:7", 10));
    }

    #[test]
    fn a_chat_does_not_listen_where_notifications_of_another_user_may_stand() {
        let request = rooms(&Group::Request("7".into()));
        for room in ["notification/7", "ticket/7", "remote/7"] {
            assert!(!request.contains(&room.to_owned()), "{request:?}");
        }
    }

    #[test]
    fn an_id_that_is_no_room_is_refused() {
        assert!(Group::Request(String::new()).places().is_err());
        assert!(Group::Ticket("a\0b".into()).places().is_err());
        assert!(Group::Session("x".repeat(600)).places().is_err());
    }
}
