//! `sandbox cp`: one file, of any size, into a sandbox or out of one. It passes through and is never held; here it
//! appears under its name once all of it is there, as it does in the sandbox.

use super::address;
use super::service::{Service, ServiceError, off_thread};
use crate::args::CpArgs;
use crate::{exit, signals};
use anyhow::{Context as _, anyhow, bail, ensure};
use protocol::environment::WORK_DIR;
use std::fs::{File, Permissions};
use std::io::{Read as _, Write as _};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use tempfile::NamedTempFile;
use ureq::http::Method;

/// Bytes on their way at one time.
const PIECE_BYTES: usize = 128 * 1024;

/// One end of a copy.
#[derive(Debug, Clone, PartialEq, Eq)]
enum End {
    Here(PathBuf),
    There(Place),
}

/// A file's place in a sandbox.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Place {
    sandbox: String,
    /// Absolute.
    path: String,
}

/// Which way.
#[derive(Debug, PartialEq, Eq)]
enum Way {
    In(PathBuf, Place),
    Out(Place, PathBuf),
}

fn way(args: &CpArgs) -> anyhow::Result<Way> {
    let CpArgs { from, to } = args;
    match (End::of(from)?, End::of(to)?) {
        (End::Here(from), End::There(to)) => Ok(Way::In(from, to)),
        (End::There(place), End::Here(_)) if place.path.ends_with('/') => bail!(
            "{from} is a folder, and cp copies files: llm-firecracker sandbox exec {} -- tar c -C {} . | tar x",
            place.sandbox,
            place.path
        ),
        (End::There(from), End::Here(to)) => Ok(Way::Out(from, to)),
        (End::Here(_), End::Here(_)) => bail!(
            "neither end is in a sandbox: write one as ID:/PATH, such as: llm-firecracker sandbox cp {from} ID:/work/ (`llm-firecracker sandbox list` has ids)"
        ),
        (End::There(_), End::There(_)) => bail!(
            "both ends are in sandboxes; go by a file here: llm-firecracker sandbox cp {from} x && llm-firecracker sandbox cp x {to}"
        ),
    }
}

/// Copies it.
pub async fn run(service: Service, args: CpArgs) -> anyhow::Result<ExitCode> {
    let copied = async {
        match way(&args).map_err(exit::usage)? {
            Way::In(from, to) => put(service, &from, to).await,
            Way::Out(from, to) => take(service, from, &to).await,
        }
    };
    tokio::select! {
        copied = copied => copied.map(|()| ExitCode::SUCCESS),
        number = signals::stop_asked() => Ok(ExitCode::from(128 + number)),
    }
}

impl End {
    /// `ID:PATH` is in a sandbox, from its work folder on; whatever has a slash before the colon is here, as with scp.
    fn of(text: &str) -> anyhow::Result<End> {
        let Some((sandbox, path)) = text.split_once(':') else {
            return Ok(End::Here(text.into()));
        };
        if sandbox.contains('/') {
            return Ok(End::Here(text.into()));
        }
        ensure!(
            !sandbox.is_empty(),
            "{text} names no sandbox: write ID{text} (`llm-firecracker sandbox list` has ids), or ./{text} for a file here"
        );
        Ok(End::There(Place {
            sandbox: sandbox.to_owned(),
            path: match path.starts_with('/') {
                true => path.to_owned(),
                false => format!("{WORK_DIR}/{path}"),
            },
        }))
    }
}

impl Place {
    /// The place of a file of that name, where this is a folder's (`/work/`).
    fn with_name(self, from: &Path) -> anyhow::Result<Place> {
        if !self.path.ends_with('/') {
            return Ok(self);
        }
        let name = from.file_name().and_then(|name| name.to_str());
        let name = name.with_context(|| format!("{} has no name", from.display()))?;
        Ok(Place {
            path: format!("{}{name}", self.path),
            ..self
        })
    }

    fn address(&self) -> String {
        let sandbox = address::sandbox(&self.sandbox);
        format!("{sandbox}/files?path={}", address::part(&self.path))
    }
}

async fn put(service: Service, from: &Path, to: Place) -> anyhow::Result<()> {
    let to = to.with_name(from)?;
    let file = File::open(from).with_context(|| format!("opening {}", from.display()));
    let file = file.map_err(exit::usage)?;
    if file.metadata()?.is_dir() {
        let (shown, sandbox) = (from.display(), &to.sandbox);
        return Err(exit::usage(anyhow!(
            "{shown} is a folder, and cp copies files: tar c {shown} | llm-firecracker sandbox exec {sandbox} -i -- tar x"
        )));
    }
    let sent = off_thread(move || {
        let mut file = file;
        service.send_bytes(Method::PUT, &to.address(), &mut file)
    });
    sent.await
        .with_context(|| format!("copying {}", from.display()))
}

