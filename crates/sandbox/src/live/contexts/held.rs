//! Contexts while their sandbox is saved: plain data, from which they go on with the variables that they had.
//!
//! A cell that runs is interrupted first, as the cell of a client that goes is; cells that wait are told that they never
//! began. Numbers of cells and events go on.

use super::context::{Task, Wish};
use super::hearing::{CellNumber, Hearing};
use super::{Context, ContextId, ContextSpec, Contexts, Held, LiveSandbox, Made};
use crate::live::ProcessId;
use protocol::language::{Language, context};
use protocol::supervisor::ProcessLimits;
use serde::{Deserialize, Serialize};
use std::sync::Mutex;
use std::time::Duration;
use tokio::sync::oneshot;
use tokio::time::timeout;

/// What an interpreter said that nobody took yet is taken in, as far as it is there; so many pieces at most.
const LAST_PIECES: usize = 256;

/// All contexts of one sandbox.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HeldContexts {
    contexts: Vec<HeldContext>,
    last: ContextId,
}

/// One of them.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct HeldContext {
    id: ContextId,
    /// A label: an image of a user's is known by it once it was looked for.
    language: String,
    cwd: String,
    env: Vec<(String, String)>,
    limits: ProcessLimits,
    is_default: bool,
    last_cell: CellNumber,
    course: HeldCourse,
}

/// What its task had.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct HeldCourse {
    pub(super) interpreter: Option<HeldInterpreter>,
    /// There was one before.
    pub(super) had_one: bool,
    /// The number of the next event.
    pub(super) next_event: u64,
}

/// An interpreter that stays.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct HeldInterpreter {
    pub(super) process: ProcessId,
    /// Of the next byte that is to be heard.
    pub(super) offset: u64,
    pub(super) hearing: Hearing,
}

impl Contexts {
    /// Takes all of them from who uses them; their interpreters stay in the sandbox.
    pub async fn hold(&self) -> HeldContexts {
        let Held { contexts, last } = std::mem::take(&mut *self.held());
        let mut held = HeldContexts {
            contexts: Vec::new(),
            last,
        };
        for (id, context) in contexts {
            let (reply, answer) = oneshot::channel();
            let _ = context.wishes.send(Wish::Hold(reply)).await;
            // One that ended by itself has nothing to go on with.
            let course = answer.await.unwrap_or_default();
            let Context {
                spec,
                cells,
                wishes,
                last_cell,
                is_default,
                task,
                ..
            } = context;
            drop((cells, wishes));
            let _ = task.await;
            held.contexts.push(HeldContext {
                id,
                language: spec.language.label(),
                cwd: spec.cwd,
                env: spec.env,
                limits: spec.limits,
                is_default,
                last_cell,
                course,
            });
        }
        held
    }

    /// Has those that were held go on in their sandbox, or a copy of it. One whose language is not known any more is left
    /// out.
    pub fn go_on(live: LiveSandbox, held: HeldContexts) -> Contexts {
        let mut contexts = Held {
            last: held.last,
            ..Held::default()
        };
        for one in held.contexts {
            let language = Language::from_label(&one.language);
            let Some((language, interpreter)) =
                language.and_then(|language| Some((language, context(language)?)))
            else {
                continue;
            };
            let spec = ContextSpec {
                language,
                cwd: one.cwd,
                env: one.env,
                limits: one.limits,
            };
            let made = match one.is_default {
                true => Made::Default,
                false => Made::Asked,
            };
            let mut context = Context::begin(&live, spec, interpreter, (made, one.course));
            context.last_cell = one.last_cell;
            contexts.contexts.insert(one.id, context);
        }
        Contexts {
            live,
            held: Mutex::new(contexts),
        }
    }
}

impl Task {
    /// Lets go of the interpreter, which stays.
    pub(super) async fn let_go(&mut self) -> HeldCourse {
        self.hear_the_last().await;
        let interpreter = self.interpreter.take().map(|running| HeldInterpreter {
            process: running.process,
            offset: running.output.offset(),
            hearing: running.hearing,
        });
        HeldCourse {
            interpreter,
            had_one: self.had_one,
            next_event: self.log.next(),
        }
    }

    /// What has come already is told, as far as nobody is behind.
    async fn hear_the_last(&mut self) {
        for _ in 0..LAST_PIECES {
            let Some(interpreter) = &mut self.interpreter else {
                return;
            };
            match timeout(Duration::ZERO, interpreter.output.next()).await {
                Ok(Ok(Some(piece))) if self.hear(&piece, None).is_ok() => {}
                _ => return,
            }
        }
    }

    /// Takes an interpreter up that stayed. One that is not there is told of as lost.
    pub(super) async fn take_up(&mut self, held: HeldInterpreter) {
        let HeldInterpreter {
            process,
            offset,
            hearing,
        } = held;
        match self.live.follow(process, offset).await {
            Ok(output) => self.has_interpreter(process, output, (offset, hearing)),
            Err(error) => self.tell_lost(error),
        }
    }
}
