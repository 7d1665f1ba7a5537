//! A guest that does what a test says, at the other end of a pipe.

use super::super::process::Known;
use super::super::stay::{Stay, Told};
use super::super::{
    HeldGuest, LiveSandbox, Orders, ProcessId, ProcessLimits, ProcessSpec, ProcessUser, Renewal,
    Stdin, Terms,
};
use crate::config::Config;
use crate::error::JobError;
use crate::events::{EventBus, EventSink, Recorded};
use crate::fixture::NoVm;
pub(super) use crate::fixture::guest::{Guest, report};
use crate::lease::{Leased, Waiting};
use crate::metrics::Metrics;
use protocol::event::Event as Telling;
use protocol::job::{Job, JobRequest};
use protocol::limits::SandboxRules;
use protocol::link::StreamId;
use protocol::result::{BootPath, Isolation};
use protocol::supervisor::GuestControl;
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::io::DuplexStream;
use tokio::sync::watch;
use tokio_util::task::TaskTracker;

#[derive(Default)]
pub(super) struct Events(Mutex<Vec<Telling>>);

impl EventSink for Events {
    fn record(&self, event: &Telling) -> Recorded {
        self.0.lock().unwrap().push(event.clone());
        Recorded::Everywhere
    }
}

impl Events {
    pub(super) fn all(&self) -> Vec<Telling> {
        self.0.lock().unwrap().clone()
    }
}

/// What is to be seen from outside.
pub(super) struct Seen {
    pub(super) vm_gone: Arc<AtomicBool>,
    pub(super) events: Arc<Events>,
    pub(super) metrics: Metrics,
    pub(super) destroying: TaskTracker,
}

fn job() -> Job {
    let request = JobRequest {
        language: "python".into(),
        code: "pass".into(),
        ..JobRequest::default()
    };
    Config::default()
        .policy()
        .unwrap()
        .validate(request)
        .unwrap()
}

/// A VM that stays, the other end of its channel, and what is to be seen.
fn stay(job: &Job) -> (Stay, DuplexStream, Seen) {
    let (host, channel) = tokio::io::duplex(64 * 1024);
    let (sender, receiver) = crate::talk::open(Box::new(host));
    let events = Arc::new(Events::default());
    let seen = Seen {
        vm_gone: Arc::new(AtomicBool::new(false)),
        events: events.clone(),
        metrics: Metrics::default(),
        destroying: TaskTracker::new(),
    };
    let vm = NoVm::ending_in(Duration::ZERO, seen.vm_gone.clone());
    let stay = Stay {
        name: "live sandbox",
        leased: Some(Leased {
            vm: Box::new(vm),
            sender,
            receiver,
            path: BootPath::Boot,
            waiting: Waiting::default(),
        }),
        memory: None,
        trace_id: job.trace_id.clone(),
        owner: job.owner.clone(),
        events: EventBus::new(vec![events]),
        metrics: seen.metrics.clone(),
        destroying: seen.destroying.clone(),
        known: watch::Sender::<Known>::default(),
        told: Told::Nothing,
        names: Default::default(),
    };
    (stay, channel, seen)
}

fn terms() -> Terms {
    let isolation = Isolation {
        engine: "none".into(),
        accelerator: "none".into(),
        jail: "none".into(),
        guest: protocol::result::GuestWall::Confined,
    };
    let rules = SandboxRules::default();
    Terms { isolation, rules }
}

/// A sandbox that begins with what this guest makes of its first message.
pub(super) async fn begin<T>(
    guest: impl AsyncFnOnce(DuplexStream) -> T,
) -> (Result<LiveSandbox, JobError>, T, Seen) {
    let job = job();
    let (stay, channel, seen) = stay(&job);
    let began = LiveSandbox::begin(stay, &job, terms());
    let (sandbox, guest) = tokio::join!(began, guest(channel));
    (sandbox, guest, seen)
}

/// A sandbox that goes on from what was held; the guest is ready once it was taken up.
pub(super) async fn go_on<T>(
    held: &HeldGuest,
    renewal: Renewal,
    taken_up: impl AsyncFnOnce(&mut Guest) -> T,
) -> (Result<LiveSandbox, JobError>, (Guest, T), Seen) {
    let job = job();
    let (stay, channel, seen) = stay(&job);
    let script = async {
        let mut guest = Guest::new(channel);
        let heard = taken_up(&mut guest).await;
        guest.say(GuestControl::Ready).await;
        (guest, heard)
    };
    let goes_on = LiveSandbox::go_on(stay, &job, terms(), (held, renewal));
    let (sandbox, guest) = tokio::join!(goes_on, script);
    (sandbox, guest, seen)
}

/// A sandbox whose guest is ready.
pub(super) async fn open() -> (LiveSandbox, Guest, Seen) {
    let (sandbox, guest, seen) = begin(async |channel| {
        let mut guest = Guest::new(channel);
        guest.bounds_asked().await;
        guest.say(GuestControl::Ready).await;
        guest
    })
    .await;
    (sandbox.unwrap(), guest, seen)
}

pub(super) fn spec(stdin: Stdin) -> ProcessSpec {
    ProcessSpec {
        argv: vec!["cat".into()],
        env: vec![],
        cwd: "/work".into(),
        user: ProcessUser::Sandbox,
        stdin,
        terminal: None,
        orders: Orders::None,
        kept_bytes: 1024,
        limits: ProcessLimits {
            wall_millis: 0,
            cpu_seconds: 0,
            memory_bytes: 0,
            pids: 10,
            file_size_bytes: 1024,
            open_files: 10,
        },
    }
}

/// A process that runs.
pub(super) async fn started(
    sandbox: &LiveSandbox,
    guest: &mut Guest,
    stdin: Stdin,
) -> (ProcessId, Option<StreamId>) {
    let (id, told) = tokio::join!(sandbox.start(spec(stdin)), guest.starts());
    assert_eq!(id, Ok(told.0));
    told
}
