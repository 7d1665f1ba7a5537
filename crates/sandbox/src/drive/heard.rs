//! What was heard of a job: its output within bounds, its artifacts.

use crate::live::{OutputKind, OutputPiece};
use protocol::result::ArtifactFile;
use protocol::wire::Phase;

/// Output streams of a job.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OutputStream {
    /// Standard output.
    Stdout,
    /// Standard error.
    Stderr,
}

/// Output of a job, as it comes.
#[derive(Debug, Clone, PartialEq)]
pub struct JobOutput {
    /// Which stream.
    pub stream: OutputStream,
    /// Not empty, at most one frame of the link.
    pub data: Vec<u8>,
}

/// What was kept of one output stream.
#[derive(Debug, Default)]
pub struct Capped {
    /// At most the job's output limit.
    pub bytes: Vec<u8>,
    /// More came than an honest agent would have sent.
    pub truncated: bool,
}

/// All of it.
#[derive(Debug, Default)]
pub struct Heard {
    /// The phase that the guest says it is in; `None`: it said nothing of the job.
    pub phase: Option<Phase>,
    /// What the caller gets in the end.
    pub stdout: Capped,
    /// The same of stderr.
    pub stderr: Capped,
    /// Whole files.
    pub artifacts: Vec<ArtifactFile>,
}

impl Heard {
    /// A phase begins.
    pub(crate) fn begin(&mut self, phase: Phase) {
        self.phase = Some(phase);
    }

    /// Keeps what a process wrote, at most `bytes` of each stream; what of it the caller gets. A compiler prints to
    /// standard error alone.
    pub(crate) fn take(&mut self, piece: OutputPiece, bytes: u64) -> Option<JobOutput> {
        let stream = match (self.phase, piece.kind) {
            // Of an interpreter that waited: nobody asked it anything.
            (_, OutputKind::Control) => return None,
            (Some(Phase::Execute), OutputKind::Stdout | OutputKind::Terminal) => {
                OutputStream::Stdout
            }
            _ => OutputStream::Stderr,
        };
        let kept = match stream {
            OutputStream::Stdout => &mut self.stdout,
            OutputStream::Stderr => &mut self.stderr,
        };
        // An honest agent drops what is over; for a dishonest one it is dropped here.
        let room = (bytes as usize).saturating_sub(kept.bytes.len());
        let mut data = piece.data;
        if data.len() > room {
            data.truncate(room);
            kept.truncated = true;
        }
        if data.is_empty() {
            return None;
        }
        kept.bytes.extend_from_slice(&data);
        Some(JobOutput { stream, data })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn piece(kind: OutputKind, data: &[u8]) -> OutputPiece {
        OutputPiece {
            offset: 0,
            kind,
            data: data.into(),
        }
    }

    #[test]
    fn output_is_kept_to_its_limit_and_said_to_be_cut() {
        let mut heard = Heard::default();
        heard.begin(Phase::Execute);
        assert!(heard.take(piece(OutputKind::Stdout, b"abc"), 4).is_some());
        let rest = heard.take(piece(OutputKind::Stdout, b"def"), 4).unwrap();
        assert_eq!(rest.data, b"d");
        assert_eq!(heard.take(piece(OutputKind::Stdout, b"g"), 4), None);
        assert_eq!(
            (heard.stdout.bytes, heard.stdout.truncated),
            (b"abcd".to_vec(), true)
        );
        assert!(!heard.stderr.truncated);
    }

    #[test]
    fn a_compiler_prints_to_standard_error() {
        let mut heard = Heard::default();
        heard.begin(Phase::Compile);
        for kind in [OutputKind::Stdout, OutputKind::Stderr] {
            let told = heard.take(piece(kind, b"x"), 9).unwrap();
            assert_eq!(told.stream, OutputStream::Stderr);
        }
        assert_eq!(heard.take(piece(OutputKind::Control, b"x"), 9), None);
    }
}
