//! Compiles the `default` system-call profile into the agent, so that there is one list of calls.

use seccomp::{Arch, Profile};
use std::path::Path;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let target = std::env::var("CARGO_CFG_TARGET_ARCH")?;
    let arch = match target.as_str() {
        "x86_64" => Arch::X86_64,
        "aarch64" => Arch::Aarch64,
        other => return Err(format!("no profile is compiled for {other}").into()),
    };
    let words = Profile::builtin("default")?.compile_for(arch)?.as_u64s();
    let folder = std::env::var("OUT_DIR")?;
    let text = format!("/// The `default` profile.\nconst BASELINE: &[u64] = &{words:?};\n");
    std::fs::write(Path::new(&folder).join("baseline.rs"), text)?;
    println!("cargo::rerun-if-changed=build.rs");
    Ok(())
}
