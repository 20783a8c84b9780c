//! What the server serves.

use crate::access::Refusals;
use crate::events::{Coalescer, Publisher};
use crate::gateway::{CircuitParts, Circuits, GatewayObserver};
use crate::metrics::Metrics;
use mainstay_core::audit::{AuditRules, AuditService, Notary};
use mainstay_core::conversations::{Agent, Chat, ChatRules, ConversationRules, ConversationService};
use mainstay_core::documents::{DocumentRules, DocumentService};
use mainstay_core::events::{
    ConnectionStore, EventObserver, EventParts, EventService, RoomParts, RoomRules, RoomService, Streams, WorkerParts,
    WorkerService,
};
use mainstay_core::identity::{IdentityRules, IdentityService};
use mainstay_core::mail::{MailRules, MailService};
use mainstay_core::outage::{Outage, OutageService};
use mainstay_core::presence::{PresenceRules, PresenceService};
use mainstay_core::providers::credentials::{Authorizer, SettingsClients, TokenParts, TokenRules, TokenService};
use mainstay_core::providers::keys::{GatewayKeyService, KeyRules, Meter};
use mainstay_core::providers::{CircuitWatch, ProviderParts, ProviderRules, ProviderService};
use mainstay_core::{Caller, Clock, Mint, Result, StoreInfo, StoreProbe, Stores};
use mainstay_gateway::serving::{Gateway, Observer};
use mainstay_hub::Hub;
use mainstay_hub::live::{Live, LiveOptions};
use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;
use tokio_util::task::TaskTracker;

/// The services behind every adapter, on one store.
pub struct Services {
    /// The audit trail.
    pub audit: Arc<AuditService>,
    /// Tells of circuits that change.
    pub circuits: Circuits,
    /// Chats with the agent.
    pub chat: Arc<Chat>,
    /// The clock.
    pub clock: Arc<dyn Clock>,
    /// Connections that span requests.
    pub connections: Arc<dyn ConnectionStore>,
    /// Conversations.
    pub conversations: Arc<ConversationService>,
    /// Documents.
    pub documents: Arc<DocumentService>,
    /// Events.
    pub events: Arc<EventService>,
    /// Keys of the gateway, and usage.
    pub gateway_keys: Arc<GatewayKeyService>,
    /// Admits requests to the gateway, and settles them.
    pub meter: Arc<Meter>,
    /// The gateway to providers; none where no store of pools is given.
    pub gateway: Option<Arc<Gateway>>,
    /// Users, API keys and sessions.
    pub identity: Arc<IdentityService>,
    /// Mail.
    pub mail: Arc<MailService>,
    /// What this node keeps while the store is away.
    pub outage: Arc<OutageService>,
    /// How streams and groups stand.
    pub observer: Arc<EventObserver>,
    /// Presence.
    pub presence: Arc<PresenceService>,
    /// Pools of providers.
    pub providers: Arc<ProviderService>,
    /// Rooms of streams.
    pub rooms: Arc<RoomService>,
    /// Credentials of providers.
    pub tokens: Arc<TokenService>,
    /// Consumer groups of streams.
    pub workers: Arc<WorkerService>,
    /// Where live readers wait.
    pub hub: Hub,
    /// Live delivery of events.
    pub live: Live,
    /// This run of this node, in the installation.
    pub node: String,
    /// Coalesces events of which only the last state matters.
    pub(crate) coalescer: Coalescer,
    /// Publishes events, and counts them.
    pub(crate) publisher: Publisher,
    /// The tasks of sockets.
    pub(crate) sockets: TaskTracker,
    /// What the store is.
    pub info: StoreInfo,
    /// Whether the store is there.
    pub probe: Arc<dyn StoreProbe>,
    /// What is counted.
    pub metrics: Arc<Metrics>,
    /// Bounds what refusals leave in the trail, whatever the surface.
    pub(crate) refusals: Refusals,
}

