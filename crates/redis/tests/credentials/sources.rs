//! Where credentials come from: files, programs and token services, with a real server that takes what they give.

use crate::rig::{add_user, all_become, connected, mail, open_listening, options, send};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use mainstay_redis::credentials::{CommandSource, CredentialSource, EntraGrant, EntraSource, FileSource};
use mainstay_redis::open;
use mainstay_testkit::fixtures::RedisServer;
use secrecy::SecretString;
use std::sync::{Arc, Mutex};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

#[tokio::test]
async fn a_file_that_is_replaced_moves_the_live_connections() {
    let server = RedisServer::start().await.unwrap();
    add_user(&server, "app1", "one").await;
    add_user(&server, "app2", "two").await;
    let folder = tempfile::tempdir().unwrap();
    // As mounted secrets are: the name is a link, and the link is exchanged.
    let path = folder.path().join("redis");
    let point_to = |name: &str, text: &str| {
        let target = folder.path().join(name);
        std::fs::write(&target, text).unwrap();
        let link = folder.path().join("next");
        std::os::unix::fs::symlink(&target, &link).unwrap();
        std::fs::rename(&link, &path).unwrap();
    };
    point_to("first", r#"{"username":"app1","password":"one"}"#);
    let (stores, _hints) = open_listening(options(&server.url(), Arc::new(FileSource::new(&path)))).await;
    let before = connected(&server).await;
    assert_eq!(before.len(), 2, "{before:?}");

    point_to("second", "{\"username\":\"app2\",\"password\":\"two\"}\n");

    all_become(&server, &before, "app2").await;
    send(&mail(&stores), "after the change").await.unwrap();
}

#[tokio::test]
async fn a_program_prints_the_password_or_says_why_it_cannot() {
    let server = RedisServer::start().await.unwrap();
    add_user(&server, "app", "from a program").await;
    let folder = tempfile::tempdir().unwrap();
    let script = |name: &str, text: &str| {
        let path = folder.path().join(name);
        std::fs::write(&path, text).unwrap();
        format!("sh {} app", path.display())
    };
    let prints = script("prints", r#"printf '{"username":"%s","password":"from a program","expires_in":900}\n' "$1""#);
    let source = CommandSource::new(&prints).unwrap();
    let stores = open(options(&server.url(), Arc::new(source))).await.unwrap();
    send(&mail(&stores), "hello").await.unwrap();

    for (command, said) in [
        (script("fails", "echo s3cret; exit 3"), "exit status: 3"),
        (script("silent", "exit 0"), "it is empty"),
        ("/nowhere/at/all".into(), "/nowhere/at/all"),
    ] {
        let source = CommandSource::new(&command).unwrap();
        let error = open(options(&server.url(), Arc::new(source))).await.err().unwrap();
        assert!(error.problem.detail.contains(said), "{error:?}");
        assert!(!format!("{error:?}").contains("s3cret"), "{error:?}");
    }
    assert!(CommandSource::new("  ").is_err());
}

/// A service that answers each request with the next of its tokens, the last for ever, and keeps what it was asked.
struct Tokens {
    url: String,
    asked: Arc<Mutex<Vec<String>>>,
}

impl Tokens {
    async fn start(mut answers: Vec<(u16, String)>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/tenant/oauth2/v2.0/token", listener.local_addr().unwrap());
        let asked = Arc::new(Mutex::new(Vec::new()));
        let service = Self { url, asked: Arc::clone(&asked) };
        tokio::spawn(async move {
            loop {
                let (mut stream, _) = listener.accept().await.unwrap();
                let mut request = Vec::new();
                while !is_whole(&request) {
                    let mut part = [0_u8; 4_096];
                    let read = stream.read(&mut part).await.unwrap();
                    request.extend_from_slice(&part[..read]);
                }
                asked.lock().unwrap().push(String::from_utf8(request).unwrap());
                let (status, body) = if answers.len() > 1 { answers.remove(0) } else { answers[0].clone() };
                let head =
                    format!("HTTP/1.1 {status} X\r\ncontent-length: {}\r\nconnection: close\r\n\r\n", body.len());
                stream.write_all((head + &body).as_bytes()).await.unwrap();
            }
        });
        service
    }
}

fn is_whole(request: &[u8]) -> bool {
    let text = String::from_utf8_lossy(request);
    let Some((head, body)) = text.split_once("\r\n\r\n") else { return false };
    let length = head.lines().find_map(|line| line.to_ascii_lowercase().strip_prefix("content-length: ")?.parse().ok());
    body.len() >= length.unwrap_or(0_usize)
}

/// A token as Entra ID makes them: only its claims matter to who presents it.
fn token(object_id: &str, serial: u32) -> String {
    let part = |text: String| URL_SAFE_NO_PAD.encode(text);
    let claims = part(format!(r#"{{"oid":"{object_id}","jti":"{serial}"}}"#));
    format!("{}.{claims}.{}", part(r#"{"alg":"RS256"}"#.into()), part("signature".into()))
}

fn answer(token: &str, seconds: &str) -> (u16, String) {
    (200, format!(r#"{{"token_type":"Bearer","access_token":"{token}","expires_in":{seconds}}}"#))
}

#[tokio::test]
async fn tokens_of_an_application_are_renewed_ahead_of_their_end_also_after_a_service_that_failed() {
    let server = RedisServer::start().await.unwrap();
    let (first, second) = (token("app-1", 1), token("app-2", 2));
    add_user(&server, "app-1", &first).await;
    add_user(&server, "app-2", &second).await;
    let broken = (500, r#"{"error":"server_error","error_description":"out of order"}"#.to_owned());
    let service = Tokens::start(vec![answer(&first, "4"), broken.clone(), broken, answer(&second, "3600")]).await;
    let client_secret = SecretString::from("s&cret=1");
    let grant = EntraGrant::ClientSecret { client_id: "client-1".into(), client_secret };
    let source = EntraSource::new(&service.url, grant, None).unwrap();
    let (stores, _hints) = open_listening(options(&server.url(), Arc::new(source))).await;
    let before = connected(&server).await;
    assert!(before.len() == 2 && before.values().all(|user| user == "app-1"), "{before:?}");

    all_become(&server, &before, "app-2").await;

    send(&mail(&stores), "with the second token").await.unwrap();
    let asked = service.asked.lock().unwrap().clone();
    assert!(asked.len() >= 4, "{asked:?}");
    assert!(asked[0].starts_with("POST /tenant/oauth2/v2.0/token "), "{asked:?}");
    let form = "grant_type=client_credentials&client_id=client-1&client_secret=s%26cret%3D1\
                &scope=https%3A%2F%2Fredis.azure.com%2F.default";
    assert!(asked[0].ends_with(form), "{asked:?}");
}

#[tokio::test]
async fn a_managed_identity_is_asked_as_azure_wants_it_and_its_seconds_may_be_a_text() {
    let server = RedisServer::start().await.unwrap();
    let only = token("app-object-id", 1);
    add_user(&server, "app-object-id", &only).await;
    let service = Tokens::start(vec![answer(&only, "\"86399\"")]).await;
    let grant = EntraGrant::ManagedIdentity { client_id: Some("one of several".into()) };
    let source = EntraSource::new(&service.url, grant, None).unwrap();
    let stores = open(options(&server.url(), Arc::new(source))).await.unwrap();
    send(&mail(&stores), "hello").await.unwrap();
    let asked = service.asked.lock().unwrap()[0].to_ascii_lowercase();
    assert!(asked.contains("\r\nmetadata: true\r\n"), "{asked}");
    let query = "?api-version=2018-02-01&resource=https%3a%2f%2fredis.azure.com&client_id=one+of+several ";
    assert!(asked.contains(query), "{asked}");
}

#[tokio::test]
async fn a_refused_token_is_an_error_without_the_secret_and_a_given_user_counts_more_than_the_token() {
    let refusal = (401, r#"{"error":"invalid_client","error_description":"wrong secret"}"#.to_owned());
    let opaque = answer("opaque", "60");
    let service = Tokens::start(vec![refusal, opaque.clone(), opaque]).await;
    let grant = || EntraGrant::ClientSecret { client_id: "c".into(), client_secret: SecretString::from("hunter2") };
    let source = EntraSource::new(&service.url, grant(), None).unwrap();
    let error = source.fetch().await.unwrap_err();
    assert!(error.internal.as_deref().is_some_and(|why| why.contains("wrong secret")), "{error:?}");
    assert!(!format!("{error:?}").contains("hunter2"), "{error:?}");
    let error = source.fetch().await.unwrap_err();
    assert!(error.problem.detail.contains("names no object id"), "{error:?}");
    let named = EntraSource::new(&service.url, grant(), Some("app".into())).unwrap();
    assert_eq!(named.fetch().await.unwrap().username.as_deref(), Some("app"));
}
