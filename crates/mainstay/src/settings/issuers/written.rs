//! An issuer as it is written down, and what it means.

use mainstay_api::{Namespace, Realm, TenantId};
use mainstay_core::Role;
use mainstay_server::identity::tokens::{Access, IssuerConfig, KeyOrigin, SigningAlgorithm, TenantRule, Tenants};
use serde::Deserialize;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use url::Url;

/// Where an issuer publishes what it is, after its name (OpenID Connect Discovery 1.0, section 4).
const DISCOVERY_PATH: &str = "/.well-known/openid-configuration";
/// Stands for every tenant, or every namespace.
const ANY: &str = "*";

/// Why an issuer is refused: the rule that it breaks.
pub(super) type Result<T, E = String> = std::result::Result<T, E>;

/// One text or several.
#[derive(Deserialize)]
#[serde(untagged, expecting = "a text or a list of texts")]
enum Texts {
    One(String),
    Many(Vec<String>),
}

impl Texts {
    fn into_vec(self) -> Vec<String> {
        match self {
            Self::One(text) => vec![text],
            Self::Many(texts) => texts,
        }
    }
}

/// An issuer as it is written down.
#[derive(Deserialize)]
pub(super) struct Written {
    name: Realm,
    issuer: Option<String>,
    discovery: Option<String>,
    jwks: Option<String>,
    jwks_file: Option<PathBuf>,
    secret: Option<String>,
    secret_file: Option<PathBuf>,
    audience: Option<Texts>,
    algorithms: Option<Texts>,
    tenants: Option<Texts>,
    tenant_claim: Option<String>,
    tenant: Option<TenantId>,
    user_claim: Option<String>,
    instance_claim: Option<String>,
    role: Option<String>,
    roles_claim: Option<String>,
    roles: Option<BTreeMap<String, String>>,
    scope_claim: Option<String>,
    namespaces: Option<Texts>,
    max_token_bytes: Option<usize>,
    max_age_s: Option<u64>,
    ca_file: Option<PathBuf>,
}

impl Written {
    /// The configuration; relative paths begin at the folder.
    pub fn config(self, dir: &Path) -> Result<IssuerConfig> {
        let role = self.role.as_deref().map(role_of).transpose()?;
        // Whoever maps roles says thereby that a token without one gets nothing.
        let role = role.or(self.roles_claim.is_none().then_some(Role::Member));
        if self.roles.is_some() && self.roles_claim.is_none() {
            return Err("`roles` needs `roles_claim`".into());
        }
        let roles = self.roles.unwrap_or_default().into_iter().map(|(value, name)| Ok((value, role_of(&name)?)));
        let access = Access {
            role,
            roles_claim: self.roles_claim,
            roles: roles.collect::<Result<_>>()?,
            scope_claim: self.scope_claim,
            namespaces: namespaces(self.namespaces)?,
        };
        let origin = Origins {
            issuer: self.issuer.as_deref(),
            discovery: self.discovery,
            jwks: self.jwks,
            jwks_file: self.jwks_file.map(|path| dir.join(path)),
            secret: self.secret,
            secret_file: self.secret_file.map(|path| dir.join(path)),
        };
        let mut config = IssuerConfig::new(self.name, origin.only()?);
        if let Some(names) = self.algorithms {
            let parse = |name: String| name.parse().map_err(|_| format!("`algorithms`: {name:?} is not one"));
            config.algorithms = names.into_vec().into_iter().map(parse).collect::<Result<Vec<SigningAlgorithm>>>()?;
        }
        config.issuer = self.issuer;
        config.audience = self.audience.map(Texts::into_vec).unwrap_or_default();
        config.tenant = tenant_rule(self.tenant, self.tenant_claim, self.tenants)?;
        config.user_claim = self.user_claim.unwrap_or(config.user_claim);
        config.instance_claim = self.instance_claim;
        config.access = access;
        config.max_token_bytes = self.max_token_bytes.unwrap_or(config.max_token_bytes);
        config.max_age_s = self.max_age_s;
        config.ca_file = self.ca_file.map(|path| dir.join(path));
        Ok(config)
    }
}

