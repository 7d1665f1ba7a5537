//! `setup`: finds the engines, installs Firecracker where it is missing, and says which one jobs run
//! under.

use super::print_json;
use crate::args::{Global, SetupArgs};
use crate::progress::status::StatusLine;
use crate::table::{self, kept};
use crate::{context, terminal};
use anyhow::Context as _;
use sandbox::config::EngineChoice;
use serde::Serialize;
use setup::{Release, Source};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use vmm::firecracker::detect;
use vmm::state::StateDir;
use vmm::{Accelerator, AcceleratorChoice, EngineKind, VmmConfig};

/// One thing that jobs run on.
#[derive(Debug, Serialize)]
struct Row {
    name: &'static str,
    state: State,
    /// Version and place, or what is missing and what to do.
    detail: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
enum State {
    Found,
    Installed,
    Missing,
    /// Missing, and what works here comes before it.
    NotNeeded,
}

impl State {
    /// As in the JSON.
    fn name(self) -> &'static str {
        match self {
            State::Found => "found",
            State::Installed => "installed",
            State::Missing => "missing",
            State::NotNeeded => "not-needed",
        }
    }

    fn is_there(self) -> bool {
        matches!(self, State::Found | State::Installed)
    }
}

/// Installs what can be installed; the exit code is 1 when something is still missing.
pub async fn run(global: &Global, args: SetupArgs) -> anyhow::Result<ExitCode> {
    let config = context::config(global)?;
    let status = StatusLine::begin("trying the engines");
    let vmm = context::vmm_config(&config);
    let kvm = kvm(&vmm).await;
    let rows = vec![
        firecracker(&vmm, &args).await?,
        qemu(&vmm).await,
        uml(&vmm, kvm.state).await,
        kvm,
    ];
    drop(status);
    let user = match rustix::process::geteuid().is_root() {
        true => User::Root,
        false => User::Other,
    };
    let works = what_works(&rows, &config.engine, user);
    if args.format.json {
        print_json(&serde_json::json!({ "engines": rows, "works": works }))?;
    } else {
        let cells = |row: &Row| vec![row.name.into(), row.state.name().into(), row.detail.clone()];
        let columns = [kept("what"), kept("state"), kept("detail")];
        table::print_fitted(&columns, rows.iter().map(cells), &args.format)?;
        table::wrapped(&terminal::visible(&works))?;
    }
    let complete = rows.iter().all(|row| row.state != State::Missing);
    Ok(ExitCode::from(u8::from(!complete)))
}

/// Found where it is of use already, unless an archive was named; else installed.
async fn firecracker(config: &VmmConfig, args: &SetupArgs) -> anyhow::Result<Row> {
    let name = "firecracker";
    let found = detect::installed(config);
    if let (Ok(found), None) = (&found, &args.from) {
        return Ok(Row {
            name,
            state: State::Found,
            detail: describe(found),
        });
    }
    let release = release(args)?;
    // Closed to others, before a folder below it is made.
    StateDir::open(&config.state_dir)?;
    let into = config.state_dir.join(detect::ENGINES);
    let from = args.from.clone();
    let work = move || install(&release, from.as_deref(), &into);
    Ok(match tokio::task::spawn_blocking(work).await? {
        Ok(()) => Row {
            name,
            state: State::Installed,
            detail: describe(&detect::installed(config).context("installed, but")?),
        },
        // A file that the user named and that is refused is an error; a network that is not there is not.
        Err(error) if args.from.is_some() => return Err(error.into()),
        Err(error) => Row {
            name,
            state: State::Missing,
            detail: format!(
                "{}; {error}; on a host without internet: setup --from FILE",
                found.map_or_else(|e| e.to_string(), |found| describe(&found))
            ),
        },
    })
}

fn install(release: &Release, from: Option<&Path>, into: &Path) -> Result<(), setup::SetupError> {
    let source = from.map_or(Source::Network, Source::File);
    setup::install(release, source, into).map(drop)
}

/// The pinned release, or what the user says an archive is.
fn release(args: &SetupArgs) -> anyhow::Result<Release> {
    let arch = std::env::consts::ARCH;
    let pinned = setup::release::pinned(arch);
    match &args.sha256 {
        Some(sha256) => Ok(Release {
            version: String::new(),
            arch: arch.into(),
            url: String::new(),
            sha256: sha256.clone(),
        }),
        None => pinned.ok_or_else(|| setup::SetupError::NoRelease { arch: arch.into() }.into()),
    }
}

fn describe(found: &detect::Found) -> String {
    let place = |path: &PathBuf| path.display().to_string();
    let jailer = found.jailer.as_ref().map_or("none".into(), place);
    format!(
        "{} at {}, jailer at {jailer}",
        found.version,
        place(&found.firecracker)
    )
}

async fn qemu(config: &VmmConfig) -> Row {
    let (state, detail) = match vmm::open(Some(EngineKind::Qemu), config.clone()).await {
        Ok(engine) => {
            let it = engine.identity();
            let on = it.accelerator_name();
            let detail = format!("{} on {on}, jail {}", it.version, it.jail);
            (State::Found, detail)
        }
        Err(error) => (State::Missing, format!("{:#}", anyhow::Error::new(error))),
    };
    Row {
        name: "qemu",
        state,
        detail,
    }
}

/// Where KVM runs guests, nobody misses it.
async fn uml(config: &VmmConfig, kvm: State) -> Row {
    let (state, detail) = match vmm::uml::probe(config).await.reason {
        None => (State::Found, "a guest's first process ran under it".into()),
        Some(reason) if kvm.is_there() => (State::NotNeeded, reason),
        Some(reason) => (State::Missing, reason),
    };
    Row {
        name: "uml",
        state,
        detail,
    }
}

