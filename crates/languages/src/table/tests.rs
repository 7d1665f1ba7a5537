//! The tool's own table, and what a row of an operator's is refused for.

use super::*;
use crate::row::PackageSource;

const AWK: &str = r#"
name = "awk"
extensions = ["awk"]
source_file = "main.awk"
runtime = "GNU awk 5.2"
run = ["/usr/bin/awk", "-f", "{program}"]
warm_up = "BEGIN { print 1 }"
image = "bash"
"#;

fn folder(files: &[(&str, &str)]) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    for (name, text) in files {
        let path = folder.path().join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }
    folder
}

fn operators(files: &[(&str, &str)]) -> Result<Vec<Language>, String> {
    let folder = folder(files);
    let sources = folder::sources(folder.path());
    let read = sources.and_then(|sources| read(sources, &OWN, Origin::Operator));
    read.map_err(|error| {
        let cause = std::error::Error::source(&error).map(ToString::to_string);
        format!("{error}: {}", cause.unwrap_or_default())
    })
}

#[test]
fn each_of_the_tools_own_is_read_and_found_by_its_words() {
    assert!(OWN.len() >= 5);
    for language in OWN.iter().copied() {
        assert_eq!(named(language.name()), language);
        assert_eq!(
            serde_json::to_value(language).unwrap(),
            serde_json::json!(language.name())
        );
        let text = serde_json::to_string(language.name()).unwrap();
        assert_eq!(serde_json::from_str::<Language>(&text).unwrap(), language);
        let row = language.row();
        for extension in &row.extensions {
            assert_eq!(Language::from_extension(extension), Some(language));
        }
        for alias in &row.aliases {
            assert_eq!(Language::from_alias(alias), Some(language));
            assert_eq!(Language::from_label(&alias.to_uppercase()), Some(language));
        }
        assert!(row.samples.is_some(), "{language}: measured and checked");
        assert_eq!(language.drivers().count(), row.drivers.len());
        assert_eq!(language.digest().len(), 64);
    }
    assert!(OWN.is_sorted_by_key(|language| language.name()));
}

#[test]
fn packages_come_from_where_a_row_says() {
    let from = |name: &str| named(name).row().packages;
    assert_eq!(from("python"), Some(PackageSource::Pypi));
    assert_eq!(from("node"), Some(PackageSource::Npm));
    assert_eq!(from("typescript"), Some(PackageSource::Npm));
    assert_eq!(from("bash"), None);
}

#[test]
fn only_the_exact_name_is_a_name_and_aliases_lead_to_it() {
    for wrong in ["python ", "", "../python", "pythоn"] {
        assert_eq!(Language::from_alias(wrong), None, "{wrong:?}");
        let text = serde_json::to_string(wrong).unwrap();
        let error = serde_json::from_str::<Language>(&text).unwrap_err();
        assert!(error.to_string().contains("here are bash,"), "{error}");
    }
    for alias in ["Python", "python3", "PY"] {
        assert_eq!(Language::from_name(alias), None, "{alias:?}");
        assert_eq!(Language::from_alias(alias), Some(named("python")));
    }
}

#[test]
fn an_operators_file_is_a_language() {
    let with_driver = AWK.replace("image =", "drivers = [\"a.sh\"]\nimage =");
    let read = operators(&[
        ("awk.toml", &with_driver),
        ("awk/a.sh", "true"),
        ("readme", "no row"),
    ])
    .unwrap();
    let [awk] = read[..] else {
        panic!("{read:?}");
    };
    assert_eq!((awk.name(), awk.is_operators()), ("awk", true));
    assert_eq!(awk.image(), named("bash").image());
    assert!(awk > *OWN.last().unwrap());
    let driver = awk.drivers().next().unwrap();
    assert_eq!((driver.language, driver.content), ("awk", &b"true"[..]));
    let other = operators(&[("awk.toml", AWK)]).unwrap();
    assert_ne!(other[0].digest(), awk.digest());
    assert!(operators(&[]).unwrap().is_empty());
    assert!(folder::sources(Path::new("/nowhere")).unwrap().is_empty());
}

