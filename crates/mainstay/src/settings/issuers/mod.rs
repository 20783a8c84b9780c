//! Trusted issuers: `[[issuers]]` in `mainstay.toml`, and one by the environment.

mod keys;
mod written;

pub(super) use keys::KEYS;

use super::{Layers, Origin, Refusal, Setting, refusal};
use mainstay_api::Realm;
use mainstay_server::identity::tokens::{IssuerConfig, TenantRule};
use std::path::{Path, PathBuf};
use written::{Origins, Written};

/// The realm of the issuer that the environment names.
const ENVIRONMENT_REALM: &str = "default";

/// The trusted issuers, and where they come from.
#[derive(Debug, Clone, Default)]
pub struct IssuerSettings {
    /// The issuers.
    pub configs: Vec<IssuerConfig>,
    /// Whether some are named by the settings file of the working directory alone, which may be anybody's.
    pub by_project_file: bool,
}

/// The issuers that a settings file names.
///
/// # Errors
/// `settings.invalid`, naming the file, the issuer and the key.
pub(super) fn parse(value: &toml::Value, file: &Path) -> Result<Vec<IssuerConfig>, Refusal> {
    let broken = |detail: String| refusal(format!("{}: {detail}", file.display()), "Correct the file.");
    let tables = value.as_array().and_then(|items| items.iter().map(toml::Value::as_table).collect::<Option<Vec<_>>>());
    let tables = tables.ok_or_else(|| broken("issuers are tables, each headed by [[issuers]]".into()))?;
    let mut configs = Vec::with_capacity(tables.len());
    for (at, table) in tables.into_iter().enumerate() {
        let name = table.get("name").and_then(toml::Value::as_str);
        let which = name.map_or_else(|| format!("issuer {}", at + 1), |name| format!("issuer {name:?}"));
        if let Some(key) = table.keys().find(|key| KEYS.iter().all(|known| known.name != key.as_str())) {
            return Err(unknown(key, &which, file));
        }
        let written: Written = table
            .clone()
            .try_into()
            .map_err(|cause: toml::de::Error| broken(format!("{which}: {}", cause.message())))?;
        let dir = file.parent().unwrap_or(Path::new(""));
        configs.push(written.config(dir).map_err(|rule| broken(format!("{which}: {rule}")))?);
    }
    Ok(configs)
}

fn unknown(key: &str, which: &str, file: &Path) -> Refusal {
    let names = KEYS.iter().map(|known| known.name);
    let help = match super::file::closest(key, names) {
        Some(known) => format!("Did you mean `{known}`? `mainstay reference settings` lists every key."),
        None => "`mainstay reference settings` lists every key of an issuer.".into(),
    };
    refusal(format!("{}: {which}: there is no key `{key}`", file.display()), help)
}

/// The issuers of the settings file, and the one that the environment names.
///
/// # Errors
/// `settings.invalid`.
pub(super) fn read(layers: &Layers) -> Result<IssuerSettings, Refusal> {
    let (origin, mut configs) = layers.issuers();
    let by_project_file = origin == Origin::ProjectFile && !configs.is_empty();
    configs.extend(of_environment(layers)?);
    Ok(IssuerSettings { configs, by_project_file })
}

fn of_environment(layers: &Layers) -> Result<Option<IssuerConfig>, Refusal> {
    let text = |setting| layers.find(setting).map(|found| found.map(|found| found.text));
    let list = |text: String| -> Vec<String> {
        text.split(',').map(str::trim).filter(|item| !item.is_empty()).map(str::to_owned).collect()
    };
    let (issuer, jwks, secret) = (text(Setting::Issuer)?, text(Setting::Jwks)?, text(Setting::JwtSecret)?);
    let (audience, tenants) = (text(Setting::Audience)?, text(Setting::Tenants)?);
    let user_claim = text(Setting::UserClaim)?;
    if issuer.is_none() && jwks.is_none() && secret.is_none() {
        let needless = [(Setting::Audience, audience.is_some()), (Setting::Tenants, tenants.is_some())];
        return match needless.into_iter().find(|(_, set)| *set) {
            Some((setting, _)) => {
                Err(environment_refusal(&format!("{} is set, but no issuer is", setting.entry().variable)))
            }
            None => Ok(None),
        };
    }
    let (jwks, jwks_file) = match jwks {
        Some(text) if text.contains("://") => (Some(text), None),
        other => (None, other.map(PathBuf::from)),
    };
    let origin = Origins { issuer: issuer.as_deref(), discovery: None, jwks, jwks_file, secret, secret_file: None };
    let keys = origin.only().map_err(|_| environment_refusal("keep one of MAINSTAY_JWKS and MAINSTAY_JWT_SECRET"))?;
    let realm = Realm::parse(ENVIRONMENT_REALM).map_err(|rule| environment_refusal(&rule.to_string()))?;
    let mut config = IssuerConfig::new(realm, keys);
    config.issuer = issuer;
    config.audience = audience.map(list).unwrap_or_default();
    let allowed = written::tenants(tenants.map(list).unwrap_or_default());
    let allowed = allowed.map_err(|rule| environment_refusal(&format!("MAINSTAY_TENANTS: {rule}")))?;
    config.tenant = TenantRule::Claim { claim: "tid".into(), allowed };
    config.user_claim = user_claim.unwrap_or(config.user_claim);
    Ok(Some(config))
}

fn environment_refusal(rule: &str) -> Refusal {
    let help = "Set MAINSTAY_ISSUER, MAINSTAY_AUDIENCE and MAINSTAY_TENANTS together, and nothing else where the issuer \
                has a discovery document; [[issuers]] in mainstay.toml can say more.";
    refusal(format!("the issuer of the environment: {rule}"), help)
}

#[cfg(test)]
mod tests;