fn role_of(name: &str) -> Result<Role> {
    Role::parse(name)
        .map_err(|error| format!("{}; there are {}", error.problem.detail, error.problem.valid_values.join(", ")))
}

fn tenant_rule(fixed: Option<TenantId>, claim: Option<String>, allowed: Option<Texts>) -> Result<TenantRule> {
    match fixed {
        Some(_) if claim.is_some() || allowed.is_some() => {
            Err("`tenant` stands in place of `tenants` and `tenant_claim`; keep one or the other".into())
        }
        Some(tenant) => Ok(TenantRule::Fixed(tenant)),
        None => {
            let allowed = tenants(allowed.map(Texts::into_vec).unwrap_or_default())?;
            Ok(TenantRule::Claim { claim: claim.unwrap_or_else(|| "tid".into()), allowed })
        }
    }
}

pub(super) fn tenants(names: Vec<String>) -> Result<Tenants> {
    if names == [ANY] {
        return Ok(Tenants::All);
    }
    if names.iter().any(|name| name == ANY) {
        return Err("`tenants`: \"*\" stands alone".into());
    }
    let parse = |name: String| TenantId::parse(name).map_err(|rule| format!("`tenants`: {rule}"));
    names.into_iter().map(parse).collect::<Result<_>>().map(Tenants::Only)
}

fn namespaces(names: Option<Texts>) -> Result<Option<Vec<Namespace>>> {
    let Some(names) = names.map(Texts::into_vec) else { return Ok(Some(vec![Namespace::default()])) };
    if names == [ANY] {
        return Ok(None);
    }
    let parse = |name: String| Namespace::parse(name).map_err(|rule| format!("`namespaces`: {rule}"));
    names.into_iter().map(parse).collect::<Result<_>>().map(Some)
}

/// Every way to say where keys come from, of which one may be said.
pub(super) struct Origins<'a> {
    pub issuer: Option<&'a str>,
    pub discovery: Option<String>,
    pub jwks: Option<String>,
    pub jwks_file: Option<PathBuf>,
    pub secret: Option<String>,
    pub secret_file: Option<PathBuf>,
}

impl Origins<'_> {
    /// The one that was said, else the discovery document of the issuer.
    pub fn only(self) -> Result<KeyOrigin> {
        let url = |key: &str, text: &str| {
            Url::parse(text).map_err(|cause| format!("`{key}`: {text:?} is no address: {cause}"))
        };
        let secret_of = |path: &PathBuf| {
            let text = crate::settings::layers::read_bounded(path).map_err(|refused| refused.detail.clone())?;
            Ok::<_, String>(KeyOrigin::Secret(text.trim().into()))
        };
        let mut said = Vec::new();
        said.extend(self.discovery.map(|text| url("discovery", &text).map(KeyOrigin::Discovery)));
        said.extend(self.jwks.map(|text| url("jwks", &text).map(KeyOrigin::Url)));
        said.extend(self.jwks_file.map(|path| Ok(KeyOrigin::File(path))));
        said.extend(self.secret.map(|text| Ok(KeyOrigin::Secret(text.into()))));
        said.extend(self.secret_file.as_ref().map(secret_of));
        match (said.len(), self.issuer) {
            (0, Some(issuer)) => {
                let document = format!("{}{DISCOVERY_PATH}", issuer.trim_end_matches('/'));
                url("issuer", &document).map(KeyOrigin::Discovery)
            }
            (1, _) => said.remove(0),
            (0, None) => Err("it needs one of `issuer`, `discovery`, `jwks`, `jwks_file` and `secret`".into()),
            _ => Err("keep one of `discovery`, `jwks`, `jwks_file`, `secret` and `secret_file`".into()),
        }
    }
}
