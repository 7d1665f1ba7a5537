//! One VM's part of the network: its names, its budget, its CA, its connections.

use super::authority::Authority;
use super::connection::Connection;
use super::meter::Budget;
use super::resolve::Resolver;
use super::secrets::Secrets;
use super::tls::Upstream;
use crate::control::{AttemptId, Destination, FromProxy, Place, SessionId};
use crate::decide;
use crate::made_up::MadeUp;
use crate::name::HostName;
use crate::policy::{Policy, SecretSource};
use crate::reason::Reason;
use crate::wire::dns::{self, QueryFault};
use std::cell::RefCell;
use std::collections::{BTreeMap, HashMap};
use std::os::fd::OwnedFd;
use std::rc::Rc;
use std::sync::Arc;
use tokio::net::UnixStream;
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinSet;

/// Random bytes of a placeholder.
const PLACEHOLDER_BYTES: usize = 16;

/// What all sessions have in common.
pub struct Shared {
    pub policies: BTreeMap<String, Arc<Policy>>,
    pub secrets: Secrets,
    pub resolver: Resolver,
    pub upstream: Upstream,
    pub say: mpsc::UnboundedSender<FromProxy>,
    /// Connections that wait for the audit log.
    pub attempts: RefCell<Attempts>,
}

/// Who waits for what, by number.
#[derive(Debug, Default)]
pub struct Attempts {
    last: AttemptId,
    waiting: HashMap<AttemptId, oneshot::Sender<Answer>>,
}

/// What the service says of an attempt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Answer {
    /// It is written down.
    Go,
    /// It could not be.
    Stop,
}

impl Shared {
    /// Tells the service; where it is gone, so is this process, in a moment.
    pub fn say(&self, message: FromProxy) {
        let _ = self.say.send(message);
    }

    /// A number for a connection that is allowed, and whether the service has it written down.
    pub fn attempt(&self) -> (AttemptId, oneshot::Receiver<Answer>) {
        let mut attempts = self.attempts.borrow_mut();
        attempts.last += 1;
        let (tell, told) = oneshot::channel();
        let id = attempts.last;
        attempts.waiting.insert(id, tell);
        (id, told)
    }

    /// The service's answer.
    pub fn decide(&self, attempt: AttemptId, answer: Answer) {
        if let Some(waits) = self.attempts.borrow_mut().waiting.remove(&attempt) {
            let _ = waits.send(answer);
        }
    }
}

/// What a session's connections have in common.
pub struct Terms {
    pub id: SessionId,
    pub shared: Rc<Shared>,
    pub policy: Arc<Policy>,
    pub names: RefCell<MadeUp>,
    pub budget: Rc<Budget>,
    /// `None`: the policy opens no TLS.
    pub authority: Option<Authority>,
}

impl Terms {
    /// Tells that something was refused.
    pub fn refused(&self, host: String, port: u16, reason: Reason) {
        self.shared.say(FromProxy::Refused {
            session: self.id,
            place: Place { host, port },
            reason,
        });
    }
}

/// A session. Dropped, all of its connections are closed.
pub struct Session {
    terms: Rc<Terms>,
    connections: JoinSet<()>,
}

impl Session {
    /// Begins one, and says so; `None`: there is no such policy, which the service knew.
    pub fn begin(id: SessionId, policy: &str, shared: &Rc<Shared>) -> Option<Session> {
        let policy = shared.policies.get(policy)?.clone();
        let authority = match policy.opens_tls().then(Authority::new).transpose() {
            Ok(authority) => authority,
            Err(error) => {
                tracing::error!(%error, "a session has no CA, and its TLS is not opened");
                None
            }
        };
        shared.say(FromProxy::Begun {
            session: id,
            ports: policy.ports(),
            authority: authority.as_ref().map(Authority::pem),
            placeholders: placeholders(&policy),
        });
        let budget = Budget::new(policy.max_bytes());
        let terms = Terms {
            id,
            shared: shared.clone(),
            names: RefCell::default(),
            budget: Rc::new(budget),
            authority,
            policy,
        };
        Some(Session {
            terms: Rc::new(terms),
            connections: JoinSet::new(),
        })
    }

    /// Answers for a name: with an address that is made up, where the policy lists it. Nobody else is asked.
    pub fn answer(&self, query: u32, message: &[u8]) {
        let answer = match dns::parse(message) {
            Ok(asked) => dns::answer(&asked, self.looked_up(&asked.name)),
            Err(QueryFault::Silence) => return,
            Err(fault @ QueryFault::Malformed) => {
                self.terms.refused("a name".to_owned(), 0, fault.reason());
                match dns::format_error(message) {
                    Some(answer) => answer,
                    None => return,
                }
            }
        };
        self.terms.shared.say(FromProxy::Answer {
            session: self.terms.id,
            query,
            message: answer,
        });
    }

    fn looked_up(&self, name: &HostName) -> dns::Answer {
        let addresses = decide::lookup(&self.terms.policy, name)
            .and_then(|()| self.terms.names.borrow_mut().addresses_of(name));
        match addresses {
            Ok((v4, v6)) => dns::Answer::Addresses(v4, v6),
            Err(reason) => {
                self.terms.refused(name.to_string(), 0, reason);
                dns::Answer::NoSuchName
            }
        }
    }

    /// Carries what a program connected to, if it may go there.
    pub fn connect(&mut self, fd: OwnedFd, to: Destination) {
        while self.connections.try_join_next().is_some() {}
        let socket = std::os::unix::net::UnixStream::from(fd);
        let socket = socket
            .set_nonblocking(true)
            .and_then(|()| UnixStream::from_std(socket));
        let Ok(socket) = socket else {
            return;
        };
        let connection = Connection::new(self.terms.clone());
        self.connections.spawn_local(connection.run(socket, to));
    }
}

/// What the guest finds in the environment instead of secrets: a word that is worth nothing, so that a program that looks
/// for its key begins.
fn placeholders(policy: &Policy) -> Vec<(String, String)> {
    let placeholder = |name: &String| {
        let mut bytes = [0; PLACEHOLDER_BYTES];
        // Without randomness it is a placeholder still.
        let _ = getrandom::fill(&mut bytes);
        (name.clone(), format!("placeholder-{}", hex::encode(bytes)))
    };
    let mut all: Vec<(String, String)> = Vec::new();
    for inject in policy.injections() {
        if let SecretSource::Env(name) = &inject.source
            && !all.iter().any(|(known, _)| known == name)
        {
            all.push(placeholder(name));
        }
    }
    all
}
