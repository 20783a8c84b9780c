//! In and out of the coordination system that Mainstay replaces: its scripts, its folder, its keys, and the dual write.

#[path = "../common/mod.rs"]
mod common;
mod import;
mod keys;
mod legacy_folder;
mod mirror;
mod parity;
mod scripts;
mod scripts_first;
mod site;
