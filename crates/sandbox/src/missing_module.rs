//! A tip where a Python program does not find a module that another of the tool's images has: one sentence for every
//! front door.

use protocol::language::{Language, RootImage, images_with_module, registry};
use protocol::packages::Registry;

/// Bytes of an output's end in which Python's last words are looked for.
const LAST_BYTES: usize = 4096;
/// Python's words for it; the class before them is another where a module lacks a name.
const WORDS: &str = "ModuleNotFoundError: No module named '";

/// The tip, where the last words of a program are that it did not find such a module. They are a guest's: what they name
/// is repeated only where it is the name of a module that an image has.
pub fn tip(language: Language, last_words: &[u8]) -> Option<String> {
    if registry(language) != Some(Registry::Pypi) {
        return None;
    }
    let end = &last_words[last_words.len().saturating_sub(LAST_BYTES)..];
    let end = String::from_utf8_lossy(end);
    let (_, named) = end.rsplit_once(WORDS)?;
    let (named, _) = named.split_once('\'')?;
    let module = named.split('.').next()?;
    let image = language.image();
    let others = images_with_module(module);
    let (first, more) = others.split_first()?;
    if image.has_module(module) {
        return None;
    }
    let also: Vec<&str> = more.iter().map(|image| RootImage::name(*image)).collect();
    let also = match also.is_empty() {
        true => String::new(),
        false => format!(" (as have {})", also.join(", ")),
    };
    Some(format!(
        "the image {image} has no module {module}; {first} has it{also}: ask for that image (--image {first}, \"image\": \"{first}\")"
    ))
}

#[cfg(test)]
mod tests {
    use super::*;
    use protocol::language::named;

    #[test]
    fn a_module_that_another_image_has_is_told_of() {
        let python = named("python");
        let words = |module: &str| {
            format!("Traceback …\nModuleNotFoundError: No module named '{module}'\n")
        };
        for module in ["numpy", "pandas", "matplotlib.pyplot"] {
            let told = tip(python, words(module).as_bytes()).unwrap();
            assert!(told.contains("--image"), "{told}");
            assert!(
                told.contains("python-data") && told.contains("agent"),
                "{told}"
            );
        }
        for module in ["nonsense", "", "\u{1b}[31m", "../numpy"] {
            assert_eq!(tip(python, words(module).as_bytes()), None, "{module:?}");
        }
        assert_eq!(tip(python, b"numpy"), None);
        assert_eq!(tip(named("bash"), words("numpy").as_bytes()), None);
        let data = Language::from_label("python@python-data").unwrap();
        assert_eq!(tip(data, words("numpy").as_bytes()), None);
        let far = format!("{}{}", words("numpy"), "x".repeat(LAST_BYTES));
        assert_eq!(tip(python, far.as_bytes()), None);
    }
}
