//! `mcp`: the tools for one assistant, on standard input and output. Everything runs in this process; nothing stays
//! when it ends.

use crate::args::Global;
use crate::signals::StopSignals;
use crate::{context, terminal};
use protocol::language::{self, Language};
use sandbox::config::{PoolSize, ReadyFor};
use server::{Feed, Rooms};
use std::collections::BTreeMap;
use std::io::IsTerminal as _;
use std::process::ExitCode;

/// VMs that wait where the configuration says nothing of a pool: a model calls for python most, and often twice in a row.
const OFTEN: PoolSize = waiting(2, 4);
const SELDOM: PoolSize = waiting(1, 2);

/// The language that is called for most.
const USUAL: &str = "python";

/// What somebody is told who starts it by hand: it says nothing by itself, and waits for words that people do not type.
const FOR_PEOPLE: &str = "\
waiting for an assistant's messages (JSON-RPC, a line each) on standard input; Ctrl-D ends it.
An assistant starts it by itself, once its configuration says so:
  claude mcp add sandbox -- llm-firecracker mcp
  codex mcp add sandbox -- llm-firecracker mcp
  {\"mcpServers\": {\"sandbox\": {\"command\": \"llm-firecracker\", \"args\": [\"mcp\"]}}}
More: llm-firecracker mcp --help";

const fn waiting(min: usize, max: usize) -> PoolSize {
    PoolSize {
        min,
        max,
        max_age_seconds: 3600,
        warmed: true,
        ready_for: ReadyFor::Jobs,
    }
}

/// Opens everything, and serves until standard input ends or a signal comes.
pub async fn run(global: &Global) -> anyhow::Result<ExitCode> {
    // From here on, so that no VM is left whenever it comes.
    let stop = StopSignals::listen();
    let settings = context::settings(global)?;
    if std::io::stdin().is_terminal() {
        terminal::say(FOR_PEOPLE);
    }
    let mut config = settings.sandbox;
    let images = context::image_store(&config)?;
    if config.pool.is_empty() {
        config.pool = pool(|language| images.holds(language.image()));
    }
    let feed = Feed::new(settings.server.recent_events);
    let sandbox = context::sandbox_with(&config, vec![feed.clone()]).await?;
    sandbox.supply().start_pool();
    let rooms = Rooms {
        images,
        feed,
        state_dir: context::state_dir(&config).to_owned(),
        doctor: None,
        sandbox,
        audit_failures: Default::default(),
    };
    let shutdown = async {
        stop.asked().await;
    };
    server::mcp::stdio::serve(settings.server, rooms, shutdown).await?;
    Ok(ExitCode::SUCCESS)
}

/// VMs that wait, of the languages that models call for one line after another.
fn pool(is_there: impl Fn(Language) -> bool) -> BTreeMap<Language, PoolSize> {
    let keeps = |language: &Language| language::context(*language).is_some();
    let size = |language: Language| match Language::from_name(USUAL) == Some(language) {
        true => (language, OFTEN),
        false => (language, SELDOM),
    };
    let there = language::all().filter(keeps).filter(|it| is_there(*it));
    there.map(size).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use sandbox::config::Config;

    #[test]
    fn what_waits_is_what_is_there_and_quickly_called_again() {
        let named = language::named;
        let all = pool(|_| true);
        assert_eq!(all[&named("python")], OFTEN);
        assert_eq!(all[&named("bash")], SELDOM);
        assert!(!all.contains_key(&named("go")));
        let one = pool(|language| language == named("node"));
        assert_eq!(one.into_keys().collect::<Vec<_>>(), [named("node")]);
        Config {
            pool: all,
            ..Config::default()
        }
        .policy()
        .unwrap();
    }
}
