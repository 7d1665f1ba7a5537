//! The one table of languages. The agent reads how to compile and run, front doors read names and
//! extensions; `images` has its own table of what each root file system is made of.

use serde::{Deserialize, Serialize};

/// A language that a job may be written in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Language {
    /// CPython.
    Python,
    /// Node.js.
    Node,
    /// Go, compiled with the image's build cache.
    Go,
    /// Rust, one file, compiled by `rustc`.
    Rust,
    /// GNU bash.
    Bash,
}

/// One row of the table: everything that differs between languages on the way of a job.
#[derive(Debug)]
pub struct LanguageSpec {
    /// Which language this row is of.
    pub language: Language,
    /// The name in flags, the API and image names.
    pub name: &'static str,
    /// Other names clients use.
    pub aliases: &'static [&'static str],
    /// File extensions without the dot; the first is what the guest's source file gets.
    pub extensions: &'static [&'static str],
    /// The file in the guest's work folder that receives the code of a job that names no file.
    pub source_file: &'static str,
    /// argv of the compiler, run in the work folder, with [`PROGRAM`] where the program's file stands; `None` for
    /// interpreted languages.
    pub compile: Option<&'static [&'static str]>,
    /// argv of the program, likewise; the job's own arguments follow it.
    pub run: &'static [&'static str],
    /// Environment that this language needs besides [`BASE_ENV`].
    pub env: &'static [(&'static str, &'static str)],
    /// What the image holds, for `languages`.
    pub runtime: &'static str,
}

/// Stands for the program's file in a language's argv.
pub const PROGRAM: &str = "{program}";

/// The folder that a job starts in; its own tmpfs, gone with the VM.
pub const WORK_DIR: &str = "/work";

/// The whole environment of a job, before its language's and its own variables.
pub const BASE_ENV: &[(&str, &str)] = &[
    ("PATH", "/usr/local/bin:/usr/bin:/bin"),
    ("HOME", WORK_DIR),
    ("TMPDIR", "/tmp"),
    ("LANG", "C.UTF-8"),
    ("USER", "job"),
];

/// All languages, in the order in which they are listed.
pub const LANGUAGES: &[LanguageSpec] = &[
    LanguageSpec {
        language: Language::Python,
        name: "python",
        aliases: &["python3", "py"],
        extensions: &["py"],
        source_file: "main.py",
        compile: None,
        run: &["/usr/bin/python3", PROGRAM],
        env: &[("PYTHONDONTWRITEBYTECODE", "1")],
        runtime: "CPython 3.11",
    },
    LanguageSpec {
        language: Language::Node,
        name: "node",
        aliases: &["javascript", "js", "nodejs"],
        extensions: &["js", "mjs", "cjs"],
        source_file: "main.js",
        compile: None,
        run: &["/usr/bin/node", PROGRAM],
        env: &[],
        runtime: "Node.js 18",
    },
    LanguageSpec {
        language: Language::Go,
        name: "go",
        aliases: &["golang"],
        extensions: &["go"],
        source_file: "main.go",
        // The agent's: the compiler and the linker, else `go build`.
        compile: Some(&["/bin/sh", "/dev/zygote/go-build.sh", PROGRAM]),
        run: &["./main"],
        env: &[
            ("GOFLAGS", "-buildvcs=false"),
            ("GO111MODULE", "off"),
            ("GOCACHE", "/usr/lib/go-build"),
            ("CGO_ENABLED", "0"),
            ("GOTOOLCHAIN", "local"),
        ],
        runtime: "Go 1.19",
    },
    LanguageSpec {
        language: Language::Rust,
        name: "rust",
        aliases: &["rs"],
        extensions: &["rs"],
        source_file: "main.rs",
        compile: Some(&["/bin/sh", "/dev/zygote/rust-build.sh", PROGRAM]),
        run: &["./main"],
        env: &[],
        runtime: "rustc 1.63",
    },
    LanguageSpec {
        language: Language::Bash,
        name: "bash",
        aliases: &["sh", "shell"],
        extensions: &["sh", "bash"],
        source_file: "main.sh",
        compile: None,
        run: &["/bin/bash", PROGRAM],
        env: &[],
        runtime: "GNU bash 5.2",
    },
];

impl LanguageSpec {
    /// One of its argvs, for a program in this file of the work folder.
    pub fn argv(words: &[&str], file: &str) -> Vec<String> {
        // No program's name is a flag.
        let file = match file.starts_with('-') {
            true => format!("./{file}"),
            false => file.to_owned(),
        };
        let word = |word: &&str| {
            if *word == PROGRAM {
                file.clone()
            } else {
                (*word).to_owned()
            }
        };
        words.iter().map(word).collect()
    }
}

impl Language {
    /// This language's row of [`LANGUAGES`].
    pub fn spec(self) -> &'static LanguageSpec {
        // The table has a row for every variant; `every_language_has_its_row` checks it.
        LANGUAGES
            .iter()
            .find(|spec| spec.language == self)
            .unwrap_or(&LANGUAGES[0])
    }

    /// The name used everywhere: flags, the API, image names.
    pub fn name(self) -> &'static str {
        self.spec().name
    }

    /// The language with exactly this name; aliases and other spellings do not count.
    pub fn from_name(name: &str) -> Option<Language> {
        LANGUAGES
            .iter()
            .find(|spec| spec.name == name)
            .map(|spec| spec.language)
    }

    /// The language with this name or alias.
    pub fn from_alias(name: &str) -> Option<Language> {
        Language::from_name(name).or_else(|| {
            LANGUAGES
                .iter()
                .find(|spec| spec.aliases.contains(&name))
                .map(|spec| spec.language)
        })
    }

    /// The language of a file with this extension (without the dot).
    pub fn from_extension(extension: &str) -> Option<Language> {
        LANGUAGES
            .iter()
            .find(|spec| spec.extensions.contains(&extension))
            .map(|spec| spec.language)
    }
}

impl std::fmt::Display for Language {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_language_has_its_row() {
        for language in [
            Language::Python,
            Language::Node,
            Language::Go,
            Language::Rust,
            Language::Bash,
        ] {
            assert_eq!(language.spec().language, language);
            assert_eq!(
                serde_json::to_value(language).unwrap(),
                serde_json::json!(language.name())
            );
            assert_eq!(
                Language::from_extension(language.spec().extensions[0]),
                Some(language)
            );
        }
    }

    #[test]
    fn a_programs_file_stands_where_its_language_has_it_and_is_no_flag() {
        let argv = |file: &str| LanguageSpec::argv(Language::Bash.spec().run, file);
        assert_eq!(argv("src/a b.sh"), ["/bin/bash", "src/a b.sh"]);
        assert_eq!(argv("-c"), ["/bin/bash", "./-c"]);
    }

    #[test]
    fn only_the_exact_name_is_a_name() {
        for wrong in ["Python", "python ", "", "../python", "python3", "pythоn"] {
            assert_eq!(Language::from_name(wrong), None, "{wrong:?}");
        }
        assert_eq!(Language::from_alias("py"), Some(Language::Python));
    }

    #[test]
    fn no_name_alias_or_extension_stands_twice() {
        let mut seen = std::collections::HashSet::new();
        for spec in LANGUAGES {
            for name in spec.aliases.iter().chain([&spec.name]) {
                assert!(seen.insert(*name), "{name} stands twice");
            }
        }
    }
}
