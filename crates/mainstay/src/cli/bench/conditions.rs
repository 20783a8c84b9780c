//! Under which conditions something was measured: figures without them say nothing.

use mainstay_api::Timestamp;
use serde::Serialize;

/// The machine, and how busy it was.
#[derive(Debug, Clone, Serialize)]
pub(super) struct Conditions {
    pub version: &'static str,
    pub started_at: Timestamp,
    pub system: String,
    pub cores: usize,
    /// Processes that wanted to run at the beginning, as the mean of a minute, where the system tells.
    pub load: Option<f64>,
    /// The share of one core that measuring took: near 1, the measuring side is the limit.
    pub meter_busy: Option<f64>,
    /// What was measured.
    pub servers: Vec<String>,
    /// The nodes that answered.
    pub nodes: usize,
    /// Where events were kept, where the server was started for this.
    pub store: Option<String>,
    pub namespace: String,
    pub stream: String,
    pub users: u32,
    pub rooms: u32,
    pub rate_per_second: u32,
    pub warm_up_seconds: u64,
    pub seconds: u64,
    pub payload_bytes: u32,
}

/// The operating system and the kind of machine.
pub(super) fn system() -> String {
    let kernel = std::fs::read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default();
    format!("{} {} {}", std::env::consts::OS, kernel.trim(), std::env::consts::ARCH).replace("  ", " ")
}

pub(super) fn cores() -> usize {
    std::thread::available_parallelism().map_or(1, std::num::NonZero::get)
}

pub(super) fn load() -> Option<f64> {
    std::fs::read_to_string("/proc/loadavg").ok()?.split(' ').next()?.parse().ok()
}

/// Processor time that this thread has taken, in seconds.
#[cfg(unix)]
pub(super) fn busy_seconds() -> Option<f64> {
    let spent = rustix::time::clock_gettime(rustix::time::ClockId::ThreadCPUTime);
    #[expect(clippy::cast_precision_loss, reason = "seconds of a run")]
    let seconds = spent.tv_sec as f64 + spent.tv_nsec as f64 / 1e9;
    Some(seconds)
}

#[cfg(not(unix))]
pub(super) fn busy_seconds() -> Option<f64> {
    None
}
