//! The endpoints of users.

pub(crate) mod add;
pub(crate) mod change;
pub(crate) mod end_sessions;
pub(crate) mod list;
pub(crate) mod read;
pub(crate) mod remove;
pub(crate) mod reset_totp;
pub(crate) mod sessions;
pub(crate) mod set_password;
