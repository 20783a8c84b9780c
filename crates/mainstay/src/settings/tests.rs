use super::*;
use std::collections::BTreeMap;

fn surroundings(environment: &[(&str, &str)]) -> Surroundings {
    Surroundings {
        environment: environment.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect(),
        data_dir: Some("/data".into()),
        ..Surroundings::default()
    }
}

fn with_file(text: &str, environment: &[(&str, &str)]) -> (tempfile::TempDir, Surroundings) {
    let dir = tempfile::tempdir().unwrap();
    std::fs::write(dir.path().join("mainstay.toml"), text).unwrap();
    let surroundings = Surroundings { working_dir: Some(dir.path().into()), ..surroundings(environment) };
    (dir, surroundings)
}

#[test]
fn nothing_set_is_an_embedded_store_and_loopback() {
    let settings = Settings::resolve(surroundings(&[])).unwrap();
    assert_eq!(settings.store.text, "sqlite:/data/mainstay.db");
    assert_eq!(settings.server.listen.to_string(), "127.0.0.1:7717");
    assert_eq!(settings.namespace.as_str(), "default");
    assert_eq!(settings.instance, None);
}

#[test]
fn a_flag_beats_the_environment_beats_the_file_beats_the_default() {
    let file = "namespace = \"file\"\n[mail]\nmax_inbox = 7\ntypes = [\"A_TYPE\", \"B_TYPE\"]\n";
    let (_dir, mut surroundings) = with_file(file, &[("MAINSTAY_NAMESPACE", "environment")]);
    surroundings.flags = BTreeMap::from([(Setting::Namespace, "flag".into())]);
    let settings = Settings::resolve(surroundings.clone()).unwrap();
    assert_eq!(settings.namespace.as_str(), "flag");
    surroundings.flags.clear();
    assert_eq!(Settings::resolve(surroundings.clone()).unwrap().namespace.as_str(), "environment");
    surroundings.environment.clear();
    let settings = Settings::resolve(surroundings).unwrap();
    assert_eq!(settings.namespace.as_str(), "file");
    assert_eq!((settings.mail.max_inbox, settings.mail.types.len()), (7, 2));
}

#[test]
fn redis_url_counts_only_where_no_store_is_named() {
    let redis = ("REDIS_URL", "redis://cache:6379");
    let settings = Settings::resolve(surroundings(&[redis])).unwrap();
    assert_eq!(settings.store.text, "redis://cache:6379");
    let settings = Settings::resolve(surroundings(&[redis, ("MAINSTAY_STORE", "sqlite::memory:")])).unwrap();
    assert_eq!(settings.store.text, "sqlite::memory:");
}

#[test]
fn the_parts_of_a_redis_count_only_where_it_is_enabled_and_nothing_else_names_a_store() {
    let parts = [("REDIS_HOST", "cache"), ("REDIS_PORT", "6380"), ("REDIS_DB", "3"), ("REDIS_PASSWORD", "hunter2")];
    let with = |more: &[(&'static str, &'static str)]| Settings::resolve(surroundings(&[&parts, more].concat()));
    let settings = with(&[("REDIS_ENABLED", "True")]).unwrap();
    assert_eq!(settings.store.text, "redis://cache:6380/3");
    for more in [&[][..], &[("REDIS_ENABLED", "false")]] {
        assert!(with(more).unwrap().store.text.starts_with("sqlite:"), "{more:?}");
    }
    let named = with(&[("REDIS_ENABLED", "true"), ("REDIS_URL", "redis://other")]).unwrap();
    assert_eq!(named.store.text, "redis://other");
    for broken in [("REDIS_ENABLED", "perhaps"), ("REDIS_PORT", "tcp://10.0.0.1:6379"), ("REDIS_DB", "-1")] {
        let problem = Settings::resolve(surroundings(&[("REDIS_ENABLED", "true"), broken])).unwrap_err();
        assert!(problem.detail.starts_with(broken.0) && problem.help.contains("MAINSTAY_STORE"), "{}", problem.detail);
    }
    let settings = Settings::resolve(surroundings(&[("REDIS_ENABLED", "1"), ("REDIS_HOST", "::1")])).unwrap();
    assert_eq!(settings.store.text, "redis://[::1]:6379/0");
}

