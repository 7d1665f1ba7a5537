//! The table of attacks and the files it names, both inside this binary.

use crate::error::SelftestError;
use include_dir::{Dir, include_dir};
use protocol::language::{Language, RootImage};
use protocol::wire::LimitName;
use serde::{Deserialize, Serialize};

static FILES: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/attacks");
const TABLE: &str = include_str!("../attacks/table.toml");

/// What is attacked; the folder that the attack's file is in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// CPU, memory, processes, files, output: as much as there is.
    Resources,
    /// The walls inside the guest.
    Privilege,
    /// The host, by a guest that was taken over.
    Channel,
    /// The way out.
    Exfiltration,
    /// The next job.
    Between,
    /// Validation.
    Doors,
    /// A VM that stays and runs many processes, by its programs, its client and its agent.
    Sandbox,
}

/// Every kind, in the order of the table.
pub const KINDS: &[(Kind, &str)] = &[
    (Kind::Resources, "resources"),
    (Kind::Privilege, "privilege"),
    (Kind::Channel, "channel"),
    (Kind::Exfiltration, "exfiltration"),
    (Kind::Between, "between"),
    (Kind::Doors, "doors"),
    (Kind::Sandbox, "sandbox"),
];

impl Kind {
    /// Its name, as a folder and on the command line.
    pub fn name(self) -> &'static str {
        KINDS
            .iter()
            .find(|(kind, _)| *kind == self)
            .map_or("", |(_, name)| name)
    }

    /// The kind of this name.
    pub fn from_name(name: &str) -> Option<Kind> {
        KINDS
            .iter()
            .find(|(_, own)| *own == name)
            .map(|(kind, _)| *kind)
    }
}

/// In whose place the attacker stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Standing {
    /// A job like any other: every wall must hold.
    Job,
    /// Root in the guest, without walls: the guest may fall, the host must not.
    Root,
}

/// One row.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Row {
    /// Unique; the file's stem, unless given.
    #[serde(default)]
    pub name: String,
    /// Below `attacks/`.
    pub file: String,
    /// Numbers of the ideas that it covers.
    #[serde(default)]
    pub covers: Vec<u8>,
    /// One sentence.
    pub must: String,
    /// How the job may end: a status, or `admitted`.
    pub status: Vec<String>,
    /// In whose place.
    #[serde(default = "as_job", rename = "as")]
    pub standings: Vec<Standing>,
    /// The job's time limit, in seconds.
    #[serde(default = "one_second")]
    pub seconds: f64,
    /// The compiler's, in seconds.
    pub compile_seconds: Option<f64>,
    /// The VM's memory, in MiB.
    pub memory_mib: Option<u64>,
    /// What the root of its sandbox takes in, in MiB; read-only when absent.
    pub writable_mib: Option<u64>,
    /// The limit of CPU time, in seconds.
    pub cpu_seconds: Option<u64>,
    /// Seconds beyond the time limits in which the job must have ended.
    #[serde(default = "one_second")]
    pub grace: f64,
    /// The limit that must have ended it.
    pub limit: Option<LimitName>,
    /// The program's exit code.
    pub exit: Option<i32>,
    /// Error codes of which one must be given.
    #[serde(default)]
    pub code: Vec<String>,
    /// What must stand in the output.
    #[serde(default)]
    pub prints: Vec<String>,
    /// `stdout` or `stderr`: which must have been cut.
    pub truncated: Option<String>,
    /// Each in turn stands for `@VALUE@`.
    #[serde(default)]
    pub values: Vec<String>,
    /// The second job's file.
    pub then: Option<String>,
    /// In whose place the second job looks.
    #[serde(default = "job")]
    pub then_as: Standing,
    /// The second job's output must not be the first's.
    #[serde(default)]
    pub differs: bool,
    /// Ask for what is left in `/work/out`.
    #[serde(default)]
    pub artifacts: bool,
    /// How many at once.
    #[serde(default = "one")]
    pub at_once: usize,
    /// How much the tool's own memory may grow, in MiB.
    pub growth_mib: Option<u64>,
}

fn as_job() -> Vec<Standing> {
    vec![Standing::Job]
}
fn job() -> Standing {
    Standing::Job
}
fn one_second() -> f64 {
    1.0
}
fn one() -> usize {
    1
}

/// How much the tool itself may grow by one attack through the channel, in MiB.
const CHANNEL_GROWTH_MIB: u64 = 16;
/// And by any other: a job's output, twice.
const GROWTH_MIB: u64 = 32;

/// The time limit of a program of root's, in seconds: many of them only stop when the VM does.
const ROOT_SECONDS: f64 = 2.0;

/// The time limit of a program that ends by itself is a multiple of the table's: on a busy host it is
/// late, and no wall has given way.
const PATIENCE: f64 = 4.0;

/// What becomes of an attack's file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// A program in this language.
    Program(Language),
    /// Lines for the hostile agent.
    Talk,
    /// A request.
    Request,
    /// What a live sandbox of this language is asked for.
    Client(Language),
    /// Lines for the hostile agent, once it supervises a live sandbox.
    Link,
}

