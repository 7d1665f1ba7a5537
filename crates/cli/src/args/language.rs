//! A language, and an image, on the command line.

use clap::builder::{PossibleValue, StringValueParser, TypedValueParser};
use clap::{Arg, Command, Error};
use std::ffi::OsStr;

/// Any text, with the names that help and completions show: an operator's languages and users' images are read after the
/// command line, and aliases are none of them.
#[derive(Debug, Clone, Copy)]
pub struct NameParser(fn() -> Vec<PossibleValue>);

/// Of a language.
pub const LANGUAGE_NAME: NameParser = NameParser(|| {
    languages::all()
        .map(|language| PossibleValue::new(language.name()))
        .collect()
});

/// Of an image: a language's means the image that it boots from.
pub const IMAGE_NAME: NameParser = NameParser(|| {
    languages::images()
        .map(|image| PossibleValue::new(image.name()).help(image.about()))
        .collect()
});

impl TypedValueParser for NameParser {
    type Value = String;

    fn parse_ref(
        &self,
        command: &Command,
        arg: Option<&Arg>,
        value: &OsStr,
    ) -> Result<String, Error> {
        StringValueParser::new().parse_ref(command, arg, value)
    }

    fn possible_values(&self) -> Option<Box<dyn Iterator<Item = PossibleValue> + '_>> {
        Some(Box::new(self.0().into_iter()))
    }
}
