//! Conversations and chats over HTTP, on Redis and on SQLite.

mod bed;
mod chats;
mod faults;
mod isolation;
mod live;
mod resource;
mod upstream;
