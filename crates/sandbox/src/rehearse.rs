//! A rehearsal: a VM that is to be snapshotted or pooled runs a program of ours first, so that page
//! caches are filled, the compiler is in memory and the VMM has translated the code on the way of a
//! job. A template then loads interpreters for the clones. No client's job ever sees a VM that ran
//! another client's.

use crate::conversation::quoted;
use crate::drive::{JobIo, drive};
use crate::error::{JobError, Step, Why};
use crate::lease::{Leased, channel_failed, wake, with_console};
use crate::outcome::TalkEnd;
use protocol::job::Job;
use protocol::language::Language;
use protocol::limits::JobLimits;
use protocol::trace_id::TraceId;
use protocol::wire::{GuestMessage, HostMessage};
use std::time::Duration;
use tokio::time::Instant;

/// Rust's first compilation from a cold disk, emulated on a loaded host, takes 20 s.
const REHEARSAL_DEADLINE: Duration = Duration::from_secs(120);

/// The longest answer is that an interpreter is loaded: emulated on a loaded host, up to 5 s.
const ANSWER_DEADLINE: Duration = Duration::from_secs(60);

/// What each language rehearses: it prints, so the whole way of a job is walked once.
fn program(language: Language) -> &'static str {
    match language {
        Language::Python => "import sys\nprint('ready')\n",
        Language::Node => "console.log('ready')\n",
        Language::Go => {
            "package main\n\nimport \"fmt\"\n\nfunc main() { fmt.Println(\"ready\") }\n"
        }
        Language::Rust => "fn main() { println!(\"ready\"); }\n",
        Language::Bash => "echo ready\n",
    }
}

/// Interpreters that a template has waiting: one for a clone's rehearsal, one for its job.
pub const INTERPRETERS: usize = 2;

/// Runs the rehearsal, in a waiting interpreter where there is one.
pub async fn rehearse(language: Language, leased: &mut Leased) -> Result<(), JobError> {
    let (talk, end) = drive(&job(language), leased, &mut JobIo::default()).await;
    let report = match end {
        TalkEnd::Report(report) => report,
        TalkEnd::HostDeadline { phase, .. } => {
            return Err(failed(leased, format!("no end of {phase:?} in time")));
        }
        TalkEnd::Refused(reason) => return Err(failed(leased, reason)),
        TalkEnd::Failed(error) => return Err(error),
    };
    if report.exit_code != Some(0) {
        let stderr = String::from_utf8_lossy(&talk.stderr.bytes);
        let what = format!("{:?}, stderr {:?}", report.ending, stderr);
        return Err(failed(leased, what));
    }
    // The agent answers this when it has cleared away what the rehearsal left: no job waits for that.
    let wake = wake(leased.vm.id())?;
    ask(leased, Step::ClearUp, wake, GuestMessage::Awake).await
}

/// Has the agent load one more interpreter, of a language that has one that can wait.
pub async fn warm(language: Language, leased: &mut Leased) -> Result<(), JobError> {
    let warm = HostMessage::Warm { language };
    ask(leased, Step::Warm, warm, GuestMessage::Warmed).await
}

async fn ask(
    leased: &mut Leased,
    step: Step,
    message: HostMessage,
    expected: GuestMessage,
) -> Result<(), JobError> {
    let broken = match leased.sender.send(&[message]).await {
        Ok(()) => match leased.receiver.next(Instant::now() + ANSWER_DEADLINE).await {
            Ok(answer) if answer == expected => return Ok(()),
            Ok(GuestMessage::Failed { reason }) => {
                let reason = quoted(&reason);
                return Err(with_console(
                    Why::Agent { step, reason },
                    leased.vm.as_ref(),
                ));
            }
            Ok(_) => return Err(with_console(Why::OutOfPlace(step), leased.vm.as_ref())),
            Err(error) => error,
        },
        Err(error) => error,
    };
    Err(channel_failed(step, broken, &mut leased.vm).await)
}

fn failed(leased: &Leased, what: String) -> JobError {
    with_console(Why::Rehearsal(what), leased.vm.as_ref())
}

fn job(language: Language) -> Job {
    Job {
        trace_id: TraceId::generate(),
        language,
        entry: language.spec().source_file.into(),
        code: program(language).into(),
        args: vec![],
        env: vec![],
        files: vec![],
        limits: JobLimits {
            timeout: REHEARSAL_DEADLINE,
            compile_timeout: REHEARSAL_DEADLINE,
            cpu: REHEARSAL_DEADLINE,
            // The VM's size is decided already.
            memory_mib: 0,
            vcpus: 1,
            pids: 128,
            output_bytes: 64 * 1024,
            file_size_bytes: 64 * 1024 * 1024,
            tmpfs_mib: 64,
            open_files: 1024,
            artifact_bytes: 0,
        },
        fresh_interpreter: false,
        collect_artifacts: false,
        normalize_time: None,
        seccomp_program: vec![],
        patterns_found: vec![],
    }
}
