//! What attacks are run with: the two sandboxes, the host's watch, and which languages work here.

use crate::battery::Options;
use crate::error::SelftestError;
use crate::fixture::{Agent, Fixture};
use crate::host::{Canary, Watch};
use crate::ledger::Ledger;
use crate::request;
use crate::table::{Attack, Form, Standing, is_said_by_agent};
use crate::within::plain_language;
use protocol::language::{Language, named};
use protocol::limits::SandboxRules;
use protocol::result::Isolation;
use sandbox::config::Config;
use sandbox::events::EventSink;
use sandbox::sandbox::Sandbox;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

/// What a plain job is written in where the attack does not say: the smallest image.
const PLAIN: &str = "bash";
/// What most requests of `doors` are written in.
const DOORS: &str = "python";

/// Everything that attacks are run with.
pub struct Bench {
    /// With the real agent.
    pub good: Fixture,
    hostile: Option<Fixture>,
    /// Looks at the host.
    pub watch: Watch,
    /// Ports that nobody has any business with.
    pub canary: Canary,
    /// What every program in the battery is told.
    pub env: BTreeMap<String, String>,
    /// Why a language cannot be used with an agent.
    unready: HashMap<(Agent, Language), String>,
    /// The first language that works: what the next job is written in.
    pub next: Language,
}

impl Bench {
    /// Opens the sandboxes and tries every language that will be needed.
    pub async fn open<M, E>(
        options: &Options,
        config: &Config,
        make: M,
        attacks: &[Attack],
    ) -> Result<Bench, SelftestError>
    where
        M: AsyncFn(Config, Vec<Arc<dyn EventSink>>) -> Result<Arc<Sandbox>, E>,
        E: Into<Box<dyn std::error::Error + Send + Sync>>,
    {
        let open = async |config: Config| {
            let ledger = Arc::new(Ledger::default());
            let sandbox = make(config, vec![ledger.clone()])
                .await
                .map_err(|error| SelftestError::Sandbox(error.into()))?;
            Ok(Fixture::new(sandbox, ledger))
        };
        // Nothing waits in a pool: every VM is one of an attack's or the next job's.
        let mut config = config.clone();
        config.pool.clear();
        // What an operator may allow is attacked as well.
        config.sandboxes = SandboxRules {
            guest_root: true,
            writable: true,
        };
        // A cgroup of another tool's VM on this host is no trace of an attack.
        let own = format!(
            "{}-selftest-{}",
            config.vmm.cgroup_parent,
            std::process::id()
        );
        config.vmm.cgroup_parent = own;
        let good = open(config.clone()).await?;
        let mut hostile = None;
        if let Some(agent) = &options.hostile_agent
            && attacks.iter().any(Attack::needs_hostile_agent)
        {
            config.agent = Some(agent.clone());
            let opened = open(config.clone()).await?.with_hostile_agent(&config)?;
            held_alike(&good, &opened)?;
            hostile = Some(opened);
        }
        let canary = Canary::open()?;
        let watch = Watch::new(&config);
        let mut bench = Bench {
            env: told_to_programs(&canary, &watch),
            good,
            hostile,
            watch,
            canary,
            unready: HashMap::new(),
            next: plain_language(PLAIN, options.image),
        };
        bench.warm_up(attacks).await?;
        Ok(bench)
    }

    /// A plain job in every language that will be needed: makes the snapshots, and shows that the
    /// battery would say something.
    async fn warm_up(&mut self, attacks: &[Attack]) -> Result<(), SelftestError> {
        let mut needed: Vec<(Agent, Language)> = vec![(Agent::Real, self.next)];
        for attack in attacks {
            needed.extend(needed_languages(attack)?);
        }
        // One after the other: on a host of few CPUs, boots side by side each take longer than they may.
        let good = self.try_languages(Agent::Real, &needed).await;
        let hostile = self.try_languages(Agent::Hostile, &needed).await;
        self.unready = good.into_iter().chain(hostile).collect();
        let works = |language: &Language| !self.unready.contains_key(&(Agent::Real, *language));
        let tried = needed.iter().map(|(_, language)| *language);
        self.next = tried.clone().find(works).ok_or_else(|| {
            let (key, seen) = match self.unready.iter().next() {
                Some((key, seen)) => (key.1, seen.clone()),
                None => (self.next, String::new()),
            };
            SelftestError::PlainJob {
                language: key.name().into(),
                seen,
            }
        })?;
        Ok(())
    }

