//! The user's terminal while a program in a VM has it: every key goes there, and whatever happens it is given back
//! as it was.

use protocol::supervisor::TerminalSize;
use rustix::stdio::{stdin, stdout};
use rustix::termios::{OptionalActions, Termios, isatty, tcgetattr, tcgetwinsize, tcsetattr};
use std::io::Write as _;

/// What a program may have left on: the alternate screen, a hidden cursor, mouse reports, pasted text in brackets,
/// colours. Each is off in a terminal that nobody changed.
const AS_IT_WAS: &[u8] =
    b"\x1b[?1049l\x1b[?25h\x1b[?1000l\x1b[?1002l\x1b[?1003l\x1b[?1006l\x1b[?2004l\x1b[0m";

/// A terminal in raw mode. Dropped, it is as it was.
pub struct RawTerminal {
    before: Termios,
}

impl RawTerminal {
    /// Takes the terminal, if both ends are one; `None`: pipes or files.
    pub fn take() -> std::io::Result<Option<RawTerminal>> {
        if !isatty(stdin()) || !isatty(stdout()) {
            return Ok(None);
        }
        let before = tcgetattr(stdin())?;
        let mut raw = before.clone();
        raw.make_raw();
        tcsetattr(stdin(), OptionalActions::Now, &raw)?;
        Ok(Some(RawTerminal { before }))
    }

    /// Its size now; a terminal that has none is 24 lines of 80.
    pub fn size(&self) -> TerminalSize {
        let known = tcgetwinsize(stdout()).ok();
        let known = known.filter(|size| size.ws_row > 0 && size.ws_col > 0);
        known.map_or(
            TerminalSize {
                rows: 24,
                columns: 80,
            },
            |size| TerminalSize {
                rows: size.ws_row,
                columns: size.ws_col,
            },
        )
    }
}

impl Drop for RawTerminal {
    fn drop(&mut self) {
        let mut out = std::io::stdout().lock();
        let _ = out.write_all(AS_IT_WAS).and_then(|()| out.flush());
        let _ = tcsetattr(stdin(), OptionalActions::Now, &self.before);
    }
}
