//! How many live connections each principal has at this node.

use mainstay_core::api::Code;
use mainstay_core::{Caller, Error, Principal, Result};
use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Counts live connections by principal, so that one cannot take the room of all.
#[derive(Clone, Default)]
pub(crate) struct Seats(Arc<Mutex<HashMap<String, usize>>>);

/// A connection that is counted until it is dropped.
pub(crate) struct Seat(Option<(Seats, String)>);

impl Seats {
    /// Counts a connection of a caller.
    ///
    /// # Errors
    /// `server.overloaded` where the principal has as many as it may.
    pub(crate) fn take(&self, caller: &Caller, max: usize) -> Result<Seat> {
        // The owner runs the node, and may fill it.
        if caller.principal == Principal::Owner {
            return Ok(Seat(None));
        }
        let name = caller.principal.to_string();
        let mut seats = self.lock();
        let taken = seats.entry(name.clone()).or_default();
        if *taken >= max {
            return Err(Error::new(
                Code::Overloaded,
                format!("this credential has {max} live connections at this node, as many as it may"),
                "Close some, give each user a credential of their own, or use another node.",
            )
            .retry_after_ms(1_000));
        }
        *taken += 1;
        drop(seats);
        Ok(Seat(Some((self.clone(), name))))
    }

    /// How many principals have any.
    pub(crate) fn principals(&self) -> usize {
        self.lock().len()
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<String, usize>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        let Some((seats, name)) = self.0.take() else { return };
        let mut seats = seats.lock();
        if let Some(taken) = seats.get_mut(&name) {
            *taken -= 1;
            if *taken == 0 {
                seats.remove(&name);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use mainstay_core::api::Subject;

    #[test]
    fn a_principal_has_no_more_connections_than_it_may_and_others_are_unharmed() {
        let seats = Seats::default();
        let user = |name: &str| Caller { principal: Principal::Token(Subject::local(name)), ..Caller::owner() };
        let first = seats.take(&user("a"), 2).unwrap();
        let _second = seats.take(&user("a"), 2).unwrap();
        assert_eq!(seats.take(&user("a"), 2).err().unwrap().code(), Code::Overloaded);
        assert!(seats.take(&user("b"), 2).is_ok());
        assert!(seats.take(&Caller::owner(), 0).is_ok());
        drop(first);
        assert!(seats.take(&user("a"), 2).is_ok());
        assert_eq!(seats.principals(), 1, "who has none is forgotten");
    }
}
