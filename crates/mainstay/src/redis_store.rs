//! How to reach Redis, from the settings and a URL.

use crate::failure::{Failure, Result};
use crate::settings::{RedisLogin, RedisSettings};
use mainstay_api::Code;
use mainstay_redis::credentials::{
    CommandSource, CredentialSource, EntraGrant, EntraSource, FileSource, MANAGED_IDENTITY_ENDPOINT,
};
use mainstay_redis::{RedisOptions, TlsFiles};
use secrecy::ExposeSecret;
use std::sync::Arc;

/// The options for a URL, with the login that the settings give the store in the place of the URL's own.
///
/// # Errors
/// `settings.invalid`: the URL, or where the credentials come from, cannot be used.
pub fn options(redis: &RedisSettings, url: &str) -> Result<RedisOptions> {
    let mut options = RedisOptions::from_url(url)?;
    options.tls_files = TlsFiles {
        ca_file: redis.ca_file.clone(),
        cert_file: redis.cert_file.clone(),
        key_file: redis.key_file.clone(),
    };
    options.tls_server_name.clone_from(&redis.tls_server_name);
    options.prefix.clone_from(&redis.key_prefix);
    options.connect_timeout_ms = redis.connect_timeout_ms;
    options.response_timeout_ms = redis.response_timeout_ms;
    let login = &redis.login;
    if let Some(username) = &login.username {
        options.username = Some(username.clone());
    }
    if let Some(password) = &login.password {
        options.password = Some(password.expose_secret().to_owned());
    }
    options.credentials = source(login)?;
    Ok(options)
}

fn source(login: &RedisLogin) -> Result<Option<Arc<dyn CredentialSource>>> {
    let Some(text) = login.credentials.as_deref() else { return Ok(None) };
    let (kind, rest) = text.split_once(':').unwrap_or((text, ""));
    Ok(Some(match kind {
        "file" if !rest.is_empty() => Arc::new(FileSource::new(rest)),
        "command" => Arc::new(CommandSource::new(rest)?),
        "entra" => {
            let endpoint = if rest.is_empty() { MANAGED_IDENTITY_ENDPOINT } else { rest };
            Arc::new(EntraSource::new(endpoint, grant(login)?, login.username.clone())?)
        }
        // What follows may be anything, also a password in the wrong place.
        _ => return Err(invalid("MAINSTAY_REDIS_CREDENTIALS does not begin with file:, command: or entra:")),
    }))
}

fn grant(login: &RedisLogin) -> Result<EntraGrant> {
    match (&login.entra_client_id, &login.entra_client_secret) {
        (Some(client_id), Some(client_secret)) => {
            Ok(EntraGrant::ClientSecret { client_id: client_id.clone(), client_secret: client_secret.clone() })
        }
        (None, Some(_)) => Err(invalid("MAINSTAY_REDIS_ENTRA_CLIENT_SECRET is set without the client id")),
        (client_id, None) => Ok(EntraGrant::ManagedIdentity { client_id: client_id.clone() }),
    }
}

fn invalid(detail: &str) -> Failure {
    let help = "`mainstay reference settings` describes the settings that begin with MAINSTAY_REDIS_.";
    Failure::new(Code::SettingInvalid, detail, help)
}

#[cfg(test)]
mod tests {
    use super::*;
    use secrecy::SecretString;

    fn login(credentials: &str) -> RedisLogin {
        RedisLogin { credentials: Some(credentials.into()), ..RedisLogin::default() }
    }

    #[test]
    fn credentials_come_from_a_file_a_program_or_a_token_service() {
        for good in ["file:/run/secrets/redis", "command:aws-token --region x", "entra:", "entra:https://h/t/token"] {
            assert!(source(&login(good)).is_ok_and(|source| source.is_some()), "{good}");
        }
        assert!(source(&RedisLogin::default()).is_ok_and(|source| source.is_none()));
    }

    #[test]
    fn what_is_no_source_is_refused_without_being_shown() {
        for bad in ["hunter2", "file:", "command: ", "entra:hunter2", "password:hunter2"] {
            let refused = source(&login(bad)).err().unwrap();
            assert!(!format!("{refused:?}").contains("hunter2"), "{refused:?}");
        }
        let client_secret = Some(SecretString::from("hunter2"));
        let halved = RedisLogin { entra_client_secret: client_secret, ..login("entra:https://h/token") };
        assert!(source(&halved).is_err());
    }
}
