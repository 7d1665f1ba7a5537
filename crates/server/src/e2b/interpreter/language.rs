//! E2B's names of languages. Its clients say `javascript` where our language is `node`; all else has one name.

use crate::problem::{HttpCode, Problem};
use crate::sandboxes::slot::SandboxSlot;
use protocol::language::{Language, all};

/// Where E2B's name is another than ours: theirs, ours.
const RENAMED: &[(&str, &str)] = &[("javascript", "node")];
/// What a cell is written in that names neither context nor language.
const USUAL: &str = "python";
/// Contexts that are listed before anyone asked for one.
const FROM_THE_START: &[&str] = &["python", "javascript"];

/// A language whose cells E2B's clients may send.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct E2bLanguage(Language);

impl E2bLanguage {
    /// Of ours.
    pub fn of(language: Language) -> E2bLanguage {
        E2bLanguage(language)
    }

    /// The language itself.
    pub fn own(self) -> Language {
        self.0
    }

    /// As E2B calls it.
    pub fn name(self) -> &'static str {
        let own = self.0.name();
        let renamed = RENAMED.iter().find(|(_, ours)| *ours == own);
        renamed.map_or(own, |(theirs, _)| theirs)
    }

    /// By a name or an alias, in any case, as E2B takes them.
    fn named(name: &str) -> Option<E2bLanguage> {
        let name = name.trim().to_lowercase();
        Language::from_alias(&name).map(E2bLanguage)
    }

    fn is_in(self, slot: &SandboxSlot) -> bool {
        self.0.has_context_in(slot.job.language.image())
    }
}

/// What is asked for, or else Python; where an image has none, its own language.
pub fn asked(name: Option<&str>, slot: &SandboxSlot) -> Result<E2bLanguage, Problem> {
    let Some(name) = name else {
        let usual = E2bLanguage::named(USUAL).filter(|usual| usual.is_in(slot));
        return Ok(usual.unwrap_or(E2bLanguage(slot.job.language)));
    };
    let known = E2bLanguage::named(name).filter(|language| language.is_in(slot));
    known.ok_or_else(|| {
        let there: Vec<&str> = there(slot).map(E2bLanguage::name).collect();
        let sentence = format!(
            "the image {} runs no cells of that language; it has {}",
            slot.job.language.image(),
            there.join(", ")
        );
        Problem::with(HttpCode::FieldInvalid, sentence).field("language")
    })
}

/// Those of the languages that E2B begins with which the image has.
pub fn from_the_start(slot: &SandboxSlot) -> impl Iterator<Item = E2bLanguage> {
    let names = FROM_THE_START.iter();
    names.filter_map(|name| E2bLanguage::named(name).filter(|language| language.is_in(slot)))
}

fn there(slot: &SandboxSlot) -> impl Iterator<Item = E2bLanguage> {
    all()
        .map(E2bLanguage)
        .filter(|language| language.is_in(slot))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn languages_go_by_e2bs_names_and_ours() {
        for (name, ours, theirs) in [
            ("python", "python", "python"),
            ("Python3 ", "python", "python"),
            ("js", "node", "javascript"),
            ("javascript", "node", "javascript"),
            ("ts", "typescript", "typescript"),
            ("bash", "bash", "bash"),
            ("R", "r", "r"),
            ("java", "java", "java"),
        ] {
            let language = E2bLanguage::named(name).unwrap();
            assert_eq!((language.own().name(), language.name()), (ours, theirs));
        }
        assert_eq!(E2bLanguage::named("cobol"), None);
    }
}
