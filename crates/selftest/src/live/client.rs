//! What a client asks a live sandbox for, a line each; scripts are bash. The first line names the language.
//!
//! ```text
//!   put FILE PATH             a file of the battery's into the sandbox
//!   start NAME SCRIPT         a process that goes on
//!   terminal NAME SCRIPT      the same at a terminal
//!   try-terminal SCRIPT       one more terminal: it begins or is refused
//!   run SECONDS SCRIPT        a process to its end, its output into what was seen
//!   answers SECONDS           one more process is started and gives its right answer
//!   come-and-go COUNT         so many processes, one after the other, each with its right answer
//!   starts COUNT SCRIPT       as many at once; each begins or is refused
//!   kill                      all that runs is killed, waited for and forgotten
//!   wait NAME SECONDS         a process ends by itself
//!   end NAME BYTES            a process is killed; it had written no more than so much
//!   hold NAME                 its output is followed and never taken, until something ends
//!   reconnect NAME COUNT      its output is followed from where it was left, again and again
//!   kept NAME BYTES           of its output no more than so much is left
//!   show NAME                 of its output what is left, into what was seen
//!   rest MILLISECONDS         nothing
//!   list PATH                 a folder, as far as it is told
//!   files COUNT PATH          a file is written and read so often: right, or an error
//!   give-up COUNT PATH        as many begin to read a file and go away
//!   cell NAME SECONDS CODE    a cell of the context of this name, of the sandbox's language; what came of it into what
//!                             was seen, with the number of whose it is; `;;` stands for a line's end
//!   refused VERB PATH         read, write, list, make or remove must be refused
//!   root SECONDS SCRIPT       as `run`, by root of the guest
//!   start-root NAME SCRIPT    as `start`, by root of the guest
//!   watch DEPTH PATH          a folder is watched, and what is told is not taken
//!   told SECONDS EVENT        it is taken now: an event of this name comes
//!   watches COUNT PATH        as many watches begin and go away
//! ```

use super::{Seen, Stop, spec};
use crate::error::SelftestError;
use crate::table::text;
use protocol::language::Language;
use sandbox::live::contexts::{ContextId, Contexts};
use sandbox::live::{LiveError, LiveSandbox, Output, ProcessId, ProcessSpec, TerminalSize, Watch};
use std::collections::BTreeMap;
use std::future::Future;
use std::time::Duration;
use tokio::time::timeout;

/// What any answer may take.
pub(super) const PATIENCE: Duration = Duration::from_secs(30);
/// Output of one process that is kept for the judge, in bytes.
pub(super) const SHOWN_BYTES: usize = 64 * 1024;

/// A client in the middle of its talk.
pub(super) struct Client<'a> {
    pub(super) sandbox: &'a LiveSandbox,
    pub(super) language: Language,
    names: BTreeMap<String, ProcessId>,
    pub(super) contexts: Contexts,
    pub(super) context_names: BTreeMap<String, ContextId>,
    pub(super) held: Vec<Output>,
    pub(super) watches: Vec<Watch>,
    pub(super) seen: Seen,
}

/// Says every line of the script, as long as the sandbox stays.
pub async fn attack(
    sandbox: &LiveSandbox,
    script: &str,
    language: Language,
) -> Result<Seen, SelftestError> {
    let mut client = Client {
        sandbox,
        language,
        names: BTreeMap::new(),
        contexts: Contexts::new(sandbox.clone()),
        context_names: BTreeMap::new(),
        held: Vec::new(),
        watches: Vec::new(),
        seen: Seen::default(),
    };
    for line in script.lines() {
        let line = line.trim();
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        let (verb, rest) = line.split_once(' ').unwrap_or((line, ""));
        match client.carry_out(verb, rest).await {
            Ok(()) => {}
            Err(Stop::Sandbox(why)) => {
                client.seen.note(format!("at '{verb}': {why}"));
                client.seen.gone = Some(why);
                break;
            }
            Err(Stop::Table(error)) => return Err(error),
        }
    }
    Ok(client.seen)
}

/// The first word and the rest.
pub(super) fn pair(rest: &str) -> (&str, &str) {
    rest.split_once(' ').unwrap_or((rest, ""))
}

fn table<T>(what: impl Into<String>) -> Result<T, Stop> {
    Err(Stop::Table(SelftestError::Table {
        name: "a client's talk".into(),
        what: what.into(),
    }))
}

pub(super) fn number(word: &str) -> Result<u64, Stop> {
    word.trim()
        .parse()
        .or_else(|_| table(format!("{word:?} is no number")))
}

