//! Images of a user's own: from a file, from an archive of Docker's; run, looked at, carried, removed.

use crate::damage::copied_state;
use crate::lab;
use crate::tool::{Done, PATIENCE, Tool};
use std::fs;
use std::path::Path;
use std::process::Command;
use tempfile::TempDir;

/// A program that needs nothing of its image.
const STATIC_C: &str = r#"
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
int main(int argc, char **argv) {
    char folder[4096];
    printf("%s in %s", getenv("GREETING"), getcwd(folder, sizeof folder));
    for (int i = 1; i < argc; i++) printf(" <%s>", argv[i]);
    printf(" uid %d\n", getuid());
    return 7;
}
"#;

/// A state folder of its own, for it is written to.
pub struct Host(TempDir);

impl Host {
    pub fn new() -> Host {
        Host(copied_state())
    }

    pub fn tool(&self) -> Tool {
        Tool::with(self.0.path(), &lab::lab().config_aside)
    }

    /// `images` with these words, to a good end.
    pub fn images(&self, words: &[&str]) -> Done {
        let done = self.tool().arg("images").args(words).finish(PATIENCE);
        assert_eq!(done.code(), Some(0), "{words:?}: {}", done.err());
        done
    }
}

fn written(folder: &Path, name: &str, text: &str) -> String {
    let path = folder.join(name);
    fs::write(&path, text).unwrap();
    path.to_string_lossy().into_owned()
}

