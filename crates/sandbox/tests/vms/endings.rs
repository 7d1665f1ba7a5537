//! How a program ends in an interpreter that was loaded before it came, as VMs of the pool have one: what it
//! prints, what it leaves in files and its exit code are the plain interpreter's.

use crate::host::Host;
use protocol::job::{JobRequest, RequestedLimits};
use protocol::result::{BootPath, JobResult, Status};
use sandbox::drive::JobIo;
use sandbox::sandbox::Sandbox;
use std::time::Duration;

/// A new Node takes ten seconds to start, emulated on a loaded host.
const TIMEOUT_SECONDS: f64 = 60.0;

/// Programs whose last acts happen after their last line.
const PYTHON: &[&str] = &[
    "print('plain')",
    "import sys; print('x'); sys.exit(3)",
    "import sys; sys.exit('words')",
    "def f():\n    return 1 / 0\nf()",
    "raise KeyboardInterrupt",
    "import os; os.makedirs('out')\nkept = open('out/kept', 'w'); kept.write('never closed')\ndef f(): pass",
    "class A:\n    def __del__(self): print('gone', self.n)\na = A(); a.n = 1\nb = A(); b.n = 2; b.me = b",
    "class A:\n    __slots__ = ()\n    def __del__(self): print('slots gone')\na = A()",
    "def g():\n    try:\n        yield 1\n    finally:\n        print('closed')\nx = g(); next(x)",
    "import weakref\nclass A: pass\na = A(); r = weakref.ref(a, lambda _: print('unreachable')); print('end')",
    "import atexit\natexit.register(print, 'one'); atexit.register(print, 'two'); print('end')",
    "import threading, time\nthreading.Thread(target=lambda: (time.sleep(0.2), print('joined'))).start(); print('end')",
    "import multiprocessing as m\ndef f(x): return x * x\nif __name__ == '__main__':\n    with m.Pool(2) as p: print(p.map(f, [1, 2, 3]))",
    "import os\nif os.fork() == 0: print('child')\nelse: os.wait(); print('parent')",
    "import sys\nclass W:\n    def write(self, s): sys.__stdout__.write(s.upper())\n    def flush(self): pass\nsys.stdout = W(); print('loud')",
    "import os, sys; print('lost'); sys.stdout.flush(); os.close(1); print('more')",
    "async def f(): pass\nf()",
    HUNG,
    "import inspect, sys, traceback; print(len(inspect.stack()), sys._getframe().f_back, sys.path, sys.argv, __file__); traceback.print_stack()",
];

/// In an image whose libraries wait loaded, too: they are not walked through where nobody sees what goes.
const DATA: &[&str] = &[
    "import os; os.mkdir('out')\nimport matplotlib.pyplot as plt\nfigure, axes = plt.subplots(); axes.plot([1, 3, 2]); figure.savefig('out/plot.png'); print('drawn')",
    "import pandas as pd\nclass F(pd.DataFrame):\n    def __del__(self): print('frame gone')\nf = F({'a': [1]}); f.attrs['me'] = f",
    "import numpy, atexit; atexit.register(lambda: print(numpy.arange(3))); print(numpy.random.default_rng(1).integers(9))",
    HUNG,
];
/// A cycle that hangs on what was loaded before.
const HUNG: &str = "import argparse\nclass A:\n    def __del__(self): print('hung gone')\na = A(); a.me = a; argparse.Action.hook = a; del a";

const NODE: &[&str] = &[
    "console.log('plain')",
    "process.exitCode = 4; console.log('x')",
    "process.exit(3)",
    "throw new TypeError('no')",
    "Promise.reject(new Error('never caught'))",
    "process.on('exit', (code) => { console.log('exit', code); process.exitCode = 5 })",
    "process.on('beforeExit', () => console.log('before')); console.log('end')",
    "setTimeout(() => console.log('later'), 100); console.log('now')",
    "require('fs').mkdirSync('out'); require('fs').createWriteStream('out/kept').write('never ended'.repeat(9999))",
    "const { Worker } = require('worker_threads'); new Worker('console.log(1)', { eval: true }).on('exit', (c) => console.log('worker', c))",
    // As much as a pipe holds: of more, Node loses what nobody has read when it exits, more or less of it.
    "process.stdout.write('x'.repeat(65536)); process.exit(0)",
    "console.log(process.argv.length, __filename, module.paths[0], new Error('x').stack.split('\\n').length)",
];

