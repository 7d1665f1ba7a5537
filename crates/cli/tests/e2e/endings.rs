//! How a program ends in an interpreter that was loaded before it came: what it prints, what it
//! leaves in files and its exit code are the plain interpreter's.

use crate::clones;
use crate::lab;
use crate::tool::Tool;
use serde_json::{Value, json};

/// A new Node takes ten seconds to start, emulated on a loaded host.
const TIMEOUT_SECONDS: &str = "60";

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
    "import inspect, sys, traceback; print(len(inspect.stack()), sys._getframe().f_back, sys.path, sys.argv, __file__); traceback.print_stack()",
];

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
    "process.stdout.write('x'.repeat(300000)); process.exit(0)",
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

#[test]
fn programs_end_in_a_loaded_interpreter_as_in_a_new_one() {
    if !clones::are_possible() {
        return;
    }
    let languages = [
        ("bash", "sh", BASH),
        ("python", "py", PYTHON),
        ("node", "js", NODE),
    ];
    for (language, extension, sources) in languages {
        if !lab::lab().has(language) {
            continue;
        }
        for source in sources {
            let loaded = end_of(extension, source, &[]);
            let new = end_of(extension, source, &["--fresh-interpreter"]);
            assert_eq!(loaded["zygote"], true, "{source}");
            assert_eq!(new["zygote"], false, "{source}");
            assert_eq!(loaded["end"], new["end"], "{source}");
        }
    }
}

/// All that can be seen of a program's end from outside.
fn end_of(extension: &str, source: &str, args: &[&str]) -> Value {
    let folder = tempfile::tempdir().unwrap();
    let output = folder.path().join("saved");
    let done = Tool::run(extension, source)
        .args(["--json", "--output", output.to_str().unwrap()])
        .args(["--timeout", TIMEOUT_SECONDS])
        .args(args)
        .go();
    let result = done.json();
    let kept = std::fs::read_to_string(output.join("kept")).unwrap_or_default();
    let fields = ["status", "exit_code", "signal", "stdout", "stderr"].map(|name| &result[name]);
    json!({ "zygote": result["timings"]["zygote"], "end": [fields, [kept]] })
}
