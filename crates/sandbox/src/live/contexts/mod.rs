//! Contexts: interpreters of a sandbox that keep their variables from one cell to the next.
//!
//! ```text
//!   Contexts ── cells (bounded) ──> context: its task, its interpreter ══ orders, output ══> a process of the sandbox
//!      ^                              │
//!      └────────── Events <── log <───┘ hearing: whose output is it
//! ```
//!
//! An interpreter is a process like any other, with orders. It runs the cells of whoever may use the sandbox, so what
//! it says is believed only as far as it concerns itself: nonsense ends that interpreter, never another context.

mod answer;
mod context;
mod course;
mod event;
mod hearing;
mod held;
mod log;
mod order;

pub use answer::{Bundle, CellStream, Nonsense};
pub use event::{CellEnd, ContextEvent, Lost, Stop};
pub use hearing::{CellNumber, Heard, Hearing, Origin, RaisedError, Shown};
pub use held::HeldContexts;
pub use log::{Events, From};
pub use order::MAX_CELL_BYTES;

use super::{LiveError, LiveSandbox, Orders, ProcessId, ProcessLimits, ProcessSpec, Stdin};
use context::{Numbered, Task, Wish};
use held::HeldCourse;
use log::Log;
use protocol::environment::WORK_DIR;
use protocol::language::{self, Language, context, environment};
use protocol::supervisor::ProcessUser;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::{mpsc, oneshot};
use tokio_util::task::AbortOnDropHandle;

/// Contexts of one sandbox: each may hold some 4 MiB of this host, whatever its interpreter does.
pub const MAX_CONTEXTS: usize = 8;
/// Cells of one context that wait for the one that runs.
pub const MAX_WAITING: usize = 32;
/// Kept of an interpreter's output by the guest, in bytes: the host follows it all the time.
const KEPT_BYTES: u64 = 64 * 1024;

/// A context's name in its sandbox: 1, 2, …; never used again.
pub type ContextId = u32;

/// A context that is wanted.
#[derive(Debug, Clone, PartialEq)]
pub struct ContextSpec {
    /// What its cells are written in.
    pub language: Language,
    /// Where its interpreter starts; absolute.
    pub cwd: String,
    /// Added to the language's environment.
    pub env: Vec<(String, String)>,
    /// What the interpreter and all that its cells start may use.
    pub limits: ProcessLimits,
}

/// A program for a context.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Cell {
    /// At most [`MAX_CELL_BYTES`].
    pub code: String,
    /// Its arguments.
    pub args: Vec<String>,
    /// Set before it runs.
    pub env: Vec<(String, String)>,
    /// How long those are set.
    pub env_scope: EnvScope,
    /// What its values are shown as.
    pub formats: Formats,
    /// Its whole standard input: at most [`MAX_CELL_BYTES`].
    pub stdin: Vec<u8>,
    /// How long it may run, from when it begins.
    pub timeout: Duration,
    /// How much it may print and show, in bytes.
    pub output_bytes: usize,
}

/// How long a cell's variables of the environment are set.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum EnvScope {
    /// For all cells that come after it, too.
    #[default]
    Context,
    /// Until it is over: then they are as they were before it.
    Cell,
}

/// What a cell's values are shown as.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Formats {
    /// As notebooks show them.
    #[default]
    Notebook,
    /// As data, too: figures as `e2b/chart`, tables as `e2b/data`, lists and maps as JSON. It takes time, and clients
    /// that do not ask for it have no use for it.
    Structured,
}

/// What is known of a context.
#[derive(Debug, Clone, PartialEq)]
pub struct ContextInfo {
    /// Its name.
    pub id: ContextId,
    /// What its cells are written in.
    pub language: Language,
    /// Where its interpreter starts.
    pub cwd: String,
    /// Its interpreter; `None`: the next cell gets a new one.
    pub process: Option<ProcessId>,
    /// Cells that were accepted so far.
    pub cells: CellNumber,
}

/// A cell that was accepted.
#[derive(Debug)]
pub struct Accepted {
    /// Its number in its context.
    pub cell: CellNumber,
    /// All that is told of the context from here on.
    pub events: Events,
}

