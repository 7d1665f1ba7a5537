//! Interpreters loaded before their job is known, so that a clone's first answer does not wait
//! for them.
//!
//! ```text
//!   Warm   cell with all walls but the job's own limits ─ interpreter loads ─ 'ready' on fd 4
//!   Run    limits set from outside ─ order on fd 3 ─ the interpreter closes both and becomes
//!          the job's process: same pid, uid, cgroup, pipes; no fork, nothing left open.
//!          In a session it stays and takes more orders, see `session`.
//! ```
//!
//! A job that wants what a loaded interpreter cannot give any more (another filter, variables
//! that are read at start-up) gets a new one.

use crate::cell::{Cell, Outcome, Program, pipe};
use crate::cgroup::Cgroup;
use crate::confine::{self, Confinement};
use crate::error::{AgentError, Step};
use crate::files::Folder;
use crate::filter::Filter;
use crate::job;
use crate::recipe::{RECIPES, Recipe};
use nix::errno::Errno;
use nix::fcntl::OFlag;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::resource::Resource;
use nix::sys::time::TimeSpec;
use nix::time::{ClockId, clock_gettime, clock_settime};
use protocol::language::Language;
use protocol::wire::{GuestLimits, RunRequest};
use std::collections::BTreeSet;
use std::fs::File;
use std::io::Write;
use std::os::fd::{AsFd, OwnedFd};
use std::sync::atomic::{AtomicU32, Ordering};

/// How long loading may take, milliseconds; software emulation on a busy host is slow.
const LOAD_MILLIS: u16 = 60_000;
/// So far back stands the clock while an interpreter loads: OpenSSL's generators take fresh
/// entropy when more than an hour seems to have passed, which is how they notice a clone.
const CLOCK_BACK_SECONDS: i64 = 2 * 3600;

/// A loaded interpreter, waiting.
pub struct Zygote {
    /// Whose jobs it can become, and which of them.
    recipe: &'static Recipe,
    /// Its process; dropped before the cgroup that it is in.
    pub waiting: Waiting,
    /// Its cgroup, the job's to be.
    pub cgroup: Cgroup,
}

/// Its process, and the way to tell it what to become.
pub struct Waiting {
    /// The process.
    pub cell: Cell,
    /// Where it reads its orders, one a line.
    pub orders: File,
    /// Where it says that it is ready, and answers in a session.
    pub answers: OwnedFd,
}

impl Zygote {
    /// Loads the language's interpreter; `None` for languages without one.
    pub fn load(language: Language) -> Result<Option<Zygote>, AgentError> {
        let Some(recipe) = RECIPES.iter().find(|recipe| recipe.language == language) else {
            return Ok(None);
        };
        let clock = now()?;
        set_clock(TimeSpec::new(
            clock.tv_sec() - CLOCK_BACK_SECONDS,
            clock.tv_nsec(),
        ))?;
        let since = monotonic()?;
        let zygote = start(recipe, &[], None);
        set_clock(clock + (monotonic()? - since))?;
        zygote.map(Some)
    }

    /// Loads an interpreter for a session, under the session's filter; `None` for languages
    /// that have none.
    pub fn for_session(
        language: Language,
        seccomp_program: &[u64],
    ) -> Result<Option<Zygote>, AgentError> {
        let recipe = RECIPES
            .iter()
            .find(|recipe| recipe.language == language && recipe.keeps_sessions);
        // Its first program waits for it: nothing is loaded ahead.
        let bare = &[("ZYGOTE_BARE", "1")];
        recipe
            .map(|recipe| start(recipe, bare, Filter::from_words(seccomp_program)))
            .transpose()
    }

    /// Whose jobs it can become.
    pub fn language(&self) -> Language {
        self.recipe.language
    }

    /// It can carry out one program after another.
    pub fn keeps_sessions(&self) -> bool {
        self.recipe.keeps_sessions
    }

