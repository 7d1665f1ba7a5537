//! Packages that programs ask for, from the real registries, and images of a user's own, on the command line. In a state
//! folder of these tests' own: what they make is in nobody's store.

use crate::lab::{ASIDE, chroots, lab, not_run};
use crate::place;
use crate::tool::{Done, Tool};
use std::path::{Path, PathBuf};

const HEADER: &str =
    "# /// script\n# dependencies = [\"six\"]\n# ///\nimport six\nprint(six.__name__)\n";

/// A state folder with images of some languages.
struct Own {
    folder: tempfile::TempDir,
    config: PathBuf,
}

impl Own {
    /// With these lines at the configuration's end; `None` where an image is missing.
    fn with(languages: &[&str], config: &str) -> Option<Own> {
        if !languages.iter().all(|language| lab().has(language)) {
            return None;
        }
        let folder = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
        let from = std::fs::canonicalize(place::system_state().join("images")).unwrap();
        let to = folder.path().join("images");
        for place in ["kernel", "uml", "initramfs", "rootfs"] {
            std::fs::create_dir_all(to.join(place)).unwrap();
            for entry in std::fs::read_dir(from.join(place)).into_iter().flatten() {
                let entry = entry.unwrap();
                let name = entry.file_name().into_string().unwrap();
                let language = name.split(['.', '-']).next().unwrap();
                // `python-data` is no `python-DIGEST`.
                let wanted = languages.contains(&language) && !name.contains("-data");
                if place != "rootfs" || wanted {
                    std::fs::copy(entry.path(), to.join(place).join(&name)).unwrap();
                }
            }
        }
        let own = Own {
            config: folder.path().join("config.toml"),
            folder,
        };
        own.configure(config);
        Some(own)
    }

