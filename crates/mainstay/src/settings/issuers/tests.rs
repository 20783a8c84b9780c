use crate::settings::{Settings, Surroundings};
use mainstay_api::Problem;
use mainstay_core::Role;
use mainstay_server::identity::tokens::{IssuerConfig, KeyOrigin, SigningAlgorithm, TenantRule, Tenants};

fn with(file: &str, environment: &[(&str, &str)]) -> Result<Settings, Box<Problem>> {
    let dir = tempfile::tempdir().unwrap();
    std::fs::write(dir.path().join("mainstay.toml"), file).unwrap();
    Settings::resolve(Surroundings {
        environment: environment.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect(),
        data_dir: Some("/data".into()),
        config_dir: Some(dir.path().into()),
        ..Surroundings::default()
    })
}

fn issuer(keys: &str) -> Result<IssuerConfig, Box<Problem>> {
    with(&format!("[[issuers]]\nname = \"team\"\n{keys}"), &[]).map(|settings| settings.issuers.configs[0].clone())
}

fn only(names: &[&str]) -> Tenants {
    Tenants::Only(names.iter().map(|name| name.parse().unwrap()).collect())
}

fn allowed(config: &IssuerConfig) -> &Tenants {
    match &config.tenant {
        TenantRule::Claim { allowed, .. } => allowed,
        TenantRule::Fixed(tenant) => panic!("fixed: {tenant:?}"),
    }
}

#[test]
fn an_issuer_needs_little_and_lets_nobody_in_until_it_is_told_whom() {
    let config = issuer("issuer = \"https://idp.example/\"\naudience = \"api\"").unwrap();
    let KeyOrigin::Discovery(url) = &config.keys else { panic!("{:?}", config.keys) };
    assert_eq!(url.as_str(), "https://idp.example/.well-known/openid-configuration");
    assert_eq!((config.issuer.as_deref(), config.audience.len()), (Some("https://idp.example/"), 1));
    assert_eq!(config.algorithms, [SigningAlgorithm::RS256, SigningAlgorithm::ES256]);
    assert_eq!(config.access.role, Some(Role::Member));
    assert_eq!(allowed(&config), &only(&[]));
    assert!(with("", &[]).unwrap().issuers.configs.is_empty());
}

#[test]
fn every_key_means_what_it_says() {
    let config = issuer(
        r#"
        jwks_file = "keys.json"
        issuer = "https://idp.example/{tenantid}"
        audience = ["a", "b"]
        algorithms = "EdDSA"
        tenants = ["acme", "globex"]
        tenant_claim = "org"
        user_claim = "oid"
        instance_claim = "instance"
        roles_claim = "groups"
        roles = { ops = "admin" }
        scope_claim = "scp"
        namespaces = ["*"]
        max_token_bytes = 1024
        max_age_s = 60
        ca_file = "/etc/ca.pem"
        "#,
    )
    .unwrap();
    let KeyOrigin::File(path) = &config.keys else { panic!("{:?}", config.keys) };
    assert!(path.is_absolute() && path.ends_with("keys.json"), "beside the settings file: {}", path.display());
    assert_eq!(config.algorithms, [SigningAlgorithm::EdDSA]);
    assert_eq!(config.tenant.to_string(), "acme, globex");
    assert_eq!((config.user_claim.as_str(), config.instance_claim.as_deref()), ("oid", Some("instance")));
    assert_eq!(config.access.role, None, "whoever maps roles gives none by default");
    assert_eq!(config.access.roles["ops"], Role::Admin);
    assert_eq!((config.access.namespaces, config.access.scope_claim.as_deref()), (None, Some("scp")));
    assert_eq!((config.max_token_bytes, config.max_age_s), (1_024, Some(60)));
    let everybody = issuer("issuer = \"https://idp.example\"\ntenants = \"*\"").unwrap();
    assert_eq!(allowed(&everybody), &Tenants::All);
    let fixed = issuer("issuer = \"https://idp.example\"\ntenant = \"acme\"").unwrap();
    assert_eq!(fixed.tenant, TenantRule::Fixed("acme".parse().unwrap()));
}

