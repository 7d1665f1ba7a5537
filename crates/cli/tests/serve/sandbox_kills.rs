//! kill -9 of the service, a VMM or a process at each step of a sandbox's life: whoever waits hears one clear end, nothing
//! is left on the host, and the sandbox beside it lives on.

use crate::engines::ENGINES;
use crate::lab::{self, PLACE};
use crate::leftovers::{NO_STANDBY, leftovers};
use crate::service::{Service, until};
use futures_util::StreamExt as _;
use reqwest::{Body, Response};
use rustix::process::{Pid, Signal, kill_process};
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::time::Duration;
use tokio::task::JoinHandle;
use tokio::time::timeout;

/// An end that comes of a kill, on a loaded host.
const PATIENCE: Duration = Duration::from_secs(60);
const SANDBOXES: &str = "/api/v1/sandboxes";

/// How far the sandbox is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Step {
    /// Its VM is on its way.
    Opening,
    /// It is there, and nobody asks for anything.
    Open,
    /// The output of a process is followed.
    Running,
    /// A file is on its way in.
    Writing,
    /// A folder is watched.
    Watching,
    /// It is being ended.
    Closing,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Victim {
    Service,
    Vmm,
    Process,
}

/// What who waited at a step heard in the end.
#[derive(Debug, Clone, PartialEq)]
enum Heard {
    /// No answer, or one that breaks off.
    Cut,
    /// This status and code; no code where the answer is a success.
    Answer(u16, Option<String>),
    /// The last event's name, and its code or signal.
    Event(String, Value),
}

fn answer(status: u16, code: &str) -> Heard {
    Heard::Answer(status, Some(code.to_owned()))
}

fn event(name: &str, about: impl Into<Value>) -> Heard {
    Heard::Event(name.to_owned(), about.into())
}

/// What may be heard, for each step and victim.
fn table() -> Vec<(Step, Victim, Vec<Heard>)> {
    let gone = || event("error", "sandbox_not_found");
    let not_there = || answer(404, "sandbox_not_found");
    vec![
        (
            Step::Opening,
            Victim::Vmm,
            vec![answer(500, "vm_start_failed"), answer(500, "vm_died")],
        ),
        (Step::Open, Victim::Vmm, vec![not_there()]),
        (Step::Running, Victim::Vmm, vec![gone()]),
        (Step::Running, Victim::Process, vec![event("exit", 9)]),
        (Step::Writing, Victim::Vmm, vec![not_there()]),
        (Step::Watching, Victim::Vmm, vec![gone()]),
        (
            Step::Closing,
            Victim::Vmm,
            vec![Heard::Answer(204, None), not_there()],
        ),
        (Step::Opening, Victim::Service, vec![Heard::Cut]),
        (Step::Open, Victim::Service, vec![Heard::Cut]),
        (Step::Running, Victim::Service, vec![Heard::Cut]),
        (Step::Writing, Victim::Service, vec![Heard::Cut]),
        (Step::Watching, Victim::Service, vec![Heard::Cut]),
        (
            Step::Closing,
            Victim::Service,
            vec![Heard::Cut, Heard::Answer(204, None)],
        ),
    ]
}

/// VMMs that there are now.
fn vmms() -> BTreeSet<i32> {
    let is_vmm = |pid: &Pid| {
        let name = std::fs::read_to_string(format!("/proc/{}/comm", pid.as_raw_nonzero()));
        let name = name.unwrap_or_default();
        let mut engines = ENGINES.iter().flat_map(|engine| engine.vmm);
        engines.any(|vmm| name.trim_end().starts_with(vmm))
    };
    let processes = PLACE.vm_processes(&lab::state_dir()).into_iter();
    let pids = processes.map(|(pid, _)| pid).filter(is_vmm);
    pids.map(|pid| pid.as_raw_nonzero().get()).collect()
}

/// A sandbox at some step of its life.
struct At {
    /// Of it, once it is open.
    path: Option<String>,
    /// A process of it that runs.
    process: Option<String>,
    waiting: Option<JoinHandle<Heard>>,
}