/// What services need besides a store.
pub struct ServiceRules {
    /// The rules of the audit trail.
    pub audit: AuditRules,
    /// What signs the checkpoints of the audit trail; none where there are to be none.
    pub notary: Option<Arc<dyn Notary>>,
    /// Who answers in chats.
    pub agent: Arc<dyn Agent>,
    /// The rules of chats.
    pub chat: ChatRules,
    /// The rules of conversations.
    pub conversations: ConversationRules,
    /// The rules of documents.
    pub documents: DocumentRules,
    /// The rules of gateway keys.
    pub gateway_keys: KeyRules,
    /// The rules of identity.
    pub identity: IdentityRules,
    /// The rules of mail.
    pub mail: MailRules,
    /// What this node keeps while the store is away; nothing where the store is a file of its own.
    pub outage: Option<Arc<Outage>>,
    /// The rules of presence.
    pub presence: PresenceRules,
    /// The rules of pools of providers.
    pub providers: ProviderRules,
    /// The rules of rooms.
    pub rooms: RoomRules,
    /// The streams of events.
    pub streams: Arc<Streams>,
    /// The rules of credentials of providers.
    pub tokens: TokenRules,
    /// Who asks authorization servers for new ones.
    pub authorizer: Arc<dyn Authorizer>,
    /// The clock.
    pub clock: Arc<dyn Clock>,
    /// Makes ids.
    pub mint: Arc<dyn Mint>,
}

impl Services {
    /// The services on a store.
    #[must_use]
    pub fn new(stores: &Stores, rules: ServiceRules) -> Self {
        let now = Arc::clone(&rules.clock);
        let (clock, mint) = (&rules.clock, &rules.mint);
        let audit = AuditService::new(Arc::clone(&stores.audit), Arc::clone(clock), Arc::clone(mint), rules.audit)
            .with_notary(rules.notary);
        let store = Arc::clone(&stores.conversations);
        let conversations = ConversationService::new(store, Arc::clone(clock), Arc::clone(mint), rules.conversations);
        let conversations = Arc::new(conversations);
        let chat = Chat::new(Arc::clone(&conversations), rules.agent, rules.chat);
        let observer = EventObserver::new(
            Arc::clone(&stores.events),
            Arc::clone(&stores.groups),
            Arc::clone(&rules.streams),
            Arc::clone(clock),
        );
        let workers = WorkerService::new(WorkerParts {
            events: Arc::clone(&stores.events),
            groups: Arc::clone(&stores.groups),
            streams: Arc::clone(&rules.streams),
            clock: Arc::clone(clock),
        });
        let events = EventService::new(EventParts {
            events: Arc::clone(&stores.events),
            rooms: Arc::clone(&stores.rooms),
            transport: Arc::clone(&stores.transport),
            streams: Arc::clone(&rules.streams),
            clock: Arc::clone(clock),
            mint: Arc::clone(mint),
        });
        let events = Arc::new(events);
        let metrics = Arc::new(Metrics::new(clock));
        let publisher = Publisher::new(Arc::clone(&events), Arc::clone(&metrics));
        let coalescer = Coalescer::new(publisher.clone(), rules.rooms.coalescing);
        let rooms = RoomService::new(RoomParts {
            rooms: Arc::clone(&stores.rooms),
            events: Arc::clone(&events),
            clock: Arc::clone(clock),
            rules: rules.rooms,
        });
        let store = Arc::clone(&stores.documents);
        let documents = DocumentService::new(store, Arc::clone(clock), Arc::clone(mint), rules.documents);
        let keys = Arc::clone(&stores.gateway_keys);
        let gateway_keys = GatewayKeyService::new(keys, Arc::clone(clock), Arc::clone(mint), rules.gateway_keys);
        let meter =
            Meter::new(Arc::clone(&stores.gateway_keys), Arc::clone(clock), Arc::new(metrics.gateway_keys.clone()));
        let identity =
            IdentityService::new(Arc::clone(&stores.identity), Arc::clone(clock), Arc::clone(mint), rules.identity);
        let mail = MailService::new(Arc::clone(&stores.mail), Arc::clone(clock), Arc::clone(mint), rules.mail);
        let node = mint.event_id().to_string();
        let ring = rules.tokens.ring.clone();
        let clients = SettingsClients::new(Arc::clone(&stores.providers), ring, Arc::clone(clock));
        let tokens = TokenService::new(TokenParts {
            store: Arc::clone(&stores.credentials),
            clients: Arc::new(clients),
            authorizer: rules.authorizer,
            hints: Arc::clone(&stores.hints),
            clock: Arc::clone(clock),
            mint: Arc::clone(mint),
            node: node.clone(),
            rules: rules.tokens,
        });
        let circuits = Circuits::new(CircuitParts {
            store: Arc::clone(&stores.providers),
            publisher: publisher.clone(),
            metrics: Arc::clone(&metrics),
            streams: Arc::clone(&rules.streams),
            clock: Arc::clone(clock),
        });
        let providers = ProviderService::new(ProviderParts {
            store: Arc::clone(&stores.providers),
            circuits: Arc::new(circuits.clone()),
            clock: Arc::clone(clock),
            mint: Arc::clone(mint),
            rules: rules.providers,
        });
        let presence = PresenceService::new(Arc::clone(&stores.presence), rules.clock, rules.presence);
        Self {
            audit: Arc::new(audit),
            chat: Arc::new(chat),
            circuits,
            clock: now,
            connections: Arc::clone(&stores.connections),
            conversations,
            documents: Arc::new(documents),
            events,
            gateway_keys: Arc::new(gateway_keys),
            meter: Arc::new(meter),
            gateway: None,
            identity: Arc::new(identity),
            mail: Arc::new(mail),
            observer: Arc::new(observer),
            outage: Arc::new(OutageService::new(rules.outage)),
            presence: Arc::new(presence),
            providers: Arc::new(providers),
            rooms: Arc::new(rooms),
            tokens: Arc::new(tokens),
            workers: Arc::new(workers),
            hub: Hub::new(Arc::clone(&stores.hints)),
            live: Live::new(Arc::clone(&stores.events), rules.streams, LiveOptions::default()),
            node,
            coalescer,
            publisher,
            sockets: TaskTracker::new(),
            info: stores.info.clone(),
            probe: Arc::clone(&stores.probe),
            metrics,
            refusals: Refusals::default(),
        }
    }

