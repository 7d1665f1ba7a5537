//! Jobs whose guest is scripted, an honest one and many hostile ones, on a clock that tests turn.

mod honest;
mod hostile;

use super::*;
use crate::config::Config;
use crate::fixture::NoVm;
use crate::fixture::guest::{Guest, report};
use protocol::job::{JobRequest, RequestedLimits};
use protocol::link::StreamId;
use protocol::result::BootPath;
use protocol::supervisor::{
    FileAnswer, FileOperation, GuestControl, HostControl, OutputKind, ProcessId, StartProcess,
};
use std::sync::Arc;

/// Of each job here.
const TIMEOUT: Duration = Duration::from_secs(3);
const OUTPUT_BYTES: u64 = 100_000;
const ARTIFACT_BYTES: u64 = 100;

fn job(language: &str) -> Job {
    let request = JobRequest {
        language: language.into(),
        code: "x".into(),
        limits: RequestedLimits {
            timeout_seconds: Some(TIMEOUT.as_secs_f64()),
            compile_timeout_seconds: Some(TIMEOUT.as_secs_f64()),
            output_bytes: Some(OUTPUT_BYTES),
            ..RequestedLimits::default()
        },
        collect_artifacts: true,
        ..JobRequest::default()
    };
    let policy = Config::default().policy().unwrap();
    let mut job = policy.validate(request).unwrap();
    job.limits.artifact_bytes = ARTIFACT_BYTES;
    job
}

/// What came of a job.
struct Driven {
    heard: Heard,
    end: TalkEnd,
    took: Duration,
}

impl Driven {
    /// Why there is no report.
    fn failure(&self) -> &JobError {
        match &self.end {
            TalkEnd::Failed(error) => error,
            other => panic!("{other:?}"),
        }
    }

    fn report(&self) -> &JobReport {
        match &self.end {
            TalkEnd::Report(report) => report,
            other => panic!("{other:?}"),
        }
    }
}

/// A job on a VM with this guest, in which these interpreters wait.
async fn driven_with(
    (job, mut io, waiting): (Job, JobIo, Vec<ProcessId>),
    script: impl AsyncFnOnce(&mut Guest),
) -> Driven {
    let (host, channel) = tokio::io::duplex(64 * 1024);
    let (sender, receiver) = crate::talk::open(Box::new(host));
    let mut leased = Leased {
        vm: Box::new(NoVm::ending_in(Duration::ZERO, Arc::default())),
        sender,
        receiver,
        path: BootPath::Boot,
        waiting: waiting.into(),
    };
    let mut guest = Guest::new(channel);
    let begun = Instant::now();
    let says = async {
        script(&mut guest).await;
        std::future::pending::<()>().await;
    };
    tokio::select! {
        biased;
        (heard, end) = drive(&job, &mut leased, &mut io) => Driven { heard, end, took: begun.elapsed() },
        () = says => unreachable!(),
    }
}

async fn driven(script: impl AsyncFnOnce(&mut Guest)) -> Driven {
    driven_with((job("python"), JobIo::default(), vec![]), script).await
}

/// A record of output.
fn record(kind: OutputKind, written: &[u8]) -> Vec<u8> {
    [&[kind.byte()], written].concat()
}

impl Guest {
    /// Ready, and asked for the program.
    async fn program_asked(&mut self) -> StartProcess {
        self.bounds_asked().await;
        self.say(GuestControl::Ready).await;
        self.start_asked().await
    }

    /// Says that it runs and where its output begins; the stream.
    async fn begins(&mut self, process: ProcessId, output: Option<StreamId>) -> StreamId {
        let stream = output.unwrap();
        self.say(GuestControl::Starting { process }).await;
        self.say(GuestControl::Started { process, pid: 2 }).await;
        self.say(GuestControl::Following { stream, from: 0 }).await;
        stream
    }

    /// Up to a program that runs: its name, and the stream of its output.
    async fn running(&mut self) -> (ProcessId, StreamId) {
        let start = self.program_asked().await;
        let output = self.begins(start.process, start.output).await;
        (start.process, output)
    }

    /// Says that it ended and that its output is over.
    async fn ends(&mut self, process: ProcessId, output: StreamId, report: ProcessReport) {
        self.say(GuestControl::Ended { process, report }).await;
        self.end(output).await;
    }

    /// What is asked for once the program ended: the request, and its stream.
    async fn collection_asked(&mut self) -> (u32, StreamId) {
        loop {
            match self.asked().await {
                HostControl::Signal { .. } => {}
                HostControl::File {
                    request,
                    operation: FileOperation::Collect { stream, .. },
                } => {
                    self.link.open_outgoing(stream);
                    return (request, stream);
                }
                other => panic!("{other:?}"),
            }
        }
    }

    /// Hands these bytes out as what the job left.
    async fn hands_out(&mut self, collection: &[u8]) {
        let (request, stream) = self.collection_asked().await;
        self.send(stream, collection).await;
        let bytes = collection.len() as u64;
        let answer = FileAnswer::Done { bytes };
        self.say(GuestControl::FileDone { request, answer }).await;
        self.end(stream).await;
    }
}
