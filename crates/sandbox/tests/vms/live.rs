//! Many processes in one VM that stays: their starts, output, input, terminals and ends, and files meanwhile.

use crate::host::Host;
use protocol::environment::WORK_DIR;
use protocol::job::{JobRequest, RequestedLimits};
use protocol::language::{environment, named};
use protocol::supervisor::{
    DEFAULT_KEPT_BYTES, OutputKind, ProcessId, ProcessLimits, ProcessReport, ProcessUser,
    SignalTarget, TerminalSize,
};
use protocol::wire::{Ending, LimitName};
use sandbox::live::{LiveError, LiveSandbox, NoProgram, Orders, ProcessSpec, Stdin};
use sandbox::sandbox::Sandbox;
use std::time::Duration;
use tokio::task::JoinSet;
use tokio::time::{Instant, timeout};

/// A program's end on a loaded host.
const PATIENCE: Duration = Duration::from_secs(60);
/// An interactive shell's: what is typed before it comes may be thrown away.
const PROMPT: &str = "ready> ";
/// What one of many processes prints.
const MANY_BYTES: usize = 1 << 20;

/// A sandbox with a bash VM in it, that stays.
pub struct Stay {
    /// The sandbox.
    pub live: LiveSandbox,
    sandbox: Sandbox,
    _state: tempfile::TempDir,
}

impl Stay {
    pub async fn begin(name: &str, uid_base: u32) -> Option<Stay> {
        Stay::begin_with(name, uid_base, "", request()).await
    }

    /// The same with `more` of a configuration, and what is asked for.
    pub async fn begin_with(
        name: &str,
        uid_base: u32,
        more: &str,
        request: JobRequest,
    ) -> Option<Stay> {
        let state = tempfile::tempdir().unwrap();
        let host = Host::of_any_engine(state.path(), name, uid_base, more).await?;
        let sandbox = host.sandbox(|engine| engine);
        let job = sandbox.admit(request);
        let live = LiveSandbox::open(&sandbox, &job.unwrap()).await.unwrap();
        Some(Stay {
            live,
            sandbox,
            _state: state,
        })
    }

    pub async fn end(self) {
        self.live.close().await;
        assert!(!self.live.is_alive());
        self.sandbox.close(Duration::from_secs(10)).await;
    }

    async fn script(&self, text: &str) -> ProcessId {
        self.live.start(spec(&["bash", "-c", text])).await.unwrap()
    }

    /// All that a process writes, and how it ends.
    pub async fn whole(&self, process: ProcessId) -> (String, String, ProcessReport) {
        let mut output = self.live.follow(process, 0).await.unwrap();
        let (mut out, mut err) = (Vec::new(), Vec::new());
        while let Some(piece) = timeout(PATIENCE, output.next()).await.unwrap().unwrap() {
            match piece.kind {
                OutputKind::Stdout | OutputKind::Terminal => out.extend(piece.data),
                OutputKind::Stderr => err.extend(piece.data),
                _ => panic!("no interpreter was asked for"),
            }
        }
        let report = timeout(PATIENCE, self.live.wait(process)).await.unwrap();
        let text = |bytes| String::from_utf8(bytes).unwrap();
        (text(out), text(err), report.unwrap())
    }

    /// The same of a script of root's.
    pub async fn run_as_root(&self, text: &str) -> (String, String, ProcessReport) {
        let root = ProcessSpec {
            user: ProcessUser::Root,
            ..spec(&["bash", "-c", text])
        };
        let process = self.live.start(root).await.unwrap();
        self.whole(process).await
    }

    pub async fn run(&self, text: &str) -> (String, String, ProcessReport) {
        let process = self.script(text).await;
        self.whole(process).await
    }
}

/// A bash VM for many processes.
pub fn request() -> JobRequest {
    JobRequest {
        language: "bash".into(),
        code: "true".into(),
        limits: RequestedLimits {
            pids: Some(256),
            ..RequestedLimits::default()
        },
        ..JobRequest::default()
    }
}

