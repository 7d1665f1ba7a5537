//! Writes a built-in profile's program to standard output: `cargo run -p seccomp --example compile vmm`.
use std::io::Write;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let name = std::env::args().nth(1).ok_or("usage: compile NAME")?;
    let program = seccomp::Profile::builtin(&name)?.compile()?;
    std::io::stdout().write_all(&program.to_bytes())?;
    Ok(())
}
