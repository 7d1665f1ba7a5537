//! What a good agent does until the attack begins: it takes in what processes are to be, and answers.

use crate::error::Broken;
use crate::honest;
use crate::line::Line;
use crate::root;
use crate::script::{self, Scene};
use protocol::link::{Frame, StreamId, parse_control};
use protocol::supervisor::{
    AdoptProcess, FileOperation, GuestControl, HostControl, StartFile, StartProcess, StartStep,
    Supervise,
};
use protocol::wire::PROTOCOL_VERSION;
use std::collections::BTreeMap;

/// First line of a program that is a list of things to say.
const TALK: &str = "#!talk\n";
/// First line of a program for root.
const ROOT: &str = "#!root\n";
/// First line of a live sandbox' script that begins in the place of the agent's first word about it.
const AT_ONCE: &str = "#!at-once\n";

/// A file of a process, by its path.
pub type File = (String, Vec<u8>);

/// Says hello, and serves for as long as nothing takes over.
pub fn serve(line: &mut Line) -> Result<(), Broken> {
    let mut agent = Agent::default();
    line.say(&GuestControl::Hello {
        protocol: PROTOCOL_VERSION,
    })?;
    loop {
        match line.hear()? {
            Frame::Control(body) => agent.on(parse_control(&body)?, line)?,
            Frame::Data(stream, data) => agent.take(stream, &data, line),
            Frame::End(stream) => agent.ended(stream, line)?,
            Frame::Credit(stream, _) => agent.credited(stream, line)?,
            Frame::Refuse(_) => {}
        }
    }
}

/// A process that is to start when its files are whole.
enum Asked {
    Start(Box<StartProcess>),
    Adopt(Box<AdoptProcess>),
}

impl Asked {
    fn files(&self) -> &[StartFile] {
        match self {
            Asked::Start(start) => &start.files,
            Asked::Adopt(adopt) => &adopt.files,
        }
    }
}

#[derive(Default)]
struct Agent {
    /// Of a live sandbox.
    script: Option<String>,
    asked: Option<Asked>,
    /// What came of each file of it, and whether that is all.
    coming: BTreeMap<StreamId, (Vec<u8>, bool)>,
    /// Of the process before, whose place another takes.
    files: Vec<File>,
    /// The stream of what a live sandbox' client asks for last.
    last: Option<StreamId>,
}

impl Agent {
    fn on(&mut self, message: HostControl, line: &mut Line) -> Result<(), Broken> {
        match message {
            HostControl::Supervise(request) => {
                self.script = script_of(&request);
                let script = self.script.as_deref().unwrap_or_default();
                match script.strip_prefix(AT_ONCE) {
                    Some(script) => script::carry_out(script, Scene::default(), line),
                    None => line.say(&GuestControl::Ready),
                }
            }
            HostControl::Start(start) => self.ask(Asked::Start(start), line),
            HostControl::Adopt(adopt) => self.ask(Asked::Adopt(adopt), line),
            HostControl::Clear => line.say(&GuestControl::Cleared),
            HostControl::Quiesce => {
                line.say(&GuestControl::Quiet)?;
                line.begin_anew();
                *self = Agent::default();
                Ok(())
            }
            HostControl::Follow { stream, .. } => {
                line.say(&GuestControl::Following { stream, from: 0 })
            }
            HostControl::File { request, operation } => match (&operation, &self.script) {
                (FileOperation::Watch { stream, .. }, Some(_)) => {
                    self.last = Some(*stream);
                    Ok(())
                }
                (FileOperation::Collect { .. }, None) => {
                    honest::left_nothing(request, operation, line)
                }
                _ => Ok(()),
            },
            _ => Ok(()),
        }
    }

    /// All is asked for, and all windows are known, once the last thing has its own.
    fn credited(&mut self, stream: StreamId, line: &mut Line) -> Result<(), Broken> {
        match &self.script {
            Some(script) if self.last == Some(stream) => {
                script::carry_out(script, Scene::default(), line)
            }
            _ => Ok(()),
        }
    }

    fn ask(&mut self, asked: Asked, line: &mut Line) -> Result<(), Broken> {
        let files = asked.files().iter();
        self.coming = files
            .map(|file| (file.stream, (Vec::new(), false)))
            .collect();
        self.asked = Some(asked);
        self.begin_if_whole(line)
    }

    fn take(&mut self, stream: StreamId, data: &[u8], line: &mut Line) {
        if let Some((content, _)) = self.coming.get_mut(&stream) {
            content.extend_from_slice(data);
            // At most one frame's bytes, so the cast keeps its value.
            line.send(&[Frame::Credit(stream, data.len() as u32)]);
        }
    }

    fn ended(&mut self, stream: StreamId, line: &mut Line) -> Result<(), Broken> {
        match self.coming.get_mut(&stream) {
            Some((_, is_whole)) => *is_whole = true,
            None => return Ok(()),
        }
        self.begin_if_whole(line)
    }

    fn begin_if_whole(&mut self, line: &mut Line) -> Result<(), Broken> {
        if !self.coming.values().all(|(_, is_whole)| *is_whole) {
            return Ok(());
        }
        let Some(asked) = self.asked.take() else {
            return Ok(());
        };
        let mut contents = std::mem::take(&mut self.coming);
        let files = asked.files().iter();
        let files: Vec<File> = files
            .filter_map(|file| Some((file.path.clone(), contents.remove(&file.stream)?.0)))
            .collect();
        if !files.is_empty() {
            self.files = files;
        }
        match asked {
            Asked::Start(start) => self.begin(&start, line),
            Asked::Adopt(adopt) => {
                line.say(&GuestControl::NotStarted {
                    process: adopt.process,
                    step: StartStep::Adopt,
                    reason: "it only seemed to wait".into(),
                })?;
                line.send(&[Frame::End(adopt.output)]);
                Ok(())
            }
        }
    }

    fn begin(&self, start: &StartProcess, line: &mut Line) -> Result<(), Broken> {
        if start.orders.is_some() {
            return honest::wait(start, line);
        }
        if self.script.is_some() {
            return honest::begin(start, line);
        }
        // A job's program is its last file.
        let code = self.files.last().map(|(_, content)| content.as_slice());
        let code = String::from_utf8_lossy(code.unwrap_or_default());
        if let Some(script) = code.strip_prefix(TALK) {
            return script::carry_out(script, Scene::of(start), line);
        }
        if let Some(program) = code.strip_prefix(ROOT) {
            return root::run(program, &self.files, start, line);
        }
        honest::run(start, line)
    }
}

/// A script that came a byte a word; a filter's instructions are no bytes.
fn script_of(request: &Supervise) -> Option<String> {
    let words = request.seccomp_program.iter();
    let bytes: Result<Vec<u8>, _> = words.map(|word| u8::try_from(*word)).collect();
    let script = bytes.ok().filter(|bytes| !bytes.is_empty())?;
    String::from_utf8(script).ok()
}