/// What is changed in [`AWK`], and words of what its writer is told.
const REFUSED: &[(&str, &str, &[&str])] = &[
    (
        "image = \"bash\"",
        "image = \"bash\"\nmore = 1",
        &["awk.toml", "unknown field `more`"],
    ),
    (
        "runtime = \"GNU awk 5.2\"",
        "",
        &["missing field `runtime`"],
    ),
    (
        "image = \"bash\"",
        "image = 3",
        &["the name of another language"],
    ),
    (
        "image = \"bash\"",
        "[image]\nruntime_package = \"gawk\"\nmax_mib = 1\nkeeps = []",
        &["unknown field `keeps`"],
    ),
    (
        "image = \"bash\"",
        "image = \"bash\"\npackages = \"cpan\"",
        &["unknown variant `cpan`", "`pypi` or `npm`"],
    ),
    (
        "name = \"awk\"",
        "name = \"gawk\"",
        &["name is \"gawk\"; call the file gawk.toml"],
    ),
    (
        "name = \"awk\"",
        "name = \"../awk\"",
        &["name is \"../awk\"; write 1 to 32 of a-z"],
    ),
    (
        "extensions = [\"awk\"]",
        "extensions = [\"py\"]",
        &["extensions has \".py\", which is python's already"],
    ),
    (
        "image = \"bash\"",
        "aliases = [\"js\"]\nimage = \"bash\"",
        &["aliases has \"js\", which is node's already"],
    ),
    (
        "image = \"bash\"",
        "image = \"gawk\"",
        &["image is \"gawk\"; write the name of a language"],
    ),
    (
        "main.awk",
        "../main.awk",
        &["source_file is \"../main.awk\""],
    ),
    (
        "GNU awk 5.2",
        "awk",
        &["runtime is \"awk\"; write a name and a version"],
    ),
    (
        "\"{program}\"",
        "\"x\"",
        &["run names no program; write \"{program}\""],
    ),
    (
        "/usr/bin/awk",
        "awk",
        &["run starts with \"awk\"; write the program's whole path"],
    ),
    (
        "image = \"bash\"",
        "drivers = [\"a.sh\"]\nimage = \"bash\"",
        &["drivers has \"a.sh\", which is not there"],
    ),
    (
        "image = \"bash\"",
        "image = \"bash\"\nenv = { \"A B\" = \"\" }",
        &["env has \"A B\""],
    ),
    (
        "image = \"bash\"",
        "[image]\npackages = [\"-o=x\"]\nruntime_package = \"gawk\"\nmax_mib = 1",
        &["image.packages has \"-o=x\""],
    ),
    (
        "image = \"bash\"",
        "[image]\nruntime_package = \"gawk\"\nmax_mib = 1\nkeep = [\"usr/../../etc/*\"]",
        &["image.keep has \"usr/../../etc/*\"; write it relative"],
    ),
    (
        "image = \"bash\"",
        "[image]\nruntime_package = \"gawk\"\nmax_mib = 1\nmapped = [\"a\\n0 b\"]",
        &["image.mapped has an expression"],
    ),
    (
        "image = \"bash\"",
        "[image]\nruntime_package = \"gawk\"\nmax_mib = 9000000000000000000",
        &["image.max_mib is 9000000000000000000; write 1 to"],
    ),
];

#[test]
fn a_file_that_cannot_be_meant_is_refused_by_file_and_field() {
    operators(&[("awk.toml", AWK)]).unwrap();
    for (from, to, words) in REFUSED {
        let text = AWK.replacen(from, to, 1);
        assert_ne!(text, AWK, "{from:?} is not in it");
        let error = operators(&[("awk.toml", &text)]).unwrap_err();
        for word in *words {
            assert!(error.contains(word), "{to:?}: {error}");
        }
    }
    let kernel = AWK.replace("\"awk\"", "\"kernel\"");
    let error = operators(&[("kernel.toml", &kernel)]).unwrap_err();
    assert!(error.contains("the tool's own files"), "{error}");
    let long = format!("{AWK}#{}", "x".repeat(70_000));
    let error = operators(&[("awk.toml", &long)]).unwrap_err();
    assert!(error.contains("more than 65536 bytes"), "{error}");
}

#[test]
fn go_is_run_with_the_cache_that_its_image_carries() {
    let go = named("go");
    for finish in &go.recipe().unwrap().finish {
        for (name, value) in &finish.env {
            assert_eq!(go.row().env.get(name), Some(value), "{name}");
        }
    }
}

#[test]
fn a_context_is_had_where_its_interpreter_is() {
    let image = |name| crate::RootImage::named(name).unwrap();
    for (language, name, has) in [
        ("python", "python", true),
        ("python", "python-data", true),
        ("python", "node", false),
        ("typescript", "python-data-full", false),
        ("node", "agent", true),
        ("typescript", "agent", true),
        ("typescript", "node", true),
        ("typescript", "python-data", true),
        ("bash", "python-data", true),
        ("go", "go", false),
    ] {
        let had = named(language).has_context_in(image(name));
        assert_eq!(had, has, "{language} in {name}");
    }
}
