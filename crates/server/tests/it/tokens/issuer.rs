//! An identity provider for tests: keys of every kind, tokens as one wants them, and an HTTP server that publishes.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use http::{Request, Response, StatusCode};
use http_body_util::Full;
use hyper::body::{Bytes, Incoming};
use hyper_util::rt::{TokioExecutor, TokioIo};
use jsonwebtoken::{Algorithm, EncodingKey};
use mainstay_core::FakeClock;
use mainstay_core::api::{Code, Realm, TenantId};
use mainstay_server::identity::tokens::{IssuerConfig, KeyOrigin, TenantRule, Tenants, TokenVerifier};
use mainstay_testkit::fixtures::TlsFiles;
use p256::pkcs8::EncodePrivateKey as _;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, LazyLock, Mutex};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio_rustls::TlsAcceptor;

/// What the clock of every test shows at first, in seconds.
pub const NOW_S: i64 = 1_800_000_000;
pub const ISSUER: &str = "https://issuer.example/team";
pub const AUDIENCE: &str = "api://mainstay";

/// A key that signs, and its public half.
#[derive(Clone)]
pub struct Signer {
    pub alg: Algorithm,
    pub key: EncodingKey,
    pub jwk: Value,
}

impl Signer {
    pub fn es256(kid: &str) -> Self {
        let secret = p256::SecretKey::random(&mut rsa::rand_core::OsRng);
        let der = secret.to_pkcs8_der().unwrap();
        Self::new(Algorithm::ES256, EncodingKey::from_ec_der(der.as_bytes()), kid)
    }

    /// The same key each time under any id: RSA keys take long to make.
    pub fn rs256(kid: &str) -> Self {
        static DER: LazyLock<Vec<u8>> = LazyLock::new(|| {
            use rsa::pkcs1::EncodeRsaPrivateKey as _;
            let key = rsa::RsaPrivateKey::new(&mut rsa::rand_core::OsRng, 2_048).unwrap();
            key.to_pkcs1_der().unwrap().as_bytes().to_vec()
        });
        Self::new(Algorithm::RS256, EncodingKey::from_rsa_der(&DER), kid)
    }

    fn new(alg: Algorithm, key: EncodingKey, kid: &str) -> Self {
        let jwk = jsonwebtoken::jwk::Jwk::from_encoding_key(&key, alg).unwrap();
        let mut jwk = serde_json::to_value(jwk).unwrap();
        jwk["kid"] = kid.into();
        jwk["use"] = "sig".into();
        Self { alg, key, jwk }
    }

    /// The header of an ordinary token.
    pub fn header(&self) -> Value {
        json!({ "alg": format!("{:?}", self.alg), "typ": "JWT", "kid": self.jwk["kid"] })
    }

    pub fn token(&self, claims: &Value) -> String {
        self.token_with(&self.header(), &claims.to_string())
    }

    /// Signs anything.
    pub fn token_with(&self, header: &Value, claims: &str) -> String {
        signed(header, claims, |message| jsonwebtoken::crypto::sign(message, &self.key, self.alg).unwrap())
    }
}

/// A token with any signature.
pub fn signed(header: &Value, claims: &str, sign: impl FnOnce(&[u8]) -> String) -> String {
    let message = format!("{}.{}", URL_SAFE_NO_PAD.encode(header.to_string()), URL_SAFE_NO_PAD.encode(claims));
    let signature = sign(message.as_bytes());
    format!("{message}.{signature}")
}

/// The claims of an ordinary token of the user ada of the tenant acme.
pub fn claims() -> Value {
    json!({
        "iss": ISSUER, "aud": AUDIENCE, "sub": "ada", "tid": "acme",
        "iat": NOW_S - 10, "nbf": NOW_S - 10, "exp": NOW_S + 3_600,
    })
}

