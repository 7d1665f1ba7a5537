//! Sessions of the protocol, as its revisions before 2026-07-28 have them: one key's, bounded. A client that never ends one
//! costs a task until it was idle for five minutes; one more than the bound takes the place of the oldest, whose client
//! is told that it is gone and begins anew, as the protocol says.

use futures_util::Stream;
use rmcp::model::{ClientJsonRpcMessage, ServerJsonRpcMessage};
use rmcp::transport::streamable_http_server::session::local::{
    LocalSessionManager, LocalSessionManagerError,
};
use rmcp::transport::streamable_http_server::session::{
    ServerSseMessage, SessionId, SessionManager,
};
use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// Sessions of one key. Each may hold the last answer of each open request.
const MAX_SESSIONS: usize = 32;

/// The sessions of one key.
pub struct BoundedSessions {
    sessions: LocalSessionManager,
    /// Oldest first.
    order: Mutex<VecDeque<SessionId>>,
}

impl Default for BoundedSessions {
    fn default() -> BoundedSessions {
        let mut sessions = LocalSessionManager::default();
        // An answer that is out is not kept for who might ask for it again: it may be megabytes of pictures.
        sessions.session_config.completed_cache_ttl = Duration::ZERO;
        // Nor is a client invited to come back for one.
        sessions.session_config.sse_retry = None;
        BoundedSessions {
            sessions,
            order: Mutex::default(),
        }
    }
}

impl BoundedSessions {
    fn order(&self) -> MutexGuard<'_, VecDeque<SessionId>> {
        self.order.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Notes a new one; the one whose place it takes, if there is no other.
    fn add(&self, id: SessionId) -> Option<SessionId> {
        let mut order = self.order();
        order.push_back(id);
        match order.len() > MAX_SESSIONS {
            true => order.pop_front(),
            false => None,
        }
    }
}

impl SessionManager for BoundedSessions {
    type Error = LocalSessionManagerError;
    type Transport = <LocalSessionManager as SessionManager>::Transport;

    async fn create_session(&self) -> Result<(SessionId, Self::Transport), Self::Error> {
        let made = self.sessions.create_session().await?;
        if let Some(oldest) = self.add(made.0.clone()) {
            self.sessions.close_session(&oldest).await?;
        }
        Ok(made)
    }

    async fn initialize_session(
        &self,
        id: &SessionId,
        message: ClientJsonRpcMessage,
    ) -> Result<ServerJsonRpcMessage, Self::Error> {
        self.sessions.initialize_session(id, message).await
    }

    async fn has_session(&self, id: &SessionId) -> Result<bool, Self::Error> {
        self.sessions.has_session(id).await
    }

    async fn close_session(&self, id: &SessionId) -> Result<(), Self::Error> {
        self.order().retain(|own| own != id);
        self.sessions.close_session(id).await
    }

    async fn create_stream(
        &self,
        id: &SessionId,
        message: ClientJsonRpcMessage,
    ) -> Result<impl Stream<Item = ServerSseMessage> + Send + Sync + 'static, Self::Error> {
        self.sessions.create_stream(id, message).await
    }

    async fn accept_message(
        &self,
        id: &SessionId,
        message: ClientJsonRpcMessage,
    ) -> Result<(), Self::Error> {
        self.sessions.accept_message(id, message).await
    }

    async fn create_standalone_stream(
        &self,
        id: &SessionId,
    ) -> Result<impl Stream<Item = ServerSseMessage> + Send + Sync + 'static, Self::Error> {
        self.sessions.create_standalone_stream(id).await
    }

    async fn resume(
        &self,
        id: &SessionId,
        last_event_id: String,
    ) -> Result<impl Stream<Item = ServerSseMessage> + Send + Sync + 'static, Self::Error> {
        self.sessions.resume(id, last_event_id).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn one_more_takes_the_place_of_the_oldest() {
        let sessions = BoundedSessions::default();
        let mut made = Vec::new();
        for _ in 0..=MAX_SESSIONS {
            made.push(sessions.create_session().await.unwrap());
        }
        let has = |at: usize| sessions.has_session(&made[at].0);
        assert!(!has(0).await.unwrap());
        assert!(has(1).await.unwrap() && has(MAX_SESSIONS).await.unwrap());
        assert_eq!(sessions.order().len(), MAX_SESSIONS);
        sessions.close_session(&made[1].0).await.unwrap();
        assert!(!has(1).await.unwrap());
        assert_eq!(sessions.order().len(), MAX_SESSIONS - 1);
    }
}
