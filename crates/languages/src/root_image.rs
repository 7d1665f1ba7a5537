//! Images by name: each language's own, and those of the tool's that hold one or several languages with more beside them.

use crate::check;
use crate::custom::{self, CustomImage, Defaults};
use crate::error::LanguageError;
use crate::image::Recipe;
use crate::suggest::instead_of_image;
use crate::table::{self, Companions, Embedded, Language, Source};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::cmp::Ordering;
use std::fmt;
use std::hash::{Hash, Hasher};
use std::sync::{LazyLock, Mutex, PoisonError};

/// What VMs boot from: a recipe under a name. As cheap as a number.
#[derive(Clone, Copy)]
pub struct RootImage(&'static ImageEntry);

struct ImageEntry {
    file: ImageFile,
    companions: Companions,
    /// Of an image that is not the tool's.
    defaults: Option<Defaults>,
}

/// An image that is nobody's own: the file `NAME.toml` of `images/`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct ImageFile {
    pub(crate) name: String,
    /// For people: what is in it, in a few words.
    pub(crate) about: String,
    /// Languages whose programs run in it; the first is meant where none is named.
    pub(crate) languages: Vec<String>,
    pub(crate) image: Recipe,
}

include!(concat!(env!("OUT_DIR"), "/embedded_images.rs"));

/// Those of one language alone: one for each that has an image of its own, made when it is first asked for.
static OF_LANGUAGES: Mutex<Vec<RootImage>> = Mutex::new(Vec::new());

static NAMED: LazyLock<Vec<RootImage>> = LazyLock::new(|| {
    let read = |source: Source| {
        // Part of the program, and read by its tests.
        read(source).unwrap_or_else(|error| panic!("{error}"))
    };
    IMAGES
        .iter()
        .map(|embedded| read(embedded.source("images")))
        .collect()
});

fn read(source: Source) -> Result<RootImage, LanguageError> {
    let file: ImageFile = toml::from_str(&source.text).map_err(|error| LanguageError::Syntax {
        path: source.path.clone(),
        source: Box::new(error),
    })?;
    let companions: Vec<String> = source.companions.keys().cloned().collect();
    let checked = check::image_file(&file.name, &source.name, &file.about)
        .and_then(|()| check::image(&file.image, &companions))
        .and_then(|()| known(&file.languages));
    checked.map_err(|(field, wrong)| LanguageError::Field {
        path: source.path,
        field,
        wrong,
    })?;
    Ok(RootImage::made(file, source.companions, None))
}

fn known(names: &[String]) -> Result<(), check::Wrong> {
    let unknown = names.iter().find(|name| table::own(name).is_none());
    match (unknown, names.is_empty()) {
        (None, false) => Ok(()),
        (Some(name), _) => Err((
            "languages",
            format!("has {name:?}, which is none of the tool's"),
        )),
        (None, true) => Err(("languages", "is empty; name one at least".to_owned())),
    }
}

/// All images that there can be: languages' own in the order of languages, then the tool's others by name, then users'.
pub fn images() -> impl Iterator<Item = RootImage> + Clone {
    let own: Vec<RootImage> = table::all()
        .filter(|language| language.recipe().is_some())
        .map(RootImage::of_language)
        .collect();
    own.into_iter()
        .chain(NAMED.iter().copied())
        .chain(custom::all())
}

/// Whether one of the tool's own images, or of a language's, has this name.
pub(crate) fn of_the_tool(name: &str) -> bool {
    let has = |image: &RootImage| image.name() == name && !image.is_custom();
    images().any(|image| has(&image))
}

/// Their names, for messages; not of those that programs' packages made, which are asked for by the packages.
pub fn image_names() -> String {
    let named = images().filter(|image| !image.is_package_set());
    let names: Vec<&str> = named.map(RootImage::name).collect();
    names.join(", ")
}

impl RootImage {
    /// The image of this name.
    pub fn named(name: &str) -> Option<RootImage> {
        images().find(|image| image.name() == name)
    }

