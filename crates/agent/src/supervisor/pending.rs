//! A process that is to start, and the files for it that are on their way.

use super::Supervisor;
use super::launch::{Launched, launch};
use crate::error::AgentError;
use crate::files::Folder;
use protocol::link::StreamId;
use protocol::supervisor::{
    AdoptProcess, GuestControl, INPUT_WINDOW_BYTES, MAX_PROCESSES, ProcessId, StartFile,
    StartProcess, StartStep,
};
use std::fs::File;
use std::io::Write;

/// What is to happen when all files are whole.
pub enum Asked {
    /// A new process.
    Start(Box<StartProcess>),
    /// An interpreter that waits becomes it.
    Adopt(Box<AdoptProcess>),
}

impl Asked {
    fn process(&self) -> ProcessId {
        match self {
            Asked::Start(start) => start.process,
            Asked::Adopt(adopt) => adopt.process,
        }
    }

    fn files(&self) -> &[StartFile] {
        match self {
            Asked::Start(start) => &start.files,
            Asked::Adopt(adopt) => &adopt.files,
        }
    }

    /// Streams that go to the process.
    fn inputs(&self) -> Vec<StreamId> {
        match self {
            Asked::Start(start) => start.inputs().collect(),
            Asked::Adopt(adopt) => adopt.inputs().collect(),
        }
    }

    fn output(&self) -> Option<StreamId> {
        match self {
            Asked::Start(start) => start.output,
            Asked::Adopt(adopt) => Some(adopt.output),
        }
    }
}

/// One of them.
pub struct Pending {
    asked: Asked,
    /// Those that are not whole.
    files: Vec<Arriving>,
    /// What came ahead of the start for its inputs, bounded by their windows.
    ahead: Vec<(StreamId, Vec<u8>)>,
    /// Inputs that ended ahead of the start.
    ended: Vec<StreamId>,
}

struct Arriving {
    path: String,
    stream: StreamId,
    file: File,
}

impl Pending {
    /// What is to happen.
    pub fn asked(&self) -> &Asked {
        &self.asked
    }
}

impl Supervisor {
    /// Begins with its files; it starts when they are whole.
    pub fn begin(&mut self, asked: Asked) -> Result<(), AgentError> {
        let process = asked.process();
        let is_another = match &asked {
            Asked::Start(_) => self.processes.contains_key(&process),
            Asked::Adopt(_) => self.processes.contains_key(&process) && !self.waits(process),
        };
        if is_another || self.pending.contains_key(&process) {
            return Err(AgentError::OutOfTurn("a process' name means another one"));
        }
        for stream in asked.inputs() {
            self.link.open_incoming_granted(stream, INPUT_WINDOW_BYTES);
        }
        for file in asked.files() {
            self.link
                .open_incoming_granted(file.stream, INPUT_WINDOW_BYTES);
        }
        if let Some(stream) = asked.output() {
            self.link.open_outgoing(stream);
        }
        let files = match arriving(asked.files()) {
            Ok(files) => files,
            Err(error @ AgentError::InputFile { .. }) => {
                return self.not_started(&asked, StartStep::Files, &error.to_string());
            }
            Err(error) => return Err(error),
        };
        let pending = Pending {
            asked,
            files,
            ahead: Vec::new(),
            ended: Vec::new(),
        };
        self.pending.insert(process, pending);
        self.start_if_whole(process)
    }

    /// More of a file, or of an input of a process that has not started; `false`: of none.
    pub fn feed_pending(&mut self, stream: StreamId, data: &[u8]) -> Result<bool, AgentError> {
        let Some((process, pending)) = self.pending_of(stream) else {
            return Ok(false);
        };
        let Some(arriving) = pending.files.iter_mut().find(|it| it.stream == stream) else {
            pending.ahead.push((stream, data.to_vec()));
            return Ok(true);
        };
        let written = arriving.file.write_all(data);
        let path = arriving.path.clone();
        self.link.used(stream, data.len());
        if let Err(source) = written {
            self.lose_pending(process, &path, &source)?;
        }
        Ok(true)
    }

    /// A file is whole, or an input of a process that has not started ended; `false`: neither.
    pub fn end_pending(&mut self, stream: StreamId) -> Result<bool, AgentError> {
        let Some((process, pending)) = self.pending_of(stream) else {
            return Ok(false);
        };
        let files = pending.files.len();
        pending.files.retain(|it| it.stream != stream);
        if files == pending.files.len() {
            pending.ended.push(stream);
        }
        self.start_if_whole(process).map(|()| true)
    }

