//! What a token whose signature holds says: for how long, to whom, and who its bearer is.

use super::compact::Compact;
use super::config::{Access, IssuerConfig, TenantRule, Tenants};
use super::refusal::{audience, expired, invalid, tenant, too_long};
use mainstay_core::api::{InstanceId, Namespace, Subject, SubjectId, TenantId};
use mainstay_core::{Grant, Grants, Identified, Principal, Result, Role, Scope, Scopes};
use serde_json::{Map, Value};

/// Tolerance between the clock of an issuer and this one, in milliseconds.
const SKEW_MS: i64 = 30_000;

/// How the instances of principals begin that are bound to none: no claim may name one of another principal.
const OF_PRINCIPALS: [&str; 3] = ["key:", "user:", "token:"];

type Claims = Map<String, Value>;

/// Who a token of the issuer stands for, once its signature holds.
///
/// # Errors
/// `auth.token_expired`, `auth.audience_mismatch`, `auth.tenant_not_allowed`, `auth.credential_invalid`.
pub(super) fn identify(config: &IssuerConfig, token: &Compact<'_>, now_ms: i64) -> Result<Identified> {
    let claims = &token.claims;
    if token.signed.len() + token.signature.len() >= config.max_token_bytes {
        return Err(too_long(config.max_token_bytes));
    }
    check_times(config, claims, now_ms)?;
    check_audience(config, claims)?;
    let subject = Subject {
        realm: config.name.clone(),
        tenant: tenant_of(&config.tenant, claims)?,
        user: SubjectId::parse(required(claims, &config.user_claim)?).map_err(invalid)?,
    };
    Ok(Identified {
        principal: Principal::Token(subject.clone()),
        subject,
        grants: grants(&config.access, claims),
        instance: instance(config, claims)?,
        session: None,
    })
}

fn check_times(config: &IssuerConfig, claims: &Claims, now_ms: i64) -> Result<()> {
    let ends_ms = moment_ms(claims, "exp")?.ok_or_else(|| invalid("it does not say when it ends (exp)"))?;
    if now_ms.saturating_sub(SKEW_MS) >= ends_ms {
        return Err(expired("the token has expired"));
    }
    let latest_ms = now_ms.saturating_add(SKEW_MS);
    if moment_ms(claims, "nbf")?.is_some_and(|begins_ms| begins_ms > latest_ms) {
        return Err(invalid("its time has not come yet (nbf)"));
    }
    let issued_ms = moment_ms(claims, "iat")?;
    if issued_ms.is_some_and(|issued_ms| issued_ms > latest_ms) {
        return Err(invalid("it was issued in the future (iat)"));
    }
    let Some(max_age_s) = config.max_age_s else { return Ok(()) };
    let issued_ms = issued_ms.ok_or_else(|| invalid("it does not say when it was issued (iat)"))?;
    let max_age_ms = i64::try_from(max_age_s).unwrap_or(i64::MAX).saturating_mul(1_000);
    if now_ms.saturating_sub(SKEW_MS).saturating_sub(issued_ms) >= max_age_ms {
        return Err(expired("the token was issued too long ago"));
    }
    Ok(())
}

/// A moment that a claim names in seconds, which may have a fraction.
fn moment_ms(claims: &Claims, claim: &str) -> Result<Option<i64>> {
    let Some(value) = claims.get(claim) else { return Ok(None) };
    let no_moment = || invalid(format!("its claim {claim} is no time"));
    if let Some(seconds) = value.as_i64() {
        return Ok(Some(seconds.saturating_mul(1_000)));
    }
    let seconds = value.as_f64().filter(|seconds| seconds.is_finite()).ok_or_else(no_moment)?;
    #[expect(clippy::cast_possible_truncation, reason = "the cast saturates, and no time beyond that is meant")]
    Ok(Some((seconds * 1_000.0) as i64))
}

