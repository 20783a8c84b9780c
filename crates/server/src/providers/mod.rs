//! Providers over HTTP.

pub(crate) mod credential;