pub fn spec(argv: &[&str]) -> ProcessSpec {
    ProcessSpec {
        argv: argv.iter().map(|word| (*word).to_owned()).collect(),
        env: environment(named("bash"), [("MINE", "1"), ("PS1", PROMPT)].into_iter()),
        cwd: WORK_DIR.to_owned(),
        user: ProcessUser::Sandbox,
        stdin: Stdin::Empty,
        orders: Orders::None,
        terminal: None,
        kept_bytes: DEFAULT_KEPT_BYTES,
        limits: ProcessLimits {
            wall_millis: 0,
            cpu_seconds: 0,
            memory_bytes: 0,
            pids: 64,
            file_size_bytes: 64 << 20,
            open_files: 256,
        },
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn processes_print_read_end_and_are_told_apart() {
    let Some(stay) = Stay::begin("live", 43000).await else {
        return;
    };
    for (text, out, err, code) in [
        ("echo out; echo err >&2; exit 3", "out\n", "err\n", Some(3)),
        ("pwd; echo $MINE; id -u", "/work\n1\n10000\n", "", Some(0)),
        ("cat; echo end", "end\n", "", Some(0)),
        ("kill -TERM $$", "", "", None),
        ("echo a; exec >&-; exit 1", "a\n", "", Some(1)),
        ("tty", "not a tty\n", "", Some(1)),
    ] {
        let (seen_out, seen_err, report) = stay.run(text).await;
        assert_eq!((seen_out.as_str(), seen_err.as_str()), (out, err), "{text}");
        assert_eq!(report.exit_code, code, "{text}: {report:?}");
    }
    // Files and processes of one are there for another.
    stay.run("echo kept > file; sleep 300 & echo $! > pid")
        .await;
    let (out, ..) = stay.run("cat file; ps -o comm= -p $(cat pid)").await;
    assert_eq!(out, "kept\nsleep\n");
    for (argv, expected) in [
        (&["/no/such"][..], NoProgram::Absent),
        (&["nosuch"], NoProgram::Absent),
        (&["/etc"], NoProgram::Forbidden),
        (&["/etc/passwd"], NoProgram::Forbidden),
    ] {
        let LiveError::NoProgram { program, why } = stay.live.start(spec(argv)).await.unwrap_err()
        else {
            panic!("{argv:?}");
        };
        assert_eq!((program.as_str(), why), (argv[0], expected));
    }
    let elsewhere = ProcessSpec {
        cwd: "/nowhere".into(),
        ..spec(&["pwd"])
    };
    assert!(stay.live.start(elsewhere).await.is_err());
    stay.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn input_signals_limits_and_terminals() {
    let Some(stay) = Stay::begin("live-input", 43050).await else {
        return;
    };
    let live = &stay.live;
    let open = |argv| ProcessSpec {
        stdin: Stdin::Open,
        ..spec(argv)
    };
    let cat = live.start(open(&["cat"])).await.unwrap();
    let large = vec![b'x'; 300_000];
    live.write(cat, &large).await.unwrap();
    live.close_stdin(cat).await.unwrap();
    let (out, _, report) = stay.whole(cat).await;
    assert_eq!((out.len(), report.exit_code), (large.len(), Some(0)));
    assert!(matches!(
        live.write(cat, b"x").await,
        Err(LiveError::StdinClosed)
    ));

    let sleeping = stay
        .script("trap 'echo caught; exit 5' INT; sleep 1000 & echo ready; wait")
        .await;
    let mut output = live.follow(sleeping, 0).await.unwrap();
    assert_eq!(output.next().await.unwrap().unwrap().data, b"ready\n");
    live.signal(sleeping, libc::SIGINT, SignalTarget::Group)
        .await
        .unwrap();
    let (out, _, report) = stay.whole(sleeping).await;
    assert_eq!(
        (out.as_str(), report.exit_code),
        ("ready\ncaught\n", Some(5))
    );

    let limited = ProcessSpec {
        limits: ProcessLimits {
            wall_millis: 300,
            ..spec(&[]).limits
        },
        ..spec(&["bash", "-c", "sleep 100 & sleep 100"])
    };
    let limited = live.start(limited).await.unwrap();
    let report = live.wait(limited).await.unwrap();
    let wall = Ending::Limit {
        limit: LimitName::WallTime,
        value: 300,
    };
    assert_eq!(report.ending, wall);

    let hog = ProcessSpec {
        limits: ProcessLimits {
            memory_bytes: 32 << 20,
            ..spec(&[]).limits
        },
        ..spec(&["bash", "-c", "a=x; while :; do a=$a$a; done"])
    };
    let hog = live.start(hog).await.unwrap();
    let report = live.wait(hog).await.unwrap();
    assert!(
        matches!(
            report.ending,
            Ending::Limit {
                limit: LimitName::Memory,
                ..
            }
        ),
        "{report:?}"
    );

    let size = |rows, columns| TerminalSize { rows, columns };
    let terminal = ProcessSpec {
        terminal: Some(size(30, 100)),
        ..open(&["bash", "--norc", "-i"])
    };
    let terminal = live.start(terminal).await.unwrap();
    live.write(terminal, b"tty; stty size\n").await.unwrap();
    expect(&stay, terminal, &["30 100", PROMPT]).await;
    live.resize(terminal, size(40, 120)).await.unwrap();
    live.write(
        terminal,
        b"stty size; sh -c 'echo sleeps $((6*6)); exec sleep 100'\n",
    )
    .await
    .unwrap();
    expect(&stay, terminal, &["40 120", "sleeps 36"]).await;
    live.write(terminal, b"\x03").await.unwrap();
    expect(&stay, terminal, &["^C", PROMPT]).await;
    live.write(terminal, b"echo $((6*7)); exit 4\n")
        .await
        .unwrap();
    let (out, _, report) = stay.whole(terminal).await;
    assert!(
        out.contains("/dev/pts/") && out.contains("\r\n42\r\n"),
        "{out}"
    );
    assert_eq!(report.exit_code, Some(4));
    assert!(matches!(
        live.resize(cat, size(1, 1)).await,
        Err(LiveError::NoTerminal)
    ));
    stay.end().await;
}

/// Waits until a terminal has shown these, one after the other.
async fn expect(stay: &Stay, process: ProcessId, texts: &[&str]) {
    let mut output = stay.live.follow(process, 0).await.unwrap();
    let (mut seen, mut from) = (String::new(), 0);
    for text in texts {
        while !seen[from..].contains(text) {
            let piece = timeout(PATIENCE, output.next()).await;
            let Ok(Ok(Some(piece))) = piece else {
                panic!("no {text} in {seen}: {piece:?}");
            };
            seen += &String::from_utf8_lossy(&piece.data);
        }
        from += seen[from..].find(text).unwrap() + text.len();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hundred_processes_print_a_mebibyte_each() {
    let Some(stay) = Stay::begin("live-many", 43150).await else {
        return;
    };
    let before = own_rss_bytes();
    let begun = Instant::now();
    let mut printing = JoinSet::new();
    for number in 0..100u32 {
        let live = stay.live.clone();
        printing.spawn(async move {
            let text = format!("seq -f '%06.0f {number:056}' 0 16383");
            let process = live.start(spec(&["bash", "-c", &text])).await.unwrap();
            let mut output = live.follow(process, 0).await.unwrap();
            let mut line = 0u32;
            let mut held = Vec::new();
            while let Some(piece) = output.next().await.unwrap() {
                held.extend(piece.data);
                let whole = held.len() / 64 * 64;
                for text in held.drain(..whole).as_slice().chunks(64) {
                    assert_eq!(text, format!("{line:06} {number:056}\n").as_bytes());
                    line += 1;
                }
            }
            let report = live.wait(process).await.unwrap();
            assert_eq!(line as usize * 64, MANY_BYTES, "{report:?}");
            own_rss_bytes()
        });
    }
    let highest = printing.join_all().await.into_iter().max().unwrap_or(0);
    let grown = highest.saturating_sub(before) >> 20;
    println!(
        "100 MiB in {:.1} s, {grown} MiB more",
        begun.elapsed().as_secs_f64()
    );
    assert!(grown < 64, "{grown} MiB");
    stay.end().await;
}

fn own_rss_bytes() -> u64 {
    let statm = std::fs::read_to_string("/proc/self/statm").unwrap();
    let pages: u64 = statm.split(' ').nth(1).unwrap().parse().unwrap();
    pages * 4096
}

#[tokio::test(flavor = "multi_thread")]
async fn who_comes_back_reads_on_from_an_offset() {
    let Some(stay) = Stay::begin("live-back", 43200).await else {
        return;
    };
    let live = &stay.live;
    let process = stay
        .script("for i in {1..200000}; do echo line $i; done; echo err >&2")
        .await;
    let report = timeout(PATIENCE, live.wait(process))
        .await
        .unwrap()
        .unwrap();
    let written: usize = (1..=200_000).map(|i| format!("line {i}\n").len()).sum();
    assert_eq!(report.written_bytes as usize, written + 4);
    let mut output = live.follow(process, 0).await.unwrap();
    let kept = report.written_bytes - output.from();
    assert!(output.from() > 0 && kept <= DEFAULT_KEPT_BYTES && kept > DEFAULT_KEPT_BYTES / 2);
    let first = output.next().await.unwrap().unwrap();
    assert_eq!(first.offset, output.from());
    let mut again = live.follow(process, first.offset + 5).await.unwrap();
    assert_eq!(
        again.next().await.unwrap().unwrap().data[..20],
        first.data[5..25]
    );
    let mut last = live
        .follow(process, report.written_bytes - 4)
        .await
        .unwrap();
    let piece = last.next().await.unwrap().unwrap();
    assert_eq!(
        (piece.kind, piece.data.as_slice()),
        (OutputKind::Stderr, &b"err\n"[..])
    );
    assert_eq!(last.next().await.unwrap(), None);
    live.forget(process).await.unwrap();
    assert!(matches!(
        live.follow(process, 0).await,
        Err(LiveError::NoProcess { .. })
    ));
    stay.end().await;
}
