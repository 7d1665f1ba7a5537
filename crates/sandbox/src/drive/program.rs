//! A job as processes of its guest: what the compiler and the program are started with, and what they may use.

use super::KEPT_BYTES;
use crate::live::{AdoptSpec, FileContent, LaunchSpec, Orders, ProcessSpec, Program, Stdin};
use crate::waiting::{hidden, suits};
use protocol::environment::WORK_DIR;
use protocol::job::Job;
use protocol::language::{compile_argv, environment, interpreter, run_argv};
use protocol::supervisor::{ProcessId, ProcessLimits, ProcessUser, Supervise};
use protocol::wire::Phase;
use std::collections::BTreeMap;
use std::time::Duration;

const MIB: u64 = 1024 * 1024;

/// What all processes of this job's VM may use together.
pub(crate) fn bounds(job: &Job, kept_bytes: u64) -> Supervise {
    Supervise {
        pids: job.limits.pids,
        tmpfs_bytes: u64::from(job.limits.tmpfs_mib) * MIB,
        writable_bytes: u64::from(job.limits.writable_mib) * MIB,
        kept_bytes,
        seccomp_program: job.seccomp_program.clone(),
    }
}

/// What a process of this job may use in a phase.
pub(super) fn limits(job: &Job, phase: Phase) -> ProcessLimits {
    ProcessLimits {
        wall_millis: wall_limit(job, phase).as_millis() as u64,
        cpu_seconds: job.limits.cpu.as_secs().max(1),
        memory_bytes: 0,
        pids: job.limits.pids,
        file_size_bytes: job.limits.file_size_bytes,
        open_files: job.limits.open_files,
    }
}

/// What an interpreter of this job's session may use: all but the time, which each program has for itself.
pub fn standing_limits(job: &Job) -> ProcessLimits {
    ProcessLimits {
        wall_millis: 0,
        cpu_seconds: 0,
        ..limits(job, Phase::Execute)
    }
}

/// Of the guest; the host waits a little longer.
pub(super) fn wall_limit(job: &Job, phase: Phase) -> Duration {
    match phase {
        Phase::Compile => job.limits.compile_timeout,
        Phase::Execute => job.limits.timeout,
    }
}

/// The job's phases; the first one brings its files. `adopt` is the interpreter that becomes its program, where one waits.
pub(super) fn phases(job: &Job, adopt: Option<AdoptSpec>) -> Vec<(Phase, LaunchSpec)> {
    let files = files(job);
    if let Some(adopt) = adopt {
        let program = Program::Waiting(adopt);
        return vec![(Phase::Execute, launch(job, program, files))];
    }
    let execute = again(job);
    match compile_argv(job.language, &job.entry) {
        None => vec![(Phase::Execute, LaunchSpec { files, ..execute })],
        Some(argv) => {
            let spec = process(job, argv, Phase::Compile);
            let compile = launch(job, Program::New(spec), files);
            vec![(Phase::Compile, compile), (Phase::Execute, execute)]
        }
    }
}

/// The program in a new process, its files being there.
pub(super) fn again(job: &Job) -> LaunchSpec {
    let argv = run_argv(job.language, &job.entry).into_iter();
    let argv = argv.chain(job.args.iter().cloned()).collect();
    let spec = process(job, argv, Phase::Execute);
    launch(job, Program::New(spec), vec![])
}

fn launch(job: &Job, program: Program, files: Vec<FileContent>) -> LaunchSpec {
    LaunchSpec {
        program,
        files,
        output_bytes: job.limits.output_bytes,
        followed: true,
        name: None,
    }
}

fn process(job: &Job, argv: Vec<String>, phase: Phase) -> ProcessSpec {
    let own = job.env.iter();
    let own = own.map(|(name, value)| (name.as_str(), value.as_str()));
    ProcessSpec {
        argv,
        env: environment(job.language, own),
        cwd: WORK_DIR.into(),
        user: ProcessUser::Sandbox,
        stdin: match phase {
            Phase::Compile => Stdin::Empty,
            Phase::Execute => Stdin::Open,
        },
        orders: Orders::None,
        terminal: None,
        kept_bytes: KEPT_BYTES,
        limits: limits(job, phase),
    }
}

/// The program and what comes with it.
fn files(job: &Job) -> Vec<FileContent> {
    let own = job.files.iter().map(|file| FileContent {
        path: file.path.clone(),
        data: file.data.clone(),
    });
    let code = FileContent {
        path: job.entry.clone(),
        data: job.code.as_bytes().into(),
    };
    own.chain([code]).collect()
}

/// The interpreter that waits, as this job's program; `None`: it cannot become that any more.
pub(super) fn adopted(job: &Job, process: ProcessId) -> Option<AdoptSpec> {
    let interpreter = interpreter(job.language).filter(|it| suits(it, job))?;
    let env: BTreeMap<&String, &String> =
        job.env.iter().map(|(name, value)| (name, value)).collect();
    let order = serde_json::json!({ "args": job.args, "env": env, "file": job.entry });
    Some(AdoptSpec {
        process,
        order: order.to_string(),
        orders: Orders::None,
        absent: hidden(&interpreter, job),
        stdin: Stdin::Open,
        limits: limits(job, Phase::Execute),
        argv: interpreter.argv,
        cwd: WORK_DIR.into(),
    })
}
