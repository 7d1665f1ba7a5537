//! What a process wrote, on its way to the user's standard output and standard error: as it is, or so that a terminal
//! shows it and acts on none of it.

use super::told::{Output, ShownStream};
use crate::terminal::Visible;
use std::io::{self, IsTerminal as _, Write};

/// Both streams.
pub struct Shown {
    out: Option<Visible>,
    err: Option<Visible>,
}

impl Shown {
    /// To this process' own streams, as they are: the terminal is the program's.
    pub fn as_it_is() -> Shown {
        Shown {
            out: None,
            err: None,
        }
    }

    /// To this process' own streams, visible where they are terminals.
    pub fn for_people() -> Shown {
        let visible = |is_terminal: bool| is_terminal.then(Visible::default);
        Shown {
            out: visible(io::stdout().is_terminal()),
            err: visible(io::stderr().is_terminal()),
        }
    }

    /// Passes it on. A terminal's bytes go to standard output.
    pub fn write(&mut self, output: Output) -> io::Result<()> {
        tokio::task::block_in_place(|| match output.stream {
            ShownStream::Stdout | ShownStream::Terminal => {
                pass(&mut self.out, &mut io::stdout().lock(), &output.bytes())
            }
            ShownStream::Stderr => pass(&mut self.err, &mut io::stderr().lock(), &output.bytes()),
        })
    }

    /// Passes on what was held back: nothing more comes.
    pub fn finish(&mut self) -> io::Result<()> {
        rest(&mut self.out, &mut io::stdout().lock())?;
        rest(&mut self.err, &mut io::stderr().lock())
    }
}

fn pass(visible: &mut Option<Visible>, to: &mut dyn Write, data: &[u8]) -> io::Result<()> {
    match visible {
        Some(visible) => to.write_all(visible.push(data).as_bytes())?,
        None => to.write_all(data)?,
    }
    to.flush()
}

fn rest(visible: &mut Option<Visible>, to: &mut dyn Write) -> io::Result<()> {
    if let Some(visible) = visible {
        to.write_all(visible.finish().as_bytes())?;
    }
    to.flush()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_terminal_is_kept_from_acting() {
        for (visible, shown) in [
            (Some(Visible::default()), "a\\u{1b}[2J\n"),
            (None, "a\x1b[2J\n"),
        ] {
            let (mut visible, mut to) = (visible, Vec::new());
            pass(&mut visible, &mut to, b"a\x1b[2").unwrap();
            pass(&mut visible, &mut to, b"J\n").unwrap();
            rest(&mut visible, &mut to).unwrap();
            assert_eq!(String::from_utf8(to).unwrap(), shown);
        }
    }
}
