//! A VM that is to be snapshotted or pooled runs a program of ours first, so that page caches are filled, the compiler is
//! in memory and the VMM has translated the code on the way of a job. Then interpreters load that wait for jobs. No
//! client's job ever sees a VM that ran another client's.

use crate::drive::drive_and_clear;
use crate::error::{JobError, Step, Why};
use crate::lease::{Leased, channel_failed, resume, with_console};
use crate::live::{
    Guest, LaunchSpec, LiveError, Orders, OutputKind, ProcessSpec, Service, Stdin, contexts,
};
use crate::outcome::TalkEnd;
use crate::quoted::quoted;
use crate::talk::TalkError;
use crate::waiting::{CONTEXT, NAMES, Waiting};
use protocol::environment::WORK_DIR;
use protocol::interpreter::Interpreter;
use protocol::job::Job;
use protocol::language::{Language, interpreter};
use protocol::limits::{JobLimits, SandboxRules};
use protocol::supervisor::{ProcessId, ProcessLimits, ProcessUser, Supervise};
use protocol::trace_id::TraceId;
use std::time::{Duration, SystemTime};
use tokio::sync::watch;
use tokio::time::timeout;

/// Rust's first compilation from a cold disk, emulated on a loaded host, takes 20 s.
const PROGRAM_DEADLINE: Duration = Duration::from_secs(120);
/// How long an interpreter may take to load: emulated on a loaded host, up to 5 s.
const LOAD_DEADLINE: Duration = Duration::from_secs(60);
/// So far back stands the clock while an interpreter loads: OpenSSL's generators take fresh entropy when more than an
/// hour seems to have passed, which is how they notice a clone.
const CLOCK_BACK: Duration = Duration::from_secs(2 * 3600);
/// Room of the warm-up's folders, each, in bytes.
const TMPFS_BYTES: u64 = 64 * 1024 * 1024;
const PIDS: u64 = 128;
/// Kept of what the interpreter says until it is ready, in bytes.
const KEPT_BYTES: u64 = 64 * 1024;

/// Interpreters of a language that a template's clones have waiting.
pub(crate) fn waiting_in_clones(language: Language) -> Vec<ProcessId> {
    match interpreter(language) {
        Some(_) => NAMES.to_vec(),
        None => Vec::new(),
    }
}

/// Runs the warm-up program, in a waiting interpreter where there is one, and clears away what it left.
pub async fn run_program(language: Language, leased: &mut Leased) -> Result<(), JobError> {
    let (heard, end) = drive_and_clear(&job(language), leased).await;
    let report = match end {
        TalkEnd::Report(report) => report,
        TalkEnd::HostDeadline { phase, .. } => {
            return Err(failed(leased, format!("no end of {phase:?} in time")));
        }
        TalkEnd::Refused(reason) => return Err(failed(leased, reason)),
        TalkEnd::Failed(error) => return Err(error),
    };
    let is_fine = |report: &protocol::supervisor::ProcessReport| report.exit_code == Some(0);
    if !report.executed.as_ref().is_some_and(is_fine) {
        let stderr = String::from_utf8_lossy(&heard.stderr.bytes);
        return Err(failed(leased, format!("{report:?}, stderr {stderr:?}")));
    }
    Ok(())
}

/// Loads interpreters that wait for jobs, so many, of a language that has one that can; then nothing is in flight.
pub async fn load(language: Language, count: usize, leased: &mut Leased) -> Result<(), JobError> {
    let Some(interpreter) = interpreter(language) else {
        return Ok(());
    };
    let names: Vec<ProcessId> = NAMES.iter().take(count).copied().collect();
    let specs = names
        .iter()
        .map(|name| (*name, for_a_program(&interpreter)));
    load_all(specs.collect(), leased).await?;
    leased.waiting = names.into();
    Ok(())
}

/// Loads an interpreter that waits for a sandbox's first context, of a language that has one that can, and ends those that
/// wait for programs.
pub async fn load_context(language: Language, leased: &mut Leased) -> Result<(), JobError> {
    let Some(spec) = contexts::waiting(language, waiting_limits()) else {
        return Ok(());
    };
    load_all(vec![(CONTEXT, spec)], leased).await?;
    leased.waiting = Waiting {
        programs: Vec::new(),
        context: Some(CONTEXT),
    };
    Ok(())
}