/// Ordinary claims, of which some are replaced or, where null, left out.
pub fn claims_with(changes: Value) -> Value {
    let mut claims = claims();
    let Value::Object(changes) = changes else { panic!("changes are an object") };
    for (name, value) in changes {
        match value {
            Value::Null => drop(claims.as_object_mut().unwrap().remove(&name)),
            value => claims[name] = value,
        }
    }
    claims
}

/// A configuration that lets the tenant acme in.
pub fn config(keys: KeyOrigin) -> IssuerConfig {
    let acme = TenantId::parse("acme").unwrap();
    IssuerConfig {
        issuer: Some(ISSUER.into()),
        audience: vec![AUDIENCE.into()],
        tenant: TenantRule::Claim { claim: "tid".into(), allowed: Tenants::Only([acme].into()) },
        ..IssuerConfig::new(Realm::parse("team").unwrap(), keys)
    }
}

pub fn clock() -> Arc<FakeClock> {
    Arc::new(FakeClock::at(NOW_S * 1_000))
}

/// A verifier of one issuer with keys in a file, which lives as long as the verifier is used.
pub struct Trusting {
    pub verifier: TokenVerifier,
    pub clock: Arc<FakeClock>,
    pub file: tempfile::NamedTempFile,
}

impl Trusting {
    pub fn keys<'a>(keys: impl IntoIterator<Item = &'a Value>) -> Self {
        Self::keys_with(keys, |config| config)
    }

    pub fn keys_with<'a>(
        keys: impl IntoIterator<Item = &'a Value>,
        change: impl FnOnce(IssuerConfig) -> IssuerConfig,
    ) -> Self {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), key_set(keys)).unwrap();
        let config = change(config(KeyOrigin::File(file.path().into())));
        let clock = clock();
        let verifier = TokenVerifier::new(vec![config], Arc::<FakeClock>::clone(&clock)).unwrap();
        Self { verifier, clock, file }
    }

    /// The code that a token is refused with.
    pub async fn refusal(&self, token: &str) -> Code {
        refusal(&self.verifier, token).await
    }
}

pub async fn refusal(verifier: &TokenVerifier, token: &str) -> Code {
    match verifier.verify(token).await {
        Ok(identified) => panic!("accepted as {}: {token}", identified.principal),
        Err(error) => error.code(),
    }
}

fn key_set<'a>(keys: impl IntoIterator<Item = &'a Value>) -> String {
    json!({ "keys": keys.into_iter().collect::<Vec<_>>() }).to_string()
}

/// What the HTTP server of an issuer does.
#[derive(Clone, Default)]
pub struct Published {
    /// Documents by path.
    pub documents: BTreeMap<String, String>,
    /// Paths that lead to others.
    pub redirects: BTreeMap<String, String>,
    /// Answered in their place.
    pub status: Option<StatusCode>,
    /// Waited for before each answer.
    pub held: Option<Arc<tokio::sync::Semaphore>>,
}

/// The HTTP server of an issuer.
pub struct Site {
    pub url: String,
    pub published: Arc<Mutex<Published>>,
    pub requests: Arc<AtomicUsize>,
    server: tokio::task::JoinHandle<()>,
}

