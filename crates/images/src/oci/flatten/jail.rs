//! The parent's side: starts the child in its jail, hands it the layers, and takes its report once it is gone.

use crate::child::Tool;
use crate::confine;
use crate::error::ImageError;
use crate::oci::error::{Fault, LayerError, OciError};
use crate::oci::flatten::child::CHILD_WORD;
use crate::oci::flatten::plan::{Flattened, MAX_REPORT_BYTES, Plan, REPORT, Report};
use rustix::fs::{Mode, OFlags};
use std::fs::File;
use std::io::{Read, Write};
use std::path::Path;
use std::process::{ChildStdin, Command};
use std::time::Duration;

/// The largest image takes two minutes on a slow machine.
const DEADLINE: Duration = Duration::from_secs(20 * 60);
const INSIDE: &str = "/spool";
/// Where the tool's own program is, inside.
const PROGRAM_INSIDE: &str = "/program";
/// What a program that is not linked statically needs.
const LIBRARIES: [&str; 3] = ["/usr/lib", "/lib", "/lib64"];

/// Runs the child on the new, empty folder `spool`; `feed` writes the layers.
pub(crate) fn flatten(
    plan: &Plan,
    spool: &Path,
    feed: impl FnOnce(&mut ChildStdin) -> Result<(), OciError>,
) -> Result<Flattened, OciError> {
    let tool = Tool {
        name: confine::PROGRAM,
        doing: "unpacking layers",
        deadline: DEADLINE,
    };
    let line = serde_json::to_vec(plan).map_err(std::io::Error::from);
    let line = line.map_err(ImageError::io("writing", spool))?;
    let fed = tool.run_fed(&mut command(spool)?, |mut stdin| {
        // A child that is gone has left a report, or its status says why not.
        let _ = stdin.write_all(&line).and_then(|()| stdin.write_all(b"\n"));
        feed(&mut stdin)
    })?;
    // Bytes other than those promised are the better reason for what the child says of them.
    fed?;
    report(spool)?.map_err(|error| on_host(error, spool))
}

fn command(spool: &Path) -> Result<Command, ImageError> {
    let program = std::env::current_exe();
    let program = program.map_err(ImageError::io("looking for", "this program".as_ref()))?;
    let mut command = confine::command();
    for folder in LIBRARIES {
        command.args(["--ro-bind-try", folder, folder]);
    }
    command
        .args(confine::FRESH)
        .arg("--ro-bind")
        .arg(program)
        .arg(PROGRAM_INSIDE)
        .arg("--bind")
        .arg(spool)
        .args([INSIDE, "--chdir", INSIDE, "--"])
        .args([PROGRAM_INSIDE, CHILD_WORD]);
    Ok(command)
}

/// A full disk is no fault of the image.
fn on_host(error: LayerError, spool: &Path) -> OciError {
    match error.fault {
        Fault::Spool { full: true, .. } => OciError::Host(ImageError::NoSpace {
            path: spool.to_path_buf(),
            doing: "unpacking layers".to_owned(),
        }),
        _ => OciError::Layer(error),
    }
}

fn report(spool: &Path) -> Result<Report, ImageError> {
    let path = spool.join(REPORT);
    let reading = || ImageError::io("reading", &path);
    let file = open(&path).map_err(reading())?;
    let mut bytes = Vec::new();
    let mut file = file.take(MAX_REPORT_BYTES);
    file.read_to_end(&mut bytes).map_err(reading())?;
    let parsed = serde_json::from_slice(&bytes);
    parsed.map_err(|error| reading()(error.into()))
}

/// A plain file that the child left: it may have left a link or a pipe in its place.
pub(crate) fn open(path: &Path) -> std::io::Result<File> {
    let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
    let file = File::from(rustix::fs::open(path, flags, Mode::empty())?);
    match file.metadata()?.is_file() {
        true => Ok(file),
        false => Err(std::io::Error::other("it is no plain file")),
    }
}
