//! Users, sessions, keys and the key ring from the command line.

mod common;

use common::Sandbox;
use mainstay_core::secrets::KeyRing;
use std::io::Write;
use std::process::{Output, Stdio};

const PASSWORD: &str = "correct horse battery";

/// Runs a command with lines on its stdin.
fn with_input(sandbox: &Sandbox, line: &str, input: &str) -> Output {
    let mut command = sandbox.command(line);
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    // A command that refuses before it reads may have ended already; what it says counts.
    let _ = child.stdin.take().unwrap().write_all(input.as_bytes());
    child.wait_with_output().unwrap()
}

fn done(sandbox: &Sandbox, line: &str, input: &str) -> String {
    let output = with_input(sandbox, line, input);
    assert!(output.status.success(), "{line}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

fn refused(sandbox: &Sandbox, line: &str, input: &str) -> String {
    let output = with_input(sandbox, &format!("{line} --json"), input);
    assert!(!output.status.success(), "{line}: {}", String::from_utf8_lossy(&output.stdout));
    // What the command works with in its process may have logged something before.
    let problem = document(String::from_utf8(output.stderr).unwrap().lines().last().unwrap());
    problem["code"].as_str().unwrap().to_owned()
}

fn document(text: &str) -> serde_json::Value {
    serde_json::from_str(text).unwrap()
}

/// The present code of an authenticator, of a step that differs from those of before by at most the skew.
fn code(secret: &str, step: i64) -> String {
    let built = totp_rs::Builder::new().with_algorithm(totp_rs::Algorithm::SHA1);
    let secret = totp_rs::Secret::try_from_base32(secret).unwrap();
    let now_s = std::time::SystemTime::UNIX_EPOCH.elapsed().unwrap().as_secs();
    built.with_secret(secret).build().unwrap().generate(now_s.saturating_add_signed(step * 30)).to_string()
}

/// Everything that the data folder holds of the store.
fn stored(sandbox: &Sandbox) -> Vec<u8> {
    let data = std::fs::read_dir(sandbox.path().join("data")).unwrap().map(|entry| entry.unwrap().path());
    let of_store = data.filter(|path| path.file_name().unwrap().to_string_lossy().starts_with("mainstay.db"));
    of_store.flat_map(|path| std::fs::read(path).unwrap()).collect()
}

#[test]
fn a_user_logs_in_enrols_and_logs_out_and_the_store_holds_no_secret() {
    let sandbox = Sandbox::new();
    done(&sandbox, "user add ada --grant member", &format!("{PASSWORD}\n"));
    assert_eq!(refused(&sandbox, "login --name ada", "a wrong password\n"), "auth.login_failed");
    done(&sandbox, "login --name ada", &format!("{PASSWORD}\n"));
    let who = sandbox.json("whoami");
    assert!(who["principal"].as_str().unwrap().starts_with("user:usr-"), "{who}");
    assert_eq!(refused(&sandbox, "user list", ""), "auth.forbidden");

    let enrolment = document(&done(&sandbox, "totp enroll --json", &format!("{PASSWORD}\n")));
    let secret = enrolment["secret"].as_str().unwrap();
    let confirmed = document(&done(&sandbox, "totp confirm --json", &format!("{}\n", code(secret, 0))));
    let recovery = confirmed["codes"][0].as_str().unwrap();
    assert_eq!(sandbox.json("session list")["sessions"].as_array().unwrap().len(), 1);
    sandbox.stdout("logout");
    assert_eq!(sandbox.json("whoami")["principal"], "owner");

    done(&sandbox, "login --name ada", &format!("{PASSWORD}\n{recovery}\n"));
    sandbox.stdout("logout");
    assert_eq!(refused(&sandbox, "login --name ada", &format!("{PASSWORD}\n{recovery}\n")), "auth.login_failed");

    let key = document(&sandbox.stdout("key create billing --role viewer --json"));
    let token = key["token"].as_str().unwrap();
    let mut command = sandbox.command("whoami --json");
    let output = command.env("MAINSTAY_TOKEN", token).output().unwrap();
    assert_eq!(
        document(&String::from_utf8(output.stdout).unwrap())["principal"],
        format!("key:{}", key["id"].as_str().unwrap())
    );
    let bytes = stored(&sandbox);
    let holds = |text: &str| bytes.windows(text.len()).any(|window| window == text.as_bytes());
    assert!(holds("billing"), "the search finds what is there");
    let hidden = token.splitn(3, '_').nth(2).unwrap();
    for told in [PASSWORD, secret, recovery, &recovery.replace('-', ""), hidden] {
        assert!(!holds(told), "the store holds a secret in the clear");
    }
    sandbox.stdout(&format!("key revoke {}", key["id"].as_str().unwrap()));
    let mut command = sandbox.command("whoami");
    assert!(!command.env("MAINSTAY_TOKEN", token).output().unwrap().status.success());
}

#[test]
fn a_key_ring_is_rotated_while_what_was_sealed_stays_readable() {
    let sandbox = Sandbox::new();
    done(&sandbox, "user add ada --grant member", &format!("{PASSWORD}\n"));
    done(&sandbox, "login --name ada", &format!("{PASSWORD}\n"));
    let enrolment = document(&done(&sandbox, "totp enroll --json", &format!("{PASSWORD}\n")));
    let secret = enrolment["secret"].as_str().unwrap();
    done(&sandbox, "totp confirm", &format!("{}\n", code(secret, -1)));
    sandbox.stdout("logout");

    let first = sandbox.json("keyring list")["keys"][0]["id"].as_str().unwrap().to_owned();
    let second = sandbox.json("keyring rotate")["primary"].as_str().unwrap().to_owned();
    assert_ne!(first, second);
    assert_eq!(refused(&sandbox, &format!("keyring retire {first}"), ""), "request.invalid");
    assert_eq!(sandbox.json("keyring reseal")["resealed"], 1);
    assert_eq!(sandbox.json("keyring reseal")["resealed"], 0);
    assert_eq!(refused(&sandbox, &format!("keyring retire {second}"), ""), "request.invalid");
    sandbox.stdout(&format!("keyring retire {first}"));
    let keys = sandbox.json("keyring list");
    assert_eq!(keys["keys"], serde_json::json!([{ "id": second, "state": "primary", "used": true }]));
    done(&sandbox, "login --name ada", &format!("{PASSWORD}\n{}\n", code(secret, 1)));
    sandbox.stdout("logout");

    // A server without the key does not start, and says which one it is.
    std::fs::remove_file(sandbox.path().join("data/keyring")).unwrap();
    let output = sandbox.run("serve --listen 127.0.0.1:0 --json");
    assert_eq!(output.status.code(), Some(2), "{}", String::from_utf8_lossy(&output.stderr));
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(said.contains("secrets.key_missing") && said.contains(&second), "{said}");

    // A single command neither, where it would seal something with another; all others work.
    done(&sandbox, "user add eve --grant member", &format!("{PASSWORD}\n"));
    done(&sandbox, "login --name eve", &format!("{PASSWORD}\n"));
    assert_eq!(refused(&sandbox, "totp enroll", &format!("{PASSWORD}\n")), "secrets.key_missing");
    sandbox.stdout("logout");
    for command in ["keyring rotate", "keyring reseal"] {
        assert_eq!(refused(&sandbox, command, ""), "secrets.key_missing", "{command}");
    }
    let keys = sandbox.json("keyring list");
    assert_eq!(keys["keys"], serde_json::json!([{ "id": second, "state": "missing", "used": true }]));
    assert!(!sandbox.path().join("data/keyring").exists(), "no ring hides that one is lost");
}

#[test]
fn with_a_ring_that_lacks_a_key_no_command_seals_or_reseals() {
    let sandbox = Sandbox::new();
    for name in ["ada", "eve"] {
        done(&sandbox, &format!("user add {name} --grant member"), &format!("{PASSWORD}\n"));
    }
    done(&sandbox, "login --name ada", &format!("{PASSWORD}\n"));
    done(&sandbox, "totp enroll", &format!("{PASSWORD}\n"));
    done(&sandbox, "login --name eve", &format!("{PASSWORD}\n"));
    std::fs::write(sandbox.path().join("data/keyring"), KeyRing::generate().unwrap().to_text()).unwrap();
    assert_eq!(refused(&sandbox, "totp enroll", &format!("{PASSWORD}\n")), "secrets.key_missing");
    sandbox.stdout("logout");
    assert_eq!(refused(&sandbox, "keyring reseal", ""), "secrets.key_missing");
    assert_eq!(sandbox.json("whoami")["principal"], "owner");
}

#[test]
fn with_a_second_factor_a_new_password_asks_for_a_code_of_it() {
    let sandbox = Sandbox::new();
    done(&sandbox, "user add ada --grant member", &format!("{PASSWORD}\n"));
    done(&sandbox, "login --name ada", &format!("{PASSWORD}\n"));
    let enrolment = document(&done(&sandbox, "totp enroll --json", &format!("{PASSWORD}\n")));
    let secret = enrolment["secret"].as_str().unwrap();
    done(&sandbox, "totp confirm", &format!("{}\n", code(secret, 0)));
    let change = format!("{PASSWORD}\nanother long password\n");
    assert_eq!(refused(&sandbox, "user password", &format!("{change}000000\n")), "auth.login_failed");
    done(&sandbox, "user password", &format!("{change}{}\n", code(secret, 1)));
    assert!(sandbox.json("whoami")["principal"].as_str().unwrap().starts_with("user:usr-"), "the session goes on");
    assert_eq!(refused(&sandbox, "login --name ada", &format!("{PASSWORD}\n")), "auth.login_failed");
}
