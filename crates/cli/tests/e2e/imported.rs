//! Other people's kinds of images, by their own tools and from a registry on this host: a Debian, a busybox, a static program
//! of Go's. Imported, run, looked at.

use crate::lab;
use crate::own_images::Host;
use crate::tool::{Done, Tool};
use std::fs;
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};
use tempfile::TempDir;

const PROGRAMS: &[&str] = &["docker-registry", "skopeo", "umoci", "mmdebstrap"];
const START: Duration = Duration::from_secs(20);
/// Names under which the busybox is found, as its image has them.
const APPLETS: &[&str] = &["sh", "ls", "wc", "uname", "id", "awk"];
/// Built by the image `go`, in a VM; its artifact is the program.
const BUILDER: &str = r#"
package main

import (
	"fmt"
	"os"
	"os/exec"
)

const source = `package main

import ("fmt"; "os"; "runtime")

func main() {
	fmt.Println("go", runtime.GOOS, os.Getuid(), os.Args[1:])
	os.Exit(3)
}
`

func main() {
	must(os.MkdirAll("/work/out", 0o755))
	must(os.WriteFile("/work/app.go", []byte(source), 0o644))
	build := exec.Command("go", "build", "-ldflags=-s -w", "-o", "/work/out/app", "/work/app.go")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	said, err := build.CombinedOutput()
	fmt.Print(string(said))
	must(err)
}

func must(err error) {
	if err != nil {
		panic(err)
	}
}
"#;

/// A folder with images in it, and a registry that serves them.
struct Shelf {
    folder: TempDir,
    registry: Child,
    address: String,
}

impl Shelf {
    fn open() -> Shelf {
        let folder = tempfile::tempdir().unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap().to_string();
        drop(listener);
        let data = folder.path().join("registry").display().to_string();
        let config = format!(
            "version: 0.1\nlog: {{level: error}}\nstorage: {{filesystem: {{rootdirectory: {data}}}}}\nhttp: {{addr: '{address}'}}\n"
        );
        let file = folder.path().join("registry.yml");
        fs::write(&file, config).unwrap();
        let mut command = Command::new("docker-registry");
        command
            .arg("serve")
            .arg(file)
            .stdout(Stdio::null())
            .stderr(Stdio::null());
        let registry = command.spawn().unwrap();
        let begun = Instant::now();
        while TcpStream::connect(&address).is_err() {
            assert!(begun.elapsed() < START, "the registry does not start");
            std::thread::sleep(Duration::from_millis(50));
        }
        let shelf = Shelf {
            folder,
            registry,
            address,
        };
        run("umoci", &["init", "--layout", &shelf.at("images")]);
        shelf
    }

    fn at(&self, name: &str) -> String {
        self.folder.path().join(name).display().to_string()
    }

    /// Puts an image of one layer into the registry; what it is called there.
    fn publish(&self, name: &str, layer: &str, config: &[&str]) -> String {
        let image = format!("{}:{name}", self.at("images"));
        run("umoci", &["new", "--image", &image]);
        run("umoci", &["raw", "add-layer", "--image", &image, layer]);
        run("umoci", &[&["config", "--image", &image], config].concat());
        let to = format!("docker://{}/own/{name}:1", self.address);
        run(
            "skopeo",
            &[
                "copy",
                "-q",
                "--dest-tls-verify=false",
                &format!("oci:{image}"),
                &to,
            ],
        );
        format!("{}/own/{name}:1", self.address)
    }

    /// A tree as an archive of root's.
    fn archive(&self, tree: &Path) -> String {
        let archive = tree.with_extension("tar").display().to_string();
        let tree = tree.display().to_string();
        run(
            "tar",
            &["-C", &tree, "--owner=0", "--group=0", "-cf", &archive, "."],
        );
        archive
    }
}

impl Drop for Shelf {
    fn drop(&mut self) {
        let _ = self.registry.kill();
        let _ = self.registry.wait();
    }
}

fn run(program: &str, words: &[&str]) {
    let output = Command::new(program).args(words).output().unwrap();
    assert!(output.status.success(), "{program} {words:?}: {output:?}");
}

/// Runs an image's own command, or these words.
fn run_in(host: &Host, image: &str, words: &[&str]) -> Done {
    host.tool().args(["run", "--image", image]).args(words).go()
}

/// Debian's base with a static busybox, by what Debian makes its own images with.
fn debian(shelf: &Shelf) -> Result<String, String> {
    let archive = shelf.at("debian.tar");
    let words = [
        "--variant=essential",
        "--include=busybox-static",
        "trixie",
        &archive,
    ];
    let output = Command::new("mmdebstrap").args(words).output().unwrap();
    match output.status.success() {
        true => Ok(archive),
        false => Err(String::from_utf8_lossy(&output.stderr).into_owned()),
    }
}

