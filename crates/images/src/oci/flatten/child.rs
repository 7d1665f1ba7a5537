//! The child's side: reads layers from stdin, leaves a spool, a listing and a report in its folder.

use crate::oci::bounds::Bounds;
use crate::oci::error::{Fault, LayerError};
use crate::oci::flatten::listing;
use crate::oci::flatten::plan::{Flattened, Plan, REPORT, TREE};
use crate::oci::flatten::spool::FolderSpool;
use crate::oci::layer::read::{Budget, Layers};
use crate::oci::tree::Tree;
use rustix::process::{Resource, Rlimit, setrlimit};
use std::fs::{self, File};
use std::io::{self, BufRead, BufReader, BufWriter, Read, Write};
use std::path::Path;
use std::process::ExitCode;

/// The only argument of a process that is such a child.
///
/// A test program that imports images has a test of this name, which calls [`child_main`] when it is
/// run by it alone.
pub const CHILD_WORD: &str = "oci_flatten_child";
/// Bytes of address space: the tree of an image that is as large as bounds let it be, with room.
const MEMORY_BYTES: u64 = 1 << 30;
/// Bytes of the first line.
const MAX_PLAN_BYTES: u64 = 1 << 20;
/// Read from the pipe at once.
const PIPE_BYTES: usize = 128 * 1024;

/// What the process does that [`bring`](crate::oci::bring) starts: to be called by `main` before anything else, when
/// [`CHILD_WORD`] is the first argument. Its working folder is the spool.
pub fn child_main() -> ExitCode {
    match serve(Path::new(".")) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("unpacking layers: {error}");
            ExitCode::FAILURE
        }
    }
}

fn serve(folder: &Path) -> io::Result<()> {
    limit(Resource::As, MEMORY_BYTES)?;
    limit(Resource::Core, 0)?;
    let mut stdin = BufReader::with_capacity(PIPE_BYTES, io::stdin());
    let mut line = Vec::new();
    (&mut stdin)
        .take(MAX_PLAN_BYTES)
        .read_until(b'\n', &mut line)?;
    let plan: Plan = serde_json::from_slice(&line)?;
    limit(Resource::Fsize, plan.bounds.unpacked_bytes)?;
    let report = flatten(&plan, &mut stdin, folder);
    fs::write(folder.join(REPORT), serde_json::to_vec(&report)?)
}

fn limit(resource: Resource, bytes: u64) -> io::Result<()> {
    let both = Rlimit {
        current: Some(bytes),
        maximum: Some(bytes),
    };
    Ok(setrlimit(resource, both)?)
}

/// All layers to one tree.
fn flatten(plan: &Plan, source: &mut impl BufRead, folder: &Path) -> Result<Flattened, LayerError> {
    let bounds: &Bounds = &plan.bounds;
    let of = plan.layers.len();
    let mut tree = Tree::new(bounds);
    let mut layers = Layers {
        bounds,
        budget: Budget::of(bounds),
        spool: FolderSpool::new(folder),
    };
    for (index, layer) in plan.layers.iter().enumerate() {
        let located = |(entry, fault)| LayerError {
            index,
            of,
            entry,
            fault,
        };
        let mut stored = source.take(layer.size);
        let changes = layers.read(&mut stored, &layer.diff_id).map_err(located)?;
        if stored.limit() > 0 {
            let what = "something follows its compressed archive";
            return Err(located((None, Fault::Format(what.to_owned()))));
        }
        tree.apply(changes)
            .map_err(|(entry, fault)| located((Some(entry), fault)))?;
    }
    list(&tree, &folder.join(TREE)).map_err(|error| LayerError {
        index: of.saturating_sub(1),
        of,
        entry: None,
        fault: Fault::of_writing(&error),
    })
}

fn list(tree: &Tree<'_>, path: &Path) -> io::Result<Flattened> {
    let mut file = BufWriter::new(File::create_new(path)?);
    let flattened = listing::write(&tree.root, &mut file)?;
    file.flush()?;
    Ok(flattened)
}
