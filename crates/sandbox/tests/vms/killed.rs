//! Jobs through the pool while VMMs are killed at random: each has its own right answer or one clear error,
//! none is lost, none runs twice, and nothing stays on the host.

use crate::host::{Host, UID_COUNT};
use protocol::error_code::ErrorCode;
use protocol::event::{Event, EventType};
use protocol::job::JobRequest;
use protocol::result::{BootPath, JobResult, Status};
use rustix::process::{Pid, Signal, kill_process};
use sandbox::drive::JobIo;
use sandbox::events::{EventSink, Recorded};
use sandbox::sandbox::Sandbox;
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::task::JoinSet;
use vmm::EngineKind;

/// VMMs of this test alone have these uids.
const UIDS: std::ops::Range<u32> = 42_100..42_100 + UID_COUNT;
const AT_ONCE: usize = 4;
const SEED: u64 = 0x5eed_0005;
/// Between two kills, milliseconds: at least, and so much more at most.
const PAUSE: (u64, u64) = (100, 1500);
/// The job reads its number from an input that is there once: a second run would find none.
const PROGRAM: &str = "read -r n; echo \"$n $((n * n + 7))\"";

/// How many jobs; fewer can be asked for where VMs are slow.
fn jobs() -> usize {
    let named = std::env::var("LLM_FIRECRACKER_JOBS").ok();
    named.map_or(200, |text| text.parse().unwrap())
}

/// Starts and ends of each job.
#[derive(Default)]
struct Told(Mutex<BTreeMap<String, (usize, usize)>>);

impl EventSink for Told {
    fn record(&self, event: &Event) -> Recorded {
        let Some(trace_id) = &event.trace_id else {
            return Recorded::Everywhere;
        };
        let mut told = self.0.lock().unwrap();
        let (starts, ends) = told.entry(trace_id.to_string()).or_default();
        match event.event_type {
            EventType::VmStart => *starts += 1,
            _ => *ends += 1,
        }
        Recorded::Everywhere
    }
}

/// Processes that have one of this test's uids. Under User-Mode Linux those of the guest are among them: the
/// guest's kernel sees one that was killed as a program that a signal ended, and says so.
fn vmms() -> Vec<Pid> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir("/proc").unwrap().flatten() {
        let name = entry.file_name();
        let Some(pid) = name.to_str().and_then(|name| name.parse().ok()) else {
            continue;
        };
        // A process that ends meanwhile is none.
        let status = std::fs::read_to_string(entry.path().join("status")).unwrap_or_default();
        let uid = status.lines().find_map(|line| {
            let mut words = line.strip_prefix("Uid:")?.split_whitespace();
            words.next()?.parse::<u32>().ok()
        });
        if uid.is_some_and(|uid| UIDS.contains(&uid)) && !status.contains("State:\tZ") {
            found.extend(Pid::from_raw(pid));
        }
    }
    found
}

/// Xorshift: the same kills for the same seed, as far as the VMs are the same.
fn draw(state: &mut u64) -> u64 {
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    *state
}

async fn kill_at_random(killed: Arc<AtomicUsize>) {
    let mut state = SEED;
    loop {
        let pause = PAUSE.0 + draw(&mut state) % PAUSE.1;
        tokio::time::sleep(Duration::from_millis(pause)).await;
        let there = vmms();
        if !there.is_empty() {
            let victim = there[draw(&mut state) as usize % there.len()];
            killed.fetch_add(
                usize::from(kill_process(victim, Signal::KILL).is_ok()),
                Ordering::Relaxed,
            );
        }
    }
}

