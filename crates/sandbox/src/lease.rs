//! From nothing to a VM whose agent listens: a cold boot, or a clone of a snapshot.
//! A [`Leased`] owns its VM; whoever drops it destroys the VM.

use crate::outcome::NoReport;
use crate::talk::{self, Receiver, Sender, TalkError};
use protocol::bytes::Bytes;
use protocol::error_code::ErrorCode;
use protocol::result::BootPath;
use protocol::wire::{GuestMessage, HostMessage, PROTOCOL_VERSION, Wake};
use std::time::{Duration, SystemTime, UNIX_EPOCH};
use tokio::time::Instant;
use vmm::{Engine, SnapshotFiles, Snapshots, Standby, Vm, VmId, VmSpec, VmmError};

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
}

/// Boots a VM and waits for its agent.
pub async fn boot(engine: &dyn Engine, spec: VmSpec) -> Result<Leased, NoReport> {
    booted(engine.boot(spec).await).await
}

/// The same of a VM that a snapshot will be made of.
pub async fn boot_template(engine: &dyn Snapshots, spec: VmSpec) -> Result<Leased, NoReport> {
    booted(engine.boot_template(spec).await).await
}

async fn booted(started: Result<Box<dyn Vm>, VmmError>) -> Result<Leased, NoReport> {
    let mut vm = started.map_err(not_started)?;
    let channel = vm.connect().await.map_err(not_started)?;
    let (sender, mut receiver) = talk::open(channel);
    let first = receiver.next(Instant::now() + HELLO_DEADLINE).await;
    match first {
        Ok(GuestMessage::Hello { protocol }) if protocol == PROTOCOL_VERSION => Ok(Leased {
            vm,
            sender,
            receiver,
            path: BootPath::Boot,
        }),
        Ok(other) => Err(with_console(
            ErrorCode::VmStartFailed,
            format!(
                "the agent's first word was not the Hello of protocol {PROTOCOL_VERSION} ({})",
                kind_of(&other)
            ),
            vm.as_ref(),
        )),
        Err(error) => Err(channel_failed(
            ErrorCode::VmStartFailed,
            "waiting for the agent to come up",
            error,
            &mut vm,
        )
        .await),
    }
}

/// Clones a snapshot. Its agent said its Hello before the snapshot was taken and says none now.
pub async fn restore(
    engine: &dyn Snapshots,
    spec: VmSpec,
    snapshot: &SnapshotFiles,
) -> Result<Leased, NoReport> {
    cloned(engine.restore(spec, snapshot).await).await
}

/// The same of a VMM that stood by.
pub async fn restore_standby(
    standby: Box<dyn Standby>,
    spec: VmSpec,
    snapshot: &SnapshotFiles,
) -> Result<Leased, NoReport> {
    cloned(standby.restore(spec, snapshot).await).await
}

async fn cloned(restored: Result<Box<dyn Vm>, VmmError>) -> Result<Leased, NoReport> {
    let mut vm = restored.map_err(not_started)?;
    let channel = vm.connect().await.map_err(not_started)?;
    let (sender, receiver) = talk::open(channel);
    Ok(Leased {
        vm,
        sender,
        receiver,
        path: BootPath::Clone,
    })
}

/// A name for a VM that no VM had before.
pub fn new_vm_id() -> Result<VmId, NoReport> {
    VmId::new(uuid::Uuid::now_v7().to_string()).map_err(not_started)
}

/// What makes this VM a machine of its own.
pub fn wake(vm: &VmId) -> Result<HostMessage, NoReport> {
    let mut entropy = vec![0; ENTROPY_BYTES];
    getrandom::fill(&mut entropy).map_err(|error| {
        NoReport::new(
            ErrorCode::HostFailed,
            format!("the host gave no randomness: {error}"),
        )
    })?;
    let since_epoch = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default();
    Ok(HostMessage::Wake(Wake {
        entropy: Bytes(entropy),
        unix_time_nanos: since_epoch.as_nanos() as u64,
        // The last group of the id: random, short enough for a host name.
        hostname: format!("vm-{}", vm.as_str().rsplit('-').next().unwrap_or("0")),
        boot_id: uuid::Uuid::new_v4().to_string(),
    }))
}

/// A failure of the VMM, with everything it says.
pub fn not_started(error: VmmError) -> NoReport {
    NoReport::new(ErrorCode::VmStartFailed, chain(&error))
}

/// An error and its causes in one line each.
pub fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(inner) = cause {
        text.push_str(&format!(": {inner}"));
        cause = inner.source();
    }
    text
}

/// A broken channel: says how the VMM ended where it did, else what the console said last.
pub async fn channel_failed(
    code: ErrorCode,
    step: &str,
    error: TalkError,
    vm: &mut Box<dyn Vm>,
) -> NoReport {
    let closed = matches!(error, TalkError::Closed | TalkError::Io(_));
    if closed {
        // A dead VMM closes the channel a moment before its wait status is there.
        if let Ok(exit) = tokio::time::timeout(Duration::from_secs(1), vm.wait_exit()).await {
            return NoReport::new(
                ErrorCode::VmDied,
                format!(
                    "{step}: the VMM ended ({exit}){}{}",
                    tail("VMM", &exit.stderr),
                    tail("console", &exit.console)
                ),
            );
        }
    }
    let code = match error {
        TalkError::Frame(_) => ErrorCode::GuestMisbehaved,
        TalkError::Silent if code != ErrorCode::VmStartFailed => ErrorCode::GuestSilent,
        _ => code,
    };
    with_console(code, format!("{step}: {}", chain(&error)), vm.as_ref())
}

/// A failure with the console's last lines.
pub fn with_console(code: ErrorCode, message: String, vm: &dyn Vm) -> NoReport {
    NoReport::new(
        code,
        format!("{message}{}", tail("console", &vm.console_tail())),
    )
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

fn kind_of(message: &GuestMessage) -> &'static str {
    match message {
        GuestMessage::Hello { .. } => "another protocol's Hello",
        GuestMessage::Failed { .. } => "it failed",
        _ => "something else",
    }
}