    /// The image of this name, else the one that the language of this name or alias boots from.
    pub fn meant_by(name: &str) -> Option<RootImage> {
        let of_language = || Language::from_alias(name).map(Language::image);
        RootImage::named(name).or_else(of_language)
    }

    /// The language's own; it has one.
    pub(crate) fn of_language(language: Language) -> RootImage {
        let mut known = OF_LANGUAGES.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(image) = known.iter().find(|image| image.name() == language.name()) {
            return *image;
        }
        let file = ImageFile {
            name: language.name().to_owned(),
            about: language.row().runtime.clone(),
            languages: vec![language.name().to_owned()],
            image: language.recipe().cloned().unwrap_or_default(),
        };
        let image = RootImage::made(file, language.companions().clone(), None);
        known.push(image);
        image
    }

    /// A new one, which stays as long as the process.
    pub(crate) fn made(
        file: ImageFile,
        companions: Companions,
        defaults: Option<Defaults>,
    ) -> RootImage {
        RootImage(Box::leak(Box::new(ImageEntry {
            file,
            companions,
            defaults,
        })))
    }

    /// Whether it is nobody's but its user's: see [`crate::custom`].
    pub fn is_custom(self) -> bool {
        self.0.defaults.is_some()
    }

    /// Whether packages that a program asked for made it: another that asks for the same gets it, and nobody by its name.
    pub fn is_package_set(self) -> bool {
        self.is_custom() && custom::is_package_set(self.name())
    }

    /// What its programs find, where it is a user's.
    pub fn defaults(self) -> Option<&'static Defaults> {
        self.0.defaults.as_ref()
    }

    /// Whether this is the description of it.
    pub(crate) fn describes(self, custom: &CustomImage) -> bool {
        let file = &self.0.file;
        file.about == custom.about
            && file.languages == custom.languages
            && file.image.max_mib == custom.max_mib
            && self.0.defaults.as_ref() == Some(&custom.defaults)
    }

    /// Its name in flags, the API and the store.
    pub fn name(self) -> &'static str {
        &self.0.file.name
    }

    /// What is in it, in a few words.
    pub fn about(self) -> &'static str {
        &self.0.file.about
    }

    /// What it is made of.
    pub fn recipe(self) -> &'static Recipe {
        &self.0.file.image
    }

    /// A file of its folder.
    pub fn companion(self, name: &str) -> Option<&'static [u8]> {
        self.0.companions.get(name).map(Vec::as_slice)
    }

    /// The languages whose programs run in it, as they do there. The first is meant where none is named.
    pub fn languages(self) -> Vec<Language> {
        let named = self.0.file.languages.iter();
        let mut all: Vec<Language> = named
            .filter_map(|name| Language::from_name(name)?.in_image(self))
            .collect();
        let of_image = table::all().filter(|language| language.image() == self);
        all.extend(of_image.filter(|language| language.name() != self.name()));
        all
    }

    /// Whether its file names this language.
    pub(crate) fn holds(self, language: &str) -> bool {
        self.0.file.languages.iter().any(|name| name == language)
    }
}

impl PartialEq for RootImage {
    fn eq(&self, other: &RootImage) -> bool {
        std::ptr::eq(self.0, other.0)
    }
}

impl Eq for RootImage {}

impl PartialOrd for RootImage {
    fn partial_cmp(&self, other: &RootImage) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for RootImage {
    fn cmp(&self, other: &RootImage) -> Ordering {
        self.name().cmp(other.name())
    }
}

impl Hash for RootImage {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.name().hash(state);
    }
}

impl fmt::Display for RootImage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl fmt::Debug for RootImage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl Serialize for RootImage {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.name())
    }
}

impl<'de> Deserialize<'de> for RootImage {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<RootImage, D::Error> {
        let name = String::deserialize(deserializer)?;
        RootImage::named(&name).ok_or_else(|| {
            serde::de::Error::custom(format!(
                "image {name:?} is not known, {}",
                instead_of_image(&name)
            ))
        })
    }
}
