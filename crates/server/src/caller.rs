//! Who makes a request: known from its credential, before any handler runs.

use crate::access::Origin;
use crate::app::App;
use crate::extract::header_text;
use crate::identity::tokens::TokenVerifier;
use crate::layers::timed_out;
use crate::problem::Failure;
use axum::extract::{FromRequestParts, Request, State};
use axum::middleware::Next;
use axum::response::Response;
use http::HeaderMap;
use http::header::AUTHORIZATION;
use http::request::Parts;
use mainstay_core::api::Subject;
use mainstay_core::api::{Code, INSTANCE_HEADER, InstanceId, NAMESPACE_HEADER, Namespace};
use mainstay_core::identity::Purpose;
use mainstay_core::{Caller, Error, Grants, Identified, Principal, Result, Scope};
use secrecy::{ExposeSecret, SecretString};
use std::sync::Arc;
use std::time::Duration;

/// The caller of a request. A handler that takes it is refused requests that did not pass the authentication.
pub struct Authenticated(pub Caller);

impl<S: Sync> FromRequestParts<S> for Authenticated {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, Failure> {
        parts.extensions.get::<Caller>().cloned().map(Self).ok_or_else(|| Failure(missing()))
    }
}

/// The credential of a request, as an extension of it: long-lived answers look at it again.
#[derive(Clone)]
pub(crate) struct Credential(Arc<SecretString>);

impl Credential {
    /// The credential that the headers of a request carry.
    fn of(headers: &HeaderMap) -> Result<Self> {
        Ok(Self(Arc::new(bearer(headers)?.into())))
    }

    /// The text, for whoever checks it.
    pub(crate) fn expose(&self) -> &str {
        self.0.expose_secret()
    }
}

/// Lets a request pass only with a valid credential, and tells what follows who the caller is. For routes whose answer is
/// bounded as a whole.
pub(crate) async fn authenticate(
    State(app): State<Arc<App>>,
    mut request: Request,
    next: Next,
) -> Result<Response, Failure> {
    app.identify_caller(&mut request).await?;
    Ok(next.run(request).await)
}

/// The same for answers that wait: until the caller is recognised, the request is a brief one, in number and time.
pub(crate) async fn authenticate_first(
    State(app): State<Arc<App>>,
    mut request: Request,
    next: Next,
) -> Result<Response, Failure> {
    let permit = app.admission.brief()?;
    let limit_ms = app.config.request_timeout_ms;
    let identified = tokio::time::timeout(Duration::from_millis(limit_ms), app.identify_caller(&mut request)).await;
    identified.unwrap_or_else(|_| Err(timed_out(limit_ms)))?;
    drop(permit);
    Ok(next.run(request).await)
}

impl App {
    /// Puts into a request who its caller is; records where it is refused.
    async fn identify_caller(&self, request: &mut Request) -> Result<()> {
        let (credential, caller) = match self.recognise(request.headers()).await {
            Ok(known) => known,
            Err(error) => {
                if matches!(error.problem.status, 401 | 403) {
                    let origin = request.extensions().get::<Origin>().cloned().unwrap_or_default();
                    self.services.refused(None, &origin, error.code()).await;
                }
                return Err(error);
            }
        };
        request.extensions_mut().insert(caller);
        request.extensions_mut().insert(credential);
        Ok(())
    }

    /// The credential of a request, and the caller that it and the other headers speak of.
    async fn recognise(&self, headers: &HeaderMap) -> Result<(Credential, Caller)> {
        let credential = Credential::of(headers)?;
        let identified = self.identify(credential.expose(), Purpose::Use).await?;
        let instance = header_text(headers, INSTANCE_HEADER)?.map(InstanceId::parse).transpose().map_err(invalid)?;
        let namespace = header_text(headers, NAMESPACE_HEADER)?.map(Namespace::parse).transpose().map_err(invalid)?;
        Ok((credential, caller_of(identified, instance, namespace)?))
    }

    /// Who the credential stands for.
    pub(crate) async fn identify(&self, offered: &str, purpose: Purpose) -> Result<Identified> {
        if self.config.owner_key.matches(offered) {
            return Ok(owner());
        }
        if let Some(tokens) = self.config.tokens.as_ref().filter(|_| TokenVerifier::recognizes(offered)) {
            return tokens.verify(offered).await;
        }
        let identity = &self.services.identity;
        if let Some(identified) = identity.by_session(offered, purpose).await? {
            return Ok(identified);
        }
        if let Some(identified) = identity.by_key(offered, purpose).await? {
            return Ok(identified);
        }
        Err(Error::new(
            Code::CredentialInvalid,
            "the credential is not one that this server knows",
            "It may have ended or been revoked. Give the owner key (`mainstay serve` names its file at its start), an API \
             key, the token of a session, or a token of a trusted issuer.",
        ))
    }
}