#[test]
fn a_refusal_names_the_issuer_and_the_key() {
    for (keys, detail, help) in [
        ("audiences = \"a\"", "issuer \"team\": there is no key `audiences`", "`audience`"),
        ("audience = 7", "issuer \"team\": a text or a list of texts", ""),
        ("secret = \"s\"\nalgorithms = [\"none\"]", "`algorithms`: \"none\"", ""),
        ("role = \"root\"", "\"root\" is not a role; there are owner", ""),
        ("roles = { a = \"member\" }", "`roles` needs `roles_claim`", ""),
        ("secret = \"s\"\ntenant = \"a\"\ntenants = [\"b\"]", "`tenant` stands in place of", ""),
        ("secret = \"s\"\ntenants = [\"a\", \"*\"]", "\"*\" stands alone", ""),
        ("jwks = \"nowhere\"", "`jwks`: \"nowhere\" is no address", ""),
        ("jwks_file = \"a\"\nsecret = \"b\"", "keep one of", ""),
        ("", "it needs one of", ""),
    ] {
        let problem = issuer(keys).unwrap_err();
        assert!(problem.detail.contains(detail) && problem.help.contains(help), "{keys}: {problem} {}", problem.help);
    }
    let missing = with("[[issuers]]\nissuer = \"https://idp.example\"", &[]).unwrap_err();
    assert!(missing.detail.contains("issuer 1: missing field `name`"), "{missing}");
    assert!(with("[issuers]\nname = \"a\"", &[]).unwrap_err().detail.contains("[[issuers]]"));
    assert!(with("[[issuer]]\nname = \"a\"", &[]).unwrap_err().help.contains("[[issuers]]"));
}

#[test]
fn the_environment_names_one_issuer_more() {
    let named = [("MAINSTAY_ISSUER", "https://idp.example"), ("MAINSTAY_AUDIENCE", "a, b")];
    let settings = with("[[issuers]]\nname = \"team\"\nissuer = \"https://b.example\"", &named).unwrap();
    let configs = &settings.issuers.configs;
    assert_eq!(configs.iter().map(|config| config.name.as_str()).collect::<Vec<_>>(), ["team", "default"]);
    assert_eq!((configs[1].audience.join("+"), allowed(&configs[1])), ("a+b".into(), &only(&[])));

    let one = |extra: &[(&str, &str)]| with("", extra).unwrap().issuers.configs[0].clone();
    let file = one(&[("MAINSTAY_JWKS", "keys.json"), ("MAINSTAY_TENANTS", "*"), ("MAINSTAY_USER_CLAIM", "oid")]);
    assert!(matches!(&file.keys, KeyOrigin::File(path) if path.ends_with("keys.json")), "{:?}", file.keys);
    assert_eq!((file.user_claim.as_str(), allowed(&file)), ("oid", &Tenants::All));
    let url = one(&[("MAINSTAY_JWKS", "https://idp.example/keys")]);
    assert!(matches!(url.keys, KeyOrigin::Url(_)), "{:?}", url.keys);
    let secret = one(&[("MAINSTAY_JWT_SECRET", "not to be shown"), ("MAINSTAY_TENANTS", "acme")]);
    assert_eq!((secret.algorithms.as_slice(), allowed(&secret)), (&[SigningAlgorithm::HS256][..], &only(&["acme"])));
    assert!(!format!("{secret:?}").contains("not to be shown"));

    let both = [("MAINSTAY_JWT_SECRET", "s"), ("MAINSTAY_JWKS", "keys.json")];
    assert!(with("", &both).unwrap_err().detail.contains("keep one of"));
    assert!(with("", &[("MAINSTAY_TENANTS", "acme")]).unwrap_err().detail.contains("MAINSTAY_TENANTS is set"));
}

#[test]
fn a_secret_can_lie_in_a_file_and_a_broken_one_is_not_shown() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("secret");
    std::fs::write(&path, "a secret that is long enough to be one\n").unwrap();
    let config = issuer(&format!("secret_file = {:?}", path.to_str().unwrap())).unwrap();
    assert!(matches!(config.keys, KeyOrigin::Secret(_)));
    assert!(issuer("secret_file = \"/nowhere/at/all\"").unwrap_err().detail.contains("/nowhere/at/all"));
}
