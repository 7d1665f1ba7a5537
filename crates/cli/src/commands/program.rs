//! The program that `run` is given: its text, its language and its name in the guest.

use super::run::Refusal;
use crate::args::RunArgs;
use anyhow::{Context as _, anyhow, bail};
use protocol::language::{Language, asked_for, names};
use protocol::path::check_relative;
use std::fs::{self, File};
use std::io::Read as _;
use std::path::Path;

/// The name that stands for standard input.
const STDIN: &str = "-";

/// Its text, as far as one that is too long can be told from one that is not.
pub fn text(args: &RunArgs) -> anyhow::Result<Vec<u8>> {
    // One byte over the bound is enough to refuse the rest unread.
    let bound = protocol::limits::MAX_CODE_BYTES as u64 + 1;
    let mut bytes = Vec::new();
    match (&args.code, &args.file) {
        (Some(code), _) => bytes.extend_from_slice(code.as_bytes()),
        (None, Some(file)) if file.as_os_str() == STDIN => {
            std::io::stdin()
                .lock()
                .take(bound)
                .read_to_end(&mut bytes)
                .context("reading the program from standard input")?;
        }
        (None, Some(file)) => {
            refuse_folder(file)?;
            File::open(file)
                .and_then(|open| open.take(bound).read_to_end(&mut bytes))
                .with_context(|| format!("reading the program {}", file.display()))?;
        }
        (None, None) => return Err(anyhow!("name a FILE, - or --code")),
    }
    Ok(bytes)
}

fn refuse_folder(path: &Path) -> anyhow::Result<()> {
    if !path.is_dir() {
        return Ok(());
    }
    let shown = path.display();
    match program_in(path) {
        Some(name) => bail!(
            "{shown} is a folder: name the program in it, such as {}; --input FILE takes others along",
            path.join(name).display()
        ),
        None => bail!("{shown} is a folder: name a program; --input FILE takes others along"),
    }
}

/// One of the folder's files that has a language's extension: `main.*`, else the first by name.
fn program_in(folder: &Path) -> Option<String> {
    let names = fs::read_dir(folder).ok()?;
    let names = names.filter_map(|entry| entry.ok()?.file_name().into_string().ok());
    let programs = names.filter(|name| of_extension(Path::new(name)).is_some());
    programs.min_by_key(|name| (!name.starts_with("main."), name.clone()))
}

/// Its own name, where it has one that a guest can use.
pub fn entry(args: &RunArgs) -> Option<String> {
    let name = args.file.as_deref()?.file_name()?.to_str()?;
    let is_plain = name != STDIN && args.code.is_none() && check_relative(name).is_ok();
    is_plain.then(|| name.to_owned())
}

/// Its language's name: as given, else from the file's extension, its first line, or the first of the image's.
pub fn language(args: &RunArgs, text: &[u8]) -> Result<String, Refusal> {
    let of_itself = || {
        let of_file = args.file.as_deref().and_then(of_extension);
        let known = of_file.or_else(|| Language::from_shebang(text));
        known.map(Language::name)
    };
    let language = args.lang.as_deref().or_else(of_itself);
    let asked = asked_for(language, args.image.as_deref()).map_err(Refusal::Job)?;
    Ok(asked.with_context(|| untold(args))?)
}

fn of_extension(file: &Path) -> Option<Language> {
    file.extension()?
        .to_str()
        .and_then(Language::from_extension)
}

fn untold(args: &RunArgs) -> String {
    let file = args
        .file
        .as_deref()
        .filter(|file| file.as_os_str() != STDIN);
    let extension = file.and_then(Path::extension);
    let seen = match (file, extension) {
        (Some(file), Some(extension)) => format!(
            ".{} of {} is no language's extension, and it has no #! line of one",
            extension.display(),
            file.display()
        ),
        (Some(file), None) => format!(
            "neither an extension nor a #! line tells the language of {}",
            file.display()
        ),
        (None, _) => "no #! line tells the language of the program".to_owned(),
    };
    format!("{seen}; add --lang and one of: {}", names())
}
