//! From flags and configuration to rooms that are ready to use. The order in which settings win:
//! file, then environment, then flags (clap reads the last two).

pub mod egress;
pub mod languages;
pub mod shared_images;

use crate::args::{AccelArg, EngineArg, Global};
use crate::settings::Settings;
use crate::settings::file::{self, Lines};
use crate::{exit, terminal};
use anyhow::{Context as _, bail};
use images::ImageStore;
use languages::LanguagesConfig;
use sandbox::config::Config;
use sandbox::events::{EventBus, EventSink, FileSink, StderrSink};
use sandbox::materials::MaterialsSource;
use sandbox::metrics::Metrics;
use sandbox::sandbox::Sandbox;
use sandbox::saved::{self, SavedStore};
use sandbox::snapshots::SnapshotStore;
use sandbox::supply::{Sources, Supply};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use vmm::cleanup::Removed;
use vmm::{AcceleratorChoice, Engine, EngineKind, VmmConfig};

/// The folder in which the configuration is looked for when nobody names it.
const SYSTEM_CONFIG: &str = "/etc/llm-firecracker";
const SYSTEM_STATE: &str = "/var/lib/llm-firecracker";
/// Where a package installs the agent.
const SYSTEM_AGENT: &str = "/usr/lib/llm-firecracker/llm-firecracker-agent";
const AGENT_NAME: &str = "llm-firecracker-agent";

/// The whole configuration with the flags laid over it; the operator's languages are loaded first, for it may name
/// them.
pub fn settings(global: &Global) -> anyhow::Result<Settings> {
    Ok(settings_with_lines(global)?.0)
}

/// The same, and on which line of the file each setting stands.
pub fn settings_with_lines(global: &Global) -> anyhow::Result<(Settings, Lines)> {
    read_settings(global, |config| languages::load(global, config))
}

/// The same as a running process reads it again: its languages stay those that it began with.
pub fn settings_again(global: &Global) -> anyhow::Result<Settings> {
    Ok(read_settings(global, |_| Ok(()))?.0)
}

fn read_settings(
    global: &Global,
    load: impl FnOnce(&LanguagesConfig) -> anyhow::Result<()>,
) -> anyhow::Result<(Settings, Lines)> {
    read_with_flags(global, load).map_err(exit::usage)
}

fn read_with_flags(
    global: &Global,
    load: impl FnOnce(&LanguagesConfig) -> anyhow::Result<()>,
) -> anyhow::Result<(Settings, Lines)> {
    let (mut settings, lines) = match config_file(global)? {
        Some(path) => {
            trust::check("configuration", &path)?;
            file::read_file(&path, load)?
        }
        None => {
            let settings = Settings::default();
            load(&settings.languages)?;
            (settings, Lines::default())
        }
    };
    settings.sandbox = with_flags(settings.sandbox, global)?;
    settings.languages.folder = languages::folder(global, &settings.languages)?;
    Ok((settings, lines))
}

/// The configuration file in use, absolute: the one that is named, else the usual one where it is there.
pub fn config_file(global: &Global) -> anyhow::Result<Option<PathBuf>> {
    let named = match &global.config {
        Some(path) => Some(std::path::absolute(path)?),
        None => default_config_path().filter(|path| path.exists()),
    };
    Ok(named)
}

/// The sandbox's configuration with the flags laid over it.
pub fn config(global: &Global) -> anyhow::Result<Config> {
    settings(global).map(|settings| settings.sandbox)
}

/// The file with the API keys.
pub fn keys_file(settings: &Settings) -> PathBuf {
    let beside = || state_dir(&settings.sandbox).join("keys.json");
    settings.server.keys_file.clone().unwrap_or_else(beside)
}

/// The folder of the audit log.
pub fn audit_dir(config: &Config) -> PathBuf {
    state_dir(config).join("audit")
}

