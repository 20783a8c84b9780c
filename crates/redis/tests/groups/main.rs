//! What only Redis can do to consumer groups: a link that is cut, a server that stops, other programs on the same stream and
//! in the same group, and streams that they trim or delete.

mod faults;
mod losses;
mod others;
mod worker;
