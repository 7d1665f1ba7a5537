//! What somebody may have meant who wrote a name that is none.

use crate::root_image::{image_names, images};
use crate::table::{Language, all, names};

/// Names longer than this are nobody's slip of the pen, and comparing them costs time.
const MAX_COMPARED: usize = 40;
/// How few slips may lie between two words: from 0, nothing in common, to 1, the same.
const ALIKE: f64 = 0.6;
/// The same of words that begin alike, as what is cut short does (expr, expression).
const BEGUN_ALIKE: f64 = 0.77;
/// Shorter ones begin as many others do.
const MIN_BEGUN: usize = 3;

/// The known name that is most like this one, in any case; `None` where none is much like it.
pub fn closest<'a>(wrong: &str, known: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    if wrong.chars().nth(MAX_COMPARED).is_some() {
        return None;
    }
    let wrong = wrong.to_lowercase();
    let alike = known.filter_map(|name| Some((likeness(&wrong, &name.to_lowercase())?, name)));
    let best = alike.max_by(|(one, _), (other, _)| one.total_cmp(other));
    best.map(|(_, name)| name)
}

/// How alike two words are; `None` where they are not much.
fn likeness(one: &str, other: &str) -> Option<f64> {
    let slips = strsim::normalized_damerau_levenshtein(one, other);
    let begun = match one.len().min(other.len()) >= MIN_BEGUN {
        true => strsim::jaro_winkler(one, other),
        false => 0.0,
    };
    (slips >= ALIKE || begun >= BEGUN_ALIKE).then_some(slips.max(begun))
}

/// For messages about a language that is not known: the name that may have been meant, and all there are.
pub fn instead_of_language(wrong: &str) -> String {
    let words = all().flat_map(|language| {
        let aliases = language.row().aliases.iter().map(String::as_str);
        aliases.chain([language.name()])
    });
    instead(closest(wrong, words), &names())
}

/// The same about an image: languages' names mean images, too.
pub fn instead_of_image(wrong: &str) -> String {
    let images: Vec<&str> = images().map(crate::RootImage::name).collect();
    let languages = all().map(Language::name);
    instead(
        closest(wrong, languages.chain(images.iter().copied())),
        &image_names(),
    )
}

fn instead(meant: Option<&str>, all: &str) -> String {
    match meant {
        Some(meant) => format!("did you mean {meant}? There are {all}"),
        None => format!("there are {all}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slip_is_told_from_another_language() {
        for (wrong, meant) in [
            ("pyhton", Some("python")),
            ("Pythn3", Some("python3")),
            ("javscript", Some("javascript")),
            ("noed", Some("node")),
            ("typescrpt", Some("typescript")),
            ("cobol", None),
            ("", None),
            (&"python".repeat(100), None),
        ] {
            let said = instead_of_language(wrong);
            let expected = meant.map(|meant| format!("did you mean {meant}? "));
            let start = expected.unwrap_or_else(|| "there are bash".to_owned());
            assert!(said.starts_with(&start), "{wrong}: {said}");
        }
        let said = instead_of_image("pythondata");
        assert!(said.starts_with("did you mean python-data? "), "{said}");
    }
}
