//! What is being waited for, where that takes longer than a second and a person watches: one line on standard error, and
//! nothing of it stays.

use crate::terminal::has_colours;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use sandbox::step;
use std::fmt::{Debug, Write as _};
use std::io::IsTerminal as _;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;
use tracing::field::{Field, Visit};
use tracing::{Event, Metadata, Subscriber};
use tracing_subscriber::layer::{Context, Layer};

/// What comes sooner needs no word.
const SOON: Duration = Duration::from_secs(1);
const TICK: Duration = Duration::from_millis(100);

/// The line of this process, while there is one.
static LINE: Mutex<Option<ProgressBar>> = Mutex::new(None);

fn line() -> MutexGuard<'static, Option<ProgressBar>> {
    LINE.lock().unwrap_or_else(PoisonError::into_inner)
}

/// There is a line, if it takes long, until this is dropped or the program runs.
#[must_use]
pub struct StatusLine(());

impl StatusLine {
    /// Begins to wait for this.
    pub fn begin(what: &str) -> StatusLine {
        if std::io::stderr().is_terminal() {
            let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::hidden());
            // The template is a constant; a wrong one only costs the looks.
            if let Ok(style) = ProgressStyle::with_template(match has_colours(&std::io::stderr()) {
                true => "{spinner:.cyan} {msg} {elapsed:.dim}",
                false => "{spinner} {msg} {elapsed}",
            }) {
                bar.set_style(style);
            }
            bar.set_message(what.to_owned());
            *line() = Some(bar.clone());
            thread::spawn(move || show_later(&bar));
        }
        StatusLine(())
    }
}

impl Drop for StatusLine {
    fn drop(&mut self) {
        end();
    }
}

fn show_later(bar: &ProgressBar) {
    thread::sleep(SOON);
    // Held, so that nobody ends it meanwhile.
    let line = line();
    if line.is_some() && !bar.is_finished() {
        bar.set_draw_target(ProgressDrawTarget::stderr());
        bar.enable_steady_tick(TICK);
    }
}

/// Takes the line away.
pub fn end() {
    if let Some(bar) = line().take() {
        bar.finish_and_clear();
    }
}

/// Writes something else to standard error, with the line out of its way.
pub fn aside(write: impl FnOnce()) {
    match line().as_ref() {
        Some(bar) => bar.suspend(write),
        None => write(),
    }
}

/// Puts into the line what is waited for now, as a job's way tells it.
pub struct Steps;

impl<S: Subscriber> Layer<S> for Steps {
    fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
        if event.metadata().target() == step::PROGRAM_RUNS {
            return end();
        }
        let mut said = Said::default();
        event.record(&mut said);
        if let Some(bar) = line().as_ref() {
            bar.set_message(said.0);
        }
    }
}

/// Whether an event tells of a step.
pub fn is_step(metadata: &Metadata<'_>) -> bool {
    [step::TARGET, step::PROGRAM_RUNS].contains(&metadata.target())
}

#[derive(Default)]
struct Said(String);

impl Visit for Said {
    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        if field.name() == "message" {
            // To a string it cannot fail.
            let _ = write!(self.0, "{value:?}");
        }
    }
}
