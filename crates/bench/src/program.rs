//! The programs that are timed: the smallest that prove their language ran.

use crate::BenchError;
use languages::row::Samples;
use protocol::language::Language;

/// A program and what it prints.
#[derive(Debug, Clone, Copy)]
pub struct Program {
    /// Its language.
    pub language: Language,
    /// The samples that it is of.
    pub samples: &'static Samples,
    /// Its text.
    pub code: &'static str,
    /// Its whole output.
    pub stdout: &'static str,
}

/// The hello of a language; an operator's may have none.
pub fn hello(language: Language) -> Result<Program, BenchError> {
    let samples = language.row().samples.as_ref();
    let samples = samples.ok_or(BenchError::NoSamples(language))?;
    Ok(Program {
        language,
        samples,
        code: &samples.hello,
        stdout: "hello\n",
    })
}