/// A row in one standing: what is run, reported and counted as one.
#[derive(Debug, Clone)]
pub struct Attack {
    /// Unique.
    pub name: String,
    /// What it attacks.
    pub kind: Kind,
    /// From where.
    pub standing: Standing,
    /// The image whose VMs it is made in; `None`: its language's own.
    pub image: Option<RootImage>,
    /// All else.
    pub row: Row,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Table {
    attack: Vec<Row>,
}

/// Every attack, in the table's order.
pub fn attacks() -> Result<Vec<Attack>, SelftestError> {
    let table: Table = toml::from_str(TABLE).map_err(|error| SelftestError::Table {
        name: "table.toml".into(),
        what: error.to_string(),
    })?;
    let mut all = Vec::new();
    for mut row in table.attack {
        if row.name.is_empty() {
            row.name = stem(&row.file).into();
        }
        let kind = row.file.split('/').next().and_then(Kind::from_name);
        let kind = kind.ok_or_else(|| SelftestError::Table {
            name: row.name.clone(),
            what: format!("{} is in no kind's folder", row.file),
        })?;
        for standing in &row.standings {
            let alone = row.standings.len() == 1;
            let name = match standing {
                Standing::Root if !alone => format!("{}-as-root", row.name),
                _ => row.name.clone(),
            };
            all.push(Attack {
                name,
                kind,
                standing: *standing,
                image: None,
                row: row.clone(),
            });
        }
    }
    Ok(all)
}

fn stem(file: &str) -> &str {
    let name = file.rsplit('/').next().unwrap_or(file);
    name.split('.').next().unwrap_or(name)
}

/// The text of a file below `attacks/`.
pub fn text(file: &str) -> Result<&'static str, SelftestError> {
    FILES
        .get_file(file)
        .and_then(|file| file.contents_utf8())
        .ok_or_else(|| SelftestError::Table {
            name: file.into(),
            what: "no such file in this binary".into(),
        })
}

/// What becomes of this file.
pub fn form(file: &str) -> Result<Form, SelftestError> {
    let extension = file.rsplit('.').next().unwrap_or_default();
    match (extension, Language::from_extension(extension)) {
        ("talk", _) => Ok(Form::Talk),
        ("toml", _) => Ok(Form::Request),
        ("link", _) => Ok(Form::Link),
        ("client", _) => client_language(file).map(Form::Client),
        (_, Some(language)) => Ok(Form::Program(language)),
        _ => Err(SelftestError::Table {
            name: file.into(),
            what: "its ending tells no language".into(),
        }),
    }
}

/// The language that the first line of a client's talk names: `#!python`.
fn client_language(file: &str) -> Result<Language, SelftestError> {
    let first = text(file)?.lines().next().unwrap_or_default();
    let named = first.strip_prefix("#!").and_then(Language::from_name);
    named.ok_or_else(|| SelftestError::Table {
        name: file.into(),
        what: "its first line names no language".into(),
    })
}

/// Whether a file is said by the hostile agent.
pub fn is_said_by_agent(file: &str) -> bool {
    file.ends_with(".talk") || file.ends_with(".link")
}

impl Attack {
    /// The job's time limit, in seconds.
    pub fn seconds(&self) -> f64 {
        match self.standing {
            Standing::Root => self.row.seconds.min(ROOT_SECONDS),
            Standing::Job if self.ends_by_itself() => self.row.seconds * PATIENCE,
            Standing::Job => self.row.seconds,
        }
    }

    /// Whether another end is expected than the time limit's.
    fn ends_by_itself(&self) -> bool {
        let row = &self.row;
        let by_time = match row.limit {
            Some(limit) => limit == LimitName::WallTime,
            None => row.status.iter().any(|status| status == "timeout"),
        };
        !by_time && !is_said_by_agent(&row.file)
    }

    /// How much the tool's own memory may grow meanwhile, in MiB.
    pub fn growth_mib(&self) -> u64 {
        let usual = match self.kind {
            Kind::Channel => CHANNEL_GROWTH_MIB,
            Kind::Sandbox if is_said_by_agent(&self.row.file) => CHANNEL_GROWTH_MIB,
            _ => GROWTH_MIB,
        };
        self.row.growth_mib.unwrap_or(usual)
    }

    /// What must come out, in words.
    pub fn expected(&self) -> String {
        let row = &self.row;
        if self.standing == Standing::Root {
            return "any end in time; host untouched".into();
        }
        let mut words = row.status.join(" or ");
        if let Some(limit) = row.limit {
            words.push_str(&format!(" ({})", limit_name(limit)));
        }
        if !row.code.is_empty() {
            words.push_str(&format!(" [{}]", row.code.join(" or ")));
        }
        if let Some(cut) = &row.truncated {
            words.push_str(&format!(", {cut} cut"));
        }
        words
    }

    /// Whether its file is said by the hostile agent.
    pub fn needs_hostile_agent(&self) -> bool {
        self.standing == Standing::Root
            || self.row.then_as == Standing::Root
            || is_said_by_agent(&self.row.file)
    }
}

/// A limit's name as in results.
pub fn limit_name(limit: LimitName) -> String {
    serde_json::to_value(limit)
        .ok()
        .and_then(|value| value.as_str().map(str::to_owned))
        .unwrap_or_default()
}

#[cfg(test)]
mod tests;
