//! From a language's row to what a guest is told: argvs, environment, the interpreter that waits.

use crate::environment::{BASE_ENV, merged, owned};
use crate::error_code::ErrorCode;
use crate::interpreter::{DRIVERS_DIR, Interpreter, Library, MAX_DRIVERS, MAX_DRIVERS_BYTES};
use crate::packages::Registry;
use crate::validate::{Rejection, shown};
use languages::row::PackageSource;
pub use languages::row::{Context, Orders};
use languages::{DRIVERS, PROGRAM, row};
pub use languages::{
    Language, RootImage, all, closest, image_names, images, images_with_module, instead_of_image,
    instead_of_language, named, names,
};
use std::collections::BTreeMap;

const _: () = assert!(languages::MAX_DRIVERS <= MAX_DRIVERS);
const _: () = assert!(languages::MAX_DRIVERS_BYTES <= MAX_DRIVERS_BYTES);

/// What a request means that names a language, an image or both: a language's label, see [`Language::label`]. Of an
/// image alone its first language is meant. `None`: neither is named. What a language is called is not judged here.
pub fn asked_for(language: Option<&str>, image: Option<&str>) -> Result<Option<String>, Rejection> {
    let Some(image_name) = image else {
        return Ok(language.map(str::to_owned));
    };
    let refused = |what: String| Rejection::new(ErrorCode::ImageUnknown, "image", what);
    // Those that packages made are had by asking for the packages, which the operator's rules are for.
    let named = RootImage::meant_by(image_name).filter(|image| !image.is_package_set());
    let image = named.ok_or_else(|| {
        let instead = instead_of_image(image_name);
        refused(format!(
            "image {} is not known, {instead}",
            shown(image_name)
        ))
    })?;
    let held = image.languages();
    let meant = match language {
        None => held.first(),
        Some(name) => {
            let known = Language::from_alias(name).map(Language::name);
            held.iter().find(|one| Some(one.name()) == known)
        }
    };
    match (meant, language) {
        (Some(language), _) => Ok(Some(language.label())),
        (None, Some(language)) if Language::from_alias(language).is_none() => {
            Ok(Some(language.to_owned()))
        }
        (None, _) => {
            let held: Vec<&str> = held.into_iter().map(Language::name).collect();
            Err(refused(format!(
                "image {image} holds no {}, but {}",
                language.unwrap_or("language"),
                held.join(", ")
            )))
        }
    }
}

/// Where packages come from that programs of this language may ask for.
pub fn registry(language: Language) -> Option<Registry> {
    language.row().packages.map(|source| match source {
        PackageSource::Pypi => Registry::Pypi,
        PackageSource::Npm => Registry::Npm,
    })
}

/// argv of the compiler, for a program in this file of the work folder; `None` for interpreted languages.
pub fn compile_argv(language: Language, file: &str) -> Option<Vec<String>> {
    let words = language.row().compile.as_ref()?;
    Some(argv(language, words, file))
}

/// argv of the program, likewise, before its arguments.
pub fn run_argv(language: Language, file: &str) -> Vec<String> {
    argv(language, &language.row().run, file)
}

/// The clean environment of a language's programs: what its image says, then what the language needs; `own` comes last
/// and wins.
pub fn environment<'a>(
    language: Language,
    own: impl Iterator<Item = (&'a str, &'a str)>,
) -> Vec<(String, String)> {
    let base = BASE_ENV.iter().copied().map(owned);
    let of_image = language.image().defaults().into_iter();
    let of_image = of_image.flat_map(|defaults| defaults.env.clone());
    let of_language = variables(language, &language.row().env);
    let all = base.chain(of_image).chain(of_language);
    merged(all.chain(own.map(owned)))
}

/// The interpreter that may wait for this language's jobs.
pub fn interpreter(language: Language) -> Option<Interpreter> {
    let row = language.row().interpreter.as_ref()?;
    let file = &language.row().source_file;
    Some(Interpreter {
        argv: argv(language, &row.argv, file),
        env: merged(
            environment(language, std::iter::empty())
                .into_iter()
                .chain(variables(language, &row.env)),
        ),
        file: file.clone(),
        fixed: row.fixed.clone(),
        takes_any_file: row.takes_any_file,
        library: row.library.as_ref().map(library),
        takes_args: row.takes_args,
        keeps_sessions: row.keeps_sessions,
    })
}

