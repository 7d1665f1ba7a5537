//! One call of a tool: who calls, what it may use, and what is kept until its answer is out.

use super::progress::Progress;
use crate::app::App;
use crate::keys::Principal;
use rmcp::RoleServer;
use rmcp::service::RequestContext;
use std::sync::{Arc, Mutex, PoisonError};

/// What an answer holds until it is out: turns, room of its bytes. It travels with the request, so that the door that it
/// came through can keep it for longer than the call takes.
#[derive(Clone, Default)]
pub struct UntilAnswered(Arc<Mutex<Vec<Box<dyn Send>>>>);

impl UntilAnswered {
    /// Keeps this.
    pub fn keep(&self, what: impl Send + 'static) {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        kept.push(Box::new(what));
    }
}

/// One call.
pub struct Call {
    /// What all requests share.
    pub app: Arc<App>,
    /// Who calls.
    pub who: Arc<Principal>,
    /// Who is told how it goes.
    pub progress: Progress,
    /// What its answer holds.
    pub until_answered: UntilAnswered,
}

impl Call {
    /// The call of this request.
    pub fn new(app: &Arc<App>, who: &Arc<Principal>, context: &RequestContext<RoleServer>) -> Call {
        // Over HTTP the door put it there; over standard input a call holds it for itself.
        let parts = context.extensions.get::<axum::http::request::Parts>();
        let of_door = parts.and_then(|parts| parts.extensions.get::<UntilAnswered>());
        Call {
            app: app.clone(),
            who: who.clone(),
            progress: Progress::new(context.peer.clone(), context.meta.get_progress_token()),
            until_answered: of_door.cloned().unwrap_or_default(),
        }
    }
}
