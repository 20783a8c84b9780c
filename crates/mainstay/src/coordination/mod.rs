//! In and out: the folder and the keys of the coordination system that Mainstay replaces, imports, exports, parity
//! and the mirror.

pub mod folder;
pub mod import;
pub mod mirror;
pub mod parity;
pub mod source;