/// The interpreter that carries out this language's cells.
pub fn context(language: Language) -> Option<Context> {
    let row = language.row().context.as_ref()?;
    Some(Context {
        argv: argv(language, &row.argv, &language.row().source_file),
        orders: match &row.orders {
            Orders::Json => Orders::Json,
            Orders::Shell(first) => Orders::Shell(with_drivers(language, first)),
        },
        wait: row.wait.clone(),
        also_in: row.also_in.clone(),
    })
}

fn variables(
    language: Language,
    env: &BTreeMap<String, String>,
) -> impl Iterator<Item = (String, String)> {
    env.iter()
        .map(move |(name, value)| (name.clone(), with_drivers(language, value)))
}

fn library(row: &row::LibraryRow) -> Library {
    Library {
        folder: row.folder.clone(),
        suffix: row.suffix.clone(),
    }
}

fn argv(language: Language, words: &[String], file: &str) -> Vec<String> {
    // No program's name is a flag.
    let file = match file.starts_with('-') {
        true => format!("./{file}"),
        false => file.to_owned(),
    };
    let word = |word: &String| match word == PROGRAM {
        true => file.clone(),
        false => with_drivers(language, word),
    };
    words.iter().map(word).collect()
}

fn with_drivers(language: Language, word: &str) -> String {
    word.replace(DRIVERS, &format!("{DRIVERS_DIR}/{language}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_programs_file_stands_where_its_language_has_it_and_is_no_flag() {
        let bash = named("bash");
        assert_eq!(run_argv(bash, "src/a b.sh"), ["/bin/bash", "src/a b.sh"]);
        assert_eq!(run_argv(bash, "-c"), ["/bin/bash", "./-c"]);
        assert_eq!(compile_argv(bash, "main.sh"), None);
        let build = ["/bin/sh", "/dev/zygote/go/go-build.sh", "main.go"];
        assert_eq!(compile_argv(named("go"), "main.go").unwrap(), build);
    }

    #[test]
    fn a_language_an_image_or_both_are_asked_for() {
        let label =
            |language, image| asked_for(language, image).map_err(|rejection| rejection.to_string());
        assert_eq!(label(None, None), Ok(None));
        assert_eq!(label(Some("cobol"), None), Ok(Some("cobol".to_owned())));
        assert_eq!(
            label(Some("python"), Some("python")),
            Ok(Some("python".to_owned()))
        );
        let data = Ok(Some("python@python-data".to_owned()));
        assert_eq!(label(Some("python"), Some("python-data")), data);
        assert_eq!(label(None, Some("python-data")), data);
        assert_eq!(label(None, Some("go")), Ok(Some("go".to_owned())));
        let error = label(Some("ruby"), Some("python-data")).unwrap_err();
        assert!(
            error.contains("image python-data holds no ruby, but python"),
            "{error}"
        );
        let error = label(None, Some("../x")).unwrap_err();
        assert!(
            error.contains("is not known, there are bash, c,"),
            "{error}"
        );
        let variant = Language::from_label("python@python-data").unwrap();
        assert_ne!(variant, named("python"));
        assert_eq!(
            (variant.name(), variant.image().name()),
            ("python", "python-data")
        );
        assert_eq!(Language::from_label("python@go"), None);
    }

    #[test]
    fn an_interpreter_that_waits_has_its_own_variables_besides_its_language_s() {
        let python = interpreter(named("python")).unwrap();
        let value = |name: &str| {
            let mut own = python.env.iter().filter(|(known, _)| known == name);
            own.next().map(|(_, value)| &**value)
        };
        assert_eq!(value("PYTHONPATH"), Some("/dev/zygote/python"));
        assert_eq!(value("PYTHONDONTWRITEBYTECODE"), Some("1"));
        assert_eq!(value("HOME"), Some("/work"));
        assert_eq!(interpreter(named("rust")), None);
    }
}
