//! What every request passes before its handler runs.

mod bounds;
mod cross_origin;
mod hosts;
mod observe;

pub(crate) use bounds::{admit, admit_live, limit_body, limit_gateway_body, limit_time, read_body, timed_out, whole};
pub(crate) use cross_origin::cross_origin;
pub use hosts::InProcess;
pub(crate) use hosts::check_host;
pub(crate) use observe::{caught, observe};
