//! What a sandbox that an E2B client made has besides any other.

use super::envd::registry::{HeldProcesses, Registry};
use super::envd::user::KnownHome;
use super::envd::watchers::Watchers;
use super::ports::used::UsedPorts;
use super::tokens::{HeldTokens, Tokens};
use crate::error::ServerError;
use crate::problem::{HttpCode, Problem};
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// Whether a request for processes and files needs the sandbox's token.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Guard {
    /// It does.
    Token,
    /// Whoever reaches the service may, as for everything else of a service without keys: clients of before there were
    /// tokens send none.
    Open,
}

/// What becomes of a sandbox whose time is up, and of one that is paused.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LifecycleRules {
    /// It is paused, not ended.
    pub auto_pause: bool,
    /// Whoever uses it with its token has it go on.
    pub auto_resume: bool,
    /// How long one stays then; `None`: as long as at first.
    pub resumed_for: Option<Duration>,
}

/// What is remembered of these while a sandbox is saved.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HeldFacts {
    /// See [`E2bFacts`].
    pub tokens: HeldTokens,
    /// See [`E2bFacts`].
    pub guard: Guard,
    /// See [`E2bFacts`].
    pub template: String,
    /// See [`E2bFacts`].
    pub lifecycle: LifecycleRules,
    /// What clients said of the processes that they started.
    pub processes: HeldProcesses,
}

/// What a sandbox that an E2B client made has besides.
#[derive(Debug)]
pub struct E2bFacts {
    /// The secrets that open it.
    pub tokens: Tokens,
    /// Whether they are needed.
    pub guard: Guard,
    /// The name that its client asked for.
    pub template: String,
    /// What becomes of it.
    pub lifecycle: LifecycleRules,
    /// Its user's home, once it was looked for.
    pub home: KnownHome,
    /// The processes that clients started.
    pub processes: Registry,
    /// What they watch and ask for from time to time.
    pub watchers: Watchers,
    /// The ports that were asked for.
    pub ports: UsedPorts,
}

impl E2bFacts {
    /// Those of a new sandbox.
    pub fn new(template: String, guard: Guard) -> Result<E2bFacts, ServerError> {
        Ok(E2bFacts {
            tokens: Tokens::generate()?,
            guard,
            template,
            lifecycle: LifecycleRules::default(),
            home: KnownHome::default(),
            processes: Registry::default(),
            watchers: Watchers::default(),
            ports: UsedPorts::default(),
        })
    }

    /// The same for a client that asks; that there is no randomness is told to the log.
    pub fn fresh(template: String, guard: Guard) -> Result<E2bFacts, Problem> {
        E2bFacts::new(template, guard).map_err(|error| {
            tracing::error!(%error, "no token for a sandbox");
            Problem::new(HttpCode::InternalError)
        })
    }

    /// The same with what was said of its processes.
    pub fn with_processes(self, held: HeldProcesses) -> E2bFacts {
        let processes = Registry::of_held(held);
        E2bFacts { processes, ..self }
    }

    /// The same of one of which this becomes.
    pub fn with_lifecycle(self, lifecycle: LifecycleRules) -> E2bFacts {
        E2bFacts { lifecycle, ..self }
    }

    /// What is remembered of it while its sandbox is saved.
    pub fn held(&self) -> HeldFacts {
        HeldFacts {
            tokens: self.tokens.held(),
            guard: self.guard,
            template: self.template.clone(),
            lifecycle: self.lifecycle.clone(),
            processes: self.processes.held(),
        }
    }

    /// What was remembered of it.
    pub fn of_held(held: HeldFacts) -> E2bFacts {
        E2bFacts {
            tokens: held.tokens.into(),
            guard: held.guard,
            template: held.template,
            lifecycle: held.lifecycle,
            home: KnownHome::default(),
            processes: Registry::of_held(held.processes),
            watchers: Watchers::default(),
            ports: UsedPorts::default(),
        }
    }
}
