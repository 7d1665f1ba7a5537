//! An interpreter that was loaded before its sandbox was asked for: what its context sees is what a new one's would.

use super::*;
use protocol::supervisor::ProcessId;
use std::collections::BTreeSet;
use std::path::Path;

/// What an interpreter that waits is called; a process that is started has a small number.
const WAITING: ProcessId = ProcessId::MAX - 2;
/// Where it is, what it was told, which variables there are, that the first cell is the first.
const SEEN: &str = "import os, sys
print(os.getcwd(), sys.argv, sys.path[0], sorted(os.environ.items()), len(In), [name for name in dir() if name[0] != '_'])";
const DRAWN: &str = "import os, random, uuid, tempfile
print(random.random(), uuid.uuid4(), os.urandom(8).hex(), next(tempfile._get_candidate_names()))";

/// A sandbox of this name and first uid, whose pool has so many waiting.
async fn with_pool(state: &Path, (name, uid_base): (&str, u32), waiting: usize) -> Option<Sandbox> {
    let pool =
        format!("[pool.python]\nmin = {waiting}\nmax = {waiting}\nready_for = \"sandboxes\"\n");
    let host = Host::of_any_engine(state, name, uid_base, &pool).await?;
    if !Host::has("python") {
        return None;
    }
    let sandbox = host.sandbox(|engine| engine);
    sandbox.supply().start_pool();
    Some(sandbox)
}

async fn pooled(sandbox: &Sandbox) -> Contexts {
    let warm = async {
        while !sandbox.supply().pool().is_warm() {
            sleep(Duration::from_millis(10)).await;
        }
    };
    timeout(PATIENCE, warm).await.unwrap();
    Contexts::new(open(sandbox, named("python")).await)
}

async fn first(contexts: &Contexts, spec: ContextSpec, code: &str) -> (Option<ProcessId>, Told) {
    let id = contexts.create(spec).unwrap().id;
    let mut told = Told::default();
    let mut accepted = contexts.execute(id, cell(code)).unwrap();
    while !{
        let (_, event) = timeout(PATIENCE, accepted.events.next())
            .await
            .unwrap()
            .unwrap();
        told.take(accepted.cell, &event)
    } {}
    (contexts.get(id).unwrap().process, told)
}

#[tokio::test(flavor = "multi_thread")]
async fn the_first_context_is_an_interpreter_that_waits() {
    let state = tempfile::tempdir().unwrap();
    let Some(sandbox) = with_pool(state.path(), ("contexts-waiting", 43680), 1).await else {
        return;
    };
    let own = |env: &[(&str, &str)], cwd: &str| ContextSpec {
        env: env
            .iter()
            .map(|(name, value)| ((*name).into(), (*value).into()))
            .collect(),
        cwd: cwd.into(),
        ..spec(named("python"))
    };
    // Variables that Python reads when it starts are for a new one.
    for (env, cwd, waits) in [
        (&[][..], WORK_DIR, true),
        (&[("A", "1"), ("HOME", "/tmp")], "/tmp", true),
        (&[("PYTHONUTF8", "0")], WORK_DIR, false),
    ] {
        let contexts = pooled(&sandbox).await;
        let (process, seen) = first(&contexts, own(env, cwd), SEEN).await;
        assert_eq!(process == Some(WAITING), waits, "{env:?}: {process:?}");
        let (process, again) = first(&contexts, own(env, cwd), SEEN).await;
        assert!(
            process < Some(WAITING),
            "one waits for one context: {process:?}"
        );
        assert_eq!(seen.stdout, again.stdout, "{env:?}: {seen:?}");
    }
    let contexts = pooled(&sandbox).await;
    let (process, seen) = first(&contexts, own(&[], "/nowhere"), SEEN).await;
    assert_eq!(process, None);
    assert!(
        matches!(seen.end.lost, Some(Lost::NotStarted(_))),
        "{seen:?}"
    );
    sandbox.close(Duration::from_secs(10)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn no_two_that_waited_draw_the_same() {
    let state = tempfile::tempdir().unwrap();
    let Some(sandbox) = with_pool(state.path(), ("contexts-drawn", 43690), 2).await else {
        return;
    };
    let mut drawn = BTreeSet::new();
    const SANDBOXES: usize = 6;
    for _ in 0..SANDBOXES {
        let contexts = pooled(&sandbox).await;
        let (process, told) = first(&contexts, spec(named("python")), DRAWN).await;
        assert_eq!(process, Some(WAITING));
        assert_eq!(told.stdout.split_whitespace().count(), 4, "{told:?}");
        drawn.extend(told.stdout.split_whitespace().map(str::to_owned));
    }
    assert_eq!(drawn.len(), 4 * SANDBOXES, "{drawn:?}");
    sandbox.close(Duration::from_secs(10)).await;
}
