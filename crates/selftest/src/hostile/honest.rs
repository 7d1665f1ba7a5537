//! What a good agent says about a process; attacks twist it.

use crate::error::Broken;
use crate::line::Line;
use protocol::collection;
use protocol::link::{Frame, StreamId};
use protocol::supervisor::{
    FileAnswer, FileOperation, GuestControl, OutputKind, ProcessId, ProcessReport, StartProcess,
};
use protocol::wire::Ending;

/// A number that a process may have.
const PID: u32 = 2;

/// The report of a program that exited with 0.
pub fn report() -> ProcessReport {
    ProcessReport {
        ending: Ending::Exited,
        exit_code: Some(0),
        signal: None,
        wall_micros: 1000,
        cpu_micros: 1000,
        memory_peak_bytes: 1 << 20,
        pids_refused: 0,
        written_bytes: 0,
        stdout_truncated: false,
        stderr_truncated: false,
    }
}

/// A record of output.
pub fn record(kind: OutputKind, written: &[u8]) -> Vec<u8> {
    [&[kind.byte()], written].concat()
}

/// That it runs.
pub fn running(process: ProcessId) -> GuestControl {
    GuestControl::Started { process, pid: PID }
}

/// All that is said before a process prints.
pub fn beginning(
    process: ProcessId,
    output: Option<StreamId>,
) -> impl Iterator<Item = GuestControl> {
    let following = output.map(|stream| GuestControl::Following { stream, from: 0 });
    let begun = [GuestControl::Starting { process }, running(process)];
    begun.into_iter().chain(following)
}

/// Says that a process runs.
pub fn begin(start: &StartProcess, line: &mut Line) -> Result<(), Broken> {
    beginning(start.process, start.output).try_for_each(|message| line.say(&message))
}

/// The whole talk about a program that printed `ready`.
pub fn talk(process: ProcessId, output: StreamId) -> Result<Vec<Frame>, Broken> {
    let beginning = beginning(process, Some(output));
    let mut talk: Vec<Frame> = beginning
        .map(|message| Frame::control(&message))
        .collect::<Result<_, _>>()?;
    let ended = GuestControl::Ended {
        process,
        report: report(),
    };
    let ready = record(OutputKind::Stdout, b"ready\n");
    talk.extend([Frame::Data(output, ready), Frame::control(&ended)?]);
    talk.push(Frame::End(output));
    Ok(talk)
}

/// Says it.
pub fn run(start: &StartProcess, line: &mut Line) -> Result<(), Broken> {
    line.send(&talk(start.process, start.output.unwrap_or_default())?);
    Ok(())
}

/// An interpreter that is ready and waits for its order.
pub fn wait(start: &StartProcess, line: &mut Line) -> Result<(), Broken> {
    begin(start, line)?;
    match start.output {
        Some(output) => line.put(output, record(OutputKind::Control, b"ready\n")),
        None => Ok(()),
    }
}

/// The job left no files.
pub fn left_nothing(request: u32, operation: FileOperation, line: &mut Line) -> Result<(), Broken> {
    let FileOperation::Collect { stream, .. } = operation else {
        return Ok(());
    };
    let mut nothing = Vec::new();
    collection::end(&mut nothing);
    let answer = FileAnswer::Done {
        bytes: nothing.len() as u64,
    };
    line.put_all(stream, &nothing)?;
    line.say(&GuestControl::FileDone { request, answer })?;
    line.send(&[Frame::End(stream)]);
    Ok(())
}