async fn open(service: &Service) -> String {
    let body = json!({"language": "bash", "timeout": 600});
    let made = service.post(SANDBOXES, &body).send().await.unwrap();
    assert_eq!(made.status(), 201);
    let made: Value = made.json().await.unwrap();
    format!("{SANDBOXES}/{}", made["id"].as_str().unwrap())
}

async fn heard(answer: reqwest::Result<Response>) -> Heard {
    let Ok(answer) = answer else {
        return Heard::Cut;
    };
    let status = answer.status().as_u16();
    match answer.text().await {
        Ok(text) => {
            let body: Value = serde_json::from_str(&text).unwrap_or_default();
            Heard::Answer(status, body["code"].as_str().map(str::to_owned))
        }
        Err(_) => Heard::Cut,
    }
}

/// The last event of a stream, which must be an end.
async fn last(answer: Response, before: Vec<u8>) -> Heard {
    let (mut text, mut pieces) = (before, answer.bytes_stream());
    while let Some(piece) = pieces.next().await {
        match piece {
            Ok(piece) => text.extend_from_slice(&piece),
            Err(_) => return Heard::Cut,
        }
    }
    let text = String::from_utf8_lossy(&text);
    let last: Value = serde_json::from_str(text.lines().last().unwrap_or_default()).unwrap();
    match last["event"].as_str() {
        Some("error") => event("error", last["code"].clone()),
        Some("exit") => event("exit", last["signal"].clone()),
        _ => Heard::Cut,
    }
}

/// Follows a stream of lines, once its first line is there.
async fn follow(request: reqwest::RequestBuilder) -> JoinHandle<Heard> {
    let request = request.header("accept", "application/x-ndjson");
    let mut answer = request.send().await.unwrap();
    assert_eq!(answer.status(), 200);
    let mut first = Vec::new();
    while !first.contains(&b'\n') {
        first.extend(answer.chunk().await.unwrap().unwrap());
    }
    tokio::spawn(last(answer, first))
}

async fn reach(service: &Service, step: Step) -> At {
    let url = |path: &str| format!("{}{path}", service.base);
    if step == Step::Opening {
        let before = vmms();
        let request = service.post(SANDBOXES, &json!({"language": "bash"}));
        let waiting = tokio::spawn(async move { heard(request.send().await).await });
        until("its VMM is there", async || vmms() != before).await;
        return At {
            path: None,
            process: None,
            waiting: Some(waiting),
        };
    }
    let path = open(service).await;
    let mut process = None;
    let waiting = match step {
        Step::Opening | Step::Open => None,
        Step::Running => {
            let body = json!({"cmd": "echo up; sleep 1000", "background": false});
            let waiting = follow(service.post(&format!("{path}/processes"), &body)).await;
            process = Some(format!("{path}/processes/1"));
            Some(waiting)
        }
        Step::Writing => {
            let pieces =
                futures_util::stream::repeat_with(|| Ok::<_, std::io::Error>(vec![0u8; 1000]))
                    .then(async |piece| {
                        tokio::time::sleep(Duration::from_millis(10)).await;
                        piece
                    });
            let put = service
                .client
                .put(url(&format!("{path}/files?path=/work/x")));
            let put = put.body(Body::wrap_stream(Box::pin(pieces)));
            let waiting = tokio::spawn(async move { heard(put.send().await).await });
            tokio::time::sleep(Duration::from_millis(500)).await;
            Some(waiting)
        }
        Step::Watching => {
            let watch = service
                .client
                .get(url(&format!("{path}/files/watch?path=/work")));
            Some(follow(watch).await)
        }
        Step::Closing => {
            let delete = service.client.delete(url(&path));
            Some(tokio::spawn(
                async move { heard(delete.send().await).await },
            ))
        }
    };
    At {
        path: Some(path),
        process,
        waiting,
    }
}