/// Refuses a token for another audience. Only those who share a secret may leave it out on both sides.
fn check_audience(config: &IssuerConfig, claims: &Claims) -> Result<()> {
    let named = match claims.get("aud") {
        None if config.audience.is_empty() => return Ok(()),
        None => return Err(audience()),
        Some(value) => texts(value).ok_or_else(|| invalid("its claim aud is neither a text nor a list of texts"))?,
    };
    let accepted = named.iter().any(|name| config.audience.iter().any(|own| own == name));
    if accepted { Ok(()) } else { Err(audience()) }
}

fn tenant_of(rule: &TenantRule, claims: &Claims) -> Result<TenantId> {
    match rule {
        TenantRule::Fixed(tenant) => Ok(tenant.clone()),
        TenantRule::Claim { claim, allowed } => {
            let named = TenantId::parse(required(claims, claim)?).map_err(invalid)?;
            match allowed {
                Tenants::Only(tenants) if !tenants.contains(&named) => Err(tenant()),
                _ => Ok(named),
            }
        }
    }
}

fn instance(config: &IssuerConfig, claims: &Claims) -> Result<Option<InstanceId>> {
    let Some(claim) = config.instance_claim.as_ref().filter(|claim| find(claims, claim).is_some()) else {
        return Ok(None);
    };
    let instance = InstanceId::parse(required(claims, claim)?).map_err(invalid)?;
    if instance.is_all() {
        return Err(invalid(format!("its claim {claim} names everybody")));
    }
    if OF_PRINCIPALS.iter().any(|kind| instance.as_str().starts_with(kind)) {
        return Err(invalid(format!("its claim {claim} is the name of a principal")));
    }
    Ok(Some(instance))
}

/// What the token allows: the scopes of its roles, and of these no more than its scopes say.
fn grants(access: &Access, claims: &Claims) -> Grants {
    let mut scopes = roles(access, claims).into_iter().fold(Scopes::default(), |sum, role| sum.union(role.scopes()));
    if let Some(claim) = &access.scope_claim {
        let named = find(claims, claim).and_then(texts).unwrap_or_default();
        let named = named.iter().flat_map(|text| text.split(' ')).filter_map(Scope::find).collect();
        scopes = scopes.intersection(named);
    }
    let grant = |namespace: Option<Namespace>| Grant { namespace, scopes };
    Grants::new(match &access.namespaces {
        None => vec![grant(None)],
        Some(namespaces) => namespaces.iter().cloned().map(Some).map(grant).collect(),
    })
}

fn roles(access: &Access, claims: &Claims) -> Vec<Role> {
    let named = access.roles_claim.as_ref().and_then(|claim| find(claims, claim)).and_then(texts).unwrap_or_default();
    let mapped: Vec<Role> = named.iter().filter_map(|name| access.roles.get(*name).copied()).collect();
    if mapped.is_empty() { access.role.into_iter().collect() } else { mapped }
}

/// The text of a claim that must be there.
fn required<'a>(claims: &'a Claims, claim: &str) -> Result<&'a str> {
    let value = find(claims, claim).ok_or_else(|| invalid(format!("it lacks the claim {claim}")))?;
    value.as_str().ok_or_else(|| invalid(format!("its claim {claim} is no text")))
}

/// A claim by its name, which may hold dots, else by the way of names to it that the dots separate.
fn find<'a>(claims: &'a Claims, claim: &str) -> Option<&'a Value> {
    if let Some(value) = claims.get(claim) {
        return Some(value);
    }
    let (first, rest) = claim.split_once('.')?;
    rest.split('.').try_fold(claims.get(first)?, |value, name| value.get(name))
}

/// One text, or a list of nothing but texts.
fn texts(value: &Value) -> Option<Vec<&str>> {
    match value {
        Value::String(text) => Some(vec![text]),
        Value::Array(items) => items.iter().map(Value::as_str).collect(),
        _ => None,
    }
}