    /// Which of the needed languages do not work with an agent, and why.
    async fn try_languages(
        &self,
        agent: Agent,
        needed: &[(Agent, Language)],
    ) -> Vec<((Agent, Language), String)> {
        let mut unready = Vec::new();
        if agent == Agent::Hostile && self.hostile.is_none() {
            return unready;
        }
        let of_agent = needed.iter().filter(|(of, _)| *of == agent);
        let once: BTreeSet<Language> = of_agent.map(|(_, language)| *language).collect();
        for language in once {
            if let Err(why) = self.fixture(agent).plain_job(language).await {
                unready.push(((agent, language), why));
            }
        }
        unready
    }

    /// Why an attack cannot be run here.
    pub fn hindrance(&self, attack: &Attack) -> Option<String> {
        if attack.needs_hostile_agent() && self.hostile.is_none() {
            return Some("the hostile agent is not built; run: make build".into());
        }
        let needed = needed_languages(attack).unwrap_or_default();
        needed
            .iter()
            .find_map(|key| self.unready.get(key).map(|why| format!("{}: {why}", key.1)))
    }

    /// The real agent's, or the hostile one's.
    pub fn fixture(&self, agent: Agent) -> &Fixture {
        match (&self.hostile, agent) {
            (Some(hostile), Agent::Hostile) => hostile,
            _ => &self.good,
        }
    }

    /// Ends both; nothing of the hostile one stays.
    pub async fn close(self) -> Result<(), SelftestError> {
        self.good.close().await;
        match self.hostile {
            Some(hostile) => hostile.close_and_forget().await,
            None => Ok(()),
        }
    }
}

/// The report names one engine: 'auto' may have chosen another for the hostile agent, whose guests it probed
/// anew.
fn held_alike(good: &Fixture, hostile: &Fixture) -> Result<(), SelftestError> {
    let (good, hostile) = (good.isolation(), hostile.isolation());
    if good == hostile {
        return Ok(());
    }
    let words = |held: &Isolation| format!("{} ({}, {})", held.engine, held.accelerator, held.jail);
    Err(SelftestError::Apart {
        good: words(&good),
        hostile: words(&hostile),
    })
}

/// Which agent the attack's own file is for.
pub fn first_agent(attack: &Attack) -> Agent {
    match is_said_by_agent(&attack.row.file) {
        true => Agent::Hostile,
        false => agent_of(attack.standing),
    }
}

/// Who is root in the guest is where the agent is.
pub fn agent_of(standing: Standing) -> Agent {
    match standing {
        Standing::Root => Agent::Hostile,
        Standing::Job => Agent::Real,
    }
}

/// The agents and languages that an attack needs; the next job's aside.
pub fn needed_languages(attack: &Attack) -> Result<Vec<(Agent, Language)>, SelftestError> {
    let of = |file: &str| -> Result<Language, SelftestError> {
        Ok(match attack.form_of(file)? {
            Form::Program(language) | Form::Client(language) => language,
            Form::Talk | Form::Link => attack.language(request::TALK_LANGUAGE),
            Form::Request => door_language(file)?,
        })
    };
    let mut needed = vec![(first_agent(attack), of(&attack.row.file)?)];
    if let Some(then) = &attack.row.then {
        needed.push((agent_of(attack.row.then_as), of(then)?));
    }
    Ok(needed)
}

/// A request that never reaches a VM needs no language of its own.
fn door_language(file: &str) -> Result<Language, SelftestError> {
    let text = crate::table::text(file)?;
    let python = text.contains(&format!("language = {DOORS:?}"));
    Ok(if python { named(DOORS) } else { named(PLAIN) })
}

/// What programs are told by their environment: where the host listens, and what would give it away.
fn told_to_programs(canary: &Canary, watch: &Watch) -> BTreeMap<String, String> {
    let (tcp, udp) = canary.ports();
    let read = |path: &str| std::fs::read_to_string(path).unwrap_or_default();
    let executable = std::env::current_exe().unwrap_or_default();
    // Short or common names would be found without meaning anything.
    let words: Vec<String> = [
        read("/proc/sys/kernel/hostname"),
        read("/etc/machine-id"),
        watch.state_dir.display().to_string(),
        executable.display().to_string(),
    ]
    .into_iter()
    .map(|word| word.trim().to_owned())
    .filter(|word| word.len() >= 6 && !["localhost", "debian"].contains(&word.as_str()))
    .collect();
    BTreeMap::from([
        ("HOST_TCP_PORT".into(), tcp.to_string()),
        ("HOST_UDP_PORT".into(), udp.to_string()),
        ("HOST_WORDS".into(), words.join("\n")),
    ])
}
