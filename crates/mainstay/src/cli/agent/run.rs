//! `mainstay agent run`.

use super::details::Details;
use super::instance;
use crate::cli::context::Context;
use crate::failure::{Failure, Result};
use clap::Args;
use mainstay_api::presence::{Heartbeat, RegisterInstance, UnregisterInstance};
use mainstay_api::{Code, InstanceId, Problem};
use mainstay_client::Client;
use std::convert::Infallible;
use std::io::ErrorKind;
use std::process::ExitStatus;
use std::time::Duration;
use tokio::process::{Child, Command};
use tokio::time::{MissedTickBehavior, interval};
use tokio_util::sync::CancellationToken;

/// How long the end of a registration may take, in milliseconds: the program has ended, and so should this one.
const UNREGISTER_MS: u64 = 3_000;

/// How long a beat in flight may take once the program has ended, in milliseconds.
const LAST_BEAT_MS: u64 = 3_000;

/// The exit status of shells for a program that is not there.
const NOT_FOUND: u8 = 127;
/// The exit status of shells for a program that cannot be run.
const NOT_EXECUTABLE: u8 = 126;

/// Runs a program as an agent: registers it, beats while it runs, unregisters it, and exits as it did. The program
/// finds its name in MAINSTAY_INSTANCE.
#[derive(Debug, Args)]
#[command(after_help = "Example: mainstay agent run --as backend --role backend -- my-agent --verbose")]
pub struct Run {
    #[command(flatten)]
    details: Details,
    /// The program and its arguments.
    #[arg(last = true, required = true)]
    command: Vec<String>,
}

impl Run {
    /// Runs the command.
    pub async fn run(self, context: &Context<'_>) -> Result {
        let name = instance(context)?;
        let client = context.client().await?;
        let session_id = uuid::Uuid::now_v7().to_string();
        let mut agent = Agent { context, client, name, registration: RegisterInstance::default() };
        // Registered before the program starts: one that cannot be must not run unseen.
        agent.registration = self.details.registration(None, Some(session_id.clone()));
        client.presence().register(name, &agent.registration).await?;
        // Heard before the program starts: a signal in between must not end this process and leave the program alone.
        let signals = forward::Signals::new().map_err(|cause| Failure::io("signals cannot be heard", &cause))?;
        let status = match start(&self.command, context, name, &session_id) {
            Ok(child) => agent.accompany(child, signals).await,
            Err(failure) => Err(failure),
        };
        agent.unregister().await;
        match exit_status(status?) {
            0 => Ok(()),
            status => Err(Failure::Status(status)),
        }
    }
}

struct Agent<'a> {
    context: &'a Context<'a>,
    client: &'a Client,
    name: &'a InstanceId,
    registration: RegisterInstance,
}

impl Agent<'_> {
    /// Beats until the program ends, and hands signals on to it.
    async fn accompany(&mut self, mut child: Child, mut signals: forward::Signals) -> Result<ExitStatus> {
        let process_id = child.id();
        self.registration.process_id = process_id;
        let stop = CancellationToken::new();
        let ended = async {
            tokio::select! {
                ended = child.wait() => ended.map_err(|cause| Failure::io("the program was lost", &cause)),
                never = forward_on(&mut signals, process_id) => match never {},
            }
        };
        alongside(ended, self.beat_on(&stop), &stop).await
    }

    /// Registers the process, and then beats until it is stopped; never in the middle of a beat.
    async fn beat_on(&self, stop: &CancellationToken) {
        self.register().await;
        let mut ticks = interval(Duration::from_millis(self.context.settings.client.beat_interval_ms));
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        ticks.tick().await;
        let mut superseded = false;
        while stop.run_until_cancelled(ticks.tick()).await.is_some() {
            superseded = self.beat(superseded).await;
        }
    }

    /// Registers again, now with the process. Presence is a service to others: its failure does not end the program.
    async fn register(&self) {
        if let Err(error) = self.client.presence().register(self.name, &self.registration).await {
            tracing::warn!(%error, "the process id could not be registered");
        }
    }

    /// One beat. Returns whether another run holds the name, which is said once.
    async fn beat(&self, was_superseded: bool) -> bool {
        let heartbeat = Heartbeat { current_work: None, session_id: self.registration.session_id.clone() };
        match self.client.presence().heartbeat(self.name, &heartbeat).await {
            Ok(beat) => {
                if !beat.changed && !was_superseded {
                    let text = format!("another run has taken the name {} over; this one is no longer seen", self.name);
                    self.context.printer.warning(&text);
                }
                !beat.changed
            }
            Err(error) => {
                tracing::warn!(%error, "a beat failed; the next one will tell");
                was_superseded
            }
        }
    }

    async fn unregister(&self) {
        let unregister = UnregisterInstance { session_id: self.registration.session_id.clone() };
        let presence = self.client.presence();
        let call = presence.unregister(self.name, &unregister);
        match tokio::time::timeout(Duration::from_millis(UNREGISTER_MS), call).await {
            Ok(Ok(_)) => {}
            Ok(Err(error)) => tracing::warn!(%error, "the registration could not be ended"),
            Err(_) => tracing::warn!("the registration could not be ended in time"),
        }
    }
}

