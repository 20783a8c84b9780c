//! Gateway keys: what those who ask may ask for, how much, and what they used.
//!
//! *Invariant:* what a request may cost is reserved before it is sent, and what it did cost is settled once; a reservation
//! that nobody settles stays counted.

mod meter;
mod port;
mod prices;
mod record;
mod refusals;
mod rules;
mod service;

pub use meter::{Ask, Known, Meter, MeterWatch, Settlement, Ticket};
pub use port::{
    Admission, Admit, ChangeKey, CreateKey, KeyLimits, KeyOutcome, KeyRecord, KeyStore, Limit, ListUsage, Period,
    Refusal, Reserve, SETTLE_WITHIN_MS, Settle, Spent, Tally, UsagePlace, UsageRow,
};
pub use prices::{MAX_COUNT, Price, PriceTable, Prospect, matches};
pub use rules::{Full, MINUTE_MS, Reservation, Standing, day_of, start_of_day};
pub use service::{GatewayKeyService, KeyRules};
