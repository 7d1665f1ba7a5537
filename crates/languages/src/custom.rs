//! Images that no file of the tool's describes: a user built one from a file of his own, imported one, or asked for a
//! language's with packages besides. The store of images keeps their descriptions, and adopts them when it is opened.

use crate::check;
use crate::image::Recipe;
use crate::root_image::{ImageFile, RootImage};
use crate::table::{self, Companions};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

/// Variables of an image's environment, at most.
const MAX_VARIABLES: usize = 256;
/// Bytes of a variable's name and value, and of a word of the command.
const MAX_TEXT_BYTES: usize = 32 * 1024;
/// Words of the command.
const MAX_WORDS: usize = 1024;

/// What images are called that programs' packages made, before letters of a digest.
const PACKAGE_SET: &str = "with-";
/// So many.
const PACKAGE_SET_DIGITS: usize = 16;

/// The name of the image that packages make; the digest is of them and of the image below, in hex.
pub fn package_set_name(digest: &str) -> String {
    let digits = digest.get(..PACKAGE_SET_DIGITS).unwrap_or(digest);
    format!("{PACKAGE_SET}{digits}")
}

/// Whether an image has such a name.
pub(crate) fn is_package_set(name: &str) -> bool {
    let digits = name.strip_prefix(PACKAGE_SET);
    digits.is_some_and(|digits| {
        digits.len() == PACKAGE_SET_DIGITS && digits.bytes().all(|byte| byte.is_ascii_hexdigit())
    })
}

/// What such an image is.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CustomImage {
    /// Its name in flags, the API and the store: `a-z 0-9 -`, no other image's.
    pub name: String,
    /// For people: what is in it, in a few words.
    pub about: String,
    /// Languages whose programs run in it; the first is meant where none is named.
    pub languages: Vec<String>,
    /// What its programs find.
    #[serde(default)]
    pub defaults: Defaults,
    /// The largest that it may be, in MiB.
    pub max_mib: u64,
}

/// What programs of an image find where nobody says otherwise.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Defaults {
    /// In the environment of every program.
    #[serde(default)]
    pub env: BTreeMap<String, String>,
    /// Where `command` starts; absolute. `None`: the work folder.
    #[serde(default)]
    pub working_dir: Option<String>,
    /// What is run where no program is named.
    #[serde(default)]
    pub command: Vec<String>,
    /// What follows it where no arguments are named, as `Cmd` of a container's image.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub arguments: Vec<String>,
}

impl Defaults {
    /// The program and its arguments where these are named; empty: nothing is run.
    pub fn argv(&self, named: &[String]) -> Vec<String> {
        let arguments = match named {
            [] => &self.arguments,
            named => named,
        };
        [&self.command, arguments].concat()
    }
}

static CUSTOM: Mutex<Vec<RootImage>> = Mutex::new(Vec::new());

/// Makes an image known under its name. The same description is the same image; another one takes the name over, and
/// whoever has the former keeps it.
///
/// # Errors
///
/// The field that cannot be meant, and what is wrong with it.
pub fn adopt(custom: &CustomImage) -> Result<RootImage, (&'static str, String)> {
    checked(custom)?;
    let mut known = CUSTOM.lock().unwrap_or_else(PoisonError::into_inner);
    let same_name = |image: &RootImage| image.name() == custom.name;
    if let Some(image) = known.iter().find(|image| same_name(image))
        && image.describes(custom)
    {
        return Ok(*image);
    }
    let recipe = Recipe {
        max_mib: custom.max_mib,
        ..Recipe::default()
    };
    let image = RootImage::made(
        ImageFile {
            name: custom.name.clone(),
            about: custom.about.clone(),
            languages: custom.languages.clone(),
            image: recipe,
        },
        Companions::new(),
        Some(custom.defaults.clone()),
    );
    known.retain(|image| !same_name(image));
    known.push(image);
    known.sort_by_key(|image| image.name());
    Ok(image)
}

/// Takes an image's name away again: it is not listed, and not found.
pub fn forget(name: &str) {
    let mut known = CUSTOM.lock().unwrap_or_else(PoisonError::into_inner);
    known.retain(|image| image.name() != name);
}

/// Those that were adopted, by name.
pub(crate) fn all() -> Vec<RootImage> {
    CUSTOM
        .lock()
        .unwrap_or_else(PoisonError::into_inner)
        .clone()
}

