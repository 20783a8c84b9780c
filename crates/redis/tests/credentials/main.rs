//! User and password of Redis: with any characters, with no more rights than the guide lists, and while they change.

mod acl;
mod live;
mod rig;
mod sources;