/// The owner of this installation.
fn owner() -> Identified {
    Identified {
        principal: Principal::Owner,
        subject: Subject::local("owner"),
        grants: Grants::everything(),
        instance: None,
        session: None,
    }
}

/// The instance of a principal that is bound to none: named after it, so that it can be nobody else's. The owner has
/// none, and says each time for whom it speaks.
fn own_instance(principal: &Principal) -> Option<InstanceId> {
    match principal {
        Principal::Owner => None,
        other => InstanceId::parse(other.to_string()).ok(),
    }
}

/// The caller, in the namespace and for the instance that the call names. A credential that is allowed in one
/// namespace alone need not name it; one that may not speak for any instance speaks for its own.
pub(crate) fn caller_of(
    identified: Identified,
    instance: Option<InstanceId>,
    namespace: Option<Namespace>,
) -> Result<Caller> {
    let namespace = namespace.or_else(|| identified.grants.only_namespace().cloned()).unwrap_or_default();
    let scopes = identified.grants.scopes_in(&namespace);
    let instance = match (instance, identified.instance.or_else(|| own_instance(&identified.principal))) {
        (Some(named), own) if scopes.contains(Scope::ActAsAny) || own.as_ref() == Some(&named) => Some(named),
        (Some(named), _) => {
            return Err(Error::new(
                Code::Forbidden,
                format!("this credential may not speak for the instance {named:?}", named = named.as_str()),
                "Leave the header Mainstay-Instance out, or use a credential with the scope instance:any.",
            ));
        }
        (None, own) => own,
    };
    Ok(Caller {
        principal: identified.principal,
        subject: identified.subject,
        instance,
        namespace,
        scopes,
        grants: identified.grants,
        session: identified.session,
    })
}

fn bearer(headers: &HeaderMap) -> Result<&str> {
    bearer_in(headers)?.ok_or_else(missing)
}

/// The bearer credential of a request; none where it has another header of this name, or none.
pub(crate) fn bearer_in(headers: &HeaderMap) -> Result<Option<&str>> {
    let mut values = headers.get_all(AUTHORIZATION).iter();
    let Some(value) = values.next() else { return Ok(None) };
    if values.next().is_some() {
        // A proxy in front may have looked at another one than this server would.
        let help = "Send one header Authorization.";
        return Err(Error::new(Code::CredentialInvalid, "the request has more than one credential", help));
    }
    let parted = value.to_str().ok().and_then(|text| text.split_once(' '));
    let key = parted.filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer")).map(|(_, key)| key.trim());
    Ok(key.filter(|key| !key.is_empty()))
}

pub(crate) fn missing() -> Error {
    Error::new(
        Code::CredentialMissing,
        "the request has no bearer credential",
        "Send `Authorization: Bearer <credential>`: a token of your identity provider, an API key, the token of a session \
         (`mainstay login`), or the owner key (`mainstay serve` says at its start where it is).",
    )
}

fn invalid(broken: impl std::fmt::Display) -> Error {
    Error::invalid(format!("header: {broken}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::{HeaderName, HeaderValue};

    #[test]
    fn what_is_no_bearer_credential_counts_as_none() {
        for value in ["", "Bearer", "Bearer ", "Basic b3duZXI6a2V5", "key"] {
            let headers = HeaderMap::from_iter([(AUTHORIZATION, HeaderValue::from_static(value))]);
            assert_eq!(bearer(&headers).unwrap_err().code(), Code::CredentialMissing, "{value:?}");
        }
        let headers = HeaderMap::from_iter([(AUTHORIZATION, HeaderValue::from_static("bearer k"))]);
        assert_eq!(bearer(&headers).unwrap(), "k");
    }

    #[test]
    fn a_name_of_any_script_arrives_percent_encoded() {
        let name = HeaderName::from_static(INSTANCE_HEADER);
        let headers = HeaderMap::from_iter([(name.clone(), HeaderValue::from_static("%E6%97%A5%0Aa%3Ab"))]);
        assert_eq!(header_text(&headers, INSTANCE_HEADER).unwrap().as_deref(), Some("日\na:b"));
        let broken = HeaderMap::from_iter([(name, HeaderValue::from_static("%FF"))]);
        assert!(header_text(&broken, INSTANCE_HEADER).unwrap_err().problem.detail.contains(INSTANCE_HEADER));
    }
}
