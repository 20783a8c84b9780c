//! The endpoints of pools.

mod add;
mod list;
mod patch;
mod put;
mod read;
mod remove;
mod reset;

pub(crate) use add::{__path_add, add};
pub(crate) use list::{__path_list, list};
pub(crate) use patch::{__path_patch, patch};
pub(crate) use put::{__path_put, put};
pub(crate) use read::{__path_read, read};
pub(crate) use remove::{__path_remove, remove};
pub(crate) use reset::{__path_reset, reset};

use crate::tags::etag;
use axum::response::{IntoResponse, Response};
use http::header::ETAG;
use mainstay_core::api::providers::Pool;

/// A pool with its tag.
fn tagged(pool: Pool) -> Response {
    ([(ETAG, etag(pool.revision))], axum::Json(pool)).into_response()
}
