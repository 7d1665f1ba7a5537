//! From nothing to a VM whose agent listens: a cold boot, or a clone of a snapshot.
//! A [`Leased`] owns its VM; whoever drops it destroys the VM.

use crate::error::{JobError, Step, Why};
use crate::quoted::quoted;
use crate::talk::{self, Receiver, Sender, TalkError};
pub use crate::waiting::Waiting;
use protocol::bytes::Bytes;
use protocol::link::{Event, Link, parse_control};
use protocol::result::BootPath;
use protocol::supervisor::{GuestControl, Resume};
use protocol::wire::PROTOCOL_VERSION;
use std::path::Path;
use std::time::{Duration, SystemTime, UNIX_EPOCH};
use tokio::time::{Instant, timeout_at};
use vmm::{Engine, SnapshotFiles, Snapshots, Standby, Vm, VmId, VmSpec, VmmError};

/// How long nothing is made for the background after a first failure, so that a broken host is not hammered.
pub(crate) const AFTER_FAILURE: Duration = Duration::from_secs(2);

/// From the VM's start to the agent's first word. Emulated on a loaded host a boot takes 4 to 20 s.
pub const HELLO_DEADLINE: Duration = Duration::from_secs(60);

/// Bytes of fresh entropy for each VM: twice what the kernel's generator is keyed with (32).
const ENTROPY_BYTES: usize = 64;

/// A VM that waits for its job.
pub struct Leased {
    /// The VM.
    pub vm: Box<dyn Vm>,
    /// Towards the agent.
    pub sender: Sender,
    /// From the agent.
    pub receiver: Receiver,
    /// Which way it came.
    pub path: BootPath,
    /// Interpreters that wait in it for an order.
    pub waiting: Waiting,
}

/// Boots a VM and waits for its agent.
pub async fn boot(engine: &dyn Engine, spec: VmSpec) -> Result<Leased, JobError> {
    booted(engine.boot(spec).await).await
}

/// The same of a VM that a snapshot will be made of.
pub async fn boot_template(engine: &dyn Snapshots, spec: VmSpec) -> Result<Leased, JobError> {
    booted(engine.boot_template(spec).await).await
}

async fn booted(started: Result<Box<dyn Vm>, VmmError>) -> Result<Leased, JobError> {
    let mut vm = started?;
    let channel = vm.connect().await?;
    let (sender, mut receiver) = talk::open(channel);
    match first_word(&mut receiver).await {
        Ok(Some(GuestControl::Hello { protocol })) if protocol == PROTOCOL_VERSION => Ok(Leased {
            vm,
            sender,
            receiver,
            path: BootPath::Boot,
            waiting: Waiting::default(),
        }),
        Ok(other) => Err(with_console(no_hello(other), vm.as_ref())),
        Err(error) => Err(channel_failed(Step::Boot, error, &mut vm).await),
    }
}

/// The agent's first word; `None` for what is none.
async fn first_word(receiver: &mut Receiver) -> Result<Option<GuestControl>, TalkError> {
    let deadline = Instant::now() + HELLO_DEADLINE;
    let mut link = Link::new();
    loop {
        match link.next_event()? {
            Some(Event::Control(body)) => return Ok(parse_control(&body).ok()),
            Some(_) => return Ok(None),
            None => {}
        }
        let read = timeout_at(deadline, receiver.read()).await;
        link.feed(read.map_err(|_| TalkError::Silent)??);
    }
}

/// Clones a snapshot. Its agent said its Hello before the snapshot was taken and says none now.
pub async fn restore(
    engine: &dyn Snapshots,
    spec: VmSpec,
    snapshot: &SnapshotFiles,
) -> Result<Leased, JobError> {
    cloned(engine.restore(spec, snapshot).await).await
}

/// Has a VM go on that was saved at work: its agent waits for another link.
pub async fn load_saved(
    engine: &dyn Snapshots,
    spec: VmSpec,
    folder: &Path,
) -> Result<Leased, JobError> {
    cloned(engine.load_saved(spec, folder).await).await
}

/// The same of a VMM that stood by.
pub async fn restore_standby(
    standby: Box<dyn Standby>,
    spec: VmSpec,
    snapshot: &SnapshotFiles,
) -> Result<Leased, JobError> {
    cloned(standby.restore(spec, snapshot).await).await
}

async fn cloned(restored: Result<Box<dyn Vm>, VmmError>) -> Result<Leased, JobError> {
    let mut vm = restored?;
    let channel = vm.connect().await?;
    let (sender, receiver) = talk::open(channel);
    Ok(Leased {
        vm,
        sender,
        receiver,
        path: BootPath::Clone,
        waiting: Waiting::default(),
    })
}

/// A name for a VM that no VM had before.
pub fn new_vm_id() -> Result<VmId, JobError> {
    Ok(VmId::new(uuid::Uuid::now_v7().to_string())?)
}

/// What makes this VM a machine of its own, at this time by its clock.
pub fn resume(vm: &VmId, now: SystemTime) -> Result<Resume, JobError> {
    let mut entropy = vec![0; ENTROPY_BYTES];
    getrandom::fill(&mut entropy).map_err(Why::Entropy)?;
    let since_epoch = now.duration_since(UNIX_EPOCH).unwrap_or_default();
    Ok(Resume {
        entropy: Bytes(entropy),
        unix_time_nanos: since_epoch.as_nanos() as u64,
        // The last group of the id: random, short enough for a host name.
        hostname: format!("vm-{}", vm.as_str().rsplit('-').next().unwrap_or("0")),
        boot_id: uuid::Uuid::new_v4().to_string(),
    })
}

/// A broken channel: says how the VMM ended where it did, else what the console said last.
pub async fn channel_failed(step: Step, error: TalkError, vm: &mut Box<dyn Vm>) -> JobError {
    let closed = matches!(error, TalkError::Closed | TalkError::Io(_));
    if closed {
        // A dead VMM closes the channel a moment before its wait status is there.
        if let Ok(exit) = tokio::time::timeout(Duration::from_secs(1), vm.wait_exit()).await {
            let logs = tail("VMM", &exit.stderr) + &tail("console", &exit.console);
            let exit = exit.to_string();
            return JobError::from(Why::Ended { step, exit }).with_logs(logs);
        }
    }
    let source = error;
    with_console(Why::Channel { step, source }, vm.as_ref())
}

/// A failure with the console's last lines.
pub fn with_console(why: Why, vm: &dyn Vm) -> JobError {
    JobError::from(why).with_logs(tail("console", &vm.console_tail()))
}

/// The last lines of a log, escaped: a guest wrote them.
fn tail(name: &str, text: &str) -> String {
    const LINES: usize = 8;
    let lines: Vec<&str> = text.trim().lines().collect();
    lines[lines.len().saturating_sub(LINES)..]
        .iter()
        .map(|line| {
            let line: String = line.chars().take(200).collect();
            format!("\n  {name}: {}", line.escape_debug())
        })
        .collect()
}

/// What an agent is told by that says something else first.
fn no_hello(first: Option<GuestControl>) -> Why {
    let step = Step::Boot;
    match first {
        Some(GuestControl::Hello { protocol }) => Why::Hello { protocol },
        Some(GuestControl::Failed { reason }) => Why::Agent {
            step,
            reason: quoted(&reason),
        },
        _ => Why::OutOfPlace(step),
    }
}
