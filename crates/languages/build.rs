//! Embeds `data/` and `images/`: each `NAME.toml`, and the files of the folder `NAME` beside it. A file there is all that a
//! language takes. What several of them name is in `shared/`, once.

use std::error::Error;
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

fn main() -> Result<(), Box<dyn Error>> {
    embed("data", "EMBEDDED", "embedded.rs")?;
    embed("images", "IMAGES", "embedded_images.rs")?;
    let shared = files(&watched("shared")?)?;
    write(
        "embedded_shared.rs",
        &format!("const SHARED: &[File] = {shared};\n"),
    )
}

/// Lists a folder of this crate's as a constant, in a file of the build's.
fn embed(folder: &str, constant: &str, output: &str) -> Result<(), Box<dyn Error>> {
    let data = watched(folder)?;
    let mut text = format!("const {constant}: &[Embedded] = &[\n");
    for file in sorted(&data)? {
        if file.extension().is_none_or(|extension| extension != "toml") {
            continue;
        }
        let folder = file.with_extension("");
        writeln!(text, "    Embedded {{")?;
        writeln!(text, "        name: {:?},", name_of(&folder))?;
        writeln!(text, "        text: include_str!({file:?}),")?;
        let files = match folder.is_dir() {
            true => files(&folder)?,
            false => "&[]".to_owned(),
        };
        writeln!(text, "        files: {files},\n    }},")?;
    }
    text.push_str("];\n");
    write(output, &text)
}

/// A folder of this crate's, whose changes are the build's.
fn watched(folder: &str) -> Result<PathBuf, Box<dyn Error>> {
    let path = Path::new(&std::env::var("CARGO_MANIFEST_DIR")?).join(folder);
    println!("cargo::rerun-if-changed={}", path.display());
    Ok(path)
}

/// The files of a folder as a constant's value: names and contents.
fn files(folder: &Path) -> Result<String, Box<dyn Error>> {
    let mut text = String::from("&[");
    for file in sorted(folder)? {
        write!(text, "({:?}, include_bytes!({file:?})), ", name_of(&file))?;
    }
    text.push(']');
    Ok(text)
}

fn write(output: &str, text: &str) -> Result<(), Box<dyn Error>> {
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
