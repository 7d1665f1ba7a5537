//! A user's shell: commands one after another in one bash, with the tool in its `PATH` and a service that runs; what each
//! printed, and which failed.

use crate::service::Service;
use crate::{lab, place};
use std::path::Path;
use std::process::{Command, Stdio};

/// Before what the shell says of itself, between what commands print.
const MARK: &str = "@@llm-firecracker-test@@";
/// All commands of one page; a shell that is still there by then is ended with what it started.
const PATIENCE_SECONDS: &str = "420";

/// What some commands came to.
#[derive(Debug, Default)]
pub struct Printed {
    /// On standard output and standard error, as a terminal shows them.
    pub text: String,
    /// Exit code and words of each that failed.
    pub failed: Vec<(i32, String)>,
}

/// Runs scripts one after another in one shell, in this folder; gives what each printed.
pub fn run(service: &Service, folder: &Path, scripts: &[String]) -> Vec<Printed> {
    let mut whole = format!(
        "exec 2>&1\ncurl() {{ command curl --fail-with-body \"$@\"; }}\n\
         trap 'code=$?; printf \"\\n{MARK}failed %s %s\\n\" \"$code\" \"${{BASH_COMMAND%%$'\"'\"'\\n'\"'\"'*}}\"' ERR\n"
    );
    for script in scripts {
        // As the last one's exit code is no longer asked for, the mark's may take its place.
        whole.push_str(&format!("{script}\nprintf '\\n{MARK}next\\n'\n"));
    }
    let path = folder.join(".commands.sh");
    std::fs::write(&path, &whole).unwrap();
    let done = Command::new("timeout")
        .args([PATIENCE_SECONDS, "bash"])
        .arg(&path)
        .current_dir(folder)
        .envs(environment(service))
        .stdin(Stdio::null())
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&done.stdout).into_owned();
    let mut printed = vec![Printed::default()];
    for line in said.lines() {
        let last = printed.last_mut().unwrap();
        let Some((before, told)) = line.split_once(MARK) else {
            last.text.push_str(line);
            last.text.push('\n');
            continue;
        };
        last.text.push_str(before);
        // The line that the mark began.
        last.text.pop();
        match told
            .strip_prefix("failed ")
            .and_then(|told| told.split_once(' '))
        {
            Some((code, command)) => {
                last.failed
                    .push((code.parse().unwrap(), command.to_owned()));
            }
            None => printed.push(Printed::default()),
        }
    }
    printed.pop();
    assert_eq!(
        printed.len(),
        scripts.len(),
        "the shell ended early ({}):\n{said}",
        done.status
    );
    printed
}

/// As somebody has it who uses this service and this checkout's tool.
fn environment(service: &Service) -> Vec<(&'static str, String)> {
    let tool = Path::new(env!("CARGO_BIN_EXE_llm-firecracker"));
    let own = tool.parent().unwrap().display();
    let path = std::env::var("PATH").unwrap_or_default();
    let mut environment = vec![
        ("PATH", format!("{own}:{path}")),
        (
            "LLM_FIRECRACKER_STATE_DIR",
            lab::state_dir().display().to_string(),
        ),
        (
            "LLM_FIRECRACKER_CONFIG",
            service.config.display().to_string(),
        ),
        // Emulated, a program takes longer than it has by default.
        ("LLM_FIRECRACKER_TIMEOUT", "60".to_owned()),
        ("LLM_FIRECRACKER_URL", service.base.clone()),
    ];
    let agent = place::agent().map(|agent| agent.display().to_string());
    environment.extend(agent.map(|agent| ("LLM_FIRECRACKER_AGENT", agent)));
    environment
}

/// The examples of the checkout, where pages have them: in the folder that one is in.
pub fn folder_of_examples() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let examples = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples");
    for entry in std::fs::read_dir(examples).unwrap() {
        let entry = entry.unwrap();
        std::fs::copy(entry.path(), folder.path().join(entry.file_name())).unwrap();
    }
    folder
}
