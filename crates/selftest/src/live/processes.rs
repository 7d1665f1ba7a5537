//! Processes of a live sandbox that come, go, and are too many.

use super::Stop;
use super::client::{Client, PATIENCE, SHOWN_BYTES};
use sandbox::live::{LiveError, ProcessSpec, SignalTarget};
use std::collections::BTreeMap;
use std::time::Duration;
use tokio::task::JoinSet;
use tokio::time::timeout;

/// Linux' number (signal(7)).
const SIGKILL: i32 = 9;

impl Client<'_> {
    pub(super) async fn run(&mut self, seconds: u64, script: &str) -> Result<(), Stop> {
        let spec = self.bash(script);
        self.run_spec(seconds, spec).await
    }

    pub(super) async fn run_spec(&mut self, seconds: u64, spec: ProcessSpec) -> Result<(), Stop> {
        let script = spec.argv.last().cloned().unwrap_or_default();
        let process = self.in_time("start", self.sandbox.start(spec));
        let process = process.await??;
        let mut output = self.sandbox.follow(process, 0).await?;
        let mut shown = Vec::new();
        let whole = async {
            while let Some(piece) = output.next().await? {
                let room = SHOWN_BYTES.saturating_sub(shown.len());
                shown.extend(piece.data.into_iter().take(room));
            }
            self.sandbox.wait(process).await
        };
        let ended = timeout(Duration::from_secs(seconds), whole).await;
        self.seen.note(String::from_utf8_lossy(&shown).trim_end());
        match ended {
            Ok(report) => {
                let report = report?;
                let (code, signal) = (report.exit_code, report.signal);
                self.seen.note(format!("ended with {code:?} {signal:?}"));
                self.sandbox.forget(process).await?;
            }
            Err(_) => self
                .seen
                .breach(format!("did not end in {seconds} s: {script}")),
        }
        Ok(())
    }

    pub(super) async fn wait(&mut self, name: &str, seconds: u64) -> Result<(), Stop> {
        let process = self.named(name)?;
        let ended = timeout(Duration::from_secs(seconds), self.sandbox.wait(process)).await;
        match ended {
            Ok(report) => {
                let written = report?.written_bytes;
                self.seen.note(format!("{name} wrote {written}"));
            }
            Err(_) => self
                .seen
                .breach(format!("{name} did not end in {seconds} s")),
        }
        Ok(())
    }

    pub(super) async fn answers(&mut self, seconds: u64) -> Result<(), Stop> {
        match timeout(Duration::from_secs(seconds), self.product()).await {
            Ok(Ok(said)) if said == b"42\n" => self.seen.note("another process answers"),
            Ok(Ok(said)) => self.seen.breach(format!("it answers {said:?}")),
            Ok(Err(LiveError::Gone(why))) => return Err(Stop::Sandbox(why)),
            Ok(Err(error)) => self
                .seen
                .breach(format!("no other process starts: {error}")),
            Err(_) => self.seen.breach(format!("no other process in {seconds} s")),
        }
        Ok(())
    }

    pub(super) async fn come_and_go(&mut self, count: u64) -> Result<(), Stop> {
        let mut right = 0;
        for _ in 0..count {
            let said = timeout(PATIENCE, self.product()).await;
            match said {
                Ok(Ok(said)) if said == b"42\n" => right += 1,
                Ok(Err(error)) => return Err(error.into()),
                Ok(Ok(_)) | Err(_) => break,
            }
        }
        self.seen.note(format!("{right} of {count} came and went"));
        Ok(())
    }

    /// What a process says that only multiplies.
    async fn product(&self) -> Result<Vec<u8>, LiveError> {
        let process = self.sandbox.start(self.bash("echo $((6 * 7))")).await?;
        let mut output = self.sandbox.follow(process, 0).await?;
        let mut said = Vec::new();
        while let Some(piece) = output.next().await? {
            said.extend(piece.data);
        }
        self.sandbox.wait(process).await?;
        self.sandbox.forget(process).await?;
        Ok(said)
    }

    pub(super) async fn starts(&mut self, count: u64, script: &str) -> Result<(), Stop> {
        let mut starting = JoinSet::new();
        for _ in 0..count {
            let (sandbox, spec) = (self.sandbox.clone(), self.bash(script));
            starting.spawn(async move { sandbox.start(spec).await });
        }
        let (mut begun, mut refused) = (0, BTreeMap::new());
        let all = async { Ok(starting.join_all().await) };
        for started in self.in_time("all starts", all).await?? {
            match started {
                Ok(_) => begun += 1,
                Err(LiveError::Gone(why)) => return Err(Stop::Sandbox(why)),
                Err(error) => *refused.entry(error.to_string()).or_insert(0) += 1,
            }
        }
        self.seen.note(format!("{begun} began"));
        for (why, count) in refused {
            self.seen.note(format!("{count} refused: {why}"));
        }
        Ok(())
    }

    pub(super) async fn end(&mut self, name: &str, most: u64) -> Result<(), Stop> {
        let process = self.named(name)?;
        let killed = self.sandbox.signal(process, SIGKILL, SignalTarget::All);
        self.in_time("kill", killed).await??;
        // An end is told when all was taken that is to be taken.
        self.held.clear();
        let ended = self.in_time("a killed process", self.sandbox.wait(process));
        let written = ended.await??.written_bytes;
        match written <= most {
            true => self
                .seen
                .note(format!("{name} wrote {written} and was killed")),
            false => self
                .seen
                .breach(format!("{name} wrote {written} bytes, not {most}")),
        }
        Ok(())
    }

    pub(super) async fn kill(&mut self) -> Result<(), Stop> {
        for process in self.sandbox.processes() {
            let to = SignalTarget::All;
            self.sandbox.signal(process.id, SIGKILL, to).await?;
        }
        let mut refused = 0;
        for process in self.sandbox.processes() {
            let ended = self.in_time("a killed process", self.sandbox.wait(process.id));
            refused += ended.await??.pids_refused;
            self.sandbox.forget(process.id).await?;
        }
        self.seen.note("all are killed");
        if refused > 0 {
            self.seen.note("the limit of processes was met");
        }
        Ok(())
    }
}
