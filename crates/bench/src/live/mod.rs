//! What a sandbox that stays promises, measured from outside as its clients see it: a service of our own, real clients on
//! loopback, a real VM for each part. Bounds are those of the sandboxes' specification, for 2 cores and User-Mode Linux.
//!
//! | module | what |
//! |---|---|
//! | [`room`] | a sandbox of the service, asked by one connection or several |
//! | [`feed`] | an answer that comes as it happens |
//! | [`start`] | a process, from the request to its first byte, beside the same by hand in the guest |
//! | [`crowd`] | many processes that print at once, each byte, and what the service holds meanwhile |
//! | [`pace`] | lines at a rate, through server-sent events |
//! | [`keys`] | a key, from a terminal's WebSocket to its echo |
//! | [`cells`] | the smallest cell of a context |
//! | [`files`] | a large file, up and down |
//! | [`judged`] | what a part gives: a figure, its bound, whether it holds |

pub mod cells;
pub mod crowd;
pub mod feed;
pub mod files;
pub mod judged;
pub mod keys;
pub mod pace;
pub mod room;
pub mod start;

use crate::BenchError;
use crate::http::daemon::Daemon;
use judged::Judged;

/// What the sandboxes that are measured have the image of: the programs inside are Python's and bash's.
pub const LANGUAGE: &str = "python";

/// How much is done.
#[derive(Debug, Clone, Copy)]
pub struct Extent {
    /// Processes that are started one after another, each way.
    pub starts: usize,
    /// Processes that print at once.
    pub crowd: usize,
    /// How long lines are printed, seconds.
    pub pace_seconds: u64,
    /// Keys that are typed.
    pub keys: usize,
    /// Cells that are run.
    pub cells: usize,
    /// The file's size, in MiB.
    pub file_mib: usize,
}

/// All parts, one after another; `found` hears of each figure when it is there.
pub async fn run(
    daemon: &Daemon,
    extent: Extent,
    mut found: impl FnMut(&Judged),
) -> Result<Vec<Judged>, BenchError> {
    let mut all = Vec::new();
    let mut note = |figures: Vec<Judged>| {
        figures.iter().for_each(&mut found);
        all.extend(figures);
    };
    note(start::measure(daemon, extent.starts).await?);
    note(keys::measure(daemon, extent.keys).await?);
    note(cells::measure(daemon, extent.cells).await?);
    note(pace::measure(daemon, extent.pace_seconds).await?);
    note(files::measure(daemon, extent.file_mib).await?);
    note(crowd::measure(daemon, extent.crowd).await?);
    Ok(all)
}
