//! What a guest says to a host that runs a job on it, or keeps it: its half of the talk, written down.
//!
//! ```text
//!   {…             a control message
//!   =STREAM DATA   data on a stream, up to the line's end
//!   .STREAM        a stream's end
//!   +STREAM N      leave to send more
//!   -STREAM        nothing more of it is wanted
//!   #…             nothing
//!   (empty)        a moment's rest: the host does what it has heard
//!   anything else  these bytes, without a frame
//! ```

use crate::requests::policy;
use protocol::job::{Job, JobRequest, RequestedLimits};
use protocol::link::{Frame, StreamId};
use protocol::result::{BootPath, Isolation, JobResult, Timings};
use protocol::wire::MAX_ARTIFACTS;
use sandbox::drive::{Heard, JobIo, drive};
use sandbox::error::JobError;
use sandbox::lease::Leased;
use sandbox::live::{Guest, LiveError, Output, ProcessLimits, ProcessSpec, Stdin, attend};
use sandbox::outcome::{self, Measured, TalkEnd};
use sandbox::talk;
use std::time::Duration;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, DuplexStream};
use tokio::time::{sleep, timeout};
use vmm::{Channel, Vm, VmExit, VmId, VmUsage, VmmError};

/// How much a channel holds in each direction.
const CHANNEL_BYTES: usize = 64 * 1024;
/// By the clock that stands still while there is something to do.
const REST: Duration = Duration::from_millis(1);
/// Rests of one talk: more change nothing.
const MAX_RESTS: usize = 64;
/// How long a live guest is asked for things.
const VISIT: Duration = Duration::from_secs(5);

/// A job's talk: whatever the guest says, the job ends, what is kept is bounded, and the result's words hold nothing that a
/// terminal acts on.
pub fn job(bytes: &[u8]) {
    let Some(result) = result_of(bytes) else {
        return;
    };
    if let Some(failure) = &result.failure {
        is_plain(&failure.message);
    }
    let sentence = outcome::sentence(&result);
    assert!(!sentence.chars().any(char::is_control), "{sentence:?}");
    assert!(serde_json::to_vec(&result).is_ok());
    let _ = (result.tool_exit_code(), outcome::event_type(&result));
}

/// What a job's talk comes to. A first byte that is odd asks for a compiled language.
pub fn result_of(bytes: &[u8]) -> Option<JobResult> {
    let language = match bytes.first().is_some_and(|first| first % 2 == 1) {
        true => "rust",
        false => "python",
    };
    let job = sample(language)?;
    let (heard, end) = with_guest(bytes, async |leased| {
        drive(&job, leased, &mut JobIo::default()).await
    });
    bounded(&heard, &job);
    if let TalkEnd::Failed(error) = &end {
        is_plain(&error.to_string());
    }
    let isolation = Isolation {
        engine: "qemu".into(),
        accelerator: "tcg".into(),
        jail: "bubblewrap".into(),
        guest: protocol::result::GuestWall::Confined,
    };
    let measured = Measured {
        isolation,
        timings: Timings::default(),
    };
    Some(outcome::result(&job, heard, end, measured))
}

/// A live guest's talk: a bit of everything is asked for, and whoever asked hears an answer or one reason.
pub fn guest(bytes: &[u8]) {
    if let Err(error) = attended(bytes) {
        is_plain(&error.to_string());
    }
}

/// Whether a live guest's talk answered all that was asked for; an error: why it is of no use any more.
pub fn attended(bytes: &[u8]) -> Result<bool, JobError> {
    with_guest(bytes, async |leased| {
        attend(leased, async |guest| {
            // Who is not answered goes home.
            let visited = timeout(VISIT, visit(&guest)).await;
            matches!(visited, Ok(Ok(())))
        })
        .await
    })
}

/// Asks for process 1 with stdin on stream 1, its output twice on 2 and 3, requests 1 to 4 with content on 4 and 5, a port on 6 and 7.
async fn visit(guest: &Guest) -> Result<(), LiveError> {
    let process = guest.start(spec()).await?;
    let taken = guest.follow(process, 0).await?;
    let kept = guest.follow(process, 7).await?;
    let answers = async {
        let (entry, listing) = tokio::join!(guest.stat("/a"), guest.list("/a", 1));
        [entry.err(), listing.err()]
            .into_iter()
            .flatten()
            .for_each(is_told);
    };
    let reads = async {
        let mut reader = guest.read_file("/a").await?;
        while reader.next().await?.is_some() {}
        let mut writer = guest.write_file("/a").await?;
        writer.write(b"some").await?;
        writer.finish().await.map(drop)
    };
    let input = guest.write(process, b"input");
    let (_, read, wrote, followed) = tokio::join!(answers, reads, input, follow(taken));
    for error in [read.err(), wrote.err(), followed.err()] {
        error.into_iter().for_each(is_told);
    }
    drop(kept);
    guest.wait(process).await?;
    guest.forget(process).await?;
    port(guest).await
}

/// Talks to a port.
async fn port(guest: &Guest) -> Result<(), LiveError> {
    let mut port = match guest.connect(8000).await {
        Err(LiveError::NotConnected { .. }) => return Ok(()),
        connected => connected?,
    };
    let (mut came, mut read) = (Vec::new(), 0);
    let gone = |error: std::io::Error| LiveError::Gone(error.to_string());
    port.write_all(b"some").await.map_err(gone)?;
    port.shutdown().await.map_err(gone)?;
    loop {
        came.clear();
        match port.read_buf(&mut came).await.map_err(gone)? {
            0 => return Ok(()),
            count => read += count,
        }
        assert!(came.len() <= CHANNEL_BYTES && read > 0);
    }
}

