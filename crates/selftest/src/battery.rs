//! One attack after another. For each: look at the host, run it, run the next job, look again, judge.
//!
//! One at a time, so that whatever the host shows afterwards has one cause.

use crate::bench::{Bench, agent_of, first_agent};
use crate::error::SelftestError;
use crate::fixture::Until;
use crate::host::{DiskPeak, MemoryMark};
use crate::judge::{self, Ended};
use crate::live;
use crate::report::{NotRun, Report, Verdict};
use crate::request;
use crate::table::{Attack, Form, Kind, attacks};
use protocol::job::JobRequest;
use protocol::language::RootImage;
use sandbox::config::Config;
use sandbox::events::EventSink;
use sandbox::sandbox::Sandbox;
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
    /// Attacks of these kinds, besides those that are named; all where neither is given.
    pub kinds: Vec<Kind>,
    /// Attacks of these names, besides those of the kinds.
    pub only: Vec<String>,
    /// In VMs of this image, those that can be made there; `None`: all, each in its language's own.
    pub image: Option<RootImage>,
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
        let is_all = self.kinds.is_empty() && self.only.is_empty();
        let meant = |attack: &Attack| {
            is_all || self.kinds.contains(&attack.kind) || self.only.contains(&attack.name)
        };
        let meant = all.into_iter().filter(meant);
        Ok(match self.image {
            None => meant.collect(),
            Some(image) => meant.filter_map(|attack| attack.inside(image)).collect(),
        })
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

impl Bench {
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
            && let Err(why) = self.good.plain_job(self.next).await
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
        let mut ends: Vec<String> = Vec::new();
        let mut first_output = String::new();
        for value in &values {
            let (mut ended, mut found) = self.carry_out_once(attack, *value).await?;
            // A guest that stretches its time does so again; a host that was busy for a moment does not.
            if judge::took_long_and_no_more(attack, &ended, &found) {
                (ended, found) = self.carry_out_once(attack, *value).await?;
                let again = |fault: &mut String| {
                    fault.insert_str(0, "again after a try that took too long: ")
                };
                found.iter_mut().for_each(again);
            }
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

    /// With one of its values: how it ended, and the faults of that.
    async fn carry_out_once(
        &self,
        attack: &Attack,
        value: Option<&str>,
    ) -> Result<(Vec<Ended>, Vec<String>), SelftestError> {
        let row = &attack.row;
        let fixture = self.fixture(first_agent(attack));
        let asked = request::first(attack, value, &self.env)?;
        let until = match row.status.iter().any(|status| status == "admitted") {
            true => Until::Admitted,
            false => Until::Ended,
        };
        let ended = match attack.form_of(&row.file)? {
            Form::Client(_) | Form::Link => vec![live::attack(fixture, attack, asked).await?],
            _ => fixture.all_at_once(asked, row.at_once, until).await,
        };
        let events = fixture.ledger.take();
        let found = ended
            .iter()
            .flat_map(|ended| judge::faults(attack, ended))
            .chain(judge::event_faults(&ended, &events));
        let found = found.collect();
        Ok((ended, found))
    }

    /// The second job, which looks for what the first one left.
    async fn look_for_traces(
        &self,
        attack: &Attack,
        second: JobRequest,
        output: &mut String,
    ) -> Vec<String> {
        let fixture = self.fixture(agent_of(attack.row.then_as));
        let ended = fixture.all_at_once(Ok(second), 1, Until::Ended).await;
        fixture.ledger.take();
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
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kinds_and_names_are_added_up_and_neither_is_all() {
        let count = |kinds: &[Kind], only: &[&str]| {
            let options = Options {
                image: None,
                kinds: kinds.to_vec(),
                only: only.iter().map(|name| (*name).to_owned()).collect(),
                hostile_agent: None,
            };
            options.selected().map(|attacks| attacks.len()).ok()
        };
        let of_channel = count(&[Kind::Channel], &[]).unwrap();
        assert_eq!(
            count(&[Kind::Channel], &["fork-bomb"]),
            Some(of_channel + 1)
        );
        assert_eq!(count(&[Kind::Channel], &["half-frame"]), Some(of_channel));
        assert_eq!(count(&[], &["half-frame", "fork-bomb"]), Some(2));
        assert_eq!(count(&[], &[]), attacks().map(|all| all.len()).ok());
        assert_eq!(count(&[], &["no-such"]), None);
    }
}
