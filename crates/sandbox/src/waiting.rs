//! Interpreters that wait in a VM: what they are called, and which jobs one can become.

use protocol::interpreter::{Interpreter, Library};
use protocol::job::Job;
use protocol::supervisor::ProcessId;

/// Interpreters that a template has waiting: one for a clone's warm-up, one for its job. Names at the other end of the
/// numbers, which no process' name reaches.
pub(crate) const NAMES: [ProcessId; 2] = [ProcessId::MAX - 1, ProcessId::MAX];

/// The one that waits for a sandbox's first context.
pub(crate) const CONTEXT: ProcessId = ProcessId::MAX - 2;

/// Interpreters that wait in a VM for an order.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Waiting {
    /// For programs, the next one's last.
    pub(crate) programs: Vec<ProcessId>,
    /// For a sandbox's first context.
    pub(crate) context: Option<ProcessId>,
}

impl Waiting {
    /// Those that a sandbox of this job's bounds keeps: what waits has neither its filter nor its root.
    pub(crate) fn for_sandbox(&self, job: &Job) -> Waiting {
        let as_it_is = job.seccomp_program.is_empty() && job.limits.writable_mib == 0;
        Waiting {
            programs: Vec::new(),
            context: self.context.filter(|_| as_it_is),
        }
    }

    /// All of them.
    pub(crate) fn len(&self) -> usize {
        self.programs.len() + usize::from(self.context.is_some())
    }
}

impl From<Vec<ProcessId>> for Waiting {
    fn from(programs: Vec<ProcessId>) -> Waiting {
        Waiting {
            programs,
            context: None,
        }
    }
}

/// The end of a zip file, which Python would run as one.
const ZIP: &[u8] = b"PK\x05\x06";

/// Whether a loaded interpreter has read one of these variables already.
pub(crate) fn has_read(interpreter: &Interpreter, env: &[(String, String)]) -> bool {
    let reads = |name: &str| {
        let mut fixed = interpreter.fixed.iter();
        fixed.any(|prefix| name.starts_with(prefix))
    };
    env.iter().any(|(name, _)| reads(name))
}

/// Whether a loaded interpreter can still give what the job wants.
pub(crate) fn suits(interpreter: &Interpreter, job: &Job) -> bool {
    let is_zip = job
        .code
        .as_bytes()
        .windows(ZIP.len())
        .any(|window| window == ZIP);
    !job.fresh_interpreter
        && !is_zip
        && job.seccomp_program.is_empty()
        && (interpreter.takes_args || job.args.is_empty())
        && (interpreter.takes_any_file || job.entry == interpreter.file)
        && !has_read(interpreter, &job.env)
}

/// Where the language's library would have what the job's files are imported as from where it starts: a loaded
/// interpreter has the library's already, a new one finds the job's.
pub(crate) fn hidden(interpreter: &Interpreter, job: &Job) -> Vec<String> {
    let Some(library) = &interpreter.library else {
        return Vec::new();
    };
    let files = job.files.iter();
    files
        .flat_map(|file| hidden_by(library, &file.path))
        .collect()
}

/// The module of a job's file, or of the folder that it is in.
fn hidden_by(library: &Library, path: &str) -> Vec<String> {
    let module = match path.split_once('/') {
        Some((folder, _)) => Some(folder),
        None => path.strip_suffix(&library.suffix),
    };
    let at = module.map(|module| format!("{}/{module}", library.folder));
    at.map_or(Vec::new(), |at| vec![format!("{at}{}", library.suffix), at])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_hides_the_module_of_its_name() {
        let library = Library {
            folder: "/lib".into(),
            suffix: ".py".into(),
        };
        for (path, modules) in [
            ("random.py", &["/lib/random.py", "/lib/random"][..]),
            ("json/x.py", &["/lib/json.py", "/lib/json"]),
            ("data.txt", &[]),
        ] {
            assert_eq!(hidden_by(&library, path), modules, "{path}");
        }
    }
}
