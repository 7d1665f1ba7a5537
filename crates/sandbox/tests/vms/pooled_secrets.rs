//! VMs from the pool share no secret, though each has an interpreter loaded before its job came: the second of
//! one and the same template, after the warm-up used up the first; or one of a booted VM's own.

use crate::host::Host;
use protocol::job::JobRequest;
use protocol::result::{BootPath, Status};
use sandbox::drive::JobIo;
use sandbox::sandbox::Sandbox;
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;
use vmm::EngineKind;

/// Jobs a language: of clones few, for each takes seconds where all is emulated; of booted VMs as many as of
/// those that do not wait.
fn jobs(engine: EngineKind) -> usize {
    match engine {
        EngineKind::Uml => 50,
        EngineKind::Qemu | EngineKind::Firecracker => 4,
    }
}

/// Each prints lines of a name and what was drawn under it.
const DRAWS: &[(&str, &str)] = &[
    (
        "python",
        "import os, random, uuid\nprint('random', random.random())\nprint('uuid', uuid.uuid4())\nprint('urandom', os.urandom(16).hex())",
    ),
    (
        "node",
        "console.log('math', Math.random())\nconsole.log('uuid', require('crypto').randomUUID())\nconsole.log('bytes', require('crypto').randomBytes(16).toString('hex'))",
    ),
    (
        "bash",
        "echo random $RANDOM $RANDOM $RANDOM\necho srandom $SRANDOM\necho boot_id $(< /proc/sys/kernel/random/boot_id)",
    ),
];

async fn from_the_pool(sandbox: &Sandbox, language: &str, code: &str) -> String {
    let warm = async {
        while !sandbox.supply().pool().is_warm() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    let in_time = tokio::time::timeout(Duration::from_secs(120), warm).await;
    in_time.unwrap_or_else(|_| panic!("the pool was not filled within two minutes"));
    let request = JobRequest {
        language: language.into(),
        code: code.into(),
        ..JobRequest::default()
    };
    let job = sandbox.admit(request).unwrap();
    let result = sandbox.run(job, JobIo::default()).await;
    assert_eq!(result.status, Status::Ok, "{result:?}");
    assert_eq!(result.timings.path, Some(BootPath::Pool));
    assert!(
        result.timings.zygote,
        "no interpreter was loaded: {result:?}"
    );
    String::from_utf8(result.stdout).unwrap()
}

#[tokio::test]
async fn no_two_from_the_pool_draw_the_same() {
    let state = tempfile::tempdir().unwrap();
    for (language, code) in DRAWS {
        let pool = format!("[pool.{language}]\nmin = 1\nmax = 1\n");
        let Some(host) = Host::of_any_engine(state.path(), "pooled", 42400, &pool).await else {
            return;
        };
        if !Host::has(language) {
            continue;
        }
        let jobs = jobs(host.engine());
        let sandbox = host.sandbox(|engine| engine);
        sandbox.supply().start_pool();
        let mut drawn: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
        for _ in 0..jobs {
            let said = from_the_pool(&sandbox, language, code).await;
            for (name, value) in said.lines().filter_map(|line| line.split_once(' ')) {
                drawn.entry(name.into()).or_default().insert(value.into());
            }
        }
        assert_eq!(drawn.len(), 3, "{language}: {drawn:?}");
        for (name, values) in drawn {
            assert_eq!(values.len(), jobs, "{language} {name}: {values:?}");
        }
        sandbox.close(Duration::from_secs(10)).await;
    }
}
