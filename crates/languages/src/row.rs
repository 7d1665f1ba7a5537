//! What a language's file says, but for its image: see [`crate::image`].

use crate::image::Image;
use serde::Deserialize;
use std::collections::BTreeMap;

/// Stands for the program's file in [`Row::compile`] and [`Row::run`], as a word of its own.
pub const PROGRAM: &str = "{program}";
/// Stands for the folder of the language's drivers in the guest, also within a word.
pub const DRIVERS: &str = "{drivers}";
/// Stands for a whole number in [`Samples::sleep`].
pub const SECONDS: &str = "{seconds}";

/// One language: everything that differs between languages.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Row {
    /// The name in flags, the API and image names; the file's own, too.
    pub name: String,
    /// Other names clients use.
    #[serde(default)]
    pub aliases: Vec<String>,
    /// File extensions without the dot.
    pub extensions: Vec<String>,
    /// The file in the guest's work folder that receives the code of a job that names no file.
    pub source_file: String,
    /// What the image holds, for people: a name and a version, which is its last word.
    pub runtime: String,
    /// The last day on which its makers mend it, `YYYY-MM-DD`; `None` where that is not known beforehand.
    pub end_of_life: Option<String>,
    /// argv of the compiler, run in the work folder; `None` for interpreted languages.
    pub compile: Option<Vec<String>>,
    /// argv of the program, likewise; the job's own arguments follow it.
    pub run: Vec<String>,
    /// Environment that this language needs besides what every job has.
    #[serde(default)]
    pub env: BTreeMap<String, String>,
    /// Files of the language's folder that the guest gets; see [`DRIVERS`].
    #[serde(default)]
    pub drivers: Vec<String>,
    /// A program that prints something and exits with 0: run once in each VM that is to wait for jobs.
    pub warm_up: String,
    /// How its interpreter is loaded before its job comes; `None`: it is not.
    pub interpreter: Option<InterpreterRow>,
    /// How its interpreter carries out cells; `None`: it has none that stays.
    pub context: Option<Context>,
    /// Where packages come from that its programs may ask for; `None`: they may ask for none.
    pub packages: Option<PackageSource>,
    /// Programs that measure and check.
    pub samples: Option<Samples>,
    /// Its names among Piston's runtimes, where they are other than its own.
    pub piston: Option<Piston>,
    /// What its VMs boot from.
    pub image: Image,
}

/// An interpreter that waits: it says one byte on descriptor 4 when it is loaded, then reads orders, one a line, on
/// descriptor 3.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct InterpreterRow {
    /// Its argv, in the work folder.
    pub argv: Vec<String>,
    /// Besides the language's own variables.
    #[serde(default)]
    pub env: BTreeMap<String, String>,
    /// Beginnings of variables read at start-up: a job that brings one needs a new interpreter.
    pub fixed: Vec<String>,
    /// It can run a program under any name, not only under the language's own.
    pub takes_any_file: bool,
    /// It can be handed arguments.
    pub takes_args: bool,
    /// It can carry out one program after another.
    pub keeps_sessions: bool,
    /// Where its library's modules are, if a job's own of the same name come before them.
    pub library: Option<LibraryRow>,
}

/// An interpreter that stays and carries out one cell after another.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Context {
    /// Its argv.
    pub argv: Vec<String>,
    /// How it is spoken to on descriptor 3.
    pub orders: Orders,
    /// Arguments with which it loads all that it may need and waits; its first order then says where it is, and its
    /// environment. Without any it cannot.
    #[serde(default)]
    pub wait: Vec<String>,
    /// Images that have this interpreter although they do not hold the language.
    #[serde(default)]
    pub also_in: AlsoIn,
}

/// Images, besides those that hold a language.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AlsoIn {
    /// No others.
    #[default]
    None,
    /// All.
    EveryImage,
    /// Those that hold one of these languages.
    ImagesOf(Vec<String>),
}

/// How an interpreter is spoken to.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Orders {
    /// A line of JSON for each cell.
    Json,
    /// Assignments and commands of bash; this is said once, before anything else.
    Shell(String),
}

/// A registry of packages.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum PackageSource {
    /// Python's.
    Pypi,
    /// Node's.
    Npm,
}

/// A folder of modules that are found by their names.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LibraryRow {
    /// In the image.
    pub folder: String,
    /// What a module's file ends in.
    pub suffix: String,
}

/// Small programs whose output is known.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Samples {
    /// Prints `hello` and a line feed.
    pub hello: String,
    /// Computes 6 × 7, and prints it and a line feed.
    pub answer: String,
    /// Waits for [`SECONDS`].
    pub sleep: String,
    /// argv that runs the program text which follows it; `None` where a program has to be a file.
    pub inline: Option<Vec<String>>,
}

impl Samples {
    /// The program that waits for so long.
    pub fn sleep(&self, seconds: u64) -> String {
        self.sleep.replace(SECONDS, &seconds.to_string())
    }
}

/// Piston's names of a runtime.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Piston {
    /// The language's name there.
    pub name: String,
    /// Other names it goes by there.
    #[serde(default)]
    pub aliases: Vec<String>,
    /// The runtime's own name, where a language has several in Piston's world.
    pub runtime: Option<String>,
}

impl Row {
    /// The version of the runtime, as far as people are told: the last word of [`Row::runtime`].
    pub fn version(&self) -> &str {
        self.runtime.rsplit(' ').next().unwrap_or_default()
    }

    /// The name among Piston's runtimes.
    pub fn piston_name(&self) -> &str {
        self.piston
            .as_ref()
            .map_or(&self.name, |piston| &piston.name)
    }

    /// The aliases there.
    pub fn piston_aliases(&self) -> &[String] {
        self.piston
            .as_ref()
            .map_or(&self.aliases, |piston| &piston.aliases)
    }
}