const BASH: &[&str] = &[
    "echo plain \"$_\" \"$0\" $# \"$-\" $? $LINENO \"${BASH_SOURCE[@]}\" $SHLVL $BASH_SUBSHELL $((SECONDS < 5)) $REPLY",
    "env | sort; set -o; shopt; trap; alias; hash; umask; ls /proc/$$/fd",
    "exit 3",
    "no_such_command",
    "if then",
    "trap 'echo bye' EXIT; kill -TERM $$",
    "f() { caller 0; return 7; }; f",
    "bash -c 'echo \"$BASH_ENV\" $SHLVL'; (exit 4)",
    "set -eu; echo \"$UNSET\"",
];

#[tokio::test]
async fn programs_end_in_a_loaded_interpreter_as_in_a_new_one() {
    let state = tempfile::tempdir().unwrap();
    for (language, sources) in [
        ("bash", BASH),
        ("python", PYTHON),
        ("python@python-data", DATA),
        ("node", NODE),
    ] {
        let pool = format!("[pool.\"{language}\"]\nmin = 1\nmax = 1\n");
        let host = Host::of_any_engine(state.path(), "endings", 42500, &pool).await;
        let image = language.rsplit('@').next().unwrap_or(language);
        let (Some(host), true) = (host, Host::has(image)) else {
            continue;
        };
        let sandbox = host.sandbox(|engine| engine);
        sandbox.supply().start_pool();
        for source in sources {
            let loaded = run(&sandbox, language, source, Interpreter::Loaded).await;
            let new = run(&sandbox, language, source, Interpreter::New).await;
            assert!(loaded.timings.zygote, "{source}: {loaded:?}");
            assert_eq!(loaded.timings.path, Some(BootPath::Pool), "{source}");
            assert!(!new.timings.zygote, "{source}: {new:?}");
            assert_eq!(end_of(&loaded), end_of(&new), "{source}");
        }
        sandbox.close(Duration::from_secs(10)).await;
    }
}

/// Which interpreter runs a program.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Interpreter {
    /// One that waits in a pooled VM.
    Loaded,
    New,
}

async fn run(
    sandbox: &Sandbox,
    language: &str,
    source: &str,
    interpreter: Interpreter,
) -> JobResult {
    // Any VM will do for a new interpreter; a loaded one waits in the pool's alone.
    let warm = async {
        while interpreter == Interpreter::Loaded && !sandbox.supply().pool().is_warm() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    let in_time = tokio::time::timeout(Duration::from_secs(120), warm).await;
    in_time.unwrap_or_else(|_| panic!("the pool was not filled within two minutes"));
    let request = JobRequest {
        language: language.into(),
        code: source.into(),
        fresh_interpreter: interpreter == Interpreter::New,
        collect_artifacts: true,
        limits: RequestedLimits {
            timeout_seconds: Some(TIMEOUT_SECONDS),
            ..RequestedLimits::default()
        },
        ..JobRequest::default()
    };
    let job = sandbox.admit(request).unwrap();
    sandbox.run(job, JobIo::default()).await
}

/// All that can be seen of a program's end from outside.
#[derive(Debug, PartialEq)]
struct End {
    status: Status,
    exit: (Option<i32>, Option<i32>),
    said: (String, String),
    kept: Vec<(String, Vec<u8>)>,
}

fn end_of(result: &JobResult) -> End {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let artifacts = result.artifacts.iter();
    End {
        status: result.status,
        exit: (result.exit_code, result.signal),
        said: (text(&result.stdout), text(&result.stderr)),
        kept: artifacts
            .map(|file| (file.path.clone(), file.data.0.clone()))
            .collect(),
    }
}
