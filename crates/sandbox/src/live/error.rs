//! Why something that was asked of a live sandbox did not come about, and why a sandbox is over.

use crate::talk::TalkError;
use protocol::link::LinkError;
use protocol::supervisor::ProcessId;
use protocol::validate::Rejection;

/// Why a program cannot be had, as env(1) tells it apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NoProgram {
    /// It is not there, or what its first line names is not.
    Absent,
    /// It may not be executed.
    Forbidden,
}

impl NoProgram {
    /// What shells, env(1) and docker exit with.
    pub fn exit_code(self) -> u8 {
        match self {
            NoProgram::Absent => 127,
            NoProgram::Forbidden => 126,
        }
    }

    fn sentence(self, program: &str) -> String {
        match self {
            NoProgram::Absent if program.contains('/') => {
                format!("{program:?} is not there, or what its #! line names is not")
            }
            NoProgram::Absent => format!("there is no program {program:?} in the sandbox's PATH"),
            NoProgram::Forbidden => format!(
                "{program:?} may not be executed: a folder, a file without the right to (chmod +x), or no program"
            ),
        }
    }
}

/// Why something that was asked of a live sandbox did not come about.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LiveError {
    /// The VM is gone, or about to be; the reason stands on one line.
    #[error("the sandbox is gone: {0}")]
    Gone(String),
    /// Never started, or forgotten.
    #[error("there is no process {id}")]
    NoProcess {
        /// The id that was asked for.
        id: ProcessId,
    },
    /// Never made, or deleted.
    #[error("there is no context {id}")]
    NoContext {
        /// The id that was asked for.
        id: u32,
    },
    /// Its programs are compiled, or nobody wrote a driver.
    #[error("{language} has no interpreter that keeps its variables")]
    NoInterpreter {
        /// The language's name.
        language: &'static str,
    },
    /// The process never ran, for this reason.
    #[error("the process did not start: {0}")]
    NotStarted(String),
    /// The process never ran: its program is not to be had.
    #[error("the process did not start: {}", .why.sentence(.program))]
    NoProgram {
        /// As it was asked for.
        program: String,
        /// What is the matter with it.
        why: NoProgram,
    },
    /// The process never ran: one of its files has no place, for this reason.
    #[error("the work folder refused {0}")]
    FilesRefused(String),
    /// The interpreter that waits cannot become this process; another process can.
    #[error("no interpreter that waits can become the process: {0}")]
    NotAdopted(String),
    /// What the guest sent on a stream is not what was asked for.
    #[error("the guest broke the protocol: {0}")]
    Misbehaved(String),
    /// What the operator allows nobody.
    #[error(transparent)]
    Refused(#[from] Rejection),
    /// The process has no standard input, or no more.
    #[error("the process takes no input any more")]
    StdinClosed,
    /// The process has pipes.
    #[error("the process has no terminal")]
    NoTerminal,
    /// Only an ended process is forgotten.
    #[error("the process still runs")]
    StillRunning,
    /// Those that ended count until they are forgotten.
    #[error("a sandbox keeps at most {max} processes; forget one that ended")]
    TooManyProcesses {
        /// The most at one time.
        max: usize,
    },
    /// Nothing in the sandbox takes a connection to this port.
    #[error("nothing takes a connection there: {}", std::io::Error::from_raw_os_error(*.errno))]
    NotConnected {
        /// The kernel's number for why, as the guest tells it.
        errno: i32,
    },
    /// Another bound.
    #[error("at most {max} {what}")]
    TooMany {
        /// Of what.
        what: &'static str,
        /// The most.
        max: usize,
    },
    /// The guest's file system refused.
    #[error("{step}: {}", std::io::Error::from_raw_os_error(*.errno))]
    File {
        /// The kernel's number for why.
        errno: i32,
        /// At which step, escaped.
        step: String,
    },
}

/// Something that no honest guest says at this point.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub(super) struct Misbehaviour(pub(super) &'static str);

/// What ends a live sandbox that nobody let go.
#[derive(Debug, thiserror::Error)]
pub(super) enum Broken {
    /// What came is no frame, or none that may come.
    #[error("the guest broke the protocol: {0}")]
    Link(#[from] LinkError),
    /// What the guest said has no place.
    #[error("the guest broke the protocol: {0}")]
    Misbehaved(#[from] Misbehaviour),
    /// The agent's own words.
    #[error("the agent failed: {0}")]
    Agent(String),
    /// The channel broke, or takes nothing.
    #[error(transparent)]
    Channel(#[from] TalkError),
}