impl Client<'_> {
    async fn carry_out(&mut self, verb: &str, rest: &str) -> Result<(), Stop> {
        let (first, others) = pair(rest);
        match verb {
            "put" => self.put(first, others).await,
            "start" => self.start(first, self.bash(others)).await,
            "terminal" => self.start(first, self.at_a_terminal(others)).await,
            "try-terminal" => {
                let asked = self.sandbox.start(self.at_a_terminal(rest));
                match self.in_time("a terminal", asked).await? {
                    Ok(_) => self.seen.note("one more terminal"),
                    Err(error) => self.seen.note(format!("no terminal: {error}")),
                }
                Ok(())
            }
            "run" => self.run(number(first)?, others).await,
            "answers" => self.answers(number(first)?).await,
            "come-and-go" => self.come_and_go(number(first)?).await,
            "starts" => self.starts(number(first)?, others).await,
            "kill" => self.kill().await,
            "wait" => self.wait(first, number(others)?).await,
            "end" => self.end(first, number(others)?).await,
            "hold" => {
                let output = self.sandbox.follow(self.named(first)?, 0).await?;
                self.held.push(output);
                Ok(())
            }
            "reconnect" => self.reconnect(first, number(others)?).await,
            "show" => self.show(first).await,
            "kept" => self.kept(first, number(others)?).await,
            "rest" => {
                tokio::time::sleep(Duration::from_millis(number(first)?)).await;
                Ok(())
            }
            "list" => self.list(first).await,
            "files" => self.files(number(first)?, others).await,
            "give-up" => self.give_up(number(first)?, others).await,
            "cell" => self.cell(first, others).await,
            "refused" => self.refused(first, others).await,
            "root" => self.run_as_root(number(first)?, others).await,
            "start-root" => self.start(first, self.as_root(others)).await,
            "watch" => self.watch(number(first)? as u32, others).await,
            "told" => self.told(number(first)?, others).await,
            "watches" => self.watches(number(first)?, others).await,
            _ => table(format!("no such thing to do: {verb}")),
        }
    }

    pub(super) fn bash(&self, script: &str) -> ProcessSpec {
        spec(self.language, &["bash", "-c", script])
    }

    fn at_a_terminal(&self, script: &str) -> ProcessSpec {
        let (rows, columns) = (24, 80);
        ProcessSpec {
            terminal: Some(TerminalSize { rows, columns }),
            ..self.bash(script)
        }
    }

    pub(super) fn named(&self, name: &str) -> Result<ProcessId, Stop> {
        let process = self.names.get(name).copied();
        process.map_or_else(|| table(format!("nothing is called {name}")), Ok)
    }

    /// What is asked for, or a breach if there is no answer at all.
    pub(super) async fn in_time<T>(
        &mut self,
        what: &str,
        asked: impl Future<Output = Result<T, LiveError>>,
    ) -> Result<Result<T, LiveError>, Stop> {
        match timeout(PATIENCE, asked).await {
            Ok(Err(LiveError::Gone(why))) => Err(Stop::Sandbox(why)),
            Ok(answer) => Ok(answer),
            Err(_) => {
                let seconds = PATIENCE.as_secs();
                self.seen
                    .breach(format!("{what}: no answer in {seconds} s"));
                Err(Stop::Sandbox(format!("{what}: no answer")))
            }
        }
    }

    async fn put(&mut self, file: &str, path: &str) -> Result<(), Stop> {
        let content = text(file).map_err(Stop::Table)?;
        self.write_whole(path, content.as_bytes()).await?;
        Ok(())
    }

    async fn start(&mut self, name: &str, spec: ProcessSpec) -> Result<(), Stop> {
        let process = self.in_time("start", self.sandbox.start(spec)).await??;
        self.names.insert(name.to_owned(), process);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use crate::table::{Form, attacks, form, text};

    #[test]
    fn what_is_put_into_a_sandbox_is_in_this_binary() {
        let mut count = 0;
        for attack in attacks().unwrap() {
            let file = &attack.row.file;
            if !matches!(form(file).unwrap(), Form::Client(_)) {
                continue;
            }
            let lines = text(file).unwrap().lines();
            for put in lines.filter_map(|line| line.strip_prefix("put ")) {
                let words: Vec<&str> = put.split(' ').collect();
                assert!(words[1].starts_with('/'), "{file}: {put}");
                text(words[0]).unwrap();
                count += 1;
            }
        }
        assert!(count > 20, "{count}");
    }
}
