//! `doctor`: can this host be trusted with code that nobody has read?

use super::print_json;
use crate::args::{Format, Global};
use crate::progress::status::StatusLine;
use crate::settings::Settings;
use crate::{context, table, terminal};
use anyhow::bail;
use doctor::facts::{
    self, Built, Digests, Kvm, Probe, Runtime, Setting, Tool, Uml, UmlKernel, Vms,
};
use doctor::{Colours, Facts, Host, Report};
use images::KernelKind;
use protocol::error_code::ErrorCode;
use protocol::language;
use sandbox::config::{Config, EngineChoice, IsolationMinimum};
use sandbox::lease::Leased;
use sandbox::metrics::Metrics;
use sandbox::snapshots::{Comparison, SnapshotStore};
use sandbox::supply::{Sources, Supply};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;
use vmm::{Accelerator, AcceleratorChoice, Engine, EngineKind, VmmError};

/// Examines the host and prints a row a check.
pub async fn run(global: &Global, format: &Format) -> anyhow::Result<ExitCode> {
    let settings = context::settings(global)?;
    let files = OperatorFiles::of(global, &settings)?;
    let status = StatusLine::begin("examining this host, and a VM on it");
    let mut report = examine(&settings.sandbox, files).await?;
    drop(status);
    if format.json {
        print_json(&report.to_json())?;
    } else {
        // What was seen holds names and command lines of other people's processes.
        for row in &mut report.rows {
            row.seen = terminal::visible(&row.seen).into_owned();
        }
        let colours = match terminal::has_colours(&std::io::stdout()) {
            true => Colours::Ansi,
            false => Colours::None,
        };
        table::wrapped(report.to_text(colours).trim_end())?;
    }
    Ok(ExitCode::from(report.exit_code()))
}

/// The files that an operator writes, as far as they are there.
#[derive(Debug, Clone)]
pub struct OperatorFiles {
    config: Option<PathBuf>,
    secrets: Vec<PathBuf>,
}

impl OperatorFiles {
    /// Those that these flags and this configuration name.
    pub fn of(global: &Global, settings: &Settings) -> anyhow::Result<OperatorFiles> {
        let key = settings.server.tls.as_ref().map(|tls| tls.key.clone());
        let secrets = [Some(context::keys_file(settings)), key];
        let mut there = Vec::new();
        for path in secrets.into_iter().flatten().filter(|path| path.exists()) {
            there.push(std::path::absolute(path)?);
        }
        Ok(OperatorFiles {
            config: context::config_file(global)?,
            secrets: there,
        })
    }
}