/// A job asked for while the pool is empty would be a clone's; killed VMMs leave it so for a while.
async fn until_warm(sandbox: &Sandbox) {
    let warm = async {
        while !sandbox.supply().pool().is_warm() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    let in_time = tokio::time::timeout(Duration::from_secs(60), warm).await;
    in_time.unwrap_or_else(|_| panic!("the pool was not filled within a minute"));
}

async fn run(sandbox: &Sandbox, number: usize) -> (usize, JobResult) {
    let request = JobRequest {
        language: "bash".into(),
        code: PROGRAM.into(),
        ..JobRequest::default()
    };
    let io = JobIo {
        stdin: Some(Box::new(std::io::Cursor::new(
            format!("{number}\n").into_bytes(),
        ))),
        ..JobIo::default()
    };
    (
        number,
        sandbox.run(sandbox.admit(request).unwrap(), io).await,
    )
}

#[tokio::test]
async fn jobs_of_killed_vmms_are_neither_lost_nor_run_twice() {
    let state = tempfile::tempdir().unwrap();
    let more = format!(
        "[admission]\nrunning = {AT_ONCE}\n[pool.bash]\nmin = 4\nmax = 8\nwarmed = false\n"
    );
    let Some(host) = Host::of_any_engine(state.path(), "killed", UIDS.start, &more).await else {
        return;
    };
    let told = Arc::new(Told::default());
    let sandbox = Arc::new(host.sandbox_telling(|engine| engine, vec![told.clone()]));
    // The template is made in peace.
    let (_, first) = run(&sandbox, 0).await;
    assert_eq!(first.status, Status::Ok, "{first:?}");
    sandbox.supply().start_pool();

    let jobs = jobs();
    println!("{jobs} jobs, seed {SEED:#x}");
    let killed = Arc::new(AtomicUsize::new(0));
    let killer = tokio::spawn(kill_at_random(killed.clone()));
    let next = Arc::new(AtomicUsize::new(1));
    let mut workers = JoinSet::new();
    for _ in 0..AT_ONCE {
        let (sandbox, next) = (sandbox.clone(), next.clone());
        workers.spawn(async move {
            let mut done = Vec::new();
            loop {
                match next.fetch_add(1, Ordering::Relaxed) {
                    number if number > jobs => return done,
                    number => {
                        until_warm(&sandbox).await;
                        done.push(run(&sandbox, number).await);
                    }
                }
            }
        });
    }
    let results: Vec<(usize, JobResult)> = workers.join_all().await.into_iter().flatten().collect();
    killer.abort();
    assert_eq!(results.len(), jobs);
    let mut paths: BTreeMap<String, usize> = BTreeMap::new();
    let mut died = 0;
    for (number, result) in &results {
        let answer = String::from_utf8_lossy(&result.stdout).into_owned();
        let right = format!("{number} {}\n", number * number + 7);
        match &result.failure {
            None if host.engine() == EngineKind::Uml && result.signal.is_some() => {
                died += 1;
                assert_eq!(result.status, Status::Error, "{result:?}");
                assert!(answer.is_empty() || answer == right, "{number}: {answer:?}");
            }
            None => assert_eq!((result.status, &answer), (Status::Ok, &right), "{result:?}"),
            Some(failure) => {
                died += 1;
                // Of User-Mode Linux a guest's process is one of the host's, too: the agent of a VM that lost
                // its waiting interpreter so says that it cannot go on.
                let lost_its_own =
                    host.engine() == EngineKind::Uml && failure.code == ErrorCode::AgentFailed;
                let vm_lost = matches!(failure.code, ErrorCode::VmDied | ErrorCode::VmStartFailed);
                assert!(vm_lost || lost_its_own, "{number}: {failure:?}");
                assert!(answer.is_empty() || answer == right, "{number}: {answer:?}");
            }
        }
        *paths
            .entry(format!("{:?}", result.timings.path))
            .or_default() += 1;
    }
    let told = std::mem::take(&mut *told.0.lock().unwrap());
    assert_eq!(told.len(), jobs + 1);
    for (_, result) in &results {
        // Where no VM came about there is no start, and an end all the same.
        let starts = usize::from(result.timings.path.is_some());
        let counts = told[result.trace_id.as_str()];
        assert_eq!(counts, (starts, 1), "{result:?}");
    }
    let killed = killed.load(Ordering::Relaxed);
    println!("{killed} VMMs were killed; {died} jobs died of it; ways: {paths:?}");
    assert!(killed > 0, "no VMM was killed");
    let pooled = paths.get(&format!("{:?}", Some(BootPath::Pool)));
    assert!(
        pooled.is_some_and(|pooled| *pooled > jobs / 2),
        "few jobs came from the pool: {paths:?}"
    );

    sandbox.close(Duration::from_secs(30)).await;
    assert!(vmms().is_empty(), "processes are left: {:?}", vmms());
    let left: Vec<_> = std::fs::read_dir(state.path().join("run"))
        .unwrap()
        .flatten()
        .collect();
    assert!(left.is_empty(), "run folders are left: {left:?}");
}
