//! The endpoints of one provider.

mod breaker;
mod patch;
mod put;
mod read;
mod remove;
mod reset;
mod reveal;
mod switch;

pub(crate) use breaker::{__path_breaker, breaker};
pub(crate) use patch::{__path_patch, patch};
pub(crate) use put::{__path_put, put};
pub(crate) use read::{__path_read, read};
pub(crate) use remove::{__path_remove, remove};
pub(crate) use reset::{__path_reset, reset};
pub(crate) use reveal::{__path_reveal, reveal};
pub(crate) use switch::{__path_disable, __path_enable, disable, enable};

use crate::tags::etag;
use axum::response::{IntoResponse, Response};
use http::header::ETAG;
use mainstay_core::api::providers::{PoolType, Provider, ProviderId};
use mainstay_core::providers::InPool;

/// The pool and the provider in a path.
type Names = (PoolType, ProviderId);

fn which((pool, provider): Names) -> InPool {
    InPool { pool, provider }
}

/// A provider with the tag of its settings.
fn tagged(provider: Provider) -> Response {
    ([(ETAG, etag(provider.version))], axum::Json(provider)).into_response()
}
