//! What settings of pools and providers say, in our spelling and in that of the founding system; and what they may say.
//!
//! What is read is lenient: a member that makes no sense is as one that is not there, so that settings of others serve as far as
//! they can. What is written in our spelling is checked before it is stored.

mod checking;
mod reading;

pub use checking::{CHECK_MILLIS, CHECK_SECONDS, check_pool, check_provider};
pub use reading::{Offer, disabling, readable};
