//! `setup`: finds the engines, installs Firecracker where it is missing, and says what works.

use super::print_json;
use crate::args::{Global, SetupArgs};
use crate::{context, table};
use anyhow::Context as _;
use serde::Serialize;
use setup::{Release, Source};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use vmm::firecracker::detect;
use vmm::{Accelerator, EngineKind, VmmConfig};

/// One thing that jobs run on.
#[derive(Debug, Serialize)]
struct Row {
    name: &'static str,
    state: State,
    /// Version and place, or what is missing and what to do.
    detail: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
enum State {
    Found,
    Installed,
    Missing,
}

/// Installs what can be installed; the exit code is 1 when something is still missing.
pub async fn run(global: &Global, args: SetupArgs) -> anyhow::Result<ExitCode> {
    let config = context::config(global)?.vmm;
    let rows = vec![
        firecracker(&config, &args).await?,
        qemu(&config).await,
        kvm(&config).await,
    ];
    let works = what_works(&rows);
    if args.format.json {
        print_json(&serde_json::json!({ "engines": rows, "works": works }))?;
    } else {
        let cells = |row: &Row| {
            let state = format!("{:?}", row.state).to_lowercase();
            vec![row.name.to_owned(), state, row.detail.clone()]
        };
        table::print(&["what", "state", "detail"], rows.iter().map(cells))?;
        table::line(&works)?;
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

fn what_works(rows: &[Row]) -> String {
    let has = |name| {
        rows.iter()
            .any(|row| row.name == name && row.state != State::Missing)
    };
    match (has("firecracker"), has("qemu"), has("kvm")) {
        (true, _, true) => "jobs run under firecracker, unless the configuration or --engine names qemu".into(),
        (_, true, true) => "jobs run under qemu on kvm".into(),
        (_, true, false) => "jobs run under qemu in software emulation (tcg): slower, a weaker wall; firecracker needs kvm".into(),
        (true, false, false) => "no job can run: firecracker needs kvm, and qemu is missing".into(),
        (false, false, _) => "no job can run: neither engine is there".into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rows(firecracker: State, qemu: State, kvm: State) -> Vec<Row> {
        [("firecracker", firecracker), ("qemu", qemu), ("kvm", kvm)]
            .map(|(name, state)| Row {
                name,
                state,
                detail: String::new(),
            })
            .into()
    }

    #[test]
    fn what_still_works_is_said_exactly() {
        use State::{Found, Installed, Missing};
        for (seen, word) in [
            (rows(Installed, Found, Found), "under firecracker"),
            (rows(Missing, Found, Found), "qemu on kvm"),
            (rows(Missing, Found, Missing), "tcg"),
            (rows(Found, Found, Missing), "tcg"),
            (rows(Found, Missing, Missing), "no job can run"),
            (rows(Missing, Missing, Found), "no job can run"),
        ] {
            assert!(what_works(&seen).contains(word), "{word}: {seen:?}");
        }
    }
}
