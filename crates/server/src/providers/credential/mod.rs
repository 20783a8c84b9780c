//! The endpoints of a credential.

mod put;
mod read;
mod refresh;
mod remove;
mod reveal;

pub(crate) use put::{__path_put, put};
pub(crate) use read::{__path_read, read};
pub(crate) use refresh::{__path_refresh, refresh};
pub(crate) use remove::{__path_remove, remove};
pub(crate) use reveal::{__path_reveal, reveal};