async fn load_all(
    specs: Vec<(ProcessId, ProcessSpec)>,
    leased: &mut Leased,
) -> Result<(), JobError> {
    let resume = resume(leased.vm.id(), SystemTime::now() - CLOCK_BACK)?;
    let (guest, mut service) = Service::open(watch::Sender::default(), SandboxRules::default());
    let work = async {
        guest.resume(resume).await?;
        guest.dismiss(None).await?;
        guest.supervise(bounds()).await?;
        guest.settled().await?;
        for (name, spec) in specs {
            load_one(&guest, spec, name).await?;
        }
        guest.quiesce().await
    };
    let loaded = service.beside(leased, Step::WarmUp, timeout(LOAD_DEADLINE, work));
    match loaded.await? {
        Ok(Ok(())) => Ok(()),
        Ok(Err(error)) => Err(failed(leased, error.to_string())),
        Err(_) => {
            let (step, silent) = (Step::WarmUp, TalkError::Silent);
            Err(channel_failed(step, silent, &mut leased.vm).await)
        }
    }
}

/// Starts one and waits until it says that it is ready.
async fn load_one(guest: &Guest, spec: ProcessSpec, name: ProcessId) -> Result<(), LiveError> {
    let spec = LaunchSpec {
        followed: true,
        name: Some(name),
        ..LaunchSpec::from(spec)
    };
    let launch = guest.launch(spec).await?;
    let gone = || LiveError::Gone("its task ended".into());
    launch.started.await.unwrap_or_else(|_| Err(gone()))?;
    let mut output = launch.output.ok_or_else(gone)?;
    let mut said = Vec::new();
    while let Some(piece) = output.next().await? {
        match piece.kind {
            OutputKind::Control => return Ok(()),
            _ => said.extend(piece.data),
        }
    }
    let said = quoted(&String::from_utf8_lossy(&said));
    let reason = format!("the interpreter ended and did not say that it is ready: {said}");
    Err(LiveError::NotStarted(reason))
}

/// One that becomes a program.
fn for_a_program(interpreter: &Interpreter) -> ProcessSpec {
    ProcessSpec {
        argv: interpreter.argv.clone(),
        env: interpreter.env.clone(),
        cwd: WORK_DIR.into(),
        user: ProcessUser::Sandbox,
        stdin: Stdin::Open,
        orders: Orders::Once,
        terminal: None,
        kept_bytes: KEPT_BYTES,
        limits: waiting_limits(),
    }
}

/// What a waiting interpreter may use; the job's own limits come with the job.
fn waiting_limits() -> ProcessLimits {
    ProcessLimits {
        wall_millis: 0,
        cpu_seconds: LOAD_DEADLINE.as_secs(),
        memory_bytes: 0,
        pids: 64,
        file_size_bytes: 1 << 20,
        open_files: 256,
    }
}

fn bounds() -> Supervise {
    Supervise {
        pids: PIDS,
        tmpfs_bytes: TMPFS_BYTES,
        writable_bytes: 0,
        kept_bytes: KEPT_BYTES,
        seccomp_program: vec![],
    }
}

fn failed(leased: &Leased, what: String) -> JobError {
    with_console(Why::WarmUp(what), leased.vm.as_ref())
}

fn job(language: Language) -> Job {
    Job {
        trace_id: TraceId::generate(),
        owner: None,
        language,
        entry: language.row().source_file.clone(),
        code: language.row().warm_up.clone(),
        args: vec![],
        env: vec![],
        files: vec![],
        limits: JobLimits {
            timeout: PROGRAM_DEADLINE,
            compile_timeout: PROGRAM_DEADLINE,
            cpu: PROGRAM_DEADLINE,
            // The VM's size is decided already.
            memory_mib: 0,
            vcpus: 1,
            pids: PIDS,
            output_bytes: 64 * 1024,
            file_size_bytes: TMPFS_BYTES,
            tmpfs_mib: (TMPFS_BYTES >> 20) as u32,
            writable_mib: 0,
            open_files: 1024,
            artifact_bytes: 0,
        },
        fresh_interpreter: false,
        collect_artifacts: false,
        normalize_time: None,
        egress: None,
        seccomp_program: vec![],
        patterns_found: vec![],
    }
}
