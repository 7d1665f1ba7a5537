//! Interpreters that wait in a VM: what they are called, and which jobs one can become.

use protocol::interpreter::{Interpreter, Library};
use protocol::job::Job;
use protocol::supervisor::ProcessId;

/// Interpreters that a template has waiting: one for a clone's warm-up, one for its job. Names at the other end of the
/// numbers, which no process' name reaches.
pub(crate) const NAMES: [ProcessId; 2] = [ProcessId::MAX - 1, ProcessId::MAX];

/// The end of a zip file, which Python would run as one.
const ZIP: &[u8] = b"PK\x05\x06";

/// Whether a loaded interpreter can still give what the job wants.
pub(crate) fn suits(interpreter: &Interpreter, job: &Job) -> bool {
    let reads = |name: &str| {
        let mut fixed = interpreter.fixed.iter();
        fixed.any(|prefix| name.starts_with(prefix))
    };
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
        && !job.env.iter().any(|(name, _)| reads(name))
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
