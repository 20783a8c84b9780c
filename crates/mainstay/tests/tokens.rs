//! The test issuer, and a server that trusts it.

mod common;

use common::{Running, Sandbox};
use std::io::{BufRead, BufReader};
use std::process::{Output, Stdio};
use std::time::{Duration, Instant};

/// A server that trusts the issuer of the folder `idp`, and its address.
fn serve(sandbox: &Sandbox, arguments: &str) -> (Running, String) {
    let mut command = sandbox.command(&format!("serve --listen 127.0.0.1:0 --log off {arguments}"));
    let mut running = Running::from(command.stderr(Stdio::piped()).spawn().unwrap());
    let lines = BufReader::new(running.child().stderr.take().unwrap()).lines().map_while(Result::ok);
    let said: Vec<String> = lines.take(7).collect();
    let address = said.iter().find_map(|line| line.trim().strip_prefix("address    ")).map(str::to_owned);
    (running, address.unwrap_or_else(|| panic!("no address in {said:?}")))
}

fn whoami(sandbox: &Sandbox, url: &str, token: &str) -> Output {
    let mut command = sandbox.command(&format!("whoami --json --url {url}"));
    command.env("MAINSTAY_OWNER_KEY", token.trim()).output().unwrap()
}

fn refused(sandbox: &Sandbox, url: &str, token: &str) -> String {
    let output = whoami(sandbox, url, token);
    assert_eq!(output.status.code(), Some(1), "{}", String::from_utf8_lossy(&output.stdout));
    let stderr = String::from_utf8(output.stderr).unwrap();
    let problem: serde_json::Value = serde_json::from_str(&stderr).unwrap_or_else(|_| panic!("{stderr}"));
    problem["code"].as_str().unwrap().to_owned()
}

fn accepted(sandbox: &Sandbox, url: &str, token: &str) -> serde_json::Value {
    let output = whoami(sandbox, url, token);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap()
}

#[test]
fn from_nothing_to_a_call_under_a_token() {
    let sandbox = Sandbox::new();
    sandbox.stdout("issuer init idp");
    let (_server, url) = serve(&sandbox, "--config idp/mainstay.toml");
    let token = sandbox.stdout("issuer token idp --user ada --tenant acme");
    let who = accepted(&sandbox, &url, &token);
    assert_eq!(who["principal"], "token:test:acme:ada");
    let scopes = who["scopes"].to_string();
    assert!(scopes.contains("conversations:write") && !scopes.contains("instance:any"), "{scopes}");

    let viewer = sandbox.stdout("issuer token idp --user eve --tenant acme --role viewer --instance reader");
    let who = accepted(&sandbox, &url, &viewer);
    assert!(!who["scopes"].to_string().contains("write"), "{who}");
    assert_eq!(who["instance"], "reader");

    let elsewhere = sandbox.stdout("issuer token idp --user ada --tenant acme --audience another");
    assert_eq!(refused(&sandbox, &url, &elsewhere), "auth.audience_mismatch");
    sandbox.stdout("issuer init thief");
    let forged = sandbox.stdout("issuer token thief --user ada --tenant acme --role owner");
    assert_eq!(refused(&sandbox, &url, &forged), "auth.credential_invalid");
    let unsigned = format!("{}.", token.rsplit_once('.').unwrap().0);
    assert_eq!(refused(&sandbox, &url, &unsigned), "auth.credential_invalid");
}

#[test]
fn a_running_server_follows_the_keys_of_the_issuer() {
    let sandbox = Sandbox::new();
    sandbox.stdout("issuer init idp");
    let (_server, url) = serve(&sandbox, "--config idp/mainstay.toml");
    let token = || sandbox.stdout("issuer token idp --user ada --tenant acme");
    let first = token();
    accepted(&sandbox, &url, &first);
    sandbox.stdout("issuer rotate idp");
    let second = token();
    accepted(&sandbox, &url, &second);
    accepted(&sandbox, &url, &first);
    sandbox.stdout("issuer rotate idp --withdraw");
    // The server reads the file at most a second later.
    let patience = Instant::now() + Duration::from_secs(20);
    while whoami(&sandbox, &url, &first).status.success() {
        assert!(Instant::now() < patience, "a withdrawn key still opens the server");
        std::thread::sleep(Duration::from_millis(100));
    }
    assert_eq!(refused(&sandbox, &url, &second), "auth.credential_invalid");
    accepted(&sandbox, &url, &token());
}

#[test]
fn a_settings_file_that_came_with_the_directory_opens_no_server() {
    let sandbox = Sandbox::new();
    sandbox.stdout("issuer init idp");
    std::fs::rename(sandbox.path().join("idp/mainstay.toml"), sandbox.path().join("mainstay.toml")).unwrap();
    let output = sandbox.run("serve --listen 127.0.0.1:0");
    assert_eq!(output.status.code(), Some(2));
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(stderr.contains("--config mainstay.toml"), "{stderr}");
    sandbox.stdout("whoami");
    let (_server, _url) = serve(&sandbox, "--config mainstay.toml");
}

#[test]
fn the_environment_trusts_an_issuer_in_three_lines() {
    let sandbox = Sandbox::new();
    sandbox.stdout("issuer init idp --issuer https://idp.example --audience api");
    let mut command = sandbox.command("serve --listen 127.0.0.1:0 --log off");
    command.env("MAINSTAY_ISSUER", "https://idp.example").env("MAINSTAY_AUDIENCE", "api");
    command.env("MAINSTAY_JWKS", "idp/jwks.json").env("MAINSTAY_TENANTS", "acme");
    let mut server = Running::from(command.stderr(Stdio::piped()).spawn().unwrap());
    let lines = BufReader::new(server.child().stderr.take().unwrap()).lines().map_while(Result::ok);
    let url = lines.filter_map(|line| Some(line.trim().strip_prefix("address    ")?.to_owned())).next().unwrap();
    let token = |tenant: &str| sandbox.stdout(&format!("issuer token idp --user ada --tenant {tenant}"));
    assert_eq!(accepted(&sandbox, &url, &token("acme"))["principal"], "token:default:acme:ada");
    assert_eq!(refused(&sandbox, &url, &token("globex")), "auth.tenant_not_allowed");
}

#[test]
fn the_folder_of_an_issuer_is_its_owners_alone_and_is_made_once() {
    let sandbox = Sandbox::new();
    sandbox.stdout("issuer init idp");
    let output = sandbox.run("issuer init idp");
    assert_eq!(output.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&output.stderr).contains("holds an issuer already"));
    assert!(!sandbox.run("issuer token nowhere --user ada --tenant acme").status.success());
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        let folder = sandbox.path().join("idp");
        let mode = |path: &std::path::Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!(mode(&folder), 0o700);
        for file in std::fs::read_dir(&folder).unwrap() {
            let path = file.unwrap().path();
            assert_eq!(mode(&path), 0o600, "{}", path.display());
        }
    }
    let published = std::fs::read_to_string(sandbox.path().join("idp/jwks.json")).unwrap();
    assert!(!published.contains("\"d\""), "the public set holds no private part");
    for _ in 0..7 {
        sandbox.stdout("issuer rotate idp");
    }
    let published = std::fs::read_to_string(sandbox.path().join("idp/jwks.json")).unwrap();
    assert_eq!(published.matches("\"kid\"").count(), 5, "the newest five");
}