async fn follow(mut output: Output) -> Result<(), LiveError> {
    while let Some(piece) = output.next().await? {
        assert!(!piece.data.is_empty() && piece.data.len() < CHANNEL_BYTES);
    }
    Ok(())
}

fn is_told(error: LiveError) {
    is_plain(&error.to_string());
}

/// A reason says something, and nothing that a terminal acts on.
fn is_plain(text: &str) {
    let is_shown = |it: char| it.is_control() && it != '\n';
    assert!(!text.is_empty() && !text.chars().any(is_shown), "{text:?}");
}

fn bounded(heard: &Heard, job: &Job) {
    for kept in [&heard.stdout, &heard.stderr] {
        assert!(kept.bytes.len() as u64 <= job.limits.output_bytes);
    }
    let bytes: u64 = heard.artifacts.iter().map(|file| file.size).sum();
    assert!(bytes <= job.limits.artifact_bytes);
    assert!(heard.artifacts.len() <= MAX_ARTIFACTS);
}

/// Runs the host's part beside a guest that says all this and then nothing, on a clock that nobody waits for.
fn with_guest<T>(script: &[u8], host: impl AsyncFnOnce(&mut Leased) -> T) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .start_paused(true)
        .build();
    let Ok(runtime) = runtime else {
        panic!("no runtime");
    };
    let (ours, guests) = tokio::io::duplex(CHANNEL_BYTES);
    runtime.block_on(async {
        let (sender, receiver) = talk::open(Box::new(ours));
        let mut leased = Leased {
            vm: Box::new(NoVm::new()),
            sender,
            receiver,
            path: BootPath::Boot,
            waiting: Default::default(),
        };
        tokio::select! {
            biased;
            done = host(&mut leased) => done,
            never = speak(script, guests) => match never {},
        }
    })
}

async fn speak(script: &[u8], guests: DuplexStream) -> std::convert::Infallible {
    let (mut read, mut write) = tokio::io::split(guests);
    let listen = async { tokio::io::copy(&mut read, &mut tokio::io::sink()).await };
    let talk = async {
        let mut rests = 0;
        for line in script.split(|byte| *byte == b'\n') {
            if line.is_empty() && rests < MAX_RESTS {
                rests += 1;
                sleep(REST).await;
            }
            // A host that has had enough goes away.
            let _ = write.write_all(&spoken(line)).await;
        }
    };
    let _ = tokio::join!(talk, listen);
    std::future::pending().await
}

/// A line as it travels.
fn spoken(line: &[u8]) -> Vec<u8> {
    let frame = match line.split_first() {
        Some((b'{', _)) => Frame::Control(line.into()),
        Some((b'=', rest)) => {
            let (stream, data) = numbered(rest);
            Frame::Data(stream, data.into())
        }
        Some((b'.', rest)) => Frame::End(numbered(rest).0),
        Some((b'-', rest)) => Frame::Refuse(numbered(rest).0),
        Some((b'+', rest)) => {
            let (stream, count) = numbered(rest);
            Frame::Credit(stream, numbered(count).0)
        }
        Some((b'#', _)) => return Vec::new(),
        _ => return line.into(),
    };
    let mut bytes = Vec::new();
    frame.write_to(&mut bytes);
    bytes
}

/// The number up to a blank, 0 for what is none, and what follows it.
fn numbered(text: &[u8]) -> (StreamId, &[u8]) {
    let mut parts = text.splitn(2, |byte| *byte == b' ');
    let number = parts.next().and_then(|text| std::str::from_utf8(text).ok());
    let number = number.and_then(|text| text.parse().ok());
    (number.unwrap_or(0), parts.next().unwrap_or_default())
}

/// A job with limits that a short talk can reach.
fn sample(language: &str) -> Option<Job> {
    let request = JobRequest {
        language: language.into(),
        code: "x".into(),
        trace_id: Some("t".into()),
        collect_artifacts: true,
        limits: RequestedLimits {
            output_bytes: Some(256),
            ..RequestedLimits::default()
        },
        ..JobRequest::default()
    };
    policy().validate(request).ok()
}

fn spec() -> ProcessSpec {
    ProcessSpec {
        argv: vec!["cat".into()],
        env: vec![],
        user: protocol::supervisor::ProcessUser::Sandbox,
        cwd: "/work".into(),
        stdin: Stdin::Open,
        orders: Default::default(),
        terminal: None,
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

/// A VM of which there is only the channel.
struct NoVm(VmId);

impl NoVm {
    fn new() -> NoVm {
        match VmId::new("none".to_owned()) {
            Ok(id) => NoVm(id),
            Err(error) => panic!("{error}"),
        }
    }
}

#[async_trait::async_trait]
impl Vm for NoVm {
    fn id(&self) -> &VmId {
        &self.0
    }
    async fn connect(&mut self) -> Result<Box<dyn Channel>, VmmError> {
        Ok(Box::new(tokio::io::empty()))
    }
    async fn pause(&mut self) -> Result<(), VmmError> {
        Ok(())
    }
    async fn resume(&mut self) -> Result<(), VmmError> {
        Ok(())
    }
    fn console_tail(&self) -> String {
        String::new()
    }
    fn usage(&self) -> VmUsage {
        VmUsage::default()
    }
    async fn wait_exit(&mut self) -> VmExit {
        std::future::pending().await
    }
    async fn close(self: Box<Self>) -> Result<(), VmmError> {
        Ok(())
    }
}
