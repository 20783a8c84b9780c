//! What is configured about an issuer.

use mainstay_core::Role;
use mainstay_core::api::{Namespace, Realm, TenantId};
use secrecy::{ExposeSecret, SecretString};
use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use url::Url;

pub use jsonwebtoken::Algorithm as SigningAlgorithm;

/// Where the tenant of a token stands in the name of an issuer that serves many, as Entra ID writes it.
pub(super) const TENANT_PLACE: &str = "{tenantid}";
/// Shortest secret, in bytes: as long as the digest that it signs with (RFC 7518, section 3.2).
const MIN_SECRET_BYTES: usize = 32;
/// Bounds of the length of a token, in bytes.
const TOKEN_BYTES: std::ops::RangeInclusive<usize> = 256..=65_536;

/// Where the keys of an issuer come from. A token is checked with keys of this one origin only, so that no public key
/// can serve as a secret.
#[derive(Debug, Clone)]
pub enum KeyOrigin {
    /// The discovery document of the issuer, which names the issuer and its keys.
    Discovery(Url),
    /// A set of public keys.
    Url(Url),
    /// A file with a set of public keys; it is read again when it changes.
    File(PathBuf),
    /// A secret that is shared with whoever makes the tokens.
    Secret(SecretString),
}

/// The tenants whose tokens are accepted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Tenants {
    /// Every tenant that the issuer vouches for: said explicitly, never a default.
    All,
    /// These; none where there are none.
    Only(BTreeSet<TenantId>),
}

/// How the tenant of a token is known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TenantRule {
    /// Every token of the issuer is of this tenant.
    Fixed(TenantId),
    /// A claim names it, and it must be allowed.
    Claim {
        /// The claim.
        claim: String,
        /// Who is let in.
        allowed: Tenants,
    },
}

impl std::fmt::Display for TenantRule {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Fixed(tenant) => f.write_str(tenant.as_str()),
            Self::Claim { allowed: Tenants::All, .. } => f.write_str("all"),
            Self::Claim { allowed: Tenants::Only(tenants), .. } if tenants.is_empty() => f.write_str("none"),
            Self::Claim { allowed: Tenants::Only(tenants), .. } => {
                let names: Vec<&str> = tenants.iter().map(TenantId::as_str).collect();
                f.write_str(&names.join(", "))
            }
        }
    }
}

/// What the tokens of an issuer allow.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Access {
    /// The role of a token that no other rule gives one; none where absent.
    pub role: Option<Role>,
    /// The claim with the roles of the issuer. A dot leads into an object, as in `realm_access.roles`.
    pub roles_claim: Option<String>,
    /// From a value of that claim to a role.
    pub roles: BTreeMap<String, Role>,
    /// The claim with scopes: a token has no more than it names.
    pub scope_claim: Option<String>,
    /// The namespaces that the roles hold in; every one where absent.
    pub namespaces: Option<Vec<Namespace>>,
}

/// An issuer whose tokens are accepted.
#[derive(Debug, Clone)]
pub struct IssuerConfig {
    /// The realm of its users.
    pub name: Realm,
    /// The `iss` of its tokens; as its discovery document says where absent.
    pub issuer: Option<String>,
    /// Where its keys come from.
    pub keys: KeyOrigin,
    /// Audiences of which a token must name one.
    pub audience: Vec<String>,
    /// Algorithms that its tokens may be signed with.
    pub algorithms: Vec<SigningAlgorithm>,
    /// How the tenant is known.
    pub tenant: TenantRule,
    /// The claim that names the user.
    pub user_claim: String,
    /// The claim that names the instance that the bearer speaks for.
    pub instance_claim: Option<String>,
    /// What its tokens allow.
    pub access: Access,
    /// Longest token, in bytes.
    pub max_token_bytes: usize,
    /// Longest time since a token was issued, in seconds, whatever it says of its end.
    pub max_age_s: Option<u64>,
    /// Certificates to trust when its keys are fetched, in PEM; those of the machine where absent.
    pub ca_file: Option<PathBuf>,
}

/// A configuration that cannot be.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("issuer {}: {rule}", name.as_str())]
pub struct InvalidIssuer {
    /// The issuer.
    pub name: Realm,
    /// What it breaks, in words that say how to mend it.
    pub rule: String,
}

