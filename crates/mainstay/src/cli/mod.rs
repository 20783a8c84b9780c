//! The command line: one file for each command. A new command is a file, a variant here, and its line in `run`.

mod agent;
mod aiclient;
mod audit;
mod bench;
mod compat;
mod completions;
mod context;
mod conversation;
mod coordination;
mod document;
mod events;
mod explain;
mod gateway;
mod health;
mod issuer;
mod key;
mod keyring;
mod login;
mod logout;
mod mail;
mod man;
mod mcp;
mod providers;
mod reference;
mod serve;
mod session;
mod signals;
mod span;
mod store;
mod totp;
mod user;
mod whoami;

use crate::failure::{Failure, Result};
use crate::printer::Printer;
use crate::settings::{Setting, Settings, Surroundings};
use crate::telemetry;
use clap::{Args, Parser, Subcommand};
use context::Context;
use std::collections::BTreeMap;
use std::process::ExitCode;
use tracing::level_filters::LevelFilter;
use tracing_subscriber::filter::Targets;

/// The durable backbone for teams of agents: mail, presence and live events on an embedded store or Redis.
#[derive(Debug, Parser)]
#[command(name = "mainstay", version, propagate_version = true, max_term_width = 110)]
#[command(after_help = "Exit status: 0 done, 1 failed, 2 usage or settings, 3 store or server unavailable.")]
pub struct Cli {
    #[command(flatten)]
    global: Global,
    #[command(subcommand)]
    command: Command,
}

/// Options of every command.
#[derive(Debug, Args)]
#[command(next_help_heading = "Options of every command")]
struct Global {
    /// Print data as JSON: one document, or one line for each item of a stream.
    #[arg(long, global = true)]
    json: bool,
    /// Who the command speaks for [MAINSTAY_INSTANCE].
    #[arg(long = "as", global = true, value_name = "INSTANCE")]
    instance: Option<String>,
    /// The namespace [MAINSTAY_NAMESPACE].
    #[arg(long, short, global = true)]
    namespace: Option<String>,
    /// The store, such as sqlite:<path> or redis://… [MAINSTAY_STORE].
    #[arg(long, global = true, value_name = "URL")]
    store: Option<String>,
    /// The server to talk to [MAINSTAY_URL].
    #[arg(long, global = true)]
    url: Option<String>,
    /// The settings file [MAINSTAY_CONFIG].
    #[arg(long, global = true, value_name = "FILE")]
    config: Option<String>,
    /// What is logged on stderr, such as debug [MAINSTAY_LOG].
    #[arg(long, global = true, value_name = "FILTER")]
    log: Option<String>,
}

/// Commands.
#[derive(Debug, Subcommand)]
enum Command {
    #[command(flatten)]
    Work(Work),
    #[command(flatten)]
    Manual(Manual),
}

/// Commands that work on a store, through a server or without.
#[derive(Debug, Subcommand)]
enum Work {
    /// Send, read and acknowledge mail, and wait for it.
    #[command(subcommand)]
    Mail(mail::MailCommand),
    /// Say who is there, and see it.
    #[command(subcommand)]
    Agent(agent::AgentCommand),
    /// Look through the audit trail, verify it and take it out.
    #[command(subcommand)]
    Audit(audit::AuditCommand),
    /// Keep conversations of a user with an agent.
    #[command(subcommand)]
    Conversation(conversation::ConversationCommand),
    /// Publish events, read them, and see what streams hold.
    #[command(subcommand)]
    Events(events::EventsCommand),
    /// Read, change and follow settings, and documents of any other collection.
    #[command(subcommand)]
    Settings(document::SettingsCommand),
    /// Say something to the agent, and print what it answers.
    Chat(conversation::Chat),
    /// Log in with a name and a password.
    Login(login::Login),
    /// End the session of the login.
    Logout(logout::Logout),
    /// See and end sessions.
    #[command(subcommand)]
    Session(session::SessionCommand),
    /// Care for one's own second factor.
    #[command(subcommand)]
    Totp(totp::TotpCommand),
    /// Care for users.
    #[command(subcommand)]
    User(user::UserCommand),
    /// Care for the API keys of services.
    #[command(subcommand)]
    Key(key::KeyCommand),
    /// Care for the keys that secrets in the store are sealed with.
    #[command(subcommand)]
    Keyring(keyring::KeyringCommand),
    /// Care for the gateway: the keys of those who use it, and what was used.
    #[command(subcommand)]
    Gateway(gateway::GatewayCommand),
    /// See how the store stands, and what a server keeps while it is away.
    #[command(subcommand)]
    Store(store::StoreCommand),
    /// Care for providers, the upstreams of the gateway.
    #[command(subcommand)]
    Providers(providers::ProvidersCommand),
    /// Run a server for other machines, browsers and live clients.
    Serve(serve::Serve),
    /// Serve one agent over the Model Context Protocol, on stdin and stdout.
    Mcp(mcp::Mcp),
    /// Bring data in from elsewhere.
    #[command(subcommand)]
    Import(coordination::import::ImportCommand),
    /// Write data out for elsewhere.
    Export(coordination::export::Export),
    /// Make first settings in an empty store.
    Init(aiclient::init::Init),
    /// Bring in the JSON files of a gateway, by the options of its own command.
    Migrate(aiclient::original::Migrate),
    /// Compare two places message by message.
    Parity(coordination::parity::Parity),
    /// Care for the second place that every write is repeated to.
    #[command(subcommand)]
    Mirror(coordination::mirror::MirrorCommand),
    /// The scripts of the original; `compat/*.sh` call this.
    #[command(subcommand, hide = true)]
    Compat(compat::CompatCommand),
    /// Measure a server, with what users do to it.
    #[command(subcommand)]
    Bench(bench::BenchCommand),
    /// Ask whether the server, or the store, can do its work.
    Health(health::Health),
    /// Show what the server makes of the caller.
    Whoami(whoami::Whoami),
}

