//! Cells of contexts, by programs that attack the interpreter that they run in.

use super::client::{Client, number, pair};
use super::{Stop, spec};
use protocol::environment::WORK_DIR;
use sandbox::live::contexts::{
    Cell, CellEnd, ContextEvent, ContextId, ContextSpec, Events, Lost, Origin,
};
use std::time::Duration;
use tokio::time::timeout;

/// What a cell may take besides its own time: an interpreter loads, one that is killed goes.
const BESIDES: Duration = Duration::from_secs(30);
/// What one cell may print, in bytes.
const OUTPUT_BYTES: usize = 1 << 20;
/// Of what it printed, that much is shown to the judge, in characters.
const SHOWN: usize = 200;

impl Client<'_> {
    pub(super) async fn cell(&mut self, name: &str, rest: &str) -> Result<(), Stop> {
        let (seconds, code) = pair(rest);
        let time = Duration::from_secs(number(seconds)?);
        let context = self.context(name)?;
        let cell = Cell {
            code: code.replace(";;", "\n"),
            timeout: time,
            output_bytes: OUTPUT_BYTES,
            ..Cell::default()
        };
        let accepted = self.contexts.execute(context, cell)?;
        let (own, events) = (accepted.cell, accepted.events);
        match timeout(time + BESIDES, self.heard_cell(own, events)).await {
            Ok(Some(end)) => {
                let line = format!("{name} {own} {}", ending(&end));
                self.seen.note(line);
                Ok(())
            }
            Ok(None) => Err(Stop::Sandbox("a context ended".into())),
            Err(_) => {
                self.seen.breach(format!("a cell of {name} has no end"));
                Ok(())
            }
        }
    }

    fn context(&mut self, name: &str) -> Result<ContextId, Stop> {
        if let Some(id) = self.context_names.get(name) {
            return Ok(*id);
        }
        let wanted = ContextSpec {
            language: self.language,
            cwd: WORK_DIR.to_owned(),
            env: vec![],
            limits: spec(self.language, &[]).limits,
        };
        let id = self.contexts.create(wanted)?.id;
        self.context_names.insert(name.to_owned(), id);
        Ok(id)
    }

    /// What is told until a cell's end; nothing of it may be another cell's.
    async fn heard_cell(&mut self, own: u64, mut events: Events) -> Option<CellEnd> {
        loop {
            let (_, event) = events.next().await?;
            match &*event {
                ContextEvent::Printed { origin, data, .. } => {
                    let text = String::from_utf8_lossy(data);
                    let text: String = text.trim_end().chars().take(SHOWN).collect();
                    self.shown(own, *origin, &text);
                }
                ContextEvent::Shown { origin, data, .. } => {
                    let plain = data.get("text/plain").cloned().unwrap_or_default();
                    self.shown(own, *origin, &plain);
                }
                ContextEvent::Renewed => self.seen.note("a new interpreter"),
                ContextEvent::Ended(cell, end) if *cell == own => return Some(end.clone()),
                _ => {}
            }
        }
    }

    fn shown(&mut self, own: u64, origin: Origin, text: &str) {
        match origin {
            Origin::Running(cell) if cell == own => self.seen.note(format!("of {cell}: {text}")),
            Origin::Running(cell) => self.seen.breach(format!("told as of {cell}, not {own}")),
            Origin::Late(cell) => self.seen.note(format!("late of {cell}: {text}")),
            Origin::Context => self.seen.note(format!("late of nobody: {text}")),
        }
    }
}

fn ending(end: &CellEnd) -> String {
    let lost = match &end.lost {
        None => "kept",
        Some(Lost::Nonsense(_)) => "lost to nonsense",
        Some(Lost::Stubborn) => "lost to its limit",
        Some(_) => "lost",
    };
    match end.stopped {
        Some(stop) => format!("stopped by {stop:?}, {lost}"),
        None => format!("ended, {lost}"),
    }
}
