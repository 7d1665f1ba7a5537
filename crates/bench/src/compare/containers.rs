//! The technologies of others, each with the root file system of our own image, so that all start
//! the same interpreter.

use super::contender::{CommandLine, Contender, Facts, How, find_program};
use super::dockerd::Dockerd;
use super::memory::SLEEP_SECONDS;
use crate::program::Program;
use crate::{BenchError, scratch};
use languages::{DRIVERS, PROGRAM};
use protocol::language::Language;
use serde_json::{Value, json};
use std::path::{Path, PathBuf};

const DOCKER: Facts = Facts {
    is_ours: false,
    isolation: "namespaces, seccomp, capabilities",
    kernel_shared: true,
    network_by_default: "outbound open",
};
const RUNSC: Facts = Facts {
    is_ours: false,
    isolation: "kernel in user space (gVisor, ptrace platform)",
    kernel_shared: false,
    network_by_default: "outbound open under docker; none here",
};
const RUNC: Facts = Facts {
    is_ours: false,
    isolation: "namespaces, capabilities",
    kernel_shared: true,
    network_by_default: "an empty namespace",
};
const BWRAP: Facts = Facts {
    is_ours: false,
    isolation: "namespaces",
    kernel_shared: true,
    network_by_default: "the host's, unless unshared (it is here)",
};
const KATA: Facts = Facts {
    is_ours: false,
    isolation: "VM",
    kernel_shared: false,
    network_by_default: "outbound open",
};

/// What was prepared; dropping it ends the daemon and removes the folder.
pub struct Containers {
    /// Every technology, with why not where it is not here.
    pub contenders: Vec<Contender>,
    _dockerd: Option<Dockerd>,
    // Last: the daemon's data lies in it.
    _folder: tempfile::TempDir,
}

/// The folder that an image is unpacked into.
const ROOT: &str = "root";
/// Where the drivers of the one language that is compared lie in it.
const DRIVERS_DIR: &str = "/drivers";

/// Unpacks an image below a folder; gives its root.
pub async fn unpack(image: &Path, folder: &Path) -> Result<PathBuf, BenchError> {
    let root = folder.join(ROOT);
    let unpack = CommandLine::new([
        "fsck.erofs".to_owned(),
        format!("--extract={}", root.display()),
        image.display().to_string(),
    ]);
    unpack.output().await.map(|_| root)
}

/// Unpacks the image and prepares every technology that is installed.
pub async fn prepare(image: &Path, program: &Program) -> Result<Containers, BenchError> {
    let folder = scratch("compare")?;
    let root = folder.path().join(ROOT);
    let unpacked = unpack(image, folder.path())
        .await
        .and_then(|root| {
            let put = put_drivers(program.language, &root);
            put.map_err(|source| BenchError::Io { path: root, source })
        })
        .map_err(|error| format!("the image was not unpacked for it: {error}"));
    let ready = match &unpacked {
        Ok(()) => docker(folder.path(), &root, program).await,
        Err(why) => Err(why.clone()),
    };
    let (docker, dockerd) = match ready {
        Ok((how, dockerd)) => (Ok(how), Some(dockerd)),
        Err(why) => (Err(why), None),
    };
    let when_unpacked = |how: Result<How, String>| unpacked.clone().and(how);
    let contenders = vec![
        contender("docker", DOCKER, docker),
        contender(
            "runsc",
            RUNSC,
            when_unpacked(runsc(folder.path(), &root, program)),
        ),
        contender(
            "runc",
            RUNC,
            when_unpacked(runc(folder.path(), &root, program)),
        ),
        contender("bwrap", BWRAP, when_unpacked(bwrap(&root, program))),
        contender("kata", KATA, kata()),
    ];
    Ok(Containers {
        contenders,
        _dockerd: dockerd,
        _folder: folder,
    })
}

fn contender(technology: &'static str, facts: Facts, how: Result<How, String>) -> Contender {
    Contender {
        technology,
        facts,
        how,
    }
}

fn installed(name: &str) -> Result<String, String> {
    find_program(name).ok_or_else(|| "not installed".to_owned())
}

/// argv of the hello and of the sleep inside the root file system.
fn inside(program: &Program) -> [Vec<String>; 2] {
    let own = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect();
    let samples = program.samples;
    match &samples.inline {
        Some(inline) => {
            let run = |code: &str| [inline, std::slice::from_ref(&code.to_owned())].concat();
            [run(program.code), run(&samples.sleep(SLEEP_SECONDS.into()))]
        }
        None => {
            let script = as_file(program.language);
            let sleep = format!("sleep {SLEEP_SECONDS}");
            [
                own(&["/bin/sh", "-c", &script, "sh", program.code]),
                own(&["/bin/sh", "-c", &sleep]),
            ]
        }
    }
}

/// What a job of ours does: the code into a file, the same compiler by the same words, the program.
fn as_file(language: Language) -> String {
    let row = language.row();
    let line = |words: &[String]| {
        let word = |word: &String| match word == PROGRAM {
            true => row.source_file.clone(),
            false => word.replace(DRIVERS, DRIVERS_DIR),
        };
        words.iter().map(word).collect::<Vec<_>>().join(" ")
    };
    let env: String = row
        .env
        .iter()
        .map(|(name, value)| format!("export {name}='{value}'\n"))
        .collect();
    let compile = row.compile.as_deref().map_or("true".to_owned(), line);
    let (file, run) = (&row.source_file, line(&row.run));
    format!("export HOME=/tmp\ncd /tmp\n{env}printf '%s' \"$1\" > {file}\n{compile} && {run}\n")
}

