//! Attacks from within one image: those of languages that it holds, in VMs that boot from it.

use crate::bench::needed_languages;
use crate::error::SelftestError;
use crate::table::{Attack, Form, form};
use protocol::language::{Language, RootImage, named};

impl Form {
    /// The same in VMs of an image; of one that does not hold its language, as it is.
    fn within(self, image: Option<RootImage>) -> Form {
        match self {
            Form::Program(language) => Form::Program(within(language, image)),
            Form::Client(language) => Form::Client(within(language, image)),
            Form::Talk | Form::Request | Form::Link => self,
        }
    }
}

fn within(language: Language, image: Option<RootImage>) -> Language {
    let inside = image.and_then(|image| language.in_image(image));
    inside.unwrap_or(language)
}

impl Attack {
    /// What becomes of a file of its.
    pub fn form_of(&self, file: &str) -> Result<Form, SelftestError> {
        Ok(form(file)?.within(self.image))
    }

    /// The tool's language of this name, where the attack is made.
    pub fn language(&self, name: &str) -> Language {
        within(named(name), self.image)
    }

    /// The same attack in VMs of this image; `None` where it cannot be made there, or makes no VM.
    pub fn inside(mut self, image: RootImage) -> Option<Attack> {
        let is_request = matches!(form(&self.row.file), Ok(Form::Request));
        let needed = needed_languages(&self).ok()?;
        let holds = |language: Language| language.in_image(image).is_some();
        let can = !is_request && needed.into_iter().all(|(_, language)| holds(language));
        self.image = Some(image);
        can.then_some(self)
    }
}

/// What plain jobs beside the attacks are written in: this language where the image holds it, else the image's first that
/// can be asked for something.
pub fn plain_language(name: &str, image: Option<RootImage>) -> Language {
    let plain = named(name);
    let Some(image) = image else { return plain };
    let mut held = image.languages().into_iter();
    let first = || held.find(|language| language.row().samples.is_some());
    plain.in_image(image).or_else(first).unwrap_or(plain)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::table::attacks;

    #[test]
    fn an_image_is_attacked_in_the_languages_that_it_holds() {
        let agent = RootImage::named("agent").unwrap();
        let inside: Vec<Attack> = attacks()
            .unwrap()
            .into_iter()
            .filter_map(|attack| attack.inside(agent))
            .collect();
        assert!(inside.len() > 100, "{}", inside.len());
        for attack in &inside {
            match attack.form_of(&attack.row.file).unwrap() {
                Form::Program(language) | Form::Client(language) => {
                    assert_eq!(language.image(), agent, "{}", attack.name);
                }
                Form::Talk | Form::Link => {}
                Form::Request => panic!("{} makes no VM", attack.name),
            }
        }
        assert_eq!(plain_language("bash", Some(agent)).label(), "bash@agent");
        let lua = RootImage::named("lua").unwrap();
        assert_eq!(plain_language("bash", Some(lua)), named("lua"));
    }
}