    fn configure(&self, more: &str) {
        let text = ASIDE.config_text(&(chroots(self.folder.path()) + more));
        std::fs::write(&self.config, text).unwrap();
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn write(&self, name: &str, text: &str) -> PathBuf {
        let path = self.path(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, text).unwrap();
        path
    }

    fn tool(&self) -> Tool {
        Tool::with(self.folder.path(), &self.config)
    }

    fn run(&self, file: &Path, flags: &[&str]) -> Done {
        self.tool().arg("run").args(flags).arg(file).go()
    }
}

/// Says that a test cannot run where no registry can be reached.
fn is_reached(done: &Done) -> bool {
    let unreached = done.err().contains("[packages_unavailable]");
    if unreached {
        not_run(&format!("no registry can be reached: {}", done.err()));
    }
    !unreached
}

fn ended(done: &Done) -> (Option<i32>, String) {
    (done.status.code(), done.out())
}

#[test]
fn packages_come_with_a_flag_and_are_there_the_second_time() {
    let Some(own) = Own::with(&["python"], "") else {
        return;
    };
    let plain = own.write("plain.py", "print(1)\n");
    // The first run on a state folder says which engine was chosen.
    assert_eq!(ended(&own.run(&plain, &[])), (Some(0), "1\n".to_owned()));
    let six = own.write("asks.py", "import six\nprint(six.__name__)\n");
    let first = own.run(&six, &["--with", "six"]);
    if !is_reached(&first) {
        return;
    }
    assert_eq!(
        ended(&first),
        (Some(0), "six\n".to_owned()),
        "{}",
        first.err()
    );
    assert_eq!(
        first.err(),
        "",
        "nothing is told where there is no terminal"
    );
    // Without the resolver nothing is resolved.
    std::fs::remove_dir_all(own.path("images/tools")).unwrap();
    let second = own.run(&six, &["--with", "six"]);
    assert_eq!(ended(&second), (Some(0), "six\n".to_owned()));
    assert!(!own.path("images/tools").exists());
    let shell = own
        .tool()
        .args([
            "shell",
            "--with",
            "six",
            "--",
            "python3",
            "-c",
            "import six",
        ])
        .go();
    assert_eq!(shell.status.code(), Some(0), "{}", shell.err());

    // Of compiled packages, each links to what wheels may take for granted.
    let compiled = own.write(
        "compiled.py",
        "import numpy\nprint(numpy.arange(3).sum())\n",
    );
    let done = own.run(&compiled, &["--with", "numpy"]);
    assert_eq!(ended(&done), (Some(0), "3\n".to_owned()), "{}", done.err());

    let code = "import requests, six\nprint(requests.Request('GET', 'http://a/').prepare().url)\n";
    let requests = own.write("requests_and_six.py", code);
    let done = own.run(&requests, &["--with", "requests<3", "--with", "six"]);
    assert_eq!(
        ended(&done),
        (Some(0), "http://a/\n".to_owned()),
        "{}",
        done.err()
    );

    let none = own.run(&six, &["--with", "no-such-package-of-anybody-1"]);
    assert_eq!(none.status.code(), Some(2));
    for words in ["no-such-package-of-anybody-1", "[packages_unresolved]"] {
        assert!(none.err().contains(words), "{}", none.err());
    }
}

#[test]
fn what_a_program_says_itself_counts_where_the_configuration_lets_it() {
    let Some(own) = Own::with(&["python", "node"], "") else {
        return;
    };
    let script = own.write("script.py", HEADER);
    let off = own.run(&script, &[]);
    assert_eq!(off.status.code(), Some(1), "the program runs as it is");
    for words in ["--with", "python in [packages]", "ModuleNotFoundError"] {
        assert!(off.err().contains(words), "{}", off.err());
    }
    let node = own.write("node/main.js", "console.log(require('is-odd')(3))\n");
    own.write(
        "node/package.json",
        "{\"dependencies\": {\"is-odd\": \"^3\"}}",
    );
    let off = own.run(&node, &[]);
    assert!(off.err().contains("node in [packages]"), "{}", off.err());
    own.configure("[packages]\npython = [\"six\"]\nnode = \"any\"\n");
    for (file, out) in [(&script, "six\n"), (&node, "true\n")] {
        let on = own.run(file, &[]);
        if is_reached(&on) {
            assert_eq!(ended(&on), (Some(0), out.to_owned()), "{}", on.err());
        }
    }
    let other = own.write("other.py", &HEADER.replace("\"six", "\"attrs"));
    let refused = own.run(&other, &[]);
    assert_eq!(refused.status.code(), Some(2));
    assert!(
        refused.err().contains("attrs is not in the list"),
        "{}",
        refused.err()
    );
    let old = own.write(
        "old.py",
        "# /// script\n# requires-python = \"<3\"\n# ///\n",
    );
    let refused = own.run(&old, &[]);
    assert_eq!(refused.status.code(), Some(2));
    assert!(
        refused.err().contains("requires Python <3"),
        "{}",
        refused.err()
    );
}

#[test]
fn an_image_of_ones_own_is_named_and_its_command_runs() {
    let Some(own) = Own::with(&["bash"], "") else {
        return;
    };
    let mine = own.write(
        "mine.toml",
        "from = \"bash\"\ncommand = [\"/bin/sh\", \"-c\", \"pwd; cat; echo $0 $A; exit 7\"]\n[env]\nA = \"1\"\n",
    );
    let bare = own.write("bare.toml", "from = \"bash\"\n[env]\nPATH = \"/nowhere\"\n");
    let built = own
        .tool()
        .args(["images", "build"])
        .arg(&mine)
        .arg(&bare)
        .go();
    assert_eq!(built.status.code(), Some(0), "{}", built.err());
    let of = |args: &[&str], stdin: &str| own.tool().args(args).stdin(stdin).go();
    let command = of(&["run", "--image", "mine", "--", "more"], "fed\n");
    assert_eq!(
        ended(&command),
        (Some(7), "/work\nfed\nmore 1\n".to_owned()),
        "{}",
        command.err()
    );
    let program = of(
        &["run", "--image", "mine", "--lang", "bash", "-c", "echo $A"],
        "",
    );
    assert_eq!(
        ended(&program),
        (Some(0), "1\n".to_owned()),
        "{}",
        program.err()
    );
    let shell = of(&["shell", "--image", "mine", "--", "printenv", "A"], "");
    assert_eq!(
        ended(&shell),
        (Some(0), "1\n".to_owned()),
        "{}",
        shell.err()
    );
    for (args, code, words) in [
        (
            &["run", "--image", "bash"][..],
            2,
            "has no command of its own",
        ),
        (
            &["run", "--image", "mine", "--json"],
            2,
            "--json goes with a program",
        ),
        (&["run", "--image", "no-such"], 2, "is not known"),
        (
            &["shell", "--image", "bare"],
            127,
            "image bare has neither bash nor sh",
        ),
        (&["run", "--image", "mine", "--timeout", "-1"], 2, "timeout"),
    ] {
        let done = of(args, "");
        assert_eq!(done.status.code(), Some(code), "{args:?}: {}", done.err());
        assert!(done.err().contains(words), "{args:?}: {}", done.err());
    }
}
