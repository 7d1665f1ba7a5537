//! Things that are done to the machine.
//!
//! ```text
//!   console                       a flood of the serial console
//!   write PATH TEXT               writes to a file of this guest's kernel, if it has it
//!   pause MILLISECONDS            so long nothing
//!   silence                       nothing any more
//!   close | reset | halt | panic  hang up; reboot; power off; let PID 1 die
//! ```

use crate::boot::report;
use crate::error::{Broken, Tried as _};
use crate::script::{Action, number};
use nix::sys::reboot::{RebootMode, reboot};
use std::fs::File;
use std::io::Write as _;
use std::time::Duration;

/// What each does.
pub const WORDS: &[(&str, Action)] = &[
    ("console", |_, _| flood_console()),
    ("write", |_, rest| {
        let (path, text) = rest.split_once(' ').unwrap_or((rest, ""));
        if let Err(error) = std::fs::write(path, text) {
            report(&format_args!("{path}: {error}"));
        }
        Ok(())
    }),
    ("pause", |_, rest| {
        std::thread::sleep(Duration::from_millis(number(rest) as u64));
        Ok(())
    }),
    ("silence", |_, _| {
        loop {
            nix::unistd::pause();
        }
    }),
    ("close", |speaker, _| {
        speaker.line.hang_up();
        Ok(())
    }),
    ("reset", |_, _| end(RebootMode::RB_AUTOBOOT)),
    ("halt", |_, _| end(RebootMode::RB_POWER_OFF)),
    ("panic", |_, _| std::process::exit(1)),
];

fn flood_console() -> Result<(), Broken> {
    let mut console = File::options()
        .write(true)
        .open("/dev/console")
        .tried("open /dev/console")?;
    let line = [b"\x1b[31mA flood of the console \xff\n".as_slice(); 64].concat();
    loop {
        console.write_all(&line).tried("write /dev/console")?;
    }
}

fn end(mode: RebootMode) -> Result<(), Broken> {
    match reboot(mode) {
        Ok(never) => match never {},
        Err(errno) => Err(errno).tried("reboot"),
    }
}
