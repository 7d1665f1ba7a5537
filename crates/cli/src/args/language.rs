//! A language, and an image, on the command line.

use clap::builder::{PossibleValue, StringValueParser, TypedValueParser};
use clap::{Arg, Command, Error};
use std::ffi::OsStr;

/// The same of an image: a language's means the image that it boots from.
#[derive(Debug, Clone, Copy)]
pub struct ImageName;

impl TypedValueParser for ImageName {
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
        let images = languages::images();
        let names = images.map(|image| PossibleValue::new(image.name()).help(image.about()));
        Some(Box::new(names))
    }
}

/// Any text: an operator's languages are read after the command line, and aliases are none of the names that help and
/// completions show.
#[derive(Debug, Clone, Copy)]
pub struct LanguageName;

impl TypedValueParser for LanguageName {
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
        let names = languages::all().map(|language| PossibleValue::new(language.name()));
        Some(Box::new(names))
    }
}