#[test]
fn a_users_file_is_an_image_that_jobs_run_in() {
    if !lab::lab().has("bash") {
        return;
    }
    let (host, beside) = (Host::new(), tempfile::tempdir().unwrap());
    written(
        beside.path(),
        "tool.sh",
        "#!/bin/sh\necho \"tool of $OWNER: $*\"\n",
    );
    let tool = beside.path().join("tool.sh");
    fs::set_permissions(&tool, std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
    let file = written(
        beside.path(),
        "mine.toml",
        "from = \"bash\"\ncommand = [\"/usr/bin/own-tool\", \"as\", \"told\"]\n[files]\n\"/usr/bin/own-tool\" = \"tool.sh\"\n\
         [env]\nOWNER = \"me\"\nPATH = \"/usr/bin:/opt\"\n",
    );
    host.images(&["build", &file]);
    let listed = host.images(&["list", "--json"]).json();
    let rows = listed["images"].as_array().unwrap();
    assert!(rows.iter().any(|row| row["image"] == "mine"), "{listed}");

    // Its languages, its files, its variables; a job's own win.
    let program = "own-tool \"$PATH\"; OWNER=you own-tool x; touch /opt/x 2>&1";
    let done = host
        .tool()
        .program("sh", program)
        .args(["--image", "mine"])
        .go();
    assert_eq!(
        done.out(),
        "tool of me: /usr/bin:/opt\ntool of you: x\ntouch: cannot touch '/opt/x': No such file or directory\n",
        "{}",
        done.err()
    );
    // What it runs by itself.
    let done = host
        .tool()
        .args(["run", "--image", "mine", "--", "more"])
        .go();
    assert_eq!(
        (done.code(), done.out()),
        (Some(0), "tool of me: as told more\n".to_owned()),
        "{}",
        done.err()
    );
    // Its first language, where none is named.
    let done = host
        .tool()
        .args(["run", "--image", "mine", "-c", "echo of $OWNER"])
        .go();
    assert_eq!(
        (done.code(), done.out()),
        (Some(0), "of me\n".to_owned()),
        "{}",
        done.err()
    );
    // Another language than it holds.
    let done = host
        .tool()
        .program("py", "1")
        .args(["--image", "mine"])
        .go();
    assert_eq!(done.code(), Some(2));
    assert!(
        done.err().contains("image mine holds no python, but bash"),
        "{}",
        done.err()
    );

    // Its walls are tested as those of the tool's own images are.
    let attacks = [
        "selftest",
        "--image",
        "mine",
        "--only",
        "fork-bomb",
        "--only",
        "fill-tmp",
        "--json",
    ];
    let alone = lab::alone();
    let done = host.tool().args(attacks).finish(PATIENCE);
    drop(alone);
    assert_eq!(done.code(), Some(0), "{} {}", done.out(), done.err());
    assert_eq!(
        done.json()["attacks"].as_array().unwrap().len(),
        2,
        "{}",
        done.out()
    );

    let shown = host.images(&["inspect", "mine"]).out();
    assert!(
        shown.contains("languages  bash") && shown.contains("GPL"),
        "{shown}"
    );
    let bill = host.images(&["inspect", "mine", "--sbom"]).json();
    assert_eq!(bill["bomFormat"], "CycloneDX");
    let components = bill["components"].as_array().unwrap();
    assert!(components.iter().any(|one| one["name"] == "bash"), "{bill}");
    host.images(&["rm", "mine"]);
    host.images(&["prune", "--unused-for", "7"]);
    let done = host
        .tool()
        .program("sh", program)
        .args(["--image", "mine"])
        .go();
    assert_eq!(done.code(), Some(2));
    assert!(done.err().contains("[image_unknown]"), "{}", done.err());
}

/// As `docker save` writes it: one layer, a command, a setuid bit that does not survive.
fn docker_archive(folder: &Path) -> String {
    let tree = folder.join("tree");
    fs::create_dir_all(tree.join("srv")).unwrap();
    let source = written(folder, "program.c", STATIC_C);
    let run = |program: &str, words: &[&str]| {
        let output = Command::new(program)
            .args(words)
            .current_dir(folder)
            .output()
            .unwrap();
        assert!(output.status.success(), "{program} {words:?}: {output:?}");
        String::from_utf8(output.stdout).unwrap()
    };
    let program = tree.join("program").to_string_lossy().into_owned();
    run("cc", &["-static", "-O1", "-o", &program, &source]);
    run("chmod", &["4755", &program]);
    run(
        "tar",
        &[
            "-C",
            "tree",
            "--owner=0",
            "--group=0",
            "-cf",
            "layer.tar",
            ".",
        ],
    );
    let digest = run("sha256sum", &["layer.tar"]);
    let digest = digest.split(' ').next().unwrap();
    let config = serde_json::json!({
        "architecture": "amd64", "os": "linux",
        "config": {"Env": ["GREETING=moin"], "Entrypoint": ["/program", "first"], "Cmd": ["second"], "WorkingDir": "/srv"},
        "rootfs": {"type": "layers", "diff_ids": [format!("sha256:{digest}")]},
    });
    written(folder, "config.json", &config.to_string());
    let manifest = serde_json::json!([{"Config": "config.json", "RepoTags": ["own:1"], "Layers": ["layer.tar"]}]);
    written(folder, "manifest.json", &manifest.to_string());
    run(
        "tar",
        &[
            "-cf",
            "own.tar",
            "manifest.json",
            "config.json",
            "layer.tar",
        ],
    );
    format!("docker-archive:{}", folder.join("own.tar").display())
}

#[test]
fn an_image_of_others_is_imported_once_and_runs_its_command() {
    if !lab::lab().has("bash") {
        return;
    }
    let (host, beside) = (Host::new(), tempfile::tempdir().unwrap());
    let archive = docker_archive(beside.path());
    let first = host.images(&["import", "--json", &archive]).json();
    assert_eq!(
        (&first["image"], &first["state"]),
        (&"own".into(), &"imported".into()),
        "{first}"
    );
    assert_eq!(first["dropped"]["setuid"], 1, "{first}");
    let second = host.images(&["import", "--json", &archive]).json();
    assert_eq!(second["state"], "was there already", "{second}");
    let done = host.tool().args(["run", "--image", "own"]).go();
    assert_eq!(
        (done.code(), done.out()),
        (
            Some(7),
            "moin in /srv <first> <second> uid 10000\n".to_owned()
        ),
        "{}",
        done.err()
    );
    // No shell is in it, and that is what is said.
    let done = host.tool().args(["shell", "--image", "own"]).go();
    assert_eq!(done.code(), Some(127), "{}", done.err());
}

#[test]
fn what_cannot_be_an_image_is_told_and_leaves_nothing() {
    if !lab::lab().has("bash") {
        return;
    }
    let (host, beside) = (Host::new(), tempfile::tempdir().unwrap());
    let file = |name: &str, text: &str| written(beside.path(), name, text);
    for (words, told) in [
        (vec!["build".to_owned(), file("a.toml", "from = 1")], "from"),
        (
            vec!["build".to_owned(), file("python.toml", "from = \"bash\"")],
            "the tool's own",
        ),
        (
            vec!["build".to_owned(), file("c.toml", "from = \"nobodys\"")],
            "there is no nobodys image",
        ),
        (
            vec!["import".to_owned(), "oci:/nowhere".to_owned()],
            "/nowhere",
        ),
        (
            vec![
                "import".to_owned(),
                format!("docker-archive:{}", file("x.tar", "no archive")),
            ],
            "x.tar",
        ),
        (
            vec!["inspect".to_owned(), "nobodys".to_owned()],
            "not known",
        ),
    ] {
        let done = host.tool().arg("images").args(&words).finish(PATIENCE);
        assert_ne!(done.code(), Some(0), "{words:?}");
        assert!(done.err().contains(told), "{words:?}: {}", done.err());
    }
    let left = fs::read_dir(host.0.path().join("images")).unwrap();
    let left: Vec<_> = left.map(|entry| entry.unwrap().file_name()).collect();
    assert!(
        !left
            .iter()
            .any(|name| name.to_string_lossy().starts_with(".build-")),
        "{left:?}"
    );
}
