//! Each field's bounds. A word that gets into a command line, a path or a message is held to plain letters, so that
//! whoever uses it need not look again.

use crate::image::Image;
use crate::row::{AlsoIn, InterpreterRow, Orders, PROGRAM, Row, SECONDS};
use std::collections::BTreeMap;

/// A field and what is wrong with it.
pub(crate) type Wrong = (&'static str, String);

/// Words, variables, packages, globs, … of one list.
const MAX_ITEMS: usize = 256;
/// Bytes of a word, a glob or a path.
const MAX_WORD_BYTES: usize = 4096;
/// Bytes of a name, an alias or an extension.
const MAX_NAME_BYTES: usize = 32;
/// Bytes of what people are shown.
const MAX_SHOWN_BYTES: usize = 64;
/// Rows of `images list` that are no languages'.
const RESERVED: &[&str] = &["initramfs", "kernel", "uml"];

/// Goes on where this holds; else what is wrong with a field.
macro_rules! ensure {
    ($holds:expr, $field:expr, $($wrong:tt)+) => {
        if !$holds {
            return Err(($field, format!($($wrong)+)));
        }
    };
}

mod image;

pub(crate) use image::{image, image_file, max_mib};

/// All of a row that can be judged without the others; `file` is the file's name without `.toml`, `companions` are
/// the names in the folder beside it.
pub(crate) fn check(row: &Row, file: &str, companions: &[String]) -> Result<(), Wrong> {
    name_is(row, file)?;
    names("aliases", &row.aliases)?;
    extensions(&row.extensions)?;
    ensure!(
        is_file(&row.source_file),
        "source_file",
        "is {:?}; write a plain file name, like \"main.x\"",
        row.source_file
    );
    runtime(row)?;
    end_of_life(row)?;
    if let Some(compile) = &row.compile {
        argv("compile", compile)?;
    }
    argv("run", &row.run)?;
    let named = [Some(&row.run), row.compile.as_ref()];
    let named = named
        .into_iter()
        .flatten()
        .flatten()
        .any(|word| word == PROGRAM);
    ensure!(
        named,
        "run",
        "names no program; write \"{PROGRAM}\" where its file stands, here or in compile"
    );
    variables("env", &row.env)?;
    listed("drivers", &row.drivers, companions)?;
    program("warm_up", &row.warm_up)?;
    if let Some(waiting) = &row.interpreter {
        interpreter(waiting)?;
    }
    if let Some(context) = &row.context {
        argv("context.argv", &context.argv)?;
        count("context.wait", context.wait.len())?;
        text("context.wait", &context.wait)?;
        if let Orders::Shell(first) = &context.orders {
            text("context.orders", [first])?;
        }
        if let AlsoIn::ImagesOf(names_of) = &context.also_in {
            names("context.also_in", names_of)?;
        }
    }
    samples(row)?;
    piston(row)?;
    match &row.image {
        Image::Of(_) => Ok(()),
        Image::Own(recipe) => image(recipe, companions),
    }
}

fn name_is(row: &Row, file: &str) -> Result<(), Wrong> {
    let name = &row.name;
    ensure!(
        is_name(name) && !name.contains(['.', '+', '#']),
        "name",
        "is {name:?}; write 1 to {MAX_NAME_BYTES} of a-z 0-9 -, the first a letter"
    );
    ensure!(
        !RESERVED.contains(&&**name),
        "name",
        "is {name:?}, which the tool's own files are called; write another"
    );
    ensure!(
        name == file,
        "name",
        "is {name:?}; call the file {name}.toml, or write {file:?}"
    );
    Ok(())
}

fn is_name(name: &str) -> bool {
    name.len() <= MAX_NAME_BYTES
        && name.starts_with(|first: char| first.is_ascii_lowercase())
        && name
            .bytes()
            .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b"-.+#".contains(&b))
}

fn names(field: &'static str, names: &[String]) -> Result<(), Wrong> {
    count(field, names.len())?;
    match names.iter().find(|name| !is_name(name)) {
        None => Ok(()),
        Some(name) => Err((
            field,
            format!(
                "has {name:?}; write 1 to {MAX_NAME_BYTES} of a-z 0-9 - . + #, the first a letter"
            ),
        )),
    }
}

fn extensions(extensions: &[String]) -> Result<(), Wrong> {
    count("extensions", extensions.len())?;
    let plain = |text: &str| {
        (1..=MAX_NAME_BYTES).contains(&text.len())
            && text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'+')
    };
    match extensions.iter().find(|text| !plain(text)) {
        None => Ok(()),
        Some(text) => Err((
            "extensions",
            format!("has {text:?}; write letters and digits, without the dot"),
        )),
    }
}

fn runtime(row: &Row) -> Result<(), Wrong> {
    let version = row.version();
    let plain = version.starts_with(|c: char| c.is_ascii_digit())
        && version.bytes().all(|b| b.is_ascii_digit() || b == b'.')
        && row.runtime.contains(' ')
        && is_shown(&row.runtime);
    ensure!(
        plain,
        "runtime",
        "is {:?}; write a name and a version, like \"CPython 3.11\"",
        row.runtime
    );
    Ok(())
}