/// All contexts of one sandbox. Dropped, their interpreters are left to their sandbox.
#[derive(Debug)]
pub struct Contexts {
    live: LiveSandbox,
    held: Mutex<Held>,
}

#[derive(Debug, Default)]
struct Held {
    contexts: BTreeMap<ContextId, Context>,
    last: ContextId,
}

#[derive(Debug)]
struct Context {
    spec: ContextSpec,
    log: Arc<Log>,
    process: Arc<Mutex<Option<ProcessId>>>,
    cells: mpsc::Sender<Numbered>,
    wishes: mpsc::Sender<Wish>,
    last_cell: CellNumber,
    /// The first of its language that was made without being asked for.
    is_default: bool,
    task: AbortOnDropHandle<()>,
}

/// How a context came to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Made {
    Asked,
    Default,
}

impl Contexts {
    /// Of this sandbox.
    pub fn new(live: LiveSandbox) -> Contexts {
        Contexts {
            live,
            held: Mutex::default(),
        }
    }

    /// Makes a context; its interpreter starts with its first cell.
    pub fn create(&self, spec: ContextSpec) -> Result<ContextInfo, LiveError> {
        let id = self.held().add(&self.live, spec, Made::Asked)?;
        self.get(id)
    }

    /// The context of this language that is used where none is named; made at its first use.
    pub fn default_of(&self, spec: ContextSpec) -> Result<ContextInfo, LiveError> {
        let mut held = self.held();
        let is_it =
            |context: &Context| context.is_default && context.spec.language == spec.language;
        let known = held.contexts.iter().find(|(_, context)| is_it(context));
        let id = match known.map(|(id, _)| *id) {
            Some(id) => id,
            None => held.add(&self.live, spec, Made::Default)?,
        };
        drop(held);
        self.get(id)
    }

    /// Those that there are, oldest first.
    pub fn list(&self) -> Vec<ContextInfo> {
        let held = self.held();
        held.contexts
            .iter()
            .map(|(id, context)| context.info(*id))
            .collect()
    }

    /// One of them.
    pub fn get(&self, id: ContextId) -> Result<ContextInfo, LiveError> {
        self.with(id, |context| Ok(context.info(id)))
    }

    /// Has a cell run, after those that were accepted before.
    pub fn execute(&self, id: ContextId, cell: Cell) -> Result<Accepted, LiveError> {
        order::check(&cell)?;
        self.with(id, |context| {
            let place = context
                .cells
                .try_reserve()
                .map_err(|_| LiveError::TooMany {
                    what: "cells that wait",
                    max: MAX_WAITING,
                })?;
            context.last_cell += 1;
            let events = context.log.follow(From::Now);
            place.send((context.last_cell, cell));
            Ok(Accepted {
                cell: context.last_cell,
                events,
            })
        })
    }

    /// Has a context's interpreter load before its first cell comes; nobody waits for it.
    pub async fn begin(&self, id: ContextId) -> Result<(), LiveError> {
        let wishes = self.with(id, |context| Ok(context.wishes.clone()))?;
        // A context that ends needs none.
        let _ = wishes.send(Wish::Begin).await;
        Ok(())
    }

    /// What is told of a context, from an event on.
    pub fn follow(&self, id: ContextId, from: From) -> Result<Events, LiveError> {
        self.with(id, |context| Ok(context.log.follow(from)))
    }

    /// Interrupts a cell, or the one that runs, as Ctrl-C would; variables stay.
    pub async fn interrupt(
        &self,
        id: ContextId,
        cell: Option<CellNumber>,
    ) -> Result<(), LiveError> {
        let wishes = self.with(id, |context| Ok(context.wishes.clone()))?;
        // A context that ends has nothing to interrupt.
        let _ = wishes.send(Wish::Interrupt(cell)).await;
        Ok(())
    }

    /// Ends the interpreter and all that its cells started; the next cell gets a new one.
    pub async fn restart(&self, id: ContextId) -> Result<(), LiveError> {
        let wishes = self.with(id, |context| Ok(context.wishes.clone()))?;
        let (done, is_done) = oneshot::channel();
        let _ = wishes.send(Wish::Restart(done)).await;
        let _ = is_done.await;
        Ok(())
    }