/// A configuration with the flags laid over it; refuses programs that others could have changed.
pub fn with_flags(mut config: Config, global: &Global) -> anyhow::Result<Config> {
    let state_dir = match global.state_dir.clone().or(config.state_dir.take()) {
        Some(dir) => std::path::absolute(dir)?,
        None => default_state_dir()?,
    };
    config.vmm.state_dir = state_dir.clone();
    config.state_dir = Some(state_dir);
    // It is what runs in every guest; who gives a flag names a file of their own.
    match (&global.agent, &config.agent) {
        (Some(agent), _) => config.agent = Some(std::path::absolute(agent)?),
        (None, Some(agent)) => trust::check("the guest agent", agent)?,
        (None, None) => {}
    }
    match global.engine {
        EngineArg::Auto => {}
        EngineArg::Qemu => config.engine.kind = Some(EngineKind::Qemu),
        EngineArg::Firecracker => config.engine.kind = Some(EngineKind::Firecracker),
        EngineArg::Uml => config.engine.kind = Some(EngineKind::Uml),
    }
    match global.accel {
        AccelArg::Auto => {}
        AccelArg::Kvm => config.engine.accelerator = AcceleratorChoice::Kvm,
        AccelArg::Tcg => config.engine.accelerator = AcceleratorChoice::Tcg,
    }
    config.vmm.accelerator = config.engine.accelerator;
    if let Some(path) = &global.firecracker {
        config.vmm.firecracker_path = Some(path.clone());
    }
    if let Some(path) = &global.jailer {
        config.vmm.jailer_path = Some(path.clone());
    }
    config.sandboxes.guest_root |= global.allow_guest_root;
    config.sandboxes.writable |= global.allow_writable;
    check_programs(&mut config)?;
    Ok(config)
}

/// The programs that the configuration or a flag names are run by this user, with or without a jail: each must be this
/// user's or root's alone.
fn check_programs(config: &mut Config) -> anyhow::Result<()> {
    let vmm = &mut config.vmm;
    for (what, path) in [
        ("QEMU", &mut vmm.qemu_path),
        ("bubblewrap", &mut vmm.bwrap_path),
        ("Firecracker", &mut vmm.firecracker_path),
        ("the jailer", &mut vmm.jailer_path),
    ] {
        let Some(path) = path else { continue };
        *path = std::path::absolute(&*path)?;
        trust::check(what, path)?;
    }
    Ok(())
}

/// The configuration file that is read when none is named.
fn default_config_path() -> Option<PathBuf> {
    default_config_dir().map(|dir| dir.join("config.toml"))
}

fn default_config_dir() -> Option<PathBuf> {
    if rustix::process::geteuid().is_root() {
        return Some(SYSTEM_CONFIG.into());
    }
    xdg("XDG_CONFIG_HOME", ".config").map(|dir| dir.join("llm-firecracker"))
}

fn default_state_dir() -> anyhow::Result<PathBuf> {
    if rustix::process::geteuid().is_root() {
        return Ok(SYSTEM_STATE.into());
    }
    xdg("XDG_DATA_HOME", ".local/share")
        .map(|dir| dir.join("llm-firecracker"))
        .context("HOME is not set, so nobody knows where images and VMs are to live; set HOME, or name a folder of yours: --state-dir DIR or LLM_FIRECRACKER_STATE_DIR")
}

fn xdg(variable: &str, below_home: &str) -> Option<PathBuf> {
    let absolute = |name: &str| {
        std::env::var_os(name)
            .map(PathBuf::from)
            .filter(|path| path.is_absolute())
    };
    absolute(variable).or_else(|| absolute("HOME").map(|home| home.join(below_home)))
}

/// The state folder of a configuration made by [`config`].
pub fn state_dir(config: &Config) -> &Path {
    &config.vmm.state_dir
}

/// The images.
pub fn image_store(config: &Config) -> anyhow::Result<Arc<ImageStore>> {
    Ok(Arc::new(open_images(config)?))
}

/// The same, to be told more of how it builds.
pub fn open_images(config: &Config) -> anyhow::Result<ImageStore> {
    shared_images::open(state_dir(config), &images_dir(config))
}

fn images_dir(config: &Config) -> PathBuf {
    state_dir(config).join("images")
}

/// The guest agent's binary.
pub fn agent(config: &Config) -> anyhow::Result<PathBuf> {
    if let Some(path) = &config.agent {
        return Ok(path.clone());
    }
    let beside = std::env::current_exe()
        .ok()
        .and_then(|exe| exe.canonicalize().ok())
        .and_then(|exe| exe.parent().map(|dir| dir.join(AGENT_NAME)));
    let candidates = beside.into_iter().chain([PathBuf::from(SYSTEM_AGENT)]);
    for path in candidates {
        if path.exists() {
            // Beside this program: whoever can change the one can change the other.
            return Ok(path);
        }
    }
    bail!(
        "the guest agent {AGENT_NAME} is neither beside this program nor installed; run: make build"
    )
}

/// The engines' settings, with what User-Mode Linux boots where its kernel was built.
pub fn vmm_config(config: &Config) -> VmmConfig {
    let materials = materials(config).map_err(|error| format!("{error:#}"));
    VmmConfig {
        uml: materials.and_then(|materials| materials.uml_guest()),
        ..config.vmm.clone()
    }
}

