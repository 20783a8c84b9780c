//! What SQLite as a store promises beyond the ports: several processes, crashes, files that are not as they should be.

mod audit;
mod child;
mod crash;
mod files;
mod full;
mod groups;
mod letters;
mod outage;
mod processes;
mod wakeups;