    fn pending_of(&mut self, stream: StreamId) -> Option<(ProcessId, &mut Pending)> {
        let mut pending = self.pending.iter_mut();
        let is_its = |pending: &Pending| {
            let mut files = pending.files.iter();
            files.any(|it| it.stream == stream) || pending.asked.inputs().contains(&stream)
        };
        let found = pending.find(|(_, pending)| is_its(pending));
        found.map(|(process, pending)| (*process, pending))
    }

    /// Half a file is no file, and without it there is no process.
    fn lose_pending(
        &mut self,
        process: ProcessId,
        path: &str,
        why: &std::io::Error,
    ) -> Result<(), AgentError> {
        let Some(pending) = self.pending.remove(&process) else {
            return Ok(());
        };
        if let Ok(work) = Folder::open_work() {
            let _ = work.remove(path);
        }
        let reason = AgentError::InputFile {
            path: path.to_owned(),
            reason: why.to_string(),
        };
        self.not_started(&pending.asked, StartStep::Files, &reason.to_string())
    }

    fn start_if_whole(&mut self, process: ProcessId) -> Result<(), AgentError> {
        let known = self.pending.get(&process);
        let is_whole = known.is_some_and(|pending| pending.files.is_empty());
        let whole = is_whole.then(|| self.pending.remove(&process));
        let Some(pending) = whole.flatten() else {
            return Ok(());
        };
        if let Asked::Adopt(adopt) = &pending.asked
            && let Some(reason) = self.obstacle(adopt)
        {
            return self.not_started(&pending.asked, StartStep::Adopt, &reason);
        }
        // Nothing begins of which the host could not know: where it was not told, it gives the job to another VM.
        self.link.control(&GuestControl::Starting { process })?;
        self.drain()?;
        let launched = match &pending.asked {
            Asked::Start(start) => self.launch(start)?,
            Asked::Adopt(adopt) => self.adopt(adopt)?,
        };
        match launched {
            Launched::Running(pid) => self.started(process, pid, pending),
            Launched::Refused(why) => self.not_started(&pending.asked, why.step, &why.reason),
        }
    }

    /// Why an interpreter cannot be adopted; its files are there for another process.
    fn obstacle(&self, adopt: &AdoptProcess) -> Option<String> {
        if !self.waits(adopt.process) {
            return Some("it has ended".to_owned());
        }
        let mut absent = adopt.absent.iter();
        let there = absent.find(|path| std::fs::exists(path).unwrap_or(true))?;
        Some(format!("{there} is there"))
    }

    fn launch(&mut self, start: &StartProcess) -> Result<Launched, AgentError> {
        if self.processes.len() >= MAX_PROCESSES {
            let reason = format!("more than {MAX_PROCESSES} processes are kept");
            return Ok(Launched::Refused(reason.into()));
        }
        let Some(sandbox) = &self.sandbox else {
            return Err(AgentError::OutOfTurn("a process without bounds"));
        };
        let process = match launch(start, sandbox)? {
            Ok(process) => process,
            Err(why) => return Ok(Launched::Refused(why)),
        };
        let pid = process.pid;
        self.processes.insert(start.process, process);
        self.share_kept();
        Ok(Launched::Running(pid))
    }

    /// It runs: what came ahead goes to it.
    fn started(
        &mut self,
        process: ProcessId,
        pid: u32,
        pending: Pending,
    ) -> Result<(), AgentError> {
        self.link.control(&GuestControl::Started { process, pid })?;
        if let Some(stream) = pending.asked.output() {
            self.follow_from_now(process, stream)?;
        }
        self.write_input(process);
        for (stream, data) in pending.ahead {
            self.feed(stream, &data)?;
        }
        for stream in pending.ended {
            self.end(stream)?;
        }
        Ok(())
    }

    /// Its streams end with it, so that their ends are no surprise at either side.
    pub fn not_started(
        &mut self,
        asked: &Asked,
        step: StartStep,
        reason: &str,
    ) -> Result<(), AgentError> {
        let files = asked.files().iter().map(|file| file.stream);
        for stream in asked.inputs().into_iter().chain(files) {
            self.link.refuse(stream);
        }
        if let Some(stream) = asked.output() {
            self.link.end(stream);
        }
        self.link.control(&GuestControl::NotStarted {
            process: asked.process(),
            step,
            reason: reason.to_owned(),
        })?;
        Ok(())
    }
}

fn arriving(files: &[StartFile]) -> Result<Vec<Arriving>, AgentError> {
    if files.is_empty() {
        return Ok(Vec::new());
    }
    let work = Folder::open_work()?;
    let open = |file: &StartFile| {
        Ok(Arriving {
            path: file.path.clone(),
            stream: file.stream,
            file: work.create(&file.path)?,
        })
    };
    files.iter().map(open).collect()
}
