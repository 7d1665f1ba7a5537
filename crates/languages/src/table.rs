//! The table: the tool's own rows, then the operator's. A row lives as long as the process, so a language is a pointer
//! to its row, as cheap as a number.

use crate::check::{check, taken};
use crate::error::LanguageError;
use crate::folder;
use crate::image::{Image, Recipe};
use crate::root_image::RootImage;
use crate::row::{AlsoIn, Row};
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{LazyLock, Mutex, OnceLock, PoisonError};

mod traits;

/// A language that a program may be written in: a row of the process' table.
#[derive(Clone, Copy)]
pub struct Language(&'static Entry);

/// A file of a language's folder that its guests get.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Driver {
    /// Whose, which is the folder that it is in.
    pub language: &'static str,
    /// Its name there.
    pub name: &'static str,
    /// Its content.
    pub content: &'static [u8],
}

struct Entry {
    row: &'static Row,
    /// SHA-256 of the row's file, in lower-case hex.
    digest: String,
    companions: &'static Companions,
    /// Its place in the table; in other images than its own language's, after all of the table.
    order: usize,
    origin: Origin,
    /// What it boots from, where that is neither its own image nor the one that its row names.
    elsewhere: Option<RootImage>,
}

/// Who wrote a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Origin {
    Tool,
    Operator,
}

/// Files beside a row, by name.
pub(crate) type Companions = BTreeMap<String, Vec<u8>>;

/// A language's files before they are read.
pub(crate) struct Source {
    pub(crate) path: PathBuf,
    /// The file's name without `.toml`.
    pub(crate) name: String,
    pub(crate) text: String,
    pub(crate) companions: Companions,
}

/// The tool's own, as `build.rs` lists them.
pub(crate) struct Embedded {
    pub(crate) name: &'static str,
    pub(crate) text: &'static str,
    pub(crate) files: &'static [File],
}

/// A file's name and content.
type File = (&'static str, &'static [u8]);

impl Embedded {
    /// Its files, of this folder, and those that all of them share.
    pub(crate) fn source(&self, folder: &str) -> Source {
        let files = SHARED.iter().chain(self.files);
        Source {
            path: format!("{folder}/{}.toml", self.name).into(),
            name: self.name.to_owned(),
            text: self.text.to_owned(),
            companions: files
                .map(|(name, content)| ((*name).to_owned(), content.to_vec()))
                .collect(),
        }
    }
}

include!(concat!(env!("OUT_DIR"), "/embedded.rs"));
include!(concat!(env!("OUT_DIR"), "/embedded_shared.rs"));

static OWN: LazyLock<Vec<Language>> = LazyLock::new(|| {
    let sources = EMBEDDED.iter().map(|embedded| embedded.source("data"));
    // Part of the program, and read by its tests: one that cannot be read never leaves the workbench.
    read(sources.collect(), &[], Origin::Tool).unwrap_or_else(|error| panic!("{error}"))
});

static OPERATORS: OnceLock<Operators> = OnceLock::new();

/// What an operator added, and from where.
struct Operators {
    folder: PathBuf,
    languages: Vec<Language>,
}

/// Reads an operator's folder and adds its languages; a folder that is not there has none. On an error nothing is
/// added. Once a process: the same folder is not read again, another is refused.
pub fn load(folder: &Path) -> Result<(), LanguageError> {
    if OPERATORS.get().is_some_and(|known| known.folder == folder) {
        return Ok(());
    }
    let read = read(folder::sources(folder)?, &OWN, Origin::Operator)?;
    let drivers = || {
        OWN.iter()
            .chain(&read)
            .flat_map(|language| language.drivers())
    };
    let bytes: usize = drivers().map(|driver| driver.content.len()).sum();
    for (many, what, bound) in [
        (drivers().count(), "drivers", folder::MAX_DRIVERS),
        (bytes, "bytes of drivers", folder::MAX_DRIVERS_BYTES),
    ] {
        if many > bound {
            let path = folder.to_path_buf();
            return Err(LanguageError::TooMany { path, what, bound });
        }
    }
    let operators = Operators {
        folder: folder.to_path_buf(),
        languages: read,
    };
    OPERATORS.set(operators).map_err(|_| LanguageError::Loaded)
}

