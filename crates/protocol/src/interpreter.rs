//! An interpreter that waits for its job, as the guest is told of it: it knows no language.

use serde::{Deserialize, Serialize};

/// Where a program finds the drivers of waiting interpreters, read-only: a folder for each language.
pub const DRIVERS_DIR: &str = "/dev/zygote";
/// Where they lie in the initramfs.
pub const DRIVERS_IN_INITRAMFS: &str = "/drivers";
/// Bytes of all drivers together; the guest keeps them in memory.
pub const MAX_DRIVERS_BYTES: usize = 1024 * 1024;
/// Their files.
pub const MAX_DRIVERS: usize = 256;

/// How to load it, and which jobs it can become. It says one byte on descriptor 4 when it is loaded, then reads orders,
/// one a line, on descriptor 3.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Interpreter {
    /// Its argv, in the work folder.
    pub argv: Vec<String>,
    /// Its whole environment.
    pub env: Vec<(String, String)>,
    /// The file of the program that it will run.
    pub file: String,
    /// Beginnings of variables read at start-up: a job that brings one needs a new interpreter.
    pub fixed: Vec<String>,
    /// It can run a program under any name, not only [`Interpreter::file`].
    pub takes_any_file: bool,
    /// Where its library's modules are, if a job's own of the same name come before them.
    pub library: Option<Library>,
    /// It can be handed arguments.
    pub takes_args: bool,
    /// It can carry out one program after another.
    pub keeps_sessions: bool,
}

/// A folder of modules that are found by their names.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Library {
    /// In the image.
    pub folder: String,
    /// What a module's file ends in.
    pub suffix: String,
}