fn end_of_life(row: &Row) -> Result<(), Wrong> {
    let Some(day) = &row.end_of_life else {
        return Ok(());
    };
    let digits = |text: &str| text.bytes().all(|b| b.is_ascii_digit());
    let parts: Vec<&str> = day.split('-').collect();
    let plain = matches!(parts[..], [year, month, day]
        if [year.len(), month.len(), day.len()] == [4, 2, 2]
            && digits(year) && ("01"..="12").contains(&month) && ("01"..="31").contains(&day));
    ensure!(
        plain,
        "end_of_life",
        "is {day:?}; write a day, like \"2029-10-31\""
    );
    Ok(())
}

fn is_shown(text: &str) -> bool {
    (1..=MAX_SHOWN_BYTES).contains(&text.len())
        && text.bytes().all(|b| b == b' ' || b.is_ascii_graphic())
}

/// A plain name of a file, and no flag.
fn is_file(name: &str) -> bool {
    (1..=MAX_SHOWN_BYTES).contains(&name.len())
        && !name.starts_with(['.', '-'])
        && name
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || b"._-".contains(&b))
}

fn count(field: &'static str, items: usize) -> Result<(), Wrong> {
    ensure!(
        items <= MAX_ITEMS,
        field,
        "has {items} items; write at most {MAX_ITEMS}"
    );
    Ok(())
}

fn argv(field: &'static str, words: &[String]) -> Result<(), Wrong> {
    count(field, words.len())?;
    let first = words.first().map_or("", String::as_str);
    ensure!(
        first.starts_with('/') || first.starts_with("./"),
        field,
        "starts with {first:?}; write the program's whole path, or ./NAME of the work folder"
    );
    text(field, words)
}

/// Nothing that a command line, an environment or a list in a file could not carry.
fn text<'a>(field: &'static str, words: impl IntoIterator<Item = &'a String>) -> Result<(), Wrong> {
    let wrong = |word: &&String| word.len() > MAX_WORD_BYTES || word.contains('\0');
    match words.into_iter().find(wrong) {
        None => Ok(()),
        Some(word) => Err((
            field,
            format!(
                "has a word of {} bytes; write at most {MAX_WORD_BYTES}, none of them NUL",
                word.len()
            ),
        )),
    }
}

fn variables(field: &'static str, env: &BTreeMap<String, String>) -> Result<(), Wrong> {
    count(field, env.len())?;
    let plain = |name: &str| {
        name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
            && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_')
    };
    if let Some(name) = env.keys().find(|name| !plain(name)) {
        return Err((
            field,
            format!("has {name:?}; write A-Z a-z 0-9 _, the first no digit"),
        ));
    }
    text(field, env.keys().chain(env.values()))
}

fn listed(field: &'static str, files: &[String], companions: &[String]) -> Result<(), Wrong> {
    count(field, files.len())?;
    match files.iter().find(|name| !companions.contains(name)) {
        None => Ok(()),
        Some(name) => Err((
            field,
            format!(
                "has {name:?}, which is not there; put the file into the folder of the language's name"
            ),
        )),
    }
}

fn program(field: &'static str, code: &str) -> Result<(), Wrong> {
    ensure!(
        !code.is_empty() && !code.contains('\0'),
        field,
        "is no program; write one that ends by itself"
    );
    Ok(())
}

fn interpreter(waiting: &InterpreterRow) -> Result<(), Wrong> {
    argv("interpreter.argv", &waiting.argv)?;
    variables("interpreter.env", &waiting.env)?;
    count("interpreter.fixed", waiting.fixed.len())?;
    text("interpreter.fixed", &waiting.fixed)?;
    let Some(library) = &waiting.library else {
        return Ok(());
    };
    text("interpreter.library", [&library.folder, &library.suffix])?;
    ensure!(
        library.folder.starts_with('/'),
        "interpreter.library",
        "has the folder {:?}; write its whole path",
        library.folder
    );
    Ok(())
}

fn samples(row: &Row) -> Result<(), Wrong> {
    let Some(samples) = &row.samples else {
        return Ok(());
    };
    program("samples.hello", &samples.hello)?;
    program("samples.answer", &samples.answer)?;
    ensure!(
        samples.sleep.contains(SECONDS),
        "samples.sleep",
        "waits for no time that can be told; write {SECONDS} where it stands"
    );
    match &samples.inline {
        None => Ok(()),
        Some(inline) => argv("samples.inline", inline),
    }
}

fn piston(row: &Row) -> Result<(), Wrong> {
    let Some(piston) = &row.piston else {
        return Ok(());
    };
    let own = [Some(&piston.name), piston.runtime.as_ref()];
    let own: Vec<String> = own.into_iter().flatten().cloned().collect();
    names("piston.name", &own)?;
    names("piston.aliases", &piston.aliases)
}

/// Words that a language takes for itself, each with its field: names first, then extensions, which have a dot so that
/// both can stand in one list.
pub(crate) fn taken(row: &Row) -> impl Iterator<Item = (&'static str, String)> {
    let name = [("name", row.name.clone())].into_iter();
    let aliases = row.aliases.iter().map(|alias| ("aliases", alias.clone()));
    let extensions = row.extensions.iter();
    let extensions = extensions.map(|extension| ("extensions", format!(".{extension}")));
    let piston =
        std::iter::once(row.piston_name()).chain(row.piston_aliases().iter().map(String::as_str));
    let piston = piston.map(|name| ("piston.aliases", name.to_owned()));
    name.chain(aliases).chain(extensions).chain(piston)
}
