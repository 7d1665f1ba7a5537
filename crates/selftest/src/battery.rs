//! One attack after another. For each: look at the host, run it, run the next job, look again, judge.
//!
//! One at a time, so that whatever the host shows afterwards has one cause.

use crate::error::SelftestError;
use crate::host::{Canary, DiskPeak, MemoryMark, Watch};
use crate::judge::{self, Ended};
use crate::ledger::Ledger;
use crate::report::{NotRun, Report, Verdict};
use crate::request;
use crate::stand::{Stand, plain};
use crate::table::{Attack, Kind, attacks};
use protocol::job::JobRequest;
use protocol::language::{LANGUAGES, Language};
use sandbox::config::Config;
use sandbox::events::EventSink;
use sandbox::sandbox::Sandbox;
use std::collections::{BTreeMap, HashMap};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Instant;

/// What running VMs may have on the host's disk besides RAM, in MiB: consoles and logs are capped.
const DISK_MIB: u64 = 16;

/// Characters of output that a verdict keeps.
const OUTPUT_CHARS: usize = 4000;

/// What to run.
#[derive(Debug, Clone, Default)]
pub struct Options {
    /// Only these kinds; all when empty.
    pub kinds: Vec<Kind>,
    /// Only these attacks; all when empty.
    pub only: Vec<String>,
    /// The hostile agent's binary; without it what needs it is not run.
    pub hostile_agent: Option<PathBuf>,
}

impl Options {
    /// The attacks that are meant.
    pub fn selected(&self) -> Result<Vec<Attack>, SelftestError> {
        let all = attacks()?;
        if let Some(name) = self
            .only
            .iter()
            .find(|name| !all.iter().any(|attack| attack.name == **name))
        {
            return Err(SelftestError::Unknown { name: name.clone() });
        }
        let meant = |attack: &Attack| {
            (self.kinds.is_empty() || self.kinds.contains(&attack.kind))
                && (self.only.is_empty() || self.only.contains(&attack.name))
        };
        Ok(all.into_iter().filter(meant).collect())
    }
}

/// Runs the battery. `make` opens a sandbox by a configuration, with these sinks for its events
/// besides the configured ones; `told` hears of every verdict as it comes.
pub async fn run<M, E>(
    options: &Options,
    config: &Config,
    make: M,
    mut told: impl FnMut(&Verdict),
) -> Result<Report, SelftestError>
where
    M: AsyncFn(Config, Vec<Arc<dyn EventSink>>) -> Result<Arc<Sandbox>, E>,
    E: Into<Box<dyn std::error::Error + Send + Sync>>,
{
    let begun = Instant::now();
    let attacks = options.selected()?;
    let bench = Bench::open(options, config, make, &attacks).await?;
    let mut report = Report {
        isolation: bench.good.isolation(),
        attacks: Vec::new(),
        not_run: Vec::new(),
        seconds: 0.0,
    };
    let mut stopped = None;
    for attack in &attacks {
        if let Some(why) = bench.hindrance(attack) {
            report.not_run.push(NotRun {
                name: attack.name.clone(),
                kind: attack.kind,
                why,
            });
            continue;
        }
        match bench.attack(attack).await {
            Ok(verdict) => {
                told(&verdict);
                report.attacks.push(verdict);
            }
            Err(error) => {
                stopped = Some(error);
                break;
            }
        }
    }
    bench.close().await?;
    report.seconds = begun.elapsed().as_secs_f64();
    stopped.map_or(Ok(report), Err)
}

/// Everything that attacks are run with.
struct Bench {
    good: Stand,
    hostile: Option<Stand>,
    watch: Watch,
    canary: Canary,
    /// What every program in the battery is told.
    env: BTreeMap<String, String>,
    /// Why a language of a stand cannot be used (`true`: the hostile stand's).
    unready: HashMap<(bool, Language), String>,
    /// The first language that works: what the next job is written in.
    next: Language,
}