/// Beats until the program has ended, and lets a beat in flight end as well: one that the server gets to after the end
/// of the registration would begin it anew. A beat that outlasts its time is left to itself.
async fn alongside<T>(
    ended: impl Future<Output = T>,
    beating: impl Future<Output = ()>,
    stop: &CancellationToken,
) -> T {
    let ended = async {
        let outcome = ended.await;
        stop.cancel();
        outcome
    };
    let bound = async {
        stop.cancelled().await;
        tokio::time::sleep(Duration::from_millis(LAST_BEAT_MS)).await;
    };
    let beating = async {
        tokio::select! {
            () = beating => {}
            () = bound => tracing::warn!("the last beat did not end in time"),
        }
    };
    tokio::join!(ended, beating).0
}

async fn forward_on(signals: &mut forward::Signals, process_id: Option<u32>) -> Infallible {
    loop {
        let signal = signals.next().await;
        forward::send(process_id, signal);
    }
}

fn start(command: &[String], context: &Context<'_>, name: &InstanceId, session_id: &str) -> Result<Child> {
    let Some((program, arguments)) = command.split_first() else {
        return Err(Failure::new(Code::InvalidRequest, "there is no program to run", "Name it after `--`."));
    };
    let mut command = Command::new(program);
    command.args(arguments).env("MAINSTAY_INSTANCE", name.as_str()).env("MAINSTAY_SESSION_ID", session_id);
    command.env("MAINSTAY_NAMESPACE", context.settings.namespace.as_str());
    command.spawn().map_err(|cause| {
        let detail = format!("{program:?} cannot be started: {cause}");
        let help = "Check its name and whether it may be executed.";
        context.printer.problem(&Problem::new(Code::InvalidRequest, detail, help));
        Failure::Status(if cause.kind() == ErrorKind::NotFound { NOT_FOUND } else { NOT_EXECUTABLE })
    })
}

/// The exit status of the program; that of shells where a signal ended it.
fn exit_status(status: ExitStatus) -> u8 {
    #[cfg(unix)]
    if let Some(signal) = std::os::unix::process::ExitStatusExt::signal(&status) {
        return u8::try_from(128 + signal).unwrap_or(u8::MAX);
    }
    status.code().and_then(|code| u8::try_from(code).ok()).unwrap_or(u8::MAX)
}

/// Handing signals on.
#[cfg(unix)]
mod forward {
    use rustix::process::{Pid, Signal, kill_process};
    use std::io::IsTerminal;
    use tokio::signal::unix::{Signal as Stream, SignalKind, signal};

    /// The signals that are handed on.
    pub struct Signals {
        terminate: Stream,
        hang_up: Stream,
        interrupt: Stream,
        quit: Stream,
        user1: Stream,
        user2: Stream,
        on_terminal: bool,
    }

    impl Signals {
        pub fn new() -> std::io::Result<Self> {
            Ok(Self {
                terminate: signal(SignalKind::terminate())?,
                hang_up: signal(SignalKind::hangup())?,
                interrupt: signal(SignalKind::interrupt())?,
                quit: signal(SignalKind::quit())?,
                user1: signal(SignalKind::user_defined1())?,
                user2: signal(SignalKind::user_defined2())?,
                on_terminal: std::io::stdin().is_terminal(),
            })
        }

        /// The next signal to hand on. A terminal sends its own to the program as well: those are not sent twice.
        pub async fn next(&mut self) -> Signal {
            loop {
                let (signal, from_keyboard) = tokio::select! {
                    _ = self.terminate.recv() => (Signal::TERM, false),
                    _ = self.hang_up.recv() => (Signal::HUP, false),
                    _ = self.user1.recv() => (Signal::USR1, false),
                    _ = self.user2.recv() => (Signal::USR2, false),
                    _ = self.interrupt.recv() => (Signal::INT, true),
                    _ = self.quit.recv() => (Signal::QUIT, true),
                };
                if !(from_keyboard && self.on_terminal) {
                    return signal;
                }
            }
        }
    }

    /// Sends a signal to the program.
    pub fn send(process_id: Option<u32>, signal: Signal) {
        let pid = process_id.and_then(|id| i32::try_from(id).ok()).and_then(Pid::from_raw);
        let Some(pid) = pid else { return };
        if let Err(error) = kill_process(pid, signal) {
            tracing::debug!(%error, "the signal could not be handed on");
        }
    }
}

/// Nothing to hand on: the console tells every program itself.
#[cfg(not(unix))]
mod forward {
    /// No signals.
    pub struct Signals;

    impl Signals {
        pub fn new() -> std::io::Result<Self> {
            Ok(Self)
        }

        pub async fn next(&mut self) {
            // Without a listener the key would end this process before it has unregistered.
            if tokio::signal::ctrl_c().await.is_err() {
                std::future::pending::<()>().await;
            }
        }
    }

    /// Does nothing.
    pub fn send(_process_id: Option<u32>, _signal: ()) {}
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::{AtomicBool, Ordering};

    #[tokio::test]
    async fn a_beat_in_flight_ends_before_the_registration_is_ended() {
        let stop = CancellationToken::new();
        let answered = AtomicBool::new(false);
        let beating = async {
            // The answer comes after the program has ended.
            stop.cancelled().await;
            tokio::task::yield_now().await;
            answered.store(true, Ordering::SeqCst);
        };
        assert_eq!(alongside(async { 7 }, beating, &stop).await, 7);
        assert!(answered.load(Ordering::SeqCst));
    }
}
