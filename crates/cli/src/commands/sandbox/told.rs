//! What the service tells of a process: lines of JSON, as they come.

use super::exit::Exit;
use super::problem::Problem;
use super::service::ServiceError;
use crate::terminal;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::Deserialize;
use std::io::{BufRead, BufReader, Read};
use tokio::sync::mpsc;

/// The longest line that is taken, in bytes: a piece of output is at most some 64 KiB, and written in two ways.
const MAX_LINE_BYTES: u64 = 4 * 1024 * 1024;
/// Lines between the connection and the screen: a slow screen slows the program, as a pipe would.
const LINES: usize = 16;

/// One thing that is told.
#[derive(Debug, Deserialize)]
#[serde(tag = "event", rename_all = "lowercase")]
pub enum Told {
    /// It runs.
    Started(Started),
    /// It wrote this.
    Output(Output),
    /// It ended; nothing comes after it.
    Exit(Exit),
    /// There is no more to tell; nothing comes after it.
    Error(Problem),
    /// Nothing, for now; or what a later service says.
    #[serde(other)]
    Alive,
}

/// A process that was started.
#[derive(Debug, Deserialize)]
pub struct Started {
    /// Its name in its sandbox.
    pub id: u32,
    /// What holds it; absent at services of before.
    #[serde(default)]
    isolation: Option<Isolation>,
}

/// What holds a sandbox.
#[derive(Debug, Deserialize)]
struct Isolation {
    engine: String,
    accelerator: String,
    #[serde(default)]
    guest: Wall,
}

/// The wall inside the VM.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Wall {
    /// Programs are root there.
    Root,
    /// It stands; or what a later service says.
    #[default]
    #[serde(other)]
    Confined,
}

impl Started {
    /// Says on standard error when the wall inside the VM is down.
    pub fn tell_walls(&self) {
        let walls = self.isolation.as_ref();
        if let Some(walls) = walls.filter(|walls| walls.guest == Wall::Root) {
            tell_root(&walls.engine, &walls.accelerator);
        }
    }
}

/// Says on standard error that programs are root in a guest of this kind.
pub fn tell_root(engine: &str, accelerator: &str) {
    terminal::say(format_args!(
        "root in the guest: the wall inside the VM is down, the VM ({engine}, {accelerator}) is the wall"
    ));
}

/// What a process wrote.
#[derive(Debug, Deserialize)]
pub struct Output {
    /// Of its first byte, among all that the process wrote.
    pub offset: u64,
    /// Of the first byte behind it.
    pub next_offset: u64,
    /// Where it wrote it.
    pub stream: ShownStream,
    data: String,
    #[serde(default)]
    base64: Option<String>,
}

/// Where a process writes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ShownStream {
    /// Standard output.
    Stdout,
    /// Standard error.
    Stderr,
    /// Its terminal.
    Terminal,
}

impl Output {
    /// The bytes that it wrote.
    pub fn bytes(self) -> Vec<u8> {
        let exact = self.base64.map(|text| STANDARD.decode(text));
        match exact {
            Some(Ok(bytes)) => bytes,
            _ => self.data.into_bytes(),
        }
    }
}

/// What is told, in its order, until its end or an error.
pub type Telling = mpsc::Receiver<Result<Told, ServiceError>>;

/// Reads an answer in a thread of its own, which ends with the answer, or when nobody listens any more.
pub fn tell(open: impl FnOnce() -> Result<ureq::Body, ServiceError> + Send + 'static) -> Telling {
    let (sender, told) = mpsc::channel(LINES);
    tokio::task::spawn_blocking(move || {
        let lines = match open() {
            Ok(body) => Lines(BufReader::new(body.into_reader())),
            Err(error) => {
                // Nobody listens any more.
                let _ = sender.blocking_send(Err(error));
                return;
            }
        };
        for line in lines {
            if sender.blocking_send(line).is_err() {
                return;
            }
        }
    });
    told
}

/// A stream's lines.
struct Lines<R>(BufReader<R>);

impl<R: Read> Iterator for Lines<R> {
    type Item = Result<Told, ServiceError>;

    fn next(&mut self) -> Option<Self::Item> {
        let mut line = Vec::new();
        let read = self
            .0
            .by_ref()
            .take(MAX_LINE_BYTES)
            .read_until(b'\n', &mut line);
        match read {
            Err(error) => Some(Err(ServiceError::Cut(error.to_string()))),
            Ok(0) => None,
            Ok(_) if !line.ends_with(b"\n") => {
                let what = "its last line has no end".to_owned();
                Some(Err(ServiceError::Cut(what)))
            }
            Ok(_) => Some(
                serde_json::from_slice(&line)
                    .map_err(|error| ServiceError::Cut(format!("a line is no event ({error})"))),
            ),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(text: &str) -> Vec<Result<Told, ServiceError>> {
        Lines(BufReader::new(text.as_bytes())).collect()
    }

    #[test]
    fn lines_are_what_was_written() {
        let lines = concat!(
            r#"{"event":"started","id":7,"pid":3,"argv":["x"],"isolation":{"engine":"uml","accelerator":"none","guest":"root"},"exit":null}"#,
            "\n",
            r#"{"event":"output","offset":0,"next_offset":3,"stream":"stdout","data":"ü\n"}"#,
            "\n",
            r#"{"event":"alive"}"#,
            "\n",
            r#"{"event":"of_tomorrow","x":1}"#,
            "\n",
            r#"{"event":"output","offset":3,"next_offset":4,"stream":"stderr","data":"\ufffd","base64":"/w=="}"#,
            "\n",
            r#"{"event":"exit","status":"error","exit_code":3,"signal":null,"limit":null,"written_bytes":4}"#,
            "\n",
            r#"{"event":"error","code":"sandbox_not_found","detail":"gone"}"#,
            "\n",
        );
        let mut all = told(lines).into_iter().map(Result::unwrap);
        let Some(Told::Started(started)) = all.next() else {
            panic!("nothing started");
        };
        let wall = started.isolation.map(|isolation| isolation.guest);
        assert_eq!((started.id, wall), (7, Some(Wall::Root)));
        let mut bytes = Vec::new();
        for told in all.by_ref().take(4) {
            if let Told::Output(output) = told {
                bytes.push((output.stream, output.bytes()));
            }
        }
        let stdout = (ShownStream::Stdout, "ü\n".as_bytes().to_vec());
        assert_eq!(bytes, [stdout, (ShownStream::Stderr, vec![0xff])]);
        assert!(matches!(all.next(), Some(Told::Exit(_))));
        assert!(matches!(all.next(), Some(Told::Error(_))));
    }

    #[test]
    fn what_is_no_line_is_an_error() {
        for text in [r#"{"event":"alive"}"#, "nonsense\n", "\n", "{}\n"] {
            assert!(told(text).pop().unwrap().is_err(), "{text}");
        }
        assert!(told("").is_empty());
    }
}