async fn take(service: Service, from: Place, to: &Path) -> anyhow::Result<()> {
    let to = target(&from.path, to)?;
    let said = from.path.clone();
    let body = off_thread(move || service.get_bytes(&from.address())).await;
    let body = body.with_context(|| format!("copying {said}"))?;
    let folder = match to.parent() {
        Some(folder) if folder != Path::new("") => folder,
        _ => Path::new("."),
    };
    // As a new file has it, or as the one that is replaced had it.
    let permissions = std::fs::metadata(&to).map_or(0o666, |old| old.permissions().mode());
    let beside = tempfile::Builder::new()
        .prefix(".llm-firecracker-cp-")
        .permissions(Permissions::from_mode(permissions & 0o777))
        .tempfile_in(folder);
    let beside = beside.with_context(|| format!("making a file in {}", folder.display()))?;
    // Its name stays here: whatever ends this removes it.
    let (file, name) = NamedTempFile::into_parts(beside);
    let received = off_thread(move || receive(body, file)).await;
    received.with_context(|| format!("copying {said}"))?;
    name.persist(&to)
        .with_context(|| format!("writing {}", to.display()))
}

/// Where a file from a sandbox comes to lie: under its name in a folder, else under the given one.
fn target(from: &str, to: &Path) -> anyhow::Result<PathBuf> {
    let to = match to.is_dir() {
        true => {
            let name = Path::new(from).file_name();
            to.join(name.with_context(|| format!("{from} has no name"))?)
        }
        false => to.to_owned(),
    };
    match std::fs::metadata(&to) {
        // What a link leads to is replaced, not the link; a device is not.
        Ok(old) => {
            ensure!(old.is_file(), "{} is there and no plain file", to.display());
            Ok(to.canonicalize()?)
        }
        Err(_) => Ok(to),
    }
}

fn receive(body: ureq::Body, mut file: File) -> Result<(), ServiceError> {
    let mut reader = body.into_reader();
    let mut piece = vec![0; PIECE_BYTES];
    loop {
        let count = reader.read(&mut piece);
        let count = count.map_err(|error| ServiceError::Cut(error.to_string()))?;
        if count == 0 {
            return Ok(());
        }
        let written = file.write_all(&piece[..count]);
        written.map_err(|error| ServiceError::Here(format!("writing the file: {error}")))?;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_end_is_here_or_in_a_sandbox() {
        let there = |sandbox: &str, path: &str| {
            End::There(Place {
                sandbox: sandbox.into(),
                path: path.into(),
            })
        };
        for (text, end) in [
            ("0198-a:/work/x", there("0198-a", "/work/x")),
            ("id:/a:/b", there("id", "/a:/b")),
            ("id:x", there("id", "/work/x")),
            ("id:", there("id", "/work/")),
            ("./id:/x", End::Here("./id:/x".into())),
            ("/a:/x", End::Here("/a:/x".into())),
            ("x", End::Here("x".into())),
        ] {
            assert_eq!(End::of(text).unwrap(), end, "{text}");
        }
    }

    #[test]
    fn ends_that_do_not_go_together_are_told_what_to_write() {
        for (from, to, said) in [
            ("x", "y", "sandbox cp x ID:/work/"),
            (
                "a:/x",
                "b:/y",
                "sandbox cp a:/x x && llm-firecracker sandbox cp x b:/y",
            ),
            (":/x", "y", "write ID:/x"),
            ("a:", "y", "sandbox exec a -- tar c -C /work/ ."),
        ] {
            let args = CpArgs {
                from: from.into(),
                to: to.into(),
            };
            let told = way(&args).unwrap_err().to_string();
            assert!(told.contains(said), "{told}");
        }
    }

    #[test]
    fn a_folder_keeps_the_name() {
        let place = |path: &str| Place {
            sandbox: "s".into(),
            path: path.into(),
        };
        let named = place("/work/").with_name(Path::new("a/b.txt")).unwrap();
        assert_eq!(named, place("/work/b.txt"));
        let named = place("/work/c").with_name(Path::new("a/b.txt")).unwrap();
        assert_eq!(named, place("/work/c"));
        assert!(place("/work/").with_name(Path::new("..")).is_err());
    }

    #[test]
    fn what_is_there_is_replaced_where_it_may_be() {
        let dir = tempfile::tempdir().unwrap();
        let real = dir.path().canonicalize().unwrap();
        std::fs::write(real.join("old"), "old").unwrap();
        std::os::unix::fs::symlink("old", real.join("link")).unwrap();
        for (to, expected) in [
            ("", Some("x")),
            ("new", Some("new")),
            ("old", Some("old")),
            ("link", Some("old")),
        ] {
            let target = target("/work/x", &real.join(to)).ok();
            assert_eq!(target, expected.map(|name| real.join(name)), "{to}");
        }
        assert!(target("/work/x", Path::new("/dev/null")).is_err());
        assert!(target("/work/..", &real).is_err());
    }

    #[test]
    fn half_a_file_is_none() {
        let head = "HTTP/1.1 200 O\r\ntransfer-encoding: chunked\r\n\r\n2\r\nhi\r\n";
        for (rest, whole) in [("0\r\n\r\n", true), ("", false), ("5\r\nhel", false)] {
            let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
            let url = Some(format!("http://{}", listener.local_addr().unwrap()));
            let other = std::thread::spawn(move || {
                let (mut stream, _) = listener.accept().unwrap();
                let _ = stream.read(&mut [0; 4096]);
                stream
                    .write_all(format!("{head}{rest}").as_bytes())
                    .unwrap();
            });
            let service = Service::of(&crate::args::ServiceArgs { url, key: None }).unwrap();
            let body = service.get_bytes("/").unwrap();
            let received = receive(body, tempfile::tempfile().unwrap());
            assert_eq!(received.is_ok(), whole, "{rest}: {received:?}");
            other.join().unwrap();
        }
    }
}
