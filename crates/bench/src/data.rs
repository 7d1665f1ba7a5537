//! What data science costs in a VM: libraries and a plot beside the same natively, and a larger image beside a small one.
//!
//! Each row has its bound. Where a program does not time itself, what is timed is whole: from the request to the result, from
//! the start of `bwrap` to its end.

use crate::compare::containers::unpack;
use crate::latency::{wait_until_settled, wrong_path};
use crate::native::{Timed, natively, request, seconds};
use crate::stats::{Summary, summary};
use crate::{BenchError, scratch};
use languages::Language;
use protocol::result::{BootPath, Status};
use sandbox::drive::JobIo;
use sandbox::sandbox::Sandbox;
use serde::Serialize;
use std::path::Path;
use std::time::{Duration, Instant};

/// The image that is measured.
pub const IMAGE: &str = "python-data";
/// The language that runs in it, by its label.
pub const LANGUAGE: &str = "python@python-data";
/// What it is held against where it is cold.
const PLAIN: &str = "python";

/// Prints how long its work took, seconds.
const PLOT: Timed = Timed {
    name: "import numpy, pandas, matplotlib; a plot as PNG",
    code: "\
import time
begun = time.perf_counter()
import numpy as np
import pandas as pd
import matplotlib.pyplot as plt
frame = pd.DataFrame({'x': np.linspace(0, 10, 200)})
frame['y'] = np.sin(frame['x']) * frame['x']
figure, axes = plt.subplots()
frame.plot(x='x', y='y', ax=axes, title='A plot')
figure.savefig('/tmp/plot.png')
assert open('/tmp/plot.png', 'rb').read(4) == b'\\x89PNG'
print(time.perf_counter() - begun)
",
};
const HELLO: &str = "print('hello')\n";
const HELLO_SAYS: &str = "hello\n";

/// A pooled job may take so many times what the same takes natively.
const MAX_TIMES: f64 = 1.2;
/// A cold job on the large image may take so much longer than one on the plain image, seconds.
const MAX_MORE_SECONDS: f64 = 0.5;

/// One measurement, and whether it is what it has to be.
#[derive(Debug, Clone, Serialize)]
pub struct Row {
    /// What was done.
    pub name: &'static str,
    /// In a VM, with the large image.
    pub in_vm: Summary,
    /// What it is held against.
    pub beside: Summary,
    /// What is bounded, for people: `1.08 ×, at most 1.20`.
    pub seen: String,
    /// Whether it holds.
    pub holds: bool,
}

/// A plot with pooled VMs, as the program times itself and whole: `sandbox` keeps some of [`LANGUAGE`]; `image` is its image's
/// file.
pub async fn pooled_plot(
    sandbox: &Sandbox,
    image: &Path,
    runs: usize,
) -> Result<[Row; 2], BenchError> {
    let folder = scratch("data")?;
    let root = unpack(image, folder.path()).await?;
    let native = natively(&root, PLOT.code)?;
    let wanted = Wanted {
        language: LANGUAGE,
        path: BootPath::Pool,
        code: PLOT.code,
    };
    let (mut own, mut whole) = (Pair::default(), Pair::default());
    // Round 0 warms caches and is not counted.
    for round in 0..=runs {
        let (vm, vm_said) = wanted.timed(sandbox).await?;
        // The pool fills again meanwhile, which would cost the other one its time.
        wait_until_settled(sandbox).await?;
        let begun = Instant::now();
        let said = native.output().await?;
        let host = begun.elapsed();
        if round > 0 {
            own.push(seconds(&PLOT, &vm_said)?, seconds(&PLOT, &said)?);
            whole.push(vm, host);
        }
    }
    Ok([
        own.at_most_times("numpy, pandas, matplotlib, a plot: pooled, as it times itself")?,
        whole.at_most_times("the same, from the request to the result")?,
    ])
}

/// Hello in VMs that are booted for it: the large image beside python's own.
pub async fn cold_hello(sandbox: &Sandbox, runs: usize) -> Result<Row, BenchError> {
    let of = |language| Wanted {
        language,
        path: BootPath::Boot,
        code: HELLO,
    };
    let mut times = Pair::default();
    for round in 0..=runs {
        let mut pair = [Duration::ZERO; 2];
        for (time, language) in pair.iter_mut().zip([LANGUAGE, PLAIN]) {
            let (whole, said) = of(language).timed(sandbox).await?;
            if said != HELLO_SAYS.as_bytes() {
                return Err(wrong_answer(
                    language,
                    String::from_utf8_lossy(&said).into(),
                ));
            }
            *time = whole;
        }
        if round > 0 {
            times.push(pair[0], pair[1]);
        }
    }
    let (in_vm, beside) = times.summaries()?;
    let more = in_vm.p50_seconds - beside.p50_seconds;
    Ok(Row {
        name: "hello, cold, beside python's own image",
        in_vm,
        beside,
        seen: format!("{more:+.3} s, at most {MAX_MORE_SECONDS:+.3}"),
        holds: more <= MAX_MORE_SECONDS,
    })
}

/// The language of [`LANGUAGE`], where its image is known.
pub fn language() -> Option<Language> {
    Language::from_label(LANGUAGE)
}

/// Times in a VM, and those that they are held against.
#[derive(Default)]
struct Pair {
    in_vm: Vec<Duration>,
    beside: Vec<Duration>,
}

impl Pair {
    fn push(&mut self, in_vm: Duration, beside: Duration) {
        self.in_vm.push(in_vm);
        self.beside.push(beside);
    }

    fn summaries(&self) -> Result<(Summary, Summary), BenchError> {
        summary(&self.in_vm)
            .zip(summary(&self.beside))
            .ok_or_else(|| wrong_answer("a measurement", "no run".into()))
    }

    fn at_most_times(&self, name: &'static str) -> Result<Row, BenchError> {
        let (in_vm, beside) = self.summaries()?;
        let times = in_vm.p50_seconds / beside.p50_seconds;
        Ok(Row {
            name,
            in_vm,
            beside,
            seen: format!("{times:.2} ×, at most {MAX_TIMES:.2}"),
            holds: times <= MAX_TIMES,
        })
    }
}

/// A job, and how its VM has to come.
struct Wanted {
    language: &'static str,
    path: BootPath,
    code: &'static str,
}

impl Wanted {
    /// How long it took, and what it printed.
    async fn timed(&self, sandbox: &Sandbox) -> Result<(Duration, Vec<u8>), BenchError> {
        wait_until_settled(sandbox).await?;
        let begun = Instant::now();
        let mut asked = request(self.code.to_owned());
        self.language.clone_into(&mut asked.language);
        let job = sandbox
            .admit(asked)
            .map_err(|rejection| wrong_answer(self.language, rejection.to_string()))?;
        let result = sandbox.run(job, JobIo::default()).await;
        let time = begun.elapsed();
        if result.status != Status::Ok {
            let seen = String::from_utf8_lossy(&result.stderr).into_owned();
            return Err(wrong_answer(self.language, seen));
        }
        match result.timings.path == Some(self.path) {
            true => Ok((time, result.stdout)),
            false => Err(wrong_path(self.path, result.timings.path)),
        }
    }
}

fn wrong_answer(what: &str, seen: String) -> BenchError {
    BenchError::WrongAnswer {
        what: what.to_owned(),
        seen,
        expected: "what the program prints".to_owned(),
    }
}
