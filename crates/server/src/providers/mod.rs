//! Providers over HTTP.

pub(crate) mod credential;
pub(crate) mod pool;
pub(crate) mod provider;