    /// Checks that every key is in the ring that something in the store is sealed with.
    ///
    /// # Errors
    /// `secrets.key_missing`, naming the keys; those of the store.
    pub async fn check_ring(&self) -> Result<()> {
        self.identity.check_ring().await?;
        self.tokens.check_ring().await?;
        self.documents.check_ring().await?;
        self.providers.check_ring().await?;
        self.gateway_keys.check_ring().await
    }

    /// The keys that something in the store is sealed with, by id.
    ///
    /// # Errors
    /// Those of the store.
    pub async fn seal_keys(&self, caller: &Caller) -> Result<BTreeSet<String>> {
        let (of_users, of_tokens) = (self.identity.seal_keys(caller).await?, self.tokens.seal_keys(caller).await?);
        let of_documents = self.documents.seal_keys(caller).await?;
        let of_keys = self.gateway_keys.seal_keys(caller).await?;
        let of_providers = self.providers.seal_keys(caller).await?;
        Ok([of_users, of_tokens, of_documents, of_keys, of_providers].into_iter().flatten().collect())
    }

    /// Seals every secret in the store with the primary key; returns how many were sealed with another.
    ///
    /// # Errors
    /// Those of the store; `secrets.key_missing`, before anything was touched; `secrets.unreadable`.
    pub async fn reseal(&self, caller: &Caller) -> Result<u32> {
        self.check_ring().await?;
        let of_users = self.identity.reseal(caller).await?;
        let of_tokens = self.tokens.reseal(caller).await?;
        let of_documents = self.documents.reseal(caller).await?;
        let of_keys = self.gateway_keys.reseal(caller).await?;
        let of_providers = self.providers.reseal(caller).await?;
        Ok([of_users, of_tokens, of_documents, of_keys, of_providers].into_iter().fold(0, u32::saturating_add))
    }

    /// The same services with a gateway.
    #[must_use]
    pub fn with_gateway(mut self, gateway: Arc<Gateway>) -> Self {
        self.gateway = Some(gateway);
        self
    }

    /// What is told of what the gateway does, for the metrics.
    #[must_use]
    pub fn gateway_observer(&self) -> Arc<dyn Observer> {
        Arc::new(GatewayObserver { metrics: Arc::clone(&self.metrics), circuits: self.circuit_watch() })
    }

    /// What is told of circuits that change, whoever changes them.
    #[must_use]
    pub fn circuit_watch(&self) -> Arc<dyn CircuitWatch> {
        Arc::new(self.circuits.clone())
    }

    /// How many events were not published because a later one stood for them.
    #[must_use]
    pub fn coalesced(&self) -> u64 {
        self.coalescer.coalesced()
    }

    /// Ends what lives on while requests come and go: sockets, once they have said farewell, what the gateway and refreshes of
    /// credentials have still to tell the store, then whoever waits. All of them have this time together. Calling it twice does
    /// no harm.
    pub async fn close(&self, within: Duration) {
        let sockets = async {
            self.sockets.close();
            if tokio::time::timeout(within, self.sockets.wait()).await.is_err() {
                tracing::warn!(sockets = self.sockets.len(), "sockets were cut");
            }
        };
        let gateway = async {
            if let Some(gateway) = &self.gateway {
                gateway.close(within).await;
            }
            self.circuits.close(within).await;
        };
        tokio::join!(sockets, gateway, self.tokens.close(within));
        self.live.close().await;
        self.hub.close().await;
    }
}
