//! The battery's answer, for people and for machines.

use crate::table::Kind;
use serde::Serialize;

/// What came of one attack.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Verdict {
    /// The attack.
    pub name: String,
    /// What it attacks.
    pub kind: Kind,
    /// What must come out.
    pub expected: String,
    /// What came out, and what the host showed.
    pub seen: String,
    /// Every wall held.
    pub contained: bool,
    /// How long it took with its host check, in seconds.
    pub seconds: f64,
    /// The end of what the programs printed, unescaped: a guest wrote it.
    #[serde(skip)]
    pub output: String,
}

/// An attack that could not be run: it says nothing, neither good nor bad.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct NotRun {
    /// The attack.
    pub name: String,
    /// What it attacks.
    pub kind: Kind,
    /// Why.
    pub why: String,
}

/// What attacks that could not be run mean for the exit code.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Skipped {
    /// Not run is not contained.
    #[default]
    Fails,
    /// They say nothing, as was asked for.
    Allowed,
}

/// All of it.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Report {
    /// What held the guests: engine, accelerator, jail.
    pub isolation: protocol::result::Isolation,
    /// In the order of the table.
    pub attacks: Vec<Verdict>,
    /// What could not be run here.
    pub not_run: Vec<NotRun>,
    /// Wall time of everything, in seconds.
    pub seconds: f64,
}

impl Report {
    /// Every attack that was run was contained, and there was one.
    pub fn all_contained(&self) -> bool {
        !self.attacks.is_empty() && self.attacks.iter().all(|verdict| verdict.contained)
    }

    /// Attacks that were not contained.
    pub fn given_way(&self) -> impl Iterator<Item = &Verdict> {
        self.attacks.iter().filter(|verdict| !verdict.contained)
    }

    /// The process' exit code: 0 when every wall that was chosen was attacked and held, 1 when one gave way or was not
    /// attacked (unless that is allowed), 125 when nothing was run.
    pub fn exit_code(&self, skipped: Skipped) -> u8 {
        let all_run = skipped == Skipped::Allowed || self.not_run.is_empty();
        match (self.attacks.is_empty(), self.all_contained() && all_run) {
            (true, _) => protocol::result::EXIT_INTERNAL,
            (false, true) => 0,
            (false, false) => 1,
        }
    }

    /// `{"attacks":[{"name","kind","expected","seen","contained"}], …}`.
    pub fn to_json(&self) -> serde_json::Value {
        serde_json::to_value(self).unwrap_or_default()
    }

    /// Of each attack its name and kind, what came of it in a word, what was seen, and what must come.
    pub fn rows(&self) -> impl Iterator<Item = [&str; 5]> {
        let run = self.attacks.iter().map(|verdict| {
            let word = match verdict.contained {
                true => "contained",
                false => "GAVE WAY",
            };
            let name = verdict.name.as_str();
            [
                name,
                verdict.kind.name(),
                word,
                &verdict.seen,
                &verdict.expected,
            ]
        });
        let not_run = self.not_run.iter().map(|one| {
            let name = one.name.as_str();
            [name, one.kind.name(), "not run", &one.why, ""]
        });
        run.chain(not_run)
    }

    /// The sum in one line.
    pub fn summary(&self) -> String {
        let contained = self.attacks.iter().filter(|v| v.contained).count();
        let held = &self.isolation;
        // User-Mode Linux runs on nothing but the host's own processor.
        let accelerator = match held.accelerator.as_str() {
            "none" => String::new(),
            accelerator => format!(" on {accelerator}"),
        };
        format!(
            "{contained} of {} attacks contained, {} not run, in {:.0} s; {}{accelerator}, jail {}",
            self.attacks.len(),
            self.not_run.len(),
            self.seconds,
            held.engine,
            held.jail
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn report(contained: &[bool]) -> Report {
        Report {
            isolation: protocol::result::Isolation {
                engine: "qemu".into(),
                accelerator: "tcg".into(),
                jail: "bubblewrap".into(),
                guest: protocol::result::GuestWall::Confined,
            },
            attacks: contained
                .iter()
                .enumerate()
                .map(|(n, contained)| Verdict {
                    name: format!("a{n}"),
                    kind: Kind::Doors,
                    expected: "rejected".into(),
                    seen: "rejected".into(),
                    contained: *contained,
                    seconds: 0.1,
                    output: String::new(),
                })
                .collect(),
            not_run: vec![],
            seconds: 1.0,
        }
    }

    /// A report of these attacks, and of as many that were not run.
    fn partly(contained: &[bool], not_run: usize) -> Report {
        let skipped = |n| NotRun {
            name: format!("b{n}"),
            kind: Kind::Doors,
            why: "no image".into(),
        };
        Report {
            not_run: (0..not_run).map(skipped).collect(),
            ..report(contained)
        }
    }

    #[test]
    fn not_run_is_not_contained_unless_that_is_allowed() {
        for (contained, not_run, fails, allowed) in [
            (&[true, true][..], 0, 0, 0),
            (&[true, false], 0, 1, 1),
            (&[true], 1, 1, 0),
            (&[false], 1, 1, 1),
            (&[], 0, 125, 125),
            (&[], 3, 125, 125),
        ] {
            let report = partly(contained, not_run);
            let codes = [Skipped::default(), Skipped::Allowed].map(|how| report.exit_code(how));
            assert_eq!(codes, [fails, allowed], "{contained:?}, {not_run} not run");
        }
    }

    #[test]
    fn the_json_has_the_promised_fields() {
        let json = report(&[true]).to_json();
        for field in ["name", "kind", "expected", "seen", "contained"] {
            assert!(json["attacks"][0].get(field).is_some(), "{field}");
        }
        assert_eq!(json["attacks"][0]["kind"], "doors");
        assert!(report(&[false]).rows().any(|row| row.contains(&"GAVE WAY")));
    }
}