fn checked(custom: &CustomImage) -> Result<(), check::Wrong> {
    check::image_file(&custom.name, &custom.name, &custom.about)?;
    check::max_mib(custom.max_mib)?;
    if let Some(of) = others(&custom.name) {
        return Err(("name", format!("is {:?}, which is {of}", custom.name)));
    }
    let defaults = &custom.defaults;
    let variables = defaults.env.iter();
    let words = defaults.command.iter().chain(&defaults.arguments);
    if variables.len() > MAX_VARIABLES || words.clone().count() > MAX_WORDS {
        return Err((
            "defaults",
            format!("has more than {MAX_VARIABLES} variables or {MAX_WORDS} words"),
        ));
    }
    let plain = |text: &str| !text.contains('\0') && text.len() <= MAX_TEXT_BYTES;
    let named = |name: &str| !name.is_empty() && !name.contains('=') && plain(name);
    let mut texts = words.chain(&defaults.working_dir);
    if !variables
        .clone()
        .all(|(name, value)| named(name) && plain(value))
        || !texts.all(|text| plain(text))
    {
        return Err((
            "defaults",
            format!(
                "has a variable or a word with a NUL, without a name, or over {MAX_TEXT_BYTES} bytes"
            ),
        ));
    }
    let absolute = |folder: &String| folder.starts_with('/');
    match &defaults.working_dir {
        Some(folder) if !absolute(folder) => Err((
            "working_dir",
            format!("is {folder:?}; write an absolute path"),
        )),
        _ => Ok(()),
    }
}

/// Whose name it is already.
fn others(name: &str) -> Option<&'static str> {
    if crate::root_image::of_the_tool(name) {
        return Some("an image of the tool's own");
    }
    let taken = |language: table::Language| {
        language.name() == name || language.row().aliases.iter().any(|alias| alias == name)
    };
    table::all().any(taken).then_some("a language's")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Language;

    fn custom(name: &str) -> CustomImage {
        CustomImage {
            name: name.to_owned(),
            about: "a test's".to_owned(),
            languages: vec!["python".to_owned(), "unheard-of".to_owned()],
            defaults: Defaults {
                env: [("A".to_owned(), "1".to_owned())].into(),
                ..Defaults::default()
            },
            max_mib: 10,
        }
    }

    #[test]
    fn what_is_adopted_is_found_and_its_languages_run_in_it() {
        let image = adopt(&custom("adopted")).unwrap();
        assert_eq!(RootImage::named("adopted"), Some(image));
        assert_eq!(adopt(&custom("adopted")).unwrap(), image);
        let [python] = image.languages()[..] else {
            panic!("{:?}", image.languages());
        };
        assert_eq!(python.label(), "python@adopted");
        assert_eq!(Language::from_label("python@adopted"), Some(python));
        let mut other = custom("adopted");
        other.defaults.env.clear();
        let changed = adopt(&other).unwrap();
        assert_ne!(changed, image);
        assert_eq!(RootImage::named("adopted"), Some(changed));
        assert_ne!(Language::from_label("python@adopted"), Some(python));
        forget("adopted");
        assert_eq!(RootImage::named("adopted"), None);
    }

    #[test]
    fn an_image_that_packages_made_is_known_by_its_name_and_named_to_nobody() {
        let name = package_set_name("0123456789abcdef0123");
        assert_eq!(name, "with-0123456789abcdef");
        let image = adopt(&custom(&name)).unwrap();
        assert!(image.is_package_set());
        assert!(!crate::image_names().contains(&name));
        for other in ["with-pandas", "with-", "python"] {
            assert!(!is_package_set(other), "{other}");
        }
        forget(&name);
    }

    #[test]
    fn names_of_others_and_texts_that_cannot_be_meant_are_refused() {
        for name in [
            "python",
            "python-data",
            "py",
            "kernel",
            "uml",
            "../x",
            "",
            "A",
        ] {
            assert_eq!(adopt(&custom(name)).unwrap_err().0, "name", "{name}");
        }
        let mut nul = custom("refused");
        nul.defaults.env.insert("B".to_owned(), "\0".to_owned());
        assert_eq!(adopt(&nul).unwrap_err().0, "defaults");
        let mut relative = custom("refused");
        relative.defaults.working_dir = Some("srv".to_owned());
        assert_eq!(adopt(&relative).unwrap_err().0, "working_dir");
        let mut large = custom("refused");
        large.max_mib = 1 << 20;
        assert_eq!(adopt(&large).unwrap_err().0, "image.max_mib");
    }
}
