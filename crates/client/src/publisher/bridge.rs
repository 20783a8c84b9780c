//! The HTTP bridge as a way for events.

use super::{BridgeEnvironment, EventTransport, Sent};
use crate::call::Call;
use crate::{Client, ClientError, ClientOptions, Credential, Result};
use futures::FutureExt;
use futures::future::BoxFuture;
use http::Method;
use mainstay_api::events::bridge::{BridgeAnswer, call_of};
use mainstay_api::events::{PublishEvent, StreamName};

/// Calls `/internal/*` of a Mainstay server, or of the service that the founding system had in its place.
pub struct BridgeTransport {
    client: Client,
    key: Credential,
}

impl BridgeTransport {
    /// The bridge at an address, with its key.
    ///
    /// # Errors
    /// `settings.invalid` where the address is none.
    pub fn connect(url: &str, key: Credential, options: ClientOptions) -> Result<Self> {
        // The bridge knows its own key alone; no other credential is shown to it.
        Ok(Self::over(Client::connect(url, ClientOptions { credential: None, ..options })?, key))
    }

    /// The bridge that the environment names.
    ///
    /// # Errors
    /// `settings.invalid` where the address is none.
    pub fn of_environment(bridge: &BridgeEnvironment) -> Result<Self> {
        let options = ClientOptions {
            retry_for_ms: bridge.retry_for_ms,
            response_timeout_ms: bridge.timeout_ms,
            ..ClientOptions::default()
        };
        Self::connect(&bridge.url, bridge.key.clone(), options)
    }

    /// The bridge over a client that exists, such as one of a server in the same process.
    #[must_use]
    pub fn over(client: Client, key: Credential) -> Self {
        Self { client, key }
    }
}

impl EventTransport for BridgeTransport {
    fn send<'a>(&'a self, stream: &'a StreamName, event: &'a PublishEvent) -> BoxFuture<'a, Result<Sent>> {
        async move {
            let call = call_of(stream, event).ok_or_else(|| ClientError::Unusable {
                detail: format!("the bridge has no call for {} in the stream {stream}", event.kind),
                help: "Publish it to the stream.",
            })?;
            let path = format!("/internal/{}", call.path);
            let request = Call::write(Method::POST, path, None)?.json(&call.body)?.over_the_bridge(&self.key);
            let answer: BridgeAnswer = self.client.call(request).await?;
            Ok(Sent { position: None, duplicate: answer.duplicate })
        }
        .boxed()
    }
}