/// The report; also what the dashboard shows.
pub async fn examine(config: &Config, files: OperatorFiles) -> anyhow::Result<Report> {
    let vmm = context::vmm_config(config);
    let probed = vmm::probe::accelerator(&vmm).await;
    let kvm = match probed.reason {
        None => Kvm::Runs(format!(
            "a guest went from real mode to ring 3 and a timer interrupt, at {} million instructions a second",
            probed.guest_mips.unwrap_or_default()
        )),
        Some(reason) => Kvm::Not(reason),
    };
    let kernel = uml_kernel(config)?;
    let uml = Uml {
        wanted: wants_uml(&config.engine, probed.accelerator),
        required: config.engine.kind == Some(EngineKind::Uml),
        runs: match (&kernel, vmm::uml::probe(&vmm).await.reason) {
            (_, None) => Probe::Works,
            // To the probe a kernel that is refused is one that is not there.
            (UmlKernel::Refused(why), Some(_)) => Probe::Fails(why.clone()),
            (_, Some(reason)) => Probe::Fails(reason),
        },
        kernel,
        ..Uml::default()
    };
    let opened = vmm::open(config.engine.kind, vmm).await;
    // One that is configured and cannot be opened is still what jobs would run under.
    let engine = opened.as_ref().ok().map(|engine| engine.identity().kind);
    let engine = engine.or(config.engine.kind).map(named);
    let running = vmm::running_vmms(context::state_dir(config));
    let settled = running.iter().filter(|vmm| vmm.settled).map(|vmm| vmm.pid);
    let settled: Vec<i32> = settled.collect();
    let mut own_vmms: Vec<i32> = running.iter().map(|vmm| vmm.pid).collect();
    // Lives for as long as it is looked at.
    let mut started = None;
    let vms = match settled.is_empty() {
        false => Vms::Running(settled),
        true => match vm_to_look_at(config, opened).await {
            Ok(leased) => {
                let pid = started.insert(leased).vm.usage().pid;
                own_vmms.push(pid);
                Vms::Started(pid)
            }
            Err(why) => Vms::NotStarted(format!("{why:#}")),
        },
    };
    let config = config.clone();
    let work = move || -> anyhow::Result<Report> {
        let gathered = Facts::gathered(
            config.vmm.qemu_path.as_deref(),
            config.vmm.bwrap_path.as_deref(),
            context::state_dir(&config).to_owned(),
        );
        let facts = Facts {
            kvm,
            engine,
            uml: Uml {
                executable_tmpfs: gathered.uml.executable_tmpfs.clone(),
                ..uml
            },
            firecracker: named_or(
                "firecracker",
                config.vmm.firecracker_path.as_deref(),
                gathered.firecracker,
            ),
            jailer: named_or("jailer", config.vmm.jailer_path.as_deref(), gathered.jailer),
            hardware_required: config.isolation.minimum == IsolationMinimum::Hardware,
            firecracker_required: config.engine.kind == Some(EngineKind::Firecracker),
            config_file: files.config,
            secrets: Some(files.secrets),
            chroot_base: Some(config.vmm.chroot_base_dir.clone()),
            uids: Some((config.vmm.uid_base, config.vmm.uid_count)),
            vms,
            own_vmms,
            images: images(&config)?,
            images_built: Some(images_built(&config)?),
            runtimes: Some(runtimes(&config)?),
            kernel_built: Some(kernel_built(&config)?),
            snapshots: snapshots(&config)?,
            watchdog: Setting::Is(config.vmm.watchdog_deadline),
            // One old file is kept beside the one that grows.
            log_bytes_max: Setting::Is(
                2 * config.events.max_bytes + config.vmm.console_bytes as u64,
            ),
            ..gathered
        };
        Ok(doctor::examine(&Host::live(facts)))
    };
    let report = tokio::task::spawn_blocking(work).await?;
    if let Some(leased) = started {
        leased.vm.close().await?;
    }
    report
}

/// The program that the configuration or a flag names, which is the one that engines take; else what was found.
fn named_or(name: &str, path: Option<&Path>, found: Tool) -> Tool {
    match path {
        Some(path) => doctor::gather::tool(name, Some(path)),
        None => found,
    }
}

/// A VM as any job's, of the first language that has an image. It is booted: taking a snapshot would
/// leave one.
async fn vm_to_look_at(
    config: &Config,
    engine: Result<Arc<dyn Engine>, VmmError>,
) -> anyhow::Result<Leased> {
    let engine = engine?;
    let mut config = config.clone();
    config.snapshots.enabled = false;
    config.pool.clear();
    let (materials, snapshots) = context::stores(&config)?;
    let sources = Sources {
        engine,
        materials,
        snapshots,
    };
    let supply = Supply::new(&config, sources, Metrics::default());
    for language in language::all() {
        match supply.make(language, supply.default_shape(), None).await {
            Ok(leased) => return Ok(leased),
            Err(no) if no.code() == ErrorCode::ImageMissing => {}
            Err(no) => bail!("{no}"),
        }
    }
    bail!("no image is built; run: llm-firecracker images build python")
}

/// User-Mode Linux is the engine, or would be if nothing were in its way.
fn wants_uml(choice: &EngineChoice, accelerator: Accelerator) -> bool {
    match choice.kind {
        Some(kind) => kind == EngineKind::Uml,
        None => choice.accelerator == AcceleratorChoice::Auto && accelerator != Accelerator::Kvm,
    }
}