fn busybox(shelf: &Shelf, debian: &str) -> PathBuf {
    let (taken, tree) = (
        shelf.folder.path().join("taken"),
        shelf.folder.path().join("busybox"),
    );
    fs::create_dir_all(&taken).unwrap();
    fs::create_dir_all(tree.join("bin")).unwrap();
    run(
        "tar",
        &[
            "-C",
            &taken.display().to_string(),
            "-xf",
            debian,
            "./usr/bin/busybox",
        ],
    );
    fs::copy(taken.join("usr/bin/busybox"), tree.join("bin/busybox")).unwrap();
    for applet in APPLETS {
        fs::hard_link(tree.join("bin/busybox"), tree.join("bin").join(applet)).unwrap();
    }
    tree
}

/// A static program of Go's, made in a VM of ours.
fn program(shelf: &Shelf) -> PathBuf {
    let (out, tree) = (shelf.at("out"), shelf.folder.path().join("go"));
    let done = Tool::run("go", BUILDER)
        .args(["--output", &out, "--timeout", "120", "--memory", "1024"])
        .go();
    assert_eq!(done.code(), Some(0), "{} {}", done.out(), done.err());
    fs::create_dir_all(&tree).unwrap();
    let app = tree.join("app");
    fs::copy(Path::new(&out).join("app"), &app).unwrap();
    fs::set_permissions(&app, std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
    tree
}

#[test]
fn images_of_a_registry_run_what_they_hold() {
    if !lab::lab().has("bash") || !lab::lab().has("go") {
        return;
    }
    let path = std::env::var("PATH").unwrap_or_default();
    let installed = |program: &str| {
        path.split(':')
            .any(|folder| Path::new(folder).join(program).exists())
    };
    if let Some(program) = PROGRAMS.iter().find(|program| !installed(program)) {
        lab::not_run(&format!(
            "{program} is not installed: scripts/setup-debian.sh --tests"
        ));
        return;
    }
    let shelf = Shelf::open();
    let archive = match debian(&shelf) {
        Ok(archive) => archive,
        Err(why) => {
            lab::not_run(&format!("mmdebstrap brings no packages: {why}"));
            return;
        }
    };
    let script = ". /etc/os-release; echo $VERSION_CODENAME $(id -u) $(pwd); ls /usr/bin | wc -l";
    let host = Host::new();

    host.images(&[
        "import",
        &shelf.publish(
            "a-debian",
            &archive,
            &[
                "--config.cmd",
                "/bin/sh",
                "--config.cmd",
                "-c",
                "--config.cmd",
                script,
            ],
        ),
    ]);
    let done = run_in(&host, "a-debian", &[]);
    let said = done.out();
    let (first, count) = said.trim_end().split_once('\n').unwrap_or_default();
    assert_eq!(
        (done.code(), first),
        (Some(0), "trixie 10000 /work"),
        "{}",
        done.err()
    );
    assert!(
        count.parse::<u32>().is_ok_and(|count| count > 100),
        "{said}"
    );

    let busybox = shelf.archive(&busybox(&shelf, &archive));
    let script = "uname -s; echo a b c | wc -w; id -u; echo 6 7 | awk '{print $1*$2}'; ls -i /bin/sh /bin/ls | awk '{print $1}' | uniq | wc -l";
    host.images(&[
        "import",
        &shelf.publish("a-busybox", &busybox, &["--config.cmd", "/bin/sh"]),
    ]);
    let done = run_in(&host, "a-busybox", &["--", "/bin/sh", "-c", script]);
    assert_eq!(
        (done.code(), done.out()),
        (Some(0), "Linux\n3\n10000\n42\n1\n".to_owned()),
        "{}",
        done.err()
    );

    let go = shelf.archive(&program(&shelf));
    host.images(&[
        "import",
        &shelf.publish(
            "a-program",
            &go,
            &["--config.entrypoint", "/app", "--config.cmd", "usual"],
        ),
    ]);
    let done = run_in(&host, "a-program", &[]);
    assert_eq!(
        (done.code(), done.out()),
        (Some(3), "go linux 10000 [usual]\n".to_owned()),
        "{}",
        done.err()
    );
    let done = run_in(&host, "a-program", &["--", "of", "mine"]);
    assert_eq!(
        (done.code(), done.out()),
        (Some(3), "go linux 10000 [of mine]\n".to_owned()),
        "{}",
        done.err()
    );
}
