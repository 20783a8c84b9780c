//! A server for the time of a measurement, on threads of its own.

use crate::failure::{Failure, Result};
use crate::owner_key;
use crate::settings::{Found, Origin, Settings};
use crate::wiring::{self, Backbone};
use mainstay_core::Error;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::thread::JoinHandle;
use tokio::net::TcpListener;
use tokio::sync::oneshot;
use tokio_util::sync::CancellationToken;

/// Requests in flight at the end may take this long, in milliseconds.
const GRACE_MS: u64 = 2_000;

/// A running server, until it is dropped.
pub(super) struct Node {
    pub address: SocketAddr,
    /// Where its events are kept.
    pub store: String,
    /// The key of its owner.
    pub key: String,
    _ends: Ends,
}

/// What ends with a server.
struct Ends {
    /// A folder of its own, where no store was chosen.
    folder: Option<PathBuf>,
    shutdown: CancellationToken,
    thread: Option<JoinHandle<()>>,
}

impl Node {
    /// Starts a server on the store that the settings choose; on a store of its own where they choose none.
    ///
    /// # Errors
    /// Those of the store.
    pub(super) async fn start(settings: &Settings, run: &str) -> Result<Self> {
        let (settings, folder) = with_store(settings, run)?;
        let mut ends = Ends { folder, shutdown: CancellationToken::new(), thread: None };
        let key = owner_key::generate()?;
        let (ready, begun) = oneshot::channel();
        let (told, stop) = (key.clone(), ends.shutdown.clone());
        // The measuring side has a thread, and a clock of its processor time, to itself.
        let thread = std::thread::Builder::new().name("bench-node".into());
        let thread = thread.spawn(move || serve(&settings, &told, &stop, ready));
        ends.thread = Some(thread.map_err(|cause| Failure::io("a thread cannot be started", &cause))?);
        let began = begun.await.unwrap_or_else(|_| Err(Error::bug("the server ended before it began").into()));
        let (address, store) = began?;
        Ok(Self { address, store, key, _ends: ends })
    }
}

impl Drop for Ends {
    fn drop(&mut self) {
        self.shutdown.cancel();
        if self.thread.take().is_some_and(|thread| thread.join().is_err()) {
            tracing::warn!("the server of the measurement did not end in order");
        }
        if let Some(folder) = self.folder.take()
            && let Err(error) = std::fs::remove_dir_all(&folder)
        {
            tracing::warn!(%error, folder = %folder.display(), "the store of the measurement is left behind");
        }
    }
}

/// The settings with a store that nobody else uses, where none was chosen.
fn with_store(settings: &Settings, run: &str) -> Result<(Settings, Option<PathBuf>)> {
    let mut settings = Settings { mirror: None, ..settings.clone() };
    if settings.store.origin != Origin::Default {
        return Ok((settings, None));
    }
    let folder = settings.data_dir.join(format!("bench-{run}"));
    owner_key::create_private_dir(&folder)?;
    let text = format!("sqlite:{}", folder.join("events.db").display());
    settings.store = Found { text, origin: Origin::Flag };
    Ok((settings, Some(folder)))
}

type Ready = oneshot::Sender<Result<(SocketAddr, String)>>;

fn serve(settings: &Settings, key: &str, shutdown: &CancellationToken, ready: Ready) {
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(cause) => return drop(ready.send(Err(Failure::io("the runtime cannot be started", &cause)))),
    };
    runtime.block_on(async {
        let (backbone, listener, address) = match open(settings).await {
            Ok(opened) => opened,
            Err(failure) => return drop(ready.send(Err(failure))),
        };
        let services = Arc::clone(&backbone.services);
        let store = services.info.location.clone();
        let config = wiring::server_config(settings, key);
        let router = mainstay_server::router(services, &config, backbone.shutdown.clone());
        if ready.send(Ok((address, store))).is_err() {
            return;
        }
        let stop = async {
            shutdown.cancelled().await;
            backbone.shutdown.cancel();
        };
        let serving = mainstay_server::serve(listener, router, backbone.shutdown.clone(), GRACE_MS);
        if let (Err(error), ()) = tokio::join!(serving, stop) {
            tracing::warn!(%error, "the server of the measurement failed");
        }
        backbone.close().await;
    });
}

async fn open(settings: &Settings) -> Result<(Backbone, TcpListener, SocketAddr)> {
    let listener = TcpListener::bind(("127.0.0.1", 0)).await;
    let listener = listener.map_err(|cause| Failure::io("the server cannot listen", &cause))?;
    let address = listener.local_addr().map_err(|cause| Failure::io("the address is not known", &cause))?;
    Ok((Backbone::open(settings).await?, listener, address))
}
