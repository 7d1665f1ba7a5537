//! The outputs of a process, and how what is written on each travels.

/// The descriptor on which a process with orders reads them.
pub const ORDERS_FD: u32 = 3;
/// The descriptor on which it answers.
pub const CONTROL_FD: u32 = 4;
/// Further pairs of outputs of a process with orders, from descriptor 5 on: `5 + 2 × (n − 1)` and the one after it are
/// lane `n`'s output and error. An interpreter takes another lane while what a cell left behind still holds the one
/// that it had.
pub const LANES: u8 = 3;

/// Which output a record is of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum OutputKind {
    /// Standard output.
    Stdout,
    /// Standard error.
    Stderr,
    /// A terminal's, which does not tell the two apart.
    Terminal,
    /// What an interpreter says on [`CONTROL_FD`]; it comes after all that was printed before it was said.
    Control,
    /// The output of this lane, 1 to [`LANES`].
    LaneStdout(u8),
    /// The error of this lane.
    LaneStderr(u8),
}

/// The first byte of records of lane 1's output; its error's, and those of the others, follow.
const LANE_BYTE: u8 = 5;

impl OutputKind {
    /// The first byte of its records.
    pub fn byte(self) -> u8 {
        match self {
            OutputKind::Stdout => 1,
            OutputKind::Stderr => 2,
            OutputKind::Terminal => 3,
            OutputKind::Control => 4,
            OutputKind::LaneStdout(lane) => LANE_BYTE + 2 * (lane - 1),
            OutputKind::LaneStderr(lane) => LANE_BYTE + 2 * (lane - 1) + 1,
        }
    }

    /// The reverse.
    pub fn of_byte(byte: u8) -> Option<OutputKind> {
        use OutputKind::{Control, Stderr, Stdout, Terminal};
        let fixed = [Stdout, Stderr, Terminal, Control];
        let mut kinds = fixed.into_iter().chain(OutputKind::lanes(LANES));
        kinds.find(|kind| kind.byte() == byte)
    }

    /// Those of so many lanes, in the order of their descriptors.
    pub fn lanes(count: u8) -> impl Iterator<Item = OutputKind> {
        let both = |lane| [OutputKind::LaneStdout(lane), OutputKind::LaneStderr(lane)];
        (1..=count.min(LANES)).flat_map(both)
    }

    /// Whether only a process with orders has it.
    pub fn needs_orders(self) -> bool {
        !matches!(
            self,
            OutputKind::Stdout | OutputKind::Stderr | OutputKind::Terminal
        )
    }
}

/// A record as it travels, taken apart; `None` for what is none.
pub fn record(data: &[u8]) -> Option<(OutputKind, &[u8])> {
    let (kind, written) = data.split_first()?;
    let kind = OutputKind::of_byte(*kind)?;
    (!written.is_empty()).then_some((kind, written))
}