/// The guest's own drivers, which are no files of the image.
fn put_drivers(language: Language, root: &Path) -> std::io::Result<()> {
    let folder = root.join(DRIVERS_DIR.trim_start_matches('/'));
    std::fs::create_dir_all(&folder)?;
    language
        .drivers()
        .try_for_each(|driver| std::fs::write(folder.join(driver.name), driver.content))
}

fn both(
    program: &Program,
    line: impl Fn(usize, Vec<String>) -> Result<Vec<String>, String>,
) -> Result<How, String> {
    let [hello, sleep] = inside(program);
    Ok(How::Command {
        hello: CommandLine(line(0, hello)?),
        sleep: CommandLine(line(1, sleep)?),
    })
}

fn words(first: &[&str], rest: Vec<String>) -> Vec<String> {
    first
        .iter()
        .map(|word| (*word).to_owned())
        .chain(rest)
        .collect()
}

fn bwrap(root: &Path, program: &Program) -> Result<How, String> {
    let bwrap = installed("bwrap")?;
    let root = root.display().to_string();
    both(program, |_, inside| {
        let line = [
            &bwrap,
            "--unshare-all",
            "--die-with-parent",
            "--ro-bind",
            &root,
            "/",
            "--proc",
            "/proc",
            "--dev",
            "/dev",
            "--tmpfs",
            "/tmp",
        ];
        Ok(words(&line, inside))
    })
}

fn runc(folder: &Path, root: &Path, program: &Program) -> Result<How, String> {
    let runc = installed("runc")?;
    both(program, |index, inside| {
        let bundle = bundle(bundle_of(folder, "runc", index), root, &inside)?;
        Ok(words(&[&runc, "run", "--bundle", &bundle, "{id}"], vec![]))
    })
}

fn runsc(folder: &Path, root: &Path, program: &Program) -> Result<How, String> {
    let runsc = installed("runsc")?;
    let state = folder.join("runsc-state").display().to_string();
    both(program, |index, inside| {
        let bundle = bundle(bundle_of(folder, "runsc", index), root, &inside)?;
        let line = [
            &runsc,
            "--root",
            &state,
            "--platform=ptrace",
            "--network=none",
            "run",
            "--bundle",
            &bundle,
            "{id}",
        ];
        Ok(words(&line, vec![]))
    })
}

fn kata() -> Result<How, String> {
    installed("kata-runtime")?;
    Err("installed, but this comparison has no way to run it yet".to_owned())
}

fn bundle_of(folder: &Path, runtime: &str, index: usize) -> PathBuf {
    folder.join(format!("{runtime}-bundle-{index}"))
}

/// An OCI bundle (runtime-spec 1.0) that runs `argv` on the shared, read-only root.
fn bundle(bundle: PathBuf, root: &Path, argv: &[String]) -> Result<String, String> {
    let write = || -> std::io::Result<()> {
        std::fs::create_dir(&bundle)?;
        std::fs::write(bundle.join("config.json"), spec(root, argv).to_string())
    };
    write().map_err(|error| format!("{}: {error}", bundle.display()))?;
    Ok(bundle.display().to_string())
}

fn spec(root: &Path, argv: &[String]) -> Value {
    json!({
        "ociVersion": "1.0.2",
        "process": {
            "terminal": false,
            "user": { "uid": 10000, "gid": 10000 },
            "args": argv,
            "env": ["PATH=/usr/local/bin:/usr/bin:/bin", "LANG=C.UTF-8"],
            "cwd": "/",
            "noNewPrivileges": true,
            "capabilities": {},
        },
        "root": { "path": root, "readonly": true },
        "hostname": "job",
        "mounts": [
            { "destination": "/proc", "type": "proc", "source": "proc" },
            { "destination": "/dev", "type": "tmpfs", "source": "tmpfs",
              "options": ["nosuid", "strictatime", "mode=755", "size=65536k"] },
            { "destination": "/tmp", "type": "tmpfs", "source": "tmpfs", "options": ["size=65536k"] },
        ],
        "linux": { "namespaces": [
            { "type": "pid" }, { "type": "network" }, { "type": "ipc" }, { "type": "uts" },
            { "type": "mount" },
        ] },
    })
}

async fn docker(folder: &Path, root: &Path, program: &Program) -> Result<(How, Dockerd), String> {
    let client = installed("docker")?;
    let data: PathBuf = folder.join("docker");
    let dockerd = Dockerd::start(&installed("dockerd")?, &client, &data).await?;
    let tar = folder.join("root.tar").display().to_string();
    let pack = CommandLine::new(["tar", "-C", &root.display().to_string(), "-cf", &tar, "."]);
    pack.output().await.map_err(|error| error.to_string())?;
    let host = dockerd.host().to_owned();
    let import = CommandLine::new([&client, "--host", &host, "import", &tar, "compare:latest"]);
    import.output().await.map_err(|error| error.to_string())?;
    let how = both(program, |_, inside| {
        let line = [
            &client,
            "--host",
            &host,
            "run",
            "--rm",
            "--network",
            "none",
            "--name",
            "{id}",
            "compare:latest",
        ];
        Ok(words(&line, inside))
    })?;
    Ok((how, dockerd))
}
