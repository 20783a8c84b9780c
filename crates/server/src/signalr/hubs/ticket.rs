//! `/hubs/ticket`.

use super::groups::{Group, Id};
use super::{Answer, done, value};
use crate::signalr::session::{Call, Peer};
use std::sync::Arc;

pub(super) async fn invoke(peer: &Arc<Peer>, call: Call) -> Answer {
    let own = || Group::UserTickets(peer.user().to_owned());
    match call.method.as_str() {
        "subscribetoticket" => {
            let id = call.argument::<Id>(0)?.text();
            let told = vec![value(&id)?];
            peer.join(Group::Ticket(id).into(), |_| Ok(Some(("TicketSubscribed", told)))).await?;
        }
        "unsubscribefromticket" => {
            let id = call.argument::<Id>(0)?.text();
            let told = vec![value(&id)?];
            peer.leave(&Group::Ticket(id)).await;
            peer.tell("TicketUnsubscribed", told)?;
        }
        "subscribetousertickets" => {
            peer.join(own().into(), |_| Ok(Some(("UserTicketsSubscribed", Vec::new())))).await?;
        }
        "unsubscribefromusertickets" => {
            peer.leave(&own()).await;
            peer.tell("UserTicketsUnsubscribed", Vec::new())?;
        }
        _ => return Ok(None),
    }
    done()
}
