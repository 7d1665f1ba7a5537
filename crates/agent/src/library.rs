//! Modules that a job brings under names that its language's library has.

use protocol::interpreter::{Interpreter, Library};
use protocol::wire::RunRequest;

/// Whether it brings one: a loaded interpreter has the library's already, a new one finds the job's.
pub fn hides_its_library(interpreter: &Interpreter, request: &RunRequest) -> bool {
    let Some(library) = &interpreter.library else {
        return false;
    };
    let files = request.files.iter().map(|file| file.path.as_str());
    files
        .filter_map(|path| module_of(library, path))
        .any(|module| has(library, module))
}

/// The name under which a job's file, or the folder that it is in, can be imported from where the job
/// starts.
fn module_of<'a>(library: &Library, path: &'a str) -> Option<&'a str> {
    match path.split_once('/') {
        Some((folder, _)) => Some(folder),
        None => path.strip_suffix(&*library.suffix),
    }
}

/// Whether the library has a module of this name.
fn has(library: &Library, module: &str) -> bool {
    let at = format!("{}/{module}", library.folder);
    std::fs::exists(&at).unwrap_or(true)
        || std::fs::exists(format!("{at}{}", library.suffix)).unwrap_or(true)
}