async fn kvm(config: &VmmConfig) -> Row {
    let probed = vmm::probe::accelerator(config).await;
    let (state, detail) = match (probed.accelerator, probed.reason) {
        (Accelerator::Kvm, _) => (State::Found, "guest code ran on it".into()),
        (Accelerator::Tcg, reason) => (State::Missing, reason.unwrap_or_default()),
    };
    Row {
        name: "kvm",
        state,
        detail,
    }
}

/// Who asks: some engines need root.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum User {
    Root,
    Other,
}

/// Which engine jobs run under here, and why it is that one: the order is that of `auto`.
fn what_works(rows: &[Row], choice: &EngineChoice, user: User) -> String {
    let has = |name| {
        let mut rows = rows.iter();
        rows.any(|row| row.name == name && row.state.is_there())
    };
    let kvm = has("kvm") && choice.accelerator != AcceleratorChoice::Tcg;
    let firecracker = has("firecracker") && kvm && user == User::Root;
    let qemu = has("qemu") && (kvm || choice.accelerator != AcceleratorChoice::Kvm);
    let uml = has("uml") && choice.accelerator == AcceleratorChoice::Auto;
    if let Some(kind) = choice.kind {
        let works = match kind {
            EngineKind::Firecracker => firecracker,
            EngineKind::Qemu => qemu,
            EngineKind::Uml => uml,
        };
        return match works {
            true => format!("jobs run under {kind}, which the configuration or --engine names"),
            false => format!(
                "no job can run: the configuration or --engine names {kind}, which does not work here"
            ),
        };
    }
    let order = [
        (firecracker, "firecracker, for kvm runs guests here"),
        (
            kvm && qemu,
            "qemu on kvm: firecracker is not installed, or this user is not root",
        ),
        (
            uml,
            "User-Mode Linux (uml), for kvm runs no guests here: a kernel of their own at native speed, no hardware wall",
        ),
        (
            qemu,
            "qemu in software emulation (tcg), for neither kvm nor User-Mode Linux runs guests, or tcg was asked for: slow, a weaker wall",
        ),
    ];
    match order.iter().find(|(works, _)| *works) {
        Some((_, engine)) => format!("jobs run under {engine}; --engine may name another"),
        None => "no job can run: firecracker needs kvm and root, qemu is missing, User-Mode Linux runs no guests".into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use State::{Found, Installed, Missing, NotNeeded};

    fn rows([firecracker, qemu, uml, kvm]: [State; 4]) -> Vec<Row> {
        let states = [
            ("firecracker", firecracker),
            ("qemu", qemu),
            ("uml", uml),
            ("kvm", kvm),
        ];
        let row = |(name, state)| Row {
            name,
            state,
            detail: String::new(),
        };
        states.map(row).into()
    }

    #[test]
    fn what_still_works_is_said_exactly() {
        let auto = EngineChoice::default();
        for (states, user, said) in [
            (
                [Installed, Found, NotNeeded, Found],
                User::Root,
                "under firecracker, for kvm",
            ),
            (
                [Found, Found, Found, Found],
                User::Root,
                "under firecracker, for kvm",
            ),
            (
                [Found, Found, Found, Found],
                User::Other,
                "under qemu on kvm",
            ),
            (
                [Missing, Found, NotNeeded, Found],
                User::Root,
                "under qemu on kvm",
            ),
            (
                [Missing, Missing, Found, Found],
                User::Root,
                "under User-Mode Linux",
            ),
            (
                [Found, Found, Found, Missing],
                User::Root,
                "under User-Mode Linux (uml), for kvm runs no guests",
            ),
            (
                [Missing, Missing, Found, Missing],
                User::Other,
                "under User-Mode Linux",
            ),
            (
                [Found, Found, Missing, Missing],
                User::Root,
                "under qemu in software emulation (tcg)",
            ),
            (
                [Found, Missing, Missing, Missing],
                User::Root,
                "no job can run",
            ),
            (
                [Missing, Missing, NotNeeded, Found],
                User::Root,
                "no job can run",
            ),
        ] {
            let works = what_works(&rows(states), &auto, user);
            assert!(works.contains(said), "{said}: {works}");
        }
    }

    #[test]
    fn what_was_asked_for_is_what_runs_or_nothing_does() {
        let everything = rows([Found, Found, Found, Found]);
        let no_kvm = rows([Found, Found, Found, Missing]);
        let choice = |kind, accelerator| EngineChoice { kind, accelerator };
        let any = AcceleratorChoice::Auto;
        for (rows, choice, said) in [
            (
                &everything,
                choice(Some(EngineKind::Uml), any),
                "under uml, which",
            ),
            (
                &everything,
                choice(Some(EngineKind::Qemu), any),
                "under qemu, which",
            ),
            (
                &no_kvm,
                choice(Some(EngineKind::Firecracker), any),
                "names firecracker, which does not work",
            ),
            (
                &no_kvm,
                choice(None, AcceleratorChoice::Tcg),
                "software emulation",
            ),
            (
                &everything,
                choice(None, AcceleratorChoice::Tcg),
                "software emulation",
            ),
            (
                &no_kvm,
                choice(None, AcceleratorChoice::Kvm),
                "no job can run",
            ),
            (
                &everything,
                choice(Some(EngineKind::Uml), AcceleratorChoice::Kvm),
                "names uml, which does not work",
            ),
        ] {
            let works = what_works(rows, &choice, User::Root);
            assert!(works.contains(said), "{said}: {works}");
        }
    }

    #[test]
    fn states_are_named_as_in_the_json() {
        for state in [Found, Installed, Missing, NotNeeded] {
            assert_eq!(serde_json::to_value(state).unwrap(), state.name());
        }
    }
}