/// The engine, with one line on standard error when it is not what the hardware promises, once a boot of the host.
pub async fn engine(config: &Config) -> anyhow::Result<Arc<dyn Engine>> {
    let vmm = vmm_config(config);
    let is_auto =
        config.engine.accelerator == AcceleratorChoice::Auto && config.engine.kind.is_none();
    if is_auto && let Some(line) = second_choice(&vmm).await {
        terminal::say(line);
    }
    Ok(vmm::open(config.engine.kind, vmm).await?)
}

/// Why it is not KVM that will run guests, the first time since the host booted.
async fn second_choice(vmm: &VmmConfig) -> Option<String> {
    let kvm = vmm::probe::accelerator(vmm).await;
    let no_kvm = kvm.reason?;
    let uml = vmm::uml::probe(vmm).await;
    let line = match uml.reason {
        None => format!("using User-Mode Linux (uml): {no_kvm}"),
        Some(no_uml) => {
            format!("using software emulation (tcg): {no_kvm}; User-Mode Linux: {no_uml}")
        }
    };
    vmm::probe::is_news(vmm, &line).then_some(line)
}

/// Removes what crashes left behind, and says what that was.
pub async fn sweep(config: &Config) -> anyhow::Result<Vec<Removed>> {
    let mut removed = vmm::cleanup::sweep(&config.vmm).await?;
    let snapshots = SnapshotStore::open(&state_dir(config).join("snapshots"))?.sweep()?;
    removed.extend(snapshots.into_iter().map(|name| Removed {
        kind: "snapshot",
        name,
    }));
    let saved = SavedStore::open(&state_dir(config).join(saved::FOLDER))?.sweep()?;
    removed.extend(saved.into_iter().map(|name| Removed {
        kind: "paused sandbox",
        name,
    }));
    Ok(removed)
}

/// How many of each kind, in words.
fn counted(kinds: impl Iterator<Item = &'static str>) -> String {
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    for kind in kinds {
        *counts.entry(kind).or_default() += 1;
    }
    let words = counts.into_iter().map(|(kind, count)| {
        let end = match (count, kind.ends_with(['s', 'x'])) {
            (1, _) => "",
            (_, true) => "es",
            (_, false) => "s",
        };
        format!("{count} {kind}{end}")
    });
    words.collect::<Vec<_>>().join(", ")
}

/// Before anything is opened; what cannot be removed does not keep jobs from running.
async fn sweep_first(config: &Config) {
    match sweep(config).await {
        Ok(removed) if removed.is_empty() => {}
        Ok(removed) => {
            for Removed { kind, name } in &removed {
                tracing::info!(kind, %name, "left by an earlier crash; removed");
            }
            let what = counted(removed.iter().map(|one| one.kind));
            terminal::say(format_args!(
                "removed what an earlier crash left behind: {what}"
            ));
        }
        Err(error) => tracing::warn!(error = format!("{error:#}"), "an earlier crash left this"),
    }
}

fn materials(config: &Config) -> anyhow::Result<MaterialsSource> {
    let images = image_store(config)?;
    // Who can change one decides what runs in every VM; their digests are in the same folder.
    trust::check("the folder of images", &images_dir(config))?;
    Ok(MaterialsSource::new(images, agent(config)?))
}

/// What VMs are made of.
pub fn stores(config: &Config) -> anyhow::Result<(MaterialsSource, SnapshotStore)> {
    let materials = materials(config)?;
    let snapshots = SnapshotStore::open(&state_dir(config).join("snapshots"))?;
    Ok((materials, snapshots))
}

/// A sandbox with everything below it.
pub async fn sandbox(config: &Config) -> anyhow::Result<Arc<Sandbox>> {
    sandbox_with(config, Vec::new()).await
}

/// The same with more sinks for events.
pub async fn sandbox_with(
    config: &Config,
    mut sinks: Vec<Arc<dyn EventSink>>,
) -> anyhow::Result<Arc<Sandbox>> {
    // The configuration's own mistakes come before the host's.
    config.policy().map_err(exit::usage)?;
    if config.events.stderr {
        sinks.push(Arc::new(StderrSink));
    }
    if let Some(path) = &config.events.file {
        let sink = FileSink::open(path, config.events.max_bytes)
            .with_context(|| format!("opening the event file {}", path.display()))?;
        sinks.push(Arc::new(sink));
    }
    sweep_first(config).await;
    let metrics = Metrics::default();
    let (materials, snapshots) = stores(config)?;
    let engine = engine(config).await?;
    let sources = Sources {
        engine,
        materials,
        snapshots,
    };
    let supply = Supply::new(config, sources, metrics.clone());
    let sandbox = Sandbox::new(config, supply, EventBus::new(sinks), metrics)?;
    Ok(Arc::new(sandbox.with_egress(egress::of(config)?)))
}

#[cfg(test)]
mod tests;