fn named(kind: EngineKind) -> facts::Engine {
    match kind {
        EngineKind::Firecracker => facts::Engine::Firecracker,
        EngineKind::Qemu => facts::Engine::Qemu,
        EngineKind::Uml => facts::Engine::Uml,
    }
}

fn uml_kernel(config: &Config) -> anyhow::Result<UmlKernel> {
    let store = context::image_store(config)?;
    let mut rows = store.kernels().into_iter();
    let Some(row) = rows.find(|row| row.kind == KernelKind::UserMode) else {
        return Ok(UmlKernel::NotBuilt);
    };
    Ok(match store.user_mode_kernel() {
        Err(error) => UmlKernel::Refused(error.to_string()),
        Ok(_) => UmlKernel::Built {
            version: format!(
                "{} {}, built {}",
                row.package, row.package_version, row.built_at
            ),
            at: row.built_at,
        },
    })
}

fn images_built(config: &Config) -> anyhow::Result<Vec<Built>> {
    let rows = context::image_store(config)?.list()?;
    let built = rows.into_iter().map(|row| Built {
        name: row.image.to_string(),
        at: row.built_at,
    });
    // One that was not built has no time.
    Ok(built.filter(|built| !built.at.is_empty()).collect())
}

fn runtimes(config: &Config) -> anyhow::Result<Vec<Runtime>> {
    let rows = context::image_store(config)?.list()?;
    let languages = rows.into_iter().flat_map(|row| row.image.languages());
    let runtimes = languages.map(|language| Runtime {
        name: language.row().runtime.clone(),
        end_of_life: language.row().end_of_life.clone(),
    });
    Ok(runtimes.collect())
}

fn kernel_built(config: &Config) -> anyhow::Result<Vec<Built>> {
    let rows = context::image_store(config)?.kernels().into_iter();
    let built = rows.filter(|row| row.kind == KernelKind::Virtual);
    let built = built.map(|row| Built {
        name: format!("{} {}", row.package, row.package_version),
        at: row.built_at,
    });
    Ok(built.filter(|built| !built.at.is_empty()).collect())
}

fn images(config: &Config) -> anyhow::Result<Digests> {
    let rows = context::image_store(config)?.verify(&[])?;
    Ok(digests(rows.into_iter().map(|row| (row.name, row.error))))
}

fn snapshots(config: &Config) -> anyhow::Result<Digests> {
    let store = SnapshotStore::open(&context::state_dir(config).join("snapshots"))?;
    let rows = store.list(Comparison::Changed)?;
    Ok(digests(rows.into_iter().map(|row| (row.id, row.error))))
}

fn digests(rows: impl Iterator<Item = (String, Option<String>)>) -> Digests {
    let (mut equal, mut differ) = (0, Vec::new());
    for (name, error) in rows {
        match error {
            None => equal += 1,
            Some(error) => differ.push(format!("{name}: {error}")),
        }
    }
    match (equal, differ.is_empty()) {
        (0, true) => Digests::Nothing,
        (_, true) => Digests::Equal(equal),
        _ => Digests::Differ(differ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn user_mode_linux_is_wanted_where_nothing_else_was_asked_for_and_kvm_runs_no_guests() {
        let auto = EngineChoice::default();
        assert!(wants_uml(&auto, Accelerator::Tcg));
        assert!(!wants_uml(&auto, Accelerator::Kvm));
        let tcg = EngineChoice {
            accelerator: AcceleratorChoice::Tcg,
            ..auto
        };
        assert!(!wants_uml(&tcg, Accelerator::Tcg));
        for (kind, wanted) in [(EngineKind::Uml, true), (EngineKind::Qemu, false)] {
            let named = EngineChoice {
                kind: Some(kind),
                ..EngineChoice::default()
            };
            assert_eq!(wants_uml(&named, Accelerator::Kvm), wanted);
        }
    }
}
