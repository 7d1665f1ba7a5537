//! What a good agent says about a job; attacks twist it.

use crate::channel::Channel;
use crate::error::Broken;
use protocol::wire::{Ending, GuestMessage, JobReport, Phase, RunRequest};

/// The phase in which a job of this language ends when all goes well.
pub fn first_phase(request: &RunRequest) -> Phase {
    match request.language.spec().compile {
        Some(_) => Phase::Compile,
        None => Phase::Execute,
    }
}

/// The report of a program that exited with 0.
pub fn report(request: &RunRequest) -> JobReport {
    JobReport {
        trace_id: request.trace_id.clone(),
        phase: Phase::Execute,
        ending: Ending::Exited,
        exit_code: Some(0),
        signal: None,
        stdout_truncated: false,
        stderr_truncated: false,
        artifacts_truncated: false,
        compile_micros: 0,
        execute_micros: 1000,
        cpu_micros: 1000,
        memory_peak_bytes: 1 << 20,
        pids_refused: 0,
        zygote: false,
        session: None,
    }
}

/// The whole talk about a job that printed `ready`.
pub fn talk(request: &RunRequest) -> Vec<GuestMessage> {
    let mut talk = vec![GuestMessage::Started {
        phase: first_phase(request),
    }];
    if first_phase(request) == Phase::Compile {
        talk.push(GuestMessage::Started {
            phase: Phase::Execute,
        });
    }
    talk.push(GuestMessage::Stdout {
        data: b"ready\n".as_slice().into(),
    });
    talk.push(GuestMessage::Finished(Box::new(report(request))));
    talk
}

/// Says it.
pub fn run(request: &RunRequest, channel: &mut Channel) -> Result<(), Broken> {
    talk(request)
        .iter()
        .try_for_each(|message| channel.say(message))
}
