//! Embeds `data/` and `images/`: each `NAME.toml`, and the files of the folder `NAME` beside it. A file there is all that a
//! language takes.

use std::error::Error;
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

fn main() -> Result<(), Box<dyn Error>> {
    embed("data", "EMBEDDED", "embedded.rs")?;
    embed("images", "IMAGES", "embedded_images.rs")
}

/// Lists a folder of this crate's as a constant, in a file of the build's.
fn embed(folder: &str, constant: &str, output: &str) -> Result<(), Box<dyn Error>> {
    let data = Path::new(&std::env::var("CARGO_MANIFEST_DIR")?).join(folder);
    println!("cargo::rerun-if-changed={}", data.display());
    let mut text = format!("const {constant}: &[Embedded] = &[\n");
    for file in sorted(&data)? {
        if file.extension().is_none_or(|extension| extension != "toml") {
            continue;
        }
        let folder = file.with_extension("");
        writeln!(text, "    Embedded {{")?;
        writeln!(text, "        name: {:?},", name_of(&folder))?;
        writeln!(text, "        text: include_str!({file:?}),")?;
        writeln!(text, "        files: &[")?;
        let files = match folder.is_dir() {
            true => sorted(&folder)?,
            false => Vec::new(),
        };
        for file in files {
            writeln!(
                text,
                "            ({:?}, include_bytes!({file:?})),",
                name_of(&file)
            )?;
        }
        writeln!(text, "        ],\n    }},")?;
    }
    text.push_str("];\n");
    let out = Path::new(&std::env::var("OUT_DIR")?).join(output);
    Ok(fs::write(out, text)?)
}

fn sorted(folder: &Path) -> Result<Vec<PathBuf>, Box<dyn Error>> {
    let entries: Result<Vec<_>, _> = fs::read_dir(folder)?.collect();
    let mut paths: Vec<_> = entries?.into_iter().map(|entry| entry.path()).collect();
    paths.sort();
    Ok(paths)
}

fn name_of(path: &Path) -> String {
    let name = path.file_name().unwrap_or_default();
    name.to_string_lossy().into_owned()
}