impl Site {
    /// Serves a discovery document and keys.
    pub async fn start<'a>(keys: impl IntoIterator<Item = &'a Value>) -> Self {
        Self::start_over(None, keys).await
    }

    /// The same over TLS, as `localhost`.
    pub async fn start_tls<'a>(files: &TlsFiles, keys: impl IntoIterator<Item = &'a Value>) -> Self {
        let certificates = CertificateDer::pem_file_iter(files.server_cert_path()).unwrap();
        let certificates = certificates.collect::<Result<Vec<_>, _>>().unwrap();
        let key = PrivateKeyDer::from_pem_file(files.server_key_path()).unwrap();
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let config = rustls::ServerConfig::builder_with_provider(provider).with_safe_default_protocol_versions();
        let config = config.unwrap().with_no_client_auth().with_single_cert(certificates, key).unwrap();
        Self::start_over(Some(TlsAcceptor::from(Arc::new(config))), keys).await
    }

    async fn start_over<'a>(tls: Option<TlsAcceptor>, keys: impl IntoIterator<Item = &'a Value>) -> Self {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let url = if tls.is_some() { format!("https://localhost:{port}") } else { format!("http://127.0.0.1:{port}") };
        let published = Arc::new(Mutex::new(Published::default()));
        let requests = Arc::new(AtomicUsize::new(0));
        let (state, count) = (Arc::clone(&published), Arc::clone(&requests));
        let server = tokio::spawn(async move {
            let mut connections = tokio::task::JoinSet::new();
            loop {
                let (stream, _) = listener.accept().await.unwrap();
                let (state, count, tls) = (Arc::clone(&state), Arc::clone(&count), tls.clone());
                connections.spawn(async move {
                    match tls {
                        None => talk(stream, state, count).await,
                        Some(tls) => {
                            // A client that trusts another authority goes away here.
                            if let Ok(stream) = tls.accept(stream).await {
                                talk(stream, state, count).await;
                            }
                        }
                    }
                });
            }
        });
        let site = Self { url, published, requests, server };
        site.publish_keys(keys);
        site.discovery(ISSUER, &format!("{}/keys", site.url));
        site
    }

    pub fn publish(&self, path: &str, document: String) {
        self.published.lock().unwrap().documents.insert(path.into(), document);
    }

    pub fn publish_keys<'a>(&self, keys: impl IntoIterator<Item = &'a Value>) {
        self.publish("/keys", key_set(keys));
    }

    pub fn discovery(&self, issuer: &str, jwks_uri: &str) {
        let document = json!({ "issuer": issuer, "jwks_uri": jwks_uri, "response_types_supported": ["code"] });
        self.publish("/.well-known/openid-configuration", document.to_string());
    }

    /// Answers every request with a status.
    pub fn fail(&self, status: StatusCode) {
        self.published.lock().unwrap().status = Some(status);
    }

    pub fn recover(&self) {
        self.published.lock().unwrap().status = None;
    }

    /// Requests so far.
    pub fn requests(&self) -> usize {
        self.requests.load(Ordering::SeqCst)
    }

    pub fn at(&self, path: &str) -> url::Url {
        format!("{}{path}", self.url).parse().unwrap()
    }

    pub fn discovery_url(&self) -> url::Url {
        self.at("/.well-known/openid-configuration")
    }
}

impl Drop for Site {
    fn drop(&mut self) {
        self.server.abort();
    }
}

async fn talk<S>(stream: S, state: Arc<Mutex<Published>>, count: Arc<AtomicUsize>)
where
    S: AsyncRead + AsyncWrite + Unpin + 'static,
{
    let service = hyper::service::service_fn(move |request: Request<Incoming>| {
        count.fetch_add(1, Ordering::SeqCst);
        let published = state.lock().unwrap().clone();
        async move { Ok::<_, std::convert::Infallible>(answer(published, request.uri().path()).await) }
    });
    let builder = hyper_util::server::conn::auto::Builder::new(TokioExecutor::new());
    let _ended = builder.serve_connection(TokioIo::new(stream), service).await;
}

async fn answer(published: Published, path: &str) -> Response<Full<Bytes>> {
    if let Some(held) = published.held {
        held.acquire().await.unwrap().forget();
    }
    let status = published.status.unwrap_or(StatusCode::OK);
    let response = Response::builder().status(status);
    if let Some(location) = published.redirects.get(path) {
        let moved = Response::builder().status(StatusCode::FOUND).header("location", location);
        return moved.body(Full::default()).unwrap();
    }
    match published.documents.get(path) {
        Some(document) => response.body(Full::from(document.clone())).unwrap(),
        None => Response::builder().status(StatusCode::NOT_FOUND).body(Full::default()).unwrap(),
    }
}
