//! Stands in for crates that are not merged yet, under their names and signatures. Goes away with the merge: delete
//! this file, its `mod` line in `main.rs`, and the `use crate::shim::…` lines.
#![expect(dead_code, reason = "nothing here does anything")]

pub mod mainstay_redis {
    use mainstay_core::{Result, Stores};
    use std::path::PathBuf;

    #[derive(Default)]
    pub struct TlsFiles {
        pub ca_file: Option<PathBuf>,
        pub cert_file: Option<PathBuf>,
        pub key_file: Option<PathBuf>,
    }

    pub struct RedisOptions {
        pub tls_files: TlsFiles,
        pub prefix: String,
        pub connect_timeout_ms: u64,
        pub response_timeout_ms: u64,
    }

    impl RedisOptions {
        pub fn from_url(_url: &str) -> Result<Self> {
            Err(super::absent())
        }
    }

    pub async fn open(_options: RedisOptions) -> Result<Stores> {
        Err(super::absent())
    }
}

pub mod mainstay_sqlite {
    use mainstay_core::{Result, Stores};

    pub struct SqliteOptions;

    impl SqliteOptions {
        pub fn from_url(_url: &str) -> Result<Self> {
            Ok(Self)
        }
    }

    pub async fn open(_options: SqliteOptions) -> Result<Stores> {
        Err(super::absent())
    }
}

pub mod mainstay_server {
    use bytes::Bytes;
    use http::{Request, Response};
    use http_body_util::Empty;
    use mainstay_core::mail::MailRules;
    use mainstay_core::presence::PresenceRules;
    use mainstay_core::{Clock, Mint, StoreInfo, StoreProbe, Stores};
    use std::convert::Infallible;
    use std::sync::Arc;
    use tokio_util::sync::CancellationToken;

    #[derive(Clone)]
    pub struct InProcess;

    pub struct OwnerKey;

    impl OwnerKey {
        pub fn new(_key: &str) -> Self {
            Self
        }
    }

    pub struct ServerConfig {
        pub owner_key: OwnerKey,
        pub allowed_hosts: Vec<String>,
        pub allowed_origins: Vec<String>,
        pub max_in_flight: usize,
        pub request_timeout_ms: u64,
        pub max_body_bytes: usize,
        pub version: String,
        pub max_live: usize,
        pub open_metrics: bool,
    }

    impl ServerConfig {
        pub fn new(owner_key: OwnerKey) -> Self {
            Self {
                owner_key,
                allowed_hosts: Vec::new(),
                allowed_origins: Vec::new(),
                max_in_flight: 0,
                request_timeout_ms: 0,
                max_body_bytes: 0,
                version: String::new(),
                max_live: 0,
                open_metrics: false,
            }
        }
    }

    pub struct ServiceRules {
        pub mail: MailRules,
        pub presence: PresenceRules,
        pub clock: Arc<dyn Clock>,
        pub mint: Arc<dyn Mint>,
    }

    pub struct Hub;

    impl Hub {
        pub async fn close(&self) {}
    }

    pub struct Services {
        pub hub: Hub,
        pub info: StoreInfo,
        pub probe: Arc<dyn StoreProbe>,
    }

    impl Services {
        pub fn new(stores: &Stores, _rules: ServiceRules) -> Self {
            Self { hub: Hub, info: stores.info.clone(), probe: Arc::clone(&stores.probe) }
        }
    }

    #[derive(Clone)]
    pub struct Router;

    impl<B> tower::Service<Request<B>> for Router {
        type Response = Response<Empty<Bytes>>;
        type Error = Infallible;
        type Future = std::future::Ready<Result<Self::Response, Infallible>>;

        fn poll_ready(&mut self, _: &mut std::task::Context<'_>) -> std::task::Poll<Result<(), Infallible>> {
            std::task::Poll::Ready(Ok(()))
        }

        fn call(&mut self, _request: Request<B>) -> Self::Future {
            std::future::ready(Ok(Response::default()))
        }
    }

    pub fn router(_services: Arc<Services>, _config: &ServerConfig, _shutdown: CancellationToken) -> Router {
        Router
    }

    pub async fn serve(
        _listener: tokio::net::TcpListener,
        _router: Router,
        shutdown: CancellationToken,
        _grace_ms: u64,
    ) -> std::io::Result<()> {
        shutdown.cancelled().await;
        Ok(())
    }

    #[derive(Default)]
    pub struct Maintenance;

    impl Maintenance {
        pub async fn run(self, _services: Arc<Services>, _shutdown: CancellationToken) {}
    }
}

fn absent() -> mainstay_core::Error {
    mainstay_core::Error::unavailable("this build has no store", "the store crates are not merged")
}