#[test]
fn the_originals_variables_are_understood_and_an_empty_one_is_not_set() {
    let set = [("MAINSTAY_INSTANCE", ""), ("CLAUDE_INSTANCE_ID", "planner"), ("COORD_MESSAGE_TTL_DAYS", "3")];
    let settings = Settings::resolve(surroundings(&set)).unwrap();
    assert_eq!(settings.instance.unwrap().as_str(), "planner");
    assert_eq!(settings.mail.retention_days, 3);
}

#[test]
fn a_misspelt_key_is_refused_with_the_right_one() {
    let (_dir, surroundings) = with_file("[mail]\nretention_day = 3\n", &[]);
    let problem = Settings::resolve(surroundings).unwrap_err();
    assert_eq!(problem.code.as_str(), "settings.invalid");
    assert!(problem.help.contains("`mail.retention_days`"), "{}", problem.help);
    let (_dir, surroundings) = with_file("owner_key = \"x\"\n", &[]);
    assert!(Settings::resolve(surroundings).unwrap_err().help.contains("MAINSTAY_OWNER_KEY"));
}

#[test]
fn a_bad_value_names_its_variable_and_origin_and_a_secret_stays_secret() {
    let problem = Settings::resolve(surroundings(&[("MAINSTAY_MAX_LIVE", "many")])).unwrap_err();
    assert!(problem.detail.starts_with("MAINSTAY_MAX_LIVE (from the environment): \"many\""), "{}", problem.detail);
    for bad in [("MAINSTAY_LISTEN", "here"), ("MAINSTAY_LOG_FORMAT", "xml"), ("MAINSTAY_MAIL_TYPES", "ok")] {
        let problem = Settings::resolve(surroundings(&[bad])).unwrap_err();
        assert!(problem.detail.starts_with(bad.0), "{}", problem.detail);
    }
}

#[test]
fn a_secret_can_come_from_a_file() {
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), "secret\n").unwrap();
    let path = file.path().to_str().unwrap();
    let settings = Settings::resolve(surroundings(&[("MAINSTAY_OWNER_KEY_FILE", path)])).unwrap();
    assert_eq!(settings.owner_key.as_deref(), Some("secret"));
    assert!(Settings::resolve(surroundings(&[("MAINSTAY_OWNER_KEY_FILE", "/nowhere/at/all")])).is_err());
}

#[test]
fn a_cloned_repository_cannot_direct_the_owner_key_elsewhere() {
    let key = ("MAINSTAY_OWNER_KEY", "secret");
    let (_dir, hostile) = with_file("url = \"https://evil.example\"\n", &[key]);
    let problem = Settings::resolve(hostile).unwrap_err();
    assert!(problem.help.contains("MAINSTAY_URL") && !problem.detail.contains("secret"), "{problem}");
    let (_dir, local) = with_file("url = \"http://127.0.0.1:1\"\n", &[key]);
    assert!(Settings::resolve(local).is_ok());
    let (_dir, chosen) = with_file("url = \"https://x.example\"\n", &[key, ("MAINSTAY_URL", "https://x.example")]);
    assert!(Settings::resolve(chosen).is_ok());
}

#[test]
fn a_password_of_redis_is_given_once_and_never_shown() {
    let password = ("MAINSTAY_REDIS_PASSWORD", "hunter2");
    let settings = Settings::resolve(surroundings(&[password, ("MAINSTAY_REDIS_USERNAME", "app")])).unwrap();
    assert!(settings.redis.login.password.is_some() && settings.redis.login.username.as_deref() == Some("app"));
    assert!(!format!("{settings:?}").contains("hunter2"));
    let twice = surroundings(&[password, ("MAINSTAY_REDIS_CREDENTIALS", "file:/x")]);
    assert!(Settings::resolve(twice).unwrap_err().detail.contains("MAINSTAY_REDIS_CREDENTIALS"));
}

#[test]
fn no_settings_file_names_a_program_that_is_run() {
    let (_dir, hostile) = with_file("[redis]\ncredentials = \"command:evil\"\n", &[]);
    assert!(Settings::resolve(hostile).unwrap_err().help.contains("MAINSTAY_REDIS_CREDENTIALS"));
}
