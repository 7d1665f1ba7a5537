//! Progress of long work: a bar a task on a terminal, a line a step elsewhere.

pub mod status;

use images::Progress;
use indicatif::{MultiProgress, ProgressBar, ProgressDrawTarget, ProgressStyle};
use std::io::IsTerminal as _;
use std::sync::OnceLock;
use std::time::{Duration, Instant};

/// All bars of one command.
pub struct Bars {
    bars: MultiProgress,
    terminal: bool,
}

impl Bars {
    /// Bars on standard error.
    pub fn new() -> Bars {
        let terminal = std::io::stderr().is_terminal();
        let target = if terminal {
            ProgressDrawTarget::stderr()
        } else {
            ProgressDrawTarget::hidden()
        };
        Bars {
            bars: MultiProgress::with_draw_target(target),
            terminal,
        }
    }

    /// A bar for one thing that is being built.
    pub fn task(&self, name: &str) -> Task {
        let bar = self.bars.add(ProgressBar::new(0));
        // The template is a constant; a wrong one only costs the looks.
        if let Ok(style) = ProgressStyle::with_template(
            "{prefix:>8} {spinner} {bar:30} {elapsed}, some {eta} left: {msg}",
        ) {
            bar.set_style(style);
        }
        bar.set_prefix(name.to_owned());
        bar.enable_steady_tick(Duration::from_millis(200));
        Task {
            name: name.to_owned(),
            bar,
            terminal: self.terminal,
            begun: Instant::now(),
        }
    }
}

/// The progress of one thing.
pub struct Task {
    name: String,
    bar: ProgressBar,
    terminal: bool,
    begun: Instant,
}

impl Progress for Task {
    fn step(&self, name: &str, done: u64, total: Option<u64>) {
        self.bar.set_message(name.to_owned());
        self.bar.set_length(total.unwrap_or(0));
        self.bar.set_position(done);
        if !self.terminal {
            eprintln!(
                "{}: {name} ({:.1} s)",
                self.name,
                self.begun.elapsed().as_secs_f64()
            );
        }
    }
}

impl Drop for Task {
    fn drop(&mut self) {
        self.bar.finish_and_clear();
    }
}

/// The progress of one thing that may be there already: a bar on a terminal from its first step on, else nothing.
pub struct LateTask {
    name: &'static str,
    bars: Bars,
    task: OnceLock<Task>,
}

impl LateTask {
    /// Of a thing of this name.
    pub fn new(name: &'static str) -> LateTask {
        LateTask {
            name,
            bars: Bars::new(),
            task: OnceLock::new(),
        }
    }
}

impl Progress for LateTask {
    fn step(&self, name: &str, done: u64, total: Option<u64>) {
        if self.bars.terminal {
            let task = self.task.get_or_init(|| self.bars.task(self.name));
            task.step(name, done, total);
        }
    }
}