/// All languages, in the order in which they are listed: the tool's by name, then the operator's.
pub fn all() -> impl Iterator<Item = Language> + Clone {
    let operators = OPERATORS.get().map(|operators| &operators.languages[..]);
    OWN.iter().chain(operators.unwrap_or_default()).copied()
}

/// Their names, for messages: `bash, go, …`.
pub fn names() -> String {
    let names: Vec<&str> = all().map(Language::name).collect();
    names.join(", ")
}

/// The tool's own language of this name: for tests, and for programs of ours that are written in one.
///
/// # Panics
///
/// When the tool has none of this name.
#[track_caller]
pub fn named(name: &str) -> Language {
    match OWN.iter().find(|language| language.name() == name) {
        Some(language) => *language,
        None => panic!("the tool has no language {name:?}"),
    }
}

/// Languages in other images than the table says, each made when it is first asked for: as many as there are pairs.
static ELSEWHERE: Mutex<Vec<Language>> = Mutex::new(Vec::new());
/// Where their places begin: after those of any table.
const AFTER_ALL: usize = 1 << 20;

fn elsewhere(plain: Language, image: RootImage) -> Language {
    let mut known = ELSEWHERE.lock().unwrap_or_else(PoisonError::into_inner);
    let is_it = |language: &&Language| {
        language.0.elsewhere == Some(image) && language.name() == plain.name()
    };
    if let Some(language) = known.iter().find(is_it) {
        return *language;
    }
    let language = Language(Box::leak(Box::new(Entry {
        row: plain.0.row,
        digest: plain.0.digest.clone(),
        companions: plain.0.companions,
        order: AFTER_ALL + known.len(),
        origin: plain.0.origin,
        elsewhere: Some(image),
    })));
    known.push(language);
    language
}

/// The tool's own language of this name.
pub(crate) fn own(name: &str) -> Option<Language> {
    OWN.iter().copied().find(|language| language.name() == name)
}

fn read(
    sources: Vec<Source>,
    before: &[Language],
    origin: Origin,
) -> Result<Vec<Language>, LanguageError> {
    let mut words: BTreeMap<String, String> = BTreeMap::new();
    for language in before {
        words.extend(taken(language.row()).map(|(_, word)| (word, language.name().to_owned())));
    }
    let mut rows = Vec::new();
    for source in sources {
        let row = read_row(&source)?;
        for (field, word) in taken(&row) {
            let owner = words
                .entry(word.clone())
                .or_insert_with(|| row.name.clone());
            if *owner != row.name {
                return Err(LanguageError::Field {
                    path: source.path,
                    field,
                    wrong: format!("has {word:?}, which is {owner}'s already; write another"),
                });
            }
        }
        rows.push((row, source));
    }
    whose_images(&rows, before)?;
    let entries = rows.into_iter().enumerate().map(|(index, (row, source))| {
        Language(Box::leak(Box::new(Entry {
            row: Box::leak(Box::new(row)),
            digest: hex::encode(Sha256::digest(&source.text)),
            companions: Box::leak(Box::new(source.companions)),
            order: before.len() + index,
            origin,
            elsewhere: None,
        })))
    });
    Ok(entries.collect())
}

fn read_row(source: &Source) -> Result<Row, LanguageError> {
    let row: Row = toml::from_str(&source.text).map_err(|error| LanguageError::Syntax {
        path: source.path.clone(),
        source: Box::new(error),
    })?;
    let companions: Vec<String> = source.companions.keys().cloned().collect();
    check(&row, &source.name, &companions).map_err(|(field, wrong)| LanguageError::Field {
        path: source.path.clone(),
        field,
        wrong,
    })?;
    Ok(row)
}

/// Whoever boots another's image names one that is there, and of its own.
fn whose_images(rows: &[(Row, Source)], before: &[Language]) -> Result<(), LanguageError> {
    let has_own = |name: &str| {
        let known = before.iter().map(|language| language.row());
        let mut all = known.chain(rows.iter().map(|(row, _)| row));
        all.any(|row| row.name == name && matches!(row.image, Image::Own(_)))
    };
    for (row, source) in rows {
        if let Image::Of(name) = &row.image
            && !has_own(name)
        {
            return Err(LanguageError::Field {
                path: source.path.clone(),
                field: "image",
                wrong: format!(
                    "is {name:?}; write the name of a language that has an image of its own"
                ),
            });
        }
    }
    Ok(())
}