/// Commands that need no settings: they must work where settings are broken, to help to mend them.
#[derive(Debug, Subcommand)]
enum Manual {
    /// Explain an error code, or list all of them.
    Explain(explain::Explain),
    /// Make tokens of an issuer for tests.
    #[command(subcommand)]
    Issuer(issuer::IssuerCommand),
    /// Print the completions of a shell.
    Completions(completions::Completions),
    /// Print the manual page, or write all of them to a folder.
    Man(man::Man),
    /// Print generated documents.
    #[command(hide = true)]
    Reference(reference::Reference),
}

impl Global {
    fn flags(self) -> BTreeMap<Setting, String> {
        let given = [
            (Setting::Instance, self.instance),
            (Setting::Namespace, self.namespace),
            (Setting::Store, self.store),
            (Setting::Url, self.url),
            (Setting::Config, self.config),
            (Setting::Log, self.log),
        ];
        given.into_iter().filter_map(|(setting, value)| Some((setting, value?))).collect()
    }
}

impl Work {
    /// Flags of single commands that stand for settings.
    fn flags(&self) -> Vec<(Setting, String)> {
        match self {
            Self::Serve(serve) => serve.flags(),
            Self::Init(init) => init.flags(),
            Self::Migrate(migrate) => migrate.flags(),
            Self::Export(export) => export.flags(),
            _ => Vec::new(),
        }
    }

    /// Whether the command runs until it is stopped and serves many at once.
    fn is_service(&self) -> bool {
        matches!(self, Self::Serve(_))
    }

    /// What is logged where the settings do not say.
    fn usual_log(&self) -> Targets {
        match self {
            Self::Serve(_) => Targets::new().with_default(LevelFilter::INFO),
            // The scripts say themselves, in the words of the original and nothing besides, that Redis is away.
            Self::Compat(_) => {
                Targets::new().with_default(LevelFilter::WARN).with_target("mainstay_redis", LevelFilter::ERROR)
            }
            _ => Targets::new().with_default(LevelFilter::WARN),
        }
    }

    async fn run(self, context: &Context<'_>) -> Result {
        match self {
            Self::Mail(command) => command.run(context).await,
            Self::Agent(command) => command.run(context).await,
            Self::Audit(command) => command.run(context).await,
            Self::Conversation(command) => command.run(context).await,
            Self::Events(command) => command.run(context).await,
            Self::Settings(command) => command.run(context).await,
            Self::Chat(command) => command.run(context).await,
            Self::Login(command) => command.run(context).await,
            Self::Logout(command) => command.run(context).await,
            Self::Session(command) => command.run(context).await,
            Self::Totp(command) => command.run(context).await,
            Self::User(command) => command.run(context).await,
            Self::Key(command) => command.run(context).await,
            Self::Keyring(command) => command.run(context).await,
            Self::Gateway(command) => command.run(context).await,
            Self::Store(command) => command.run(context).await,
            Self::Providers(command) => command.run(context).await,
            Self::Serve(command) => command.run(context).await,
            Self::Mcp(command) => command.run(context).await,
            Self::Import(command) => command.run(context).await,
            Self::Export(command) => command.run(context).await,
            Self::Init(command) => command.run(context).await,
            Self::Migrate(command) => command.run(context).await,
            Self::Parity(command) => command.run(context).await,
            Self::Mirror(command) => command.run(context).await,
            Self::Compat(command) => command.run(context).await,
            Self::Bench(command) => command.run(context).await,
            Self::Health(command) => command.run(context).await,
            Self::Whoami(command) => command.run(context).await,
        }
    }
}

impl Manual {
    fn run(self, printer: &Printer) -> Result {
        match self {
            Self::Explain(command) => command.run(printer),
            Self::Issuer(command) => command.run(printer),
            Self::Completions(command) => command.run(printer),
            Self::Man(command) => command.run(printer),
            Self::Reference(command) => command.run(printer),
        }
    }
}

/// Runs the command that the process was started with.
pub fn main() -> ExitCode {
    let cli = Cli::parse();
    let printer = Printer::new(cli.global.json);
    let outcome = match cli.command {
        Command::Manual(command) => command.run(&printer),
        Command::Work(command) => work(command, cli.global, &printer),
    };
    let Err(failure) = outcome else { return ExitCode::SUCCESS };
    if let Failure::Problem(problem) = &failure {
        printer.problem(problem);
    }
    ExitCode::from(failure.exit_status())
}

fn work(command: Work, global: Global, printer: &Printer) -> Result {
    let mut flags = global.flags();
    flags.extend(command.flags());
    let settings = Settings::resolve(Surroundings::of_process(flags))?;
    telemetry::start(&settings.log, command.usual_log());
    runtime(&command)?.block_on(async {
        let context = Context::new(settings, printer);
        let outcome = command.run(&context).await;
        context.close().await;
        outcome
    })
}

/// One thread for a command that makes a call or two: starting more costs milliseconds.
fn runtime(command: &Work) -> Result<tokio::runtime::Runtime> {
    let mut builder = match command.is_service() {
        true => tokio::runtime::Builder::new_multi_thread(),
        false => tokio::runtime::Builder::new_current_thread(),
    };
    builder.enable_all().build().map_err(|cause| Failure::io("the runtime cannot be started", &cause))
}