/// What the waiting client hears; where there is none, the next one.
async fn end_of(service: &Service, at: At) -> Heard {
    match at.waiting {
        Some(waiting) => timeout(PATIENCE, waiting).await.unwrap().unwrap(),
        None => {
            let path = at.path.unwrap_or_default();
            let ask = || service.client.get(format!("{}{path}", service.base)).send();
            // The host looks twice a second.
            let looked = timeout(PATIENCE, async {
                loop {
                    match heard(ask().await).await {
                        Heard::Answer(200, _) => {
                            tokio::time::sleep(Duration::from_millis(50)).await
                        }
                        other => return other,
                    }
                }
            });
            looked.await.unwrap()
        }
    }
}

async fn works(service: &Service, path: &str) {
    let body = json!({"cmd": "echo $((6 * 7))", "background": false});
    let run = service.post(&format!("{path}/processes"), &body);
    let run = run
        .header("accept", "application/x-ndjson")
        .send()
        .await
        .unwrap();
    let text = timeout(PATIENCE, run.text()).await.unwrap().unwrap();
    assert!(
        text.contains("42\\n") && text.contains("\"exit_code\":0"),
        "{text}"
    );
}

async fn kill(service: &Service, victim: Victim, (at, before): (&At, &BTreeSet<i32>)) {
    let by_number = |pid: i32| {
        // One that ended meanwhile is as good as killed.
        let _ = kill_process(Pid::from_raw(pid).unwrap(), Signal::KILL);
    };
    match victim {
        Victim::Service => service.signal(Signal::KILL),
        Victim::Vmm => vmms().difference(before).copied().for_each(by_number),
        Victim::Process => {
            let process = at.process.as_deref().unwrap();
            let body = json!({"signal": "SIGKILL"});
            let sent = service
                .post(&format!("{process}/signal"), &body)
                .send()
                .await;
            assert_eq!(sent.unwrap().status(), 204);
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_vmm_or_a_process_that_is_killed_at_any_step_ends_its_own_and_nothing_else() {
    let _alone = lab::alone().await;
    if !lab::can_run("bash") {
        return;
    }
    let service = Service::start("sandbox-kills", NO_STANDBY);
    let neighbour = open(&service).await;
    let (alone, left) = (vmms(), leftovers());
    for (step, victim, expected) in table() {
        if victim == Victim::Service {
            continue;
        }
        let at = reach(&service, step).await;
        kill(&service, victim, (&at, &alone)).await;
        let path = at.path.clone();
        let heard = end_of(&service, at).await;
        assert!(expected.contains(&heard), "{step:?} {victim:?}: {heard:?}");
        println!("{step:?} {victim:?}: {heard:?}");
        if let (Victim::Process, Some(path)) = (victim, path) {
            works(&service, &path).await;
            let delete = service.client.delete(format!("{}{path}", service.base));
            assert_eq!(delete.send().await.unwrap().status(), 204);
        }
        // Neither its processes nor its folder; the neighbour's are as they were.
        until("nothing of it is left", async || {
            leftovers().len() <= left.len()
        })
        .await;
        let list = service.json(SANDBOXES).await;
        assert_eq!(list.as_array().unwrap().len(), 1, "{step:?}: {list}");
        works(&service, &neighbour).await;
    }
    service.stop();
    assert_eq!(leftovers(), Vec::<String>::new());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_service_that_is_killed_at_any_step_leaves_nothing_that_the_next_does_not_remove() {
    let _alone = lab::alone().await;
    if !lab::can_run("bash") {
        return;
    }
    for (step, victim, expected) in table() {
        if victim != Victim::Service {
            continue;
        }
        let service = Service::start("sandbox-kills", NO_STANDBY);
        let before = vmms();
        let at = reach(&service, step).await;
        kill(&service, victim, (&at, &before)).await;
        let heard = end_of(&service, at).await;
        assert!(expected.contains(&heard), "{step:?} {victim:?}: {heard:?}");
        println!("{step:?} {victim:?}: {heard:?}");
        let (status, _) = service.wait();
        assert!(!status.success());
        let service = Service::start("sandbox-kills", NO_STANDBY);
        assert_eq!(leftovers(), Vec::<String>::new(), "{step:?}");
        assert_eq!(service.json(SANDBOXES).await, json!([]));
        let path = open(&service).await;
        works(&service, &path).await;
        service.stop();
    }
}