    /// Ends a context, with its interpreter and all that its cells started. Those that wait are told of their end.
    pub async fn delete(&self, id: ContextId) -> Result<(), LiveError> {
        let removed = self.held().contexts.remove(&id);
        let Context {
            cells,
            wishes,
            task,
            ..
        } = removed.ok_or(LiveError::NoContext { id })?;
        // The task ends by itself now: nobody can ask it for anything.
        drop((cells, wishes));
        let _ = task.await;
        Ok(())
    }

    fn held(&self) -> MutexGuard<'_, Held> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn with<T>(
        &self,
        id: ContextId,
        what: impl FnOnce(&mut Context) -> Result<T, LiveError>,
    ) -> Result<T, LiveError> {
        let mut held = self.held();
        let context = held.contexts.get_mut(&id);
        what(context.ok_or(LiveError::NoContext { id })?)
    }
}

impl Held {
    fn add(
        &mut self,
        live: &LiveSandbox,
        spec: ContextSpec,
        made: Made,
    ) -> Result<ContextId, LiveError> {
        let too_many = LiveError::TooMany {
            what: "contexts",
            max: MAX_CONTEXTS,
        };
        if self.contexts.len() >= MAX_CONTEXTS {
            return Err(too_many);
        }
        let interpreter = context(spec.language).ok_or(LiveError::NoInterpreter {
            language: spec.language.name(),
        })?;
        let process = spec.process(&interpreter);
        process.check()?;
        self.last += 1;
        let context = Context::begin(live, spec, interpreter, (made, HeldCourse::default()));
        self.contexts.insert(self.last, context);
        Ok(self.last)
    }
}

/// An interpreter that waits for the first context of this language; `None`: it has none that can.
pub(crate) fn waiting(language: Language, limits: ProcessLimits) -> Option<ProcessSpec> {
    let interpreter = context(language).filter(|it| !it.wait.is_empty())?;
    let spec = ContextSpec {
        language,
        cwd: WORK_DIR.into(),
        env: Vec::new(),
        limits,
    };
    let mut process = spec.process(&interpreter);
    process.argv.extend(interpreter.wait);
    Some(process)
}

impl ContextSpec {
    fn process(&self, interpreter: &language::Context) -> ProcessSpec {
        let own = self
            .env
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_str()));
        ProcessSpec {
            argv: interpreter.argv.clone(),
            env: environment(self.language, own),
            cwd: self.cwd.clone(),
            user: ProcessUser::Sandbox,
            stdin: Stdin::Empty,
            orders: Orders::Open,
            terminal: None,
            kept_bytes: KEPT_BYTES,
            limits: self.limits.clone(),
        }
    }
}

impl Context {
    fn begin(
        live: &LiveSandbox,
        spec: ContextSpec,
        interpreter: language::Context,
        (made, held): (Made, HeldCourse),
    ) -> Context {
        let (cells, for_cells) = mpsc::channel(MAX_WAITING);
        let (wishes, for_wishes) = mpsc::channel(MAX_WAITING);
        let (log, process) = (Arc::new(Log::from(held.next_event)), Arc::default());
        let task = Task {
            live: live.clone(),
            language: spec.language,
            spec: spec.process(&interpreter),
            orders: interpreter.orders,
            log: log.clone(),
            cells: for_cells,
            wishes: for_wishes,
            interpreter: None,
            stopped: BTreeSet::new(),
            process: Arc::clone(&process),
            had_one: held.had_one,
            held: held.interpreter,
            letting_go: None,
        };
        Context {
            spec,
            log,
            process,
            cells,
            wishes,
            last_cell: 0,
            is_default: made == Made::Default,
            task: AbortOnDropHandle::new(tokio::spawn(task.run())),
        }
    }

    fn info(&self, id: ContextId) -> ContextInfo {
        let process = self.process.lock().unwrap_or_else(PoisonError::into_inner);
        ContextInfo {
            id,
            language: self.spec.language,
            cwd: self.spec.cwd.clone(),
            process: *process,
            cells: self.last_cell,
        }
    }
}
