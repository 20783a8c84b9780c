//! A gateway on the services of a node.

use super::directions::{DirectionParts, Directions, DocumentRouting};
use super::till::MeterTill;
use super::tokens::CredentialTokens;
use crate::Services;
use mainstay_core::secrets::KeyRing;
use mainstay_core::{Mint, Stores};
use mainstay_gateway::serving::{Gateway, GatewayParts, GatewayRules};
use mainstay_gateway::{Book, UsualTimeouts};
use std::sync::Arc;

/// What a gateway needs besides the services.
pub struct GatewaySetup {
    /// Keys that open the secrets in settings of providers.
    pub ring: Option<KeyRing>,
    /// Makes the ids of requests.
    pub mint: Arc<dyn Mint>,
    /// What is configured about serving.
    pub rules: GatewayRules,
    /// Time-outs of upstreams where settings of a provider name none.
    pub timeouts: UsualTimeouts,
}

impl Services {
    /// The same services with a gateway to the pools of their store.
    #[must_use]
    pub fn open_gateway(self, stores: &Stores, setup: GatewaySetup) -> Self {
        let (providers, clock) = (&stores.providers, &self.clock);
        let book = Book::new(Arc::clone(providers), setup.ring, Arc::clone(clock)).with_usual(setup.timeouts);
        let directions = Directions::new(DirectionParts {
            documents: Arc::clone(&stores.documents),
            hub: self.hub.clone(),
            clock: Arc::clone(clock),
        });
        let gateway = Gateway::new(GatewayParts {
            store: Arc::clone(providers),
            book: Arc::new(book),
            tokens: Arc::new(CredentialTokens(Arc::clone(&self.tokens))),
            till: Arc::new(MeterTill::new(Arc::clone(&self.meter), Arc::clone(&directions))),
            routing: Arc::new(DocumentRouting(directions)),
            observer: self.gateway_observer(),
            clock: Arc::clone(clock),
            mint: setup.mint,
            node: self.node.clone(),
            rules: setup.rules,
        });
        self.with_gateway(Arc::new(gateway))
    }
}
