//! Answers in the order of the questions.
//!
//! The protocol library runs requests side by side. A client that writes several lines at once and then closes its
//! end, as scripts do, expects the second to see what the first did, as it did with the server that this one replaces.
//! So the next message is read only once the request before it is answered. A request that waits holds nothing up.

use super::tools;
use rmcp::RoleServer;
use rmcp::model::{ClientRequest, JsonRpcMessage, RequestId};
use rmcp::service::{RxJsonRpcMessage, TxJsonRpcMessage};
use rmcp::transport::Transport;
use std::sync::Arc;
use tokio::sync::watch;

/// A transport that hands out one request at a time.
pub(super) struct InOrder<T> {
    inner: T,
    /// The request whose answer the next message waits for.
    unanswered: Arc<watch::Sender<Option<RequestId>>>,
}

impl<T> InOrder<T> {
    pub(super) fn new(inner: T) -> Self {
        Self { inner, unanswered: Arc::new(watch::Sender::new(None)) }
    }
}

impl<T: Transport<RoleServer>> Transport<RoleServer> for InOrder<T> {
    type Error = T::Error;

    fn send(
        &mut self,
        item: TxJsonRpcMessage<RoleServer>,
    ) -> impl Future<Output = Result<(), Self::Error>> + Send + 'static {
        let answered = match &item {
            JsonRpcMessage::Response(response) => Some(response.id.clone()),
            JsonRpcMessage::Error(error) => error.id.clone(),
            JsonRpcMessage::Request(_) | JsonRpcMessage::Notification(_) => None,
        };
        let unanswered = Arc::clone(&self.unanswered);
        let sent = self.inner.send(item);
        async move {
            let sent = sent.await;
            if answered.is_some() {
                unanswered.send_if_modified(|waiting| {
                    let opens = *waiting == answered;
                    if opens {
                        *waiting = None;
                    }
                    opens
                });
            }
            sent
        }
    }

    async fn receive(&mut self) -> Option<RxJsonRpcMessage<RoleServer>> {
        // Dropped and called again at will by the library: nothing is taken before the wait is over.
        let mut gate = self.unanswered.subscribe();
        gate.wait_for(Option::is_none).await.ok()?;
        let message = self.inner.receive().await;
        if let Some(JsonRpcMessage::Request(request)) = &message
            && !waits(&request.request)
        {
            self.unanswered.send_replace(Some(request.id.clone()));
        }
        message
    }

    async fn close(&mut self) -> Result<(), Self::Error> {
        self.inner.close().await
    }
}

/// Whether a request may be answered long after it was asked.
fn waits(request: &ClientRequest) -> bool {
    match request {
        ClientRequest::CallToolRequest(call) => tools::waits(&call.params.name),
        ClientRequest::SubscriptionsListenRequest(_) => true,
        _ => false,
    }
}