    /// Says whether this job can be had from it.
    pub fn suits(&self, request: &RunRequest) -> bool {
        let recipe = self.recipe;
        let reads = |name: &str| recipe.fixed.iter().any(|prefix| name.starts_with(prefix));
        let told = recipe.takes_args || request.args.is_empty();
        request.language == recipe.language
            && told
            && !request.fresh_interpreter
            && request.seccomp_program.is_empty()
            // The end of a zip file, which Python would run as one.
            && !holds(&request.code.0, b"PK\x05\x06")
            && (recipe.takes_any_file || request.entry == request.language.spec().source_file)
            && !hides_its_library(recipe, request)
            && (request.session && recipe.keeps_sessions || !request.env.iter().any(|(name, _)| reads(name)))
    }
}

impl Waiting {
    /// Makes it the job's process; its limits are set before it learns of the job.
    pub fn hand_over(mut self, request: &RunRequest, cgroup: &Cgroup) -> Result<Cell, AgentError> {
        self.limit(&request.limits, cgroup)?;
        let order = serde_json::json!({
            "args": request.args,
            "env": request.env.iter().cloned().collect::<std::collections::BTreeMap<_, _>>(),
            "file": request.entry,
        });
        self.orders
            .write_all(format!("{order}\n").as_bytes())
            .step(|| "hand the job over")?;
        Ok(self.cell)
    }

    /// Sets the job's limits on all its processes.
    pub fn limit(&self, limits: &GuestLimits, cgroup: &Cgroup) -> Result<(), AgentError> {
        // What was used up before, loading above all, does not count as the job's.
        let used = cgroup.usage()?.cpu_micros.div_ceil(1_000_000);
        for pid in cgroup
            .pids()?
            .into_iter()
            .filter(|pid| *pid != self.cell.init_pid())
        {
            for (resource, soft, hard) in confine::rlimits(limits) {
                let more = if resource == Resource::RLIMIT_CPU {
                    used
                } else {
                    0
                };
                let limited = prlimit(
                    pid,
                    resource,
                    soft.saturating_add(more),
                    hard.saturating_add(more),
                );
                match limited {
                    // A process that a session's earlier program left, ended since it was listed.
                    Err(Errno::ESRCH) => break,
                    limited => limited.step(|| format!("prlimit {resource:?} of {pid}"))?,
                }
            }
        }
        Ok(())
    }
}

fn start(
    recipe: &'static Recipe,
    more_env: &[(&str, &str)],
    own_filter: Option<Filter>,
) -> Result<Zygote, AgentError> {
    // A name that none had: several wait, and one that ended may still be going.
    static COUNT: AtomicU32 = AtomicU32::new(0);
    let cgroup = Cgroup::create(&format!("zygote-{}", COUNT.fetch_add(1, Ordering::Relaxed)))?;
    let limits = waiting_limits();
    cgroup.limit(limits.memory_bytes, limits.pids)?;
    let (orders_end, orders) = pipe("orders", OFlag::empty())?;
    let (answers, answers_end) = pipe("answers", OFlag::empty())?;
    let argv = job::c_strings(recipe.argv.iter().map(|word| (*word).to_owned()))?;
    let own = recipe.env.iter().chain(more_env).copied();
    let env = job::environment(recipe.language, own)?;
    let cell = Cell::start(
        &cgroup,
        &Program {
            argv: &argv,
            env: &env,
            confinement: &Confinement {
                rlimits: confine::rlimits(&limits),
                filters: std::iter::once(Filter::baseline())
                    .chain(own_filter)
                    .collect(),
            },
            lent: &[orders_end.as_fd(), answers_end.as_fd()],
            stdin: true,
            merged: false,
        },
    )?;
    drop((orders_end, answers_end));
    let waiting = Waiting {
        cell,
        orders: File::from(orders),
        answers,
    };
    let mut zygote = Zygote {
        recipe,
        waiting,
        cgroup,
    };
    zygote.wait_until_ready()?;
    zygote.read_program();
    Ok(zygote)
}