impl Bench {
    async fn open<M, E>(
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
            Ok(Stand::new(sandbox, ledger))
        };
        // Nothing waits in a pool: every VM is one of an attack's or the next job's.
        let mut config = config.clone();
        config.pool.clear();
        let good = open(config.clone()).await?;
        let mut hostile = None;
        if let Some(agent) = &options.hostile_agent
            && attacks.iter().any(Attack::needs_hostile_agent)
        {
            config.agent = Some(agent.clone());
            hostile = Some(open(config.clone()).await?.of_the_enemy(&config)?);
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
            next: Language::Bash,
        };
        bench.warm_up(attacks).await?;
        Ok(bench)
    }

    /// A plain job in every language that will be needed: makes the snapshots, and shows that the
    /// battery would say something.
    async fn warm_up(&mut self, attacks: &[Attack]) -> Result<(), SelftestError> {
        let mut needed: Vec<(bool, Language)> = vec![(false, Language::Bash)];
        for attack in attacks {
            needed.extend(languages(attack)?);
        }
        for spec in LANGUAGES {
            for of_the_enemy in [false, true] {
                let key = (of_the_enemy, spec.language);
                let stand = if of_the_enemy {
                    self.hostile.as_ref()
                } else {
                    Some(&self.good)
                };
                let (Some(stand), true) = (stand, needed.contains(&key)) else {
                    continue;
                };
                if let Err(why) = stand.plain_job(spec.language).await {
                    self.unready.insert(key, why);
                }
            }
        }
        let works = |language: &Language| !self.unready.contains_key(&(false, *language));
        let tried = needed.iter().map(|(_, language)| *language);
        self.next = tried.clone().find(works).ok_or_else(|| {
            let (key, seen) = match self.unready.iter().next() {
                Some((key, seen)) => (key.1, seen.clone()),
                None => (Language::Bash, String::new()),
            };
            SelftestError::PlainJob {
                language: key.name().into(),
                seen,
            }
        })?;
        Ok(())
    }

    /// Why an attack cannot be run here.
    fn hindrance(&self, attack: &Attack) -> Option<String> {
        if attack.needs_hostile_agent() && self.hostile.is_none() {
            return Some("the hostile agent is not built; run: make build".into());
        }
        let needed = languages(attack).unwrap_or_default();
        needed
            .iter()
            .find_map(|key| self.unready.get(key).map(|why| format!("{}: {why}", key.1)))
    }

    fn stand(&self, of_the_enemy: bool) -> &Stand {
        match (&self.hostile, of_the_enemy) {
            (Some(hostile), true) => hostile,
            _ => &self.good,
        }
    }

    /// Runs and judges one attack.
    async fn attack(&self, attack: &Attack) -> Result<Verdict, SelftestError> {
        let begun = Instant::now();
        let before = self.watch.look()?;
        let disk = DiskPeak::watch(&self.watch.state_dir);
        let memory = MemoryMark::set()?;
        let mut faults = Vec::new();
        let (seen, output) = self.carry_out(attack, &mut faults).await?;
        let growth = memory.growth_mib()?;
        if growth > attack.growth_mib() {
            faults.push(format!("the tool's memory grew by {growth} MiB"));
        }
        if disk.mib() > DISK_MIB {
            faults.push(format!("VMs had {} MiB on the host's disk", disk.mib()));
        }
        if judge::reaches_a_vm(attack)
            && let Err(why) = self.good.job_right(plain(self.next)).await
        {
            faults.push(format!("the next job is wrong: {why}"));
        }
        let left = self.watch.leftovers(&before).await?;
        faults.extend(
            left.into_iter()
                .take(5)
                .map(|what| format!("left behind: {what}")),
        );
        faults.extend(self.canary.arrived());
        let contained = faults.is_empty();
        Ok(Verdict {
            name: attack.name.clone(),
            kind: attack.kind,
            expected: attack.expected(),
            seen: match contained {
                true => format!("{seen}; host clean, next job right"),
                false => format!("{seen}; {}", faults.join("; ")),
            },
            contained,
            seconds: begun.elapsed().as_secs_f64(),
            output,
        })
    }

    /// Every value in its turn, then the second job; says how they ended and what they printed.
    async fn carry_out(
        &self,
        attack: &Attack,
        faults: &mut Vec<String>,
    ) -> Result<(String, String), SelftestError> {
        let row = &attack.row;
        let values: Vec<Option<&str>> = match row.values.is_empty() {
            true => vec![None],
            false => row
                .values
                .iter()
                .map(|value| Some(value.as_str()))
                .collect(),
        };
        let stand = self.stand(first_is_hostile(attack));
        let mut ends: Vec<String> = Vec::new();
        let mut first_output = String::new();
        for value in &values {
            let asked = request::first(attack, *value, &self.env)?;
            let runs = !row.status.iter().any(|status| status == "admitted");
            let ended = stand.all_at_once(asked, row.at_once, runs).await;
            let events = stand.ledger.take();
            let mut found: Vec<String> = ended
                .iter()
                .flat_map(|ended| judge::faults(attack, ended))
                .chain(judge::event_faults(&ended, &events))
                .collect();
            if let Some(value) = value {
                found
                    .iter_mut()
                    .for_each(|fault| *fault = format!("{value:?}: {fault}"));
            }
            faults.extend(found);
            ends.extend(ended.iter().map(Ended::seen));
            if let Some(Ended::With(result)) = ended.first() {
                first_output = judge::output(result);
            }
        }
        ends.dedup();
        let mut seen = ends.join(", ");
        if values.len() > 1 {
            seen = format!("{} values: {seen}", values.len());
        }
        if let Some(then) = &row.then {
            let second = request::second(attack, then)?;
            let traces = self.look_for_traces(attack, second, &mut first_output);
            faults.extend(traces.await);
        }
        let end = first_output.chars().count().saturating_sub(OUTPUT_CHARS);
        Ok((seen, first_output.chars().skip(end).collect()))
    }

    /// The second job, which looks for what the first one left.
    async fn look_for_traces(
        &self,
        attack: &Attack,
        second: JobRequest,
        output: &mut String,
    ) -> Vec<String> {
        let stand = self.stand(attack.row.then_as == crate::table::Standing::Root);
        let ended = stand.all_at_once(Ok(second), 1, true).await;
        stand.ledger.take();
        let Some(Ended::With(result)) = ended.first() else {
            return vec!["the second job did not run".into()];
        };
        let mut faults = judge::breaches(result);
        if result.status != protocol::result::Status::Ok {
            faults.push(format!("the second job ended {}", ended[0].seen()));
        }
        let second_output = judge::output(result);
        if attack.row.differs {
            let words = |text: &str| -> Vec<String> {
                text.split_whitespace().map(str::to_owned).collect()
            };
            let first = words(output);
            let same = words(&second_output)
                .into_iter()
                .find(|word| first.contains(word));
            faults.extend(same.map(|word| format!("both said {word:?}")));
        }
        output.push_str(&second_output);
        faults
    }

    async fn close(self) -> Result<(), SelftestError> {
        self.good.close().await;
        match self.hostile {
            Some(hostile) => hostile.close_and_forget().await,
            None => Ok(()),
        }
    }
}

fn first_is_hostile(attack: &Attack) -> bool {
    attack.standing == crate::table::Standing::Root || attack.row.file.ends_with(".talk")
}

/// The stands and languages that an attack needs; the next job's aside.
fn languages(attack: &Attack) -> Result<Vec<(bool, Language)>, SelftestError> {
    use crate::table::{Form, Standing, form};
    let of = |file: &str| -> Result<Language, SelftestError> {
        Ok(match form(file)? {
            Form::Program(language) => language,
            Form::Talk => request::TALK_LANGUAGE,
            Form::Request => door_language(file)?,
        })
    };
    let mut needed = vec![(first_is_hostile(attack), of(&attack.row.file)?)];
    if let Some(then) = &attack.row.then {
        needed.push((attack.row.then_as == Standing::Root, of(then)?));
    }
    Ok(needed)
}

/// A request that never reaches a VM needs no language of its own.
fn door_language(file: &str) -> Result<Language, SelftestError> {
    let text = crate::table::text(file)?;
    let python = text.contains("language = \"python\"");
    Ok(if python {
        Language::Python
    } else {
        Language::Bash
    })
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