impl Language {
    /// Its row.
    pub fn row(self) -> &'static Row {
        self.0.row
    }

    /// The name used everywhere: flags, the API, image names.
    pub fn name(self) -> &'static str {
        &self.0.row.name
    }

    /// SHA-256 of its file, in lower-case hex: another row of the same name has another.
    pub fn digest(self) -> &'static str {
        &self.0.digest
    }

    /// An operator's, not the tool's.
    pub fn is_operators(self) -> bool {
        self.0.origin == Origin::Operator
    }

    /// The language with exactly this name; aliases and other spellings do not count.
    pub fn from_name(name: &str) -> Option<Language> {
        all().find(|language| language.name() == name)
    }

    /// The language with this name or alias, in any case.
    pub fn from_alias(name: &str) -> Option<Language> {
        let is_it = |word: &str| word.eq_ignore_ascii_case(name);
        let has = |language: &Language| {
            let aliases = &language.row().aliases;
            is_it(language.name()) || aliases.iter().any(|alias| is_it(alias))
        };
        Language::from_name(name).or_else(|| all().find(has))
    }

    /// The language of a file with this extension (without the dot).
    pub fn from_extension(extension: &str) -> Option<Language> {
        let has = |known: &String| known == extension;
        all().find(|language| language.row().extensions.iter().any(has))
    }

    /// What its VMs boot from.
    pub fn image(self) -> RootImage {
        let own = || match &self.row().image {
            Image::Own(_) => self,
            // It is there: its file would have been refused.
            Image::Of(name) => Language::from_name(name).unwrap_or(self),
        };
        let elsewhere = self.0.elsewhere;
        elsewhere.unwrap_or_else(|| RootImage::of_language(own()))
    }

    /// The same language as it runs in another image; `None` where it does not.
    pub fn in_image(self, image: RootImage) -> Option<Language> {
        let plain = Language::from_name(self.name())?;
        if plain.image() == image {
            return Some(plain);
        }
        image.holds(self.name()).then(|| elsewhere(plain, image))
    }

    /// Its name; with its image's where that is neither its own nor the one that its row names.
    pub fn label(self) -> String {
        match self.0.elsewhere {
            None => self.name().to_owned(),
            Some(image) => format!("{}@{image}", self.name()),
        }
    }

    /// The language of a label, which may have an alias where the name stands.
    pub fn from_label(label: &str) -> Option<Language> {
        match label.split_once('@') {
            None => Language::from_alias(label),
            Some((name, image)) => Language::from_alias(name)?.in_image(RootImage::named(image)?),
        }
    }

    /// Whether an image has what carries out this language's cells.
    pub fn has_context_in(self, image: RootImage) -> bool {
        let Some(context) = &self.row().context else {
            return false;
        };
        let held = image.languages();
        let holds = |name: &str| held.iter().any(|language| language.name() == name);
        holds(self.name())
            || match &context.also_in {
                AlsoIn::None => false,
                AlsoIn::EveryImage => true,
                AlsoIn::ImagesOf(names) => names.iter().any(|name| holds(name)),
            }
    }

    pub(crate) fn companions(self) -> &'static Companions {
        self.0.companions
    }

    /// What its own image is made of; `None` where it boots from another's.
    pub(crate) fn recipe(self) -> Option<&'static Recipe> {
        match &self.row().image {
            Image::Own(recipe) => Some(recipe),
            Image::Of(_) => None,
        }
    }

    /// What its guests get of its folder.
    pub fn drivers(self) -> impl Iterator<Item = Driver> {
        let names = self.row().drivers.iter();
        names.filter_map(move |name| {
            Some(Driver {
                language: self.name(),
                name,
                content: self.companion(name)?,
            })
        })
    }

    /// A file of its folder.
    pub fn companion(self, name: &str) -> Option<&'static [u8]> {
        self.0.companions.get(name).map(Vec::as_slice)
    }
}

#[cfg(test)]
mod tests;
