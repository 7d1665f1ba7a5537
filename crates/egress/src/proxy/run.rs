//! The proxy's main loop: one thread, all sessions.

use super::lock;
use super::resolve::Resolver;
use super::secrets::Secrets;
use super::session::{Answer, Session, Shared};
use super::tls::Upstream;
use crate::control::{Channel, ChannelError, FromProxy, ToProxy};
use crate::policy::{EgressConfig, load_all};
use std::collections::HashMap;
use std::os::fd::OwnedFd;
use std::rc::Rc;
use tokio::sync::mpsc;

/// Serves the service at the other end of this socket until it is gone. `uid`: whose the process is to be, where it is
/// root's now.
pub fn run(end: OwnedFd, uid: Option<u32>) -> Result<(), ChannelError> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    let served = tokio::task::LocalSet::new().block_on(&runtime, async {
        let channel = Channel::new(end)?;
        serve(&channel, uid).await
    });
    match served {
        Err(ChannelError::Closed) => Ok(()),
        served => served,
    }
}

async fn serve(channel: &Channel, uid: Option<u32>) -> Result<(), ChannelError> {
    let (ToProxy::Policies { config }, _) = channel.receive().await? else {
        let reason = "the first message is not the policies".to_owned();
        return channel.send(&FromProxy::Failed { reason }, None).await;
    };
    // What is to be said goes out beside what is heard: neither waits for the other.
    let (say, mut to_say) = mpsc::unbounded_channel::<FromProxy>();
    let shared = match prepare(&config, say).and_then(|shared| locked(shared, uid)) {
        Ok(shared) => Rc::new(shared),
        Err(reason) => return channel.send(&FromProxy::Failed { reason }, None).await,
    };
    channel.send(&FromProxy::Ready, None).await?;
    let mut sessions = HashMap::new();
    loop {
        tokio::select! {
            biased;
            Some(message) = to_say.recv() => channel.send(&message, None).await?,
            heard = channel.receive::<ToProxy>() => {
                let (message, fd) = heard?;
                take(message, fd, (&shared, &mut sessions));
            }
        }
    }
}

/// Reads all that is read: nothing can be opened later.
fn prepare(config: &EgressConfig, say: mpsc::UnboundedSender<FromProxy>) -> Result<Shared, String> {
    let policies = load_all(config).map_err(|faults| {
        let faults: Vec<String> = faults.iter().map(ToString::to_string).collect();
        faults.join("; ")
    })?;
    Ok(Shared {
        secrets: Secrets::read(policies.values().map(AsRef::as_ref)),
        policies,
        resolver: Resolver::new(&config.resolvers)?,
        upstream: Upstream::new().map_err(|error| error.to_string())?,
        say,
        attempts: std::cell::RefCell::default(),
    })
}

fn locked(shared: Shared, uid: Option<u32>) -> Result<Shared, String> {
    lock::lock_in(uid).map_err(|error| format!("{error}: {}", error.source))?;
    Ok(shared)
}

fn take(
    message: ToProxy,
    fd: Option<OwnedFd>,
    (shared, sessions): (&Rc<Shared>, &mut HashMap<u64, Session>),
) {
    match message {
        // They came before anything else.
        ToProxy::Policies { .. } => {}
        ToProxy::Begin { session, policy } => {
            if let Some(begun) = Session::begin(session, &policy, shared) {
                sessions.insert(session, begun);
            }
        }
        ToProxy::Query {
            session,
            query,
            message,
        } => {
            if let Some(session) = sessions.get(&session) {
                session.answer(query, &message);
            }
        }
        ToProxy::Connection { session, to } => {
            if let (Some(session), Some(fd)) = (sessions.get_mut(&session), fd) {
                session.connect(fd, to);
            }
        }
        ToProxy::Go { attempt } => shared.decide(attempt, Answer::Go),
        ToProxy::Stop { attempt } => shared.decide(attempt, Answer::Stop),
        ToProxy::End { session } => {
            // Its connections end with it.
            sessions.remove(&session);
            shared.say(FromProxy::Ended { session });
        }
    }
}