impl IssuerConfig {
    /// The defaults: RS256 and ES256 (HS256 with a secret), the tenant from `tid`, of which none is allowed, the user
    /// from `sub`, the role `member` in the namespace `default`, tokens of 16 KiB.
    #[must_use]
    pub fn new(name: Realm, keys: KeyOrigin) -> Self {
        let algorithms = match keys {
            KeyOrigin::Secret(_) => vec![SigningAlgorithm::HS256],
            _ => vec![SigningAlgorithm::RS256, SigningAlgorithm::ES256],
        };
        Self {
            name,
            issuer: None,
            keys,
            audience: Vec::new(),
            algorithms,
            tenant: TenantRule::Claim { claim: "tid".into(), allowed: Tenants::Only(BTreeSet::new()) },
            user_claim: "sub".into(),
            instance_claim: None,
            access: Access {
                role: Some(Role::Member),
                roles_claim: None,
                roles: BTreeMap::new(),
                scope_claim: None,
                namespaces: Some(vec![Namespace::default()]),
            },
            max_token_bytes: 16 * 1_024,
            max_age_s: None,
            ca_file: None,
        }
    }

    /// Checks what the types leave open.
    ///
    /// # Errors
    /// The first rule that is broken.
    pub(super) fn check(&self) -> Result<(), InvalidIssuer> {
        let broken = |rule: &str| Err(InvalidIssuer { name: self.name.clone(), rule: rule.into() });
        if self.name == Realm::local() {
            return broken("`local` is the realm of this installation's own users; choose another name");
        }
        if self.algorithms.is_empty() {
            return broken("`algorithms` must name at least one");
        }
        if !TOKEN_BYTES.contains(&self.max_token_bytes) {
            return broken("`max_token_bytes` must be from 256 to 65536");
        }
        let is_template = self.issuer.as_ref().is_some_and(|issuer| issuer.contains(TENANT_PLACE));
        if is_template && matches!(self.tenant, TenantRule::Fixed(_)) {
            return broken("an `issuer` with {tenantid} needs `tenants`, not a fixed `tenant`");
        }
        if let KeyOrigin::Secret(secret) = &self.keys {
            return self.check_secret(secret);
        }
        if self.audience.is_empty() {
            return broken("`audience` is missing; without it a token for another service would be accepted");
        }
        let symmetric = |alg: &SigningAlgorithm| SigningAlgorithm::family(*alg) == jsonwebtoken::AlgorithmFamily::Hmac;
        if self.algorithms.iter().any(symmetric) {
            return broken("HS256 and its like sign with a secret; `algorithms` of public keys cannot hold them");
        }
        match &self.keys {
            KeyOrigin::Url(_) | KeyOrigin::File(_) if self.issuer.is_none() => {
                broken("`issuer` is missing: keys that come without a discovery document do not say whose they are")
            }
            KeyOrigin::Discovery(url) | KeyOrigin::Url(url) if !may_be_fetched(url) => {
                broken("keys are fetched from https addresses without a password, or http on this machine alone")
            }
            _ => Ok(()),
        }
    }

    fn check_secret(&self, secret: &SecretString) -> Result<(), InvalidIssuer> {
        let broken = |rule: String| Err(InvalidIssuer { name: self.name.clone(), rule });
        if self.algorithms != [SigningAlgorithm::HS256] {
            return broken("with a secret, the one algorithm is HS256".into());
        }
        if secret.expose_secret().len() < MIN_SECRET_BYTES {
            return broken(format!("the secret must have at least {MIN_SECRET_BYTES} bytes"));
        }
        Ok(())
    }
}

/// Refuses two issuers that could not be told apart.
pub(super) fn check_distinct(configs: &[IssuerConfig]) -> Result<(), InvalidIssuer> {
    for (at, config) in configs.iter().enumerate() {
        let earlier = &configs[..at];
        let broken = |rule: &str| Err(InvalidIssuer { name: config.name.clone(), rule: rule.into() });
        if earlier.iter().any(|other| other.name == config.name) {
            return broken("the name stands twice");
        }
        let named = |other: &IssuerConfig| other.issuer.is_some() || matches!(other.keys, KeyOrigin::Secret(_));
        if earlier.iter().any(|other| named(other) && named(config) && other.issuer == config.issuer) {
            return broken("another issuer has the same `issuer`; list several values of `audience` at one instead");
        }
    }
    Ok(())
}

/// Whether keys may be fetched from an address: nobody on the way can exchange them, and it holds no password, which
/// would end in the log.
pub(super) fn may_be_fetched(url: &Url) -> bool {
    let is_open = url.username().is_empty() && url.password().is_none();
    is_open && is_private(url)
}

fn is_private(url: &Url) -> bool {
    url.scheme() == "https" || (url.scheme() == "http" && is_loopback(url))
}

/// Whether an address is this machine's own.
pub(super) fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(url::Host::Ipv4(ip)) => ip.is_loopback(),
        Some(url::Host::Ipv6(ip)) => ip.is_loopback(),
        Some(url::Host::Domain(name)) => name == "localhost",
        None => false,
    }
}
