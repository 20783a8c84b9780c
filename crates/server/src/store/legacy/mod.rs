//! How the founding system told how its store stands.

mod redis_status;
mod storage_status;

pub(crate) use redis_status::*;
pub(crate) use storage_status::*;