impl Zygote {
    /// Waits for the driver's word; an interpreter that ends instead says why on its stderr.
    fn wait_until_ready(&mut self) -> Result<(), AgentError> {
        let ready = &self.waiting.answers;
        let timeout = PollTimeout::from(LOAD_MILLIS);
        let answered = poll(
            &mut [PollFd::new(ready.as_fd(), PollFlags::POLLIN)],
            timeout,
        )
        .step(|| "wait for a zygote")?;
        let mut word = [0u8; 1];
        if answered > 0 && nix::unistd::read(ready, &mut word) == Ok(1) {
            return Ok(());
        }
        self.cgroup.kill()?;
        let outcome: Outcome = self.waiting.cell.outcome()?;
        let mut said = vec![0u8; 4096];
        let length = self
            .waiting
            .cell
            .stderr
            .as_ref()
            .and_then(|pipe| nix::unistd::read(pipe, &mut said).ok());
        let said = String::from_utf8_lossy(&said[..length.unwrap_or(0)]).into_owned();
        let reason = format!("{outcome:?} after at most {LOAD_MILLIS} ms; it said: {said}");
        Err(AgentError::Zygote {
            language: self.language().name(),
            reason,
        })
    }
}

impl Zygote {
    /// Brings its code into memory, all that it mapped: a clone would unpack what its job is the
    /// first to need. What cannot be read is read by the job, as it would be without this.
    fn read_program(&self) {
        let pids = self.cgroup.pids().unwrap_or_default();
        let maps: String = pids
            .iter()
            .filter_map(|pid| std::fs::read_to_string(format!("/proc/{pid}/maps")).ok())
            .collect();
        let files: BTreeSet<&str> = maps
            .lines()
            .filter(|line| line.contains("r-xp"))
            .filter_map(|line| line.find('/').map(|start| &line[start..]))
            .collect();
        // The names are that process's to choose: only what is the image's is opened.
        let Ok(image) = Folder::open("/") else { return };
        for file in files {
            if let Ok((mut file, _, _)) = image.get(file.trim_start_matches('/')) {
                let _ = std::io::copy(&mut file, &mut std::io::sink());
            }
        }
    }
}

fn holds(bytes: &[u8], part: &[u8]) -> bool {
    bytes.windows(part.len()).any(|window| window == part)
}

/// Whether the job brings a module of a name that the language's library has: a loaded interpreter has the
/// library's already, a new one finds the job's.
fn hides_its_library(recipe: &Recipe, request: &RunRequest) -> bool {
    let Some(library) = &recipe.library else {
        return false;
    };
    let files = request.files.iter().map(|file| file.path.as_str());
    files
        .filter_map(|path| library.module_of(path))
        .any(|module| library.has(module))
}

/// What a waiting interpreter may use; the job's own limits come with the job.
fn waiting_limits() -> GuestLimits {
    GuestLimits {
        execute_millis: 0,
        compile_millis: 0,
        cpu_seconds: u64::from(LOAD_MILLIS) / 1000,
        memory_bytes: 0,
        pids: 64,
        output_bytes: 0,
        file_size_bytes: 1 << 20,
        tmpfs_bytes: 0,
        open_files: 256,
        artifact_bytes: 0,
    }
}

fn prlimit(pid: i32, resource: Resource, soft: u64, hard: u64) -> nix::Result<()> {
    let limit = libc::rlimit {
        rlim_cur: soft,
        rlim_max: hard,
    };
    // SAFETY: the kernel reads one rlimit from this stack and writes none back.
    let result =
        unsafe { libc::prlimit(pid, resource as _, &raw const limit, std::ptr::null_mut()) };
    Errno::result(result).map(drop)
}

fn now() -> Result<TimeSpec, AgentError> {
    clock_gettime(ClockId::CLOCK_REALTIME).step(|| "read the clock")
}

fn monotonic() -> Result<TimeSpec, AgentError> {
    clock_gettime(ClockId::CLOCK_BOOTTIME).step(|| "read the boot clock")
}

fn set_clock(time: TimeSpec) -> Result<(), AgentError> {
    clock_settime(ClockId::CLOCK_REALTIME, time).step(|| "set the clock")
}
