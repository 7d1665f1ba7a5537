//! What a configuration says that can be read, and would not do what it says: faults where it never can, else warnings.

use super::{Level, Told};
use crate::args::unknown_variables;
use crate::context;
use crate::settings::Settings;
use images::ImageStore;
use protocol::limits::MIN_MEMORY_MIB;
use sandbox::config::Config;
use serde_json::Value;
use std::path::{Component, Path};

/// All that was found.
pub fn told(settings: &Settings) -> Vec<Told> {
    let judges: &[fn(&Settings) -> Vec<Told>] = &[
        limits, pools, patterns, packages, paths, cgroup, memory, rates, keys, variables,
    ];
    judges.iter().flat_map(|judge| judge(settings)).collect()
}

fn fault(setting: impl Into<String>, text: String) -> Told {
    Told {
        setting: setting.into(),
        level: Level::Fault,
        text,
    }
}

fn warning(setting: impl Into<String>, text: String) -> Told {
    Told {
        level: Level::Warning,
        ..fault(setting, text)
    }
}

/// What is wrong with a configuration that is the default but for one thing.
fn alone(set: impl FnOnce(&mut Config)) -> Option<String> {
    let mut config = Config::default();
    set(&mut config);
    let error = config.policy().err()?;
    Some(format!("{:#}", anyhow::Error::new(error)))
}

/// Each default over its maximum, and not the first alone.
fn limits(settings: &Settings) -> Vec<Told> {
    let limits = &settings.sandbox.limits;
    let Some(text) = alone(|config| config.limits = limits.clone()) else {
        return Vec::new();
    };
    let values = |of| serde_json::to_value(of).unwrap_or_default();
    let (defaults, maxima) = (values(&limits.defaults), values(&limits.maxima));
    let number = |value: Option<&Value>| value.and_then(Value::as_f64);
    let mut found = Vec::new();
    for (name, default) in defaults.as_object().into_iter().flatten() {
        let (Some(default), Some(most)) = (number(Some(default)), number(maxima.get(name))) else {
            continue;
        };
        if default > most {
            found.push(fault(
                format!("limits.defaults.{name}"),
                format!("limits.defaults.{name} is over limits.maxima.{name} ({default}, {most}); lower the one or raise the other"),
            ));
        }
    }
    match found.is_empty() {
        true => vec![fault("limits", text)],
        false => found,
    }
}

fn pools(settings: &Settings) -> Vec<Told> {
    let images = store(settings);
    let mut found = Vec::new();
    for (language, size) in &settings.sandbox.pool {
        let label = language.label();
        let own = alone(|config| _ = config.pool.insert(*language, *size));
        let setting = format!("pool.{label}.min");
        found.extend(own.map(|text| fault(setting.clone(), text)));
        if images
            .as_ref()
            .is_some_and(|images| !images.holds(language.image()))
        {
            let image = language.image().name();
            found.push(warning(
                setting,
                format!("pool.{label} stays empty: its image is not there; make it: llm-firecracker images build {image}"),
            ));
        }
    }
    found
}

/// The images, where their folder is there: to look is not to make it.
fn store(settings: &Settings) -> Option<std::sync::Arc<ImageStore>> {
    let folder = context::state_dir(&settings.sandbox).join("images");
    folder
        .is_dir()
        .then(|| context::image_store(&settings.sandbox).ok())
        .flatten()
}

fn patterns(settings: &Settings) -> Vec<Told> {
    let each = settings.sandbox.scan.patterns.iter();
    let wrong = each.filter_map(|one| alone(|config| config.scan.patterns = vec![one.clone()]));
    wrong.map(|text| fault("scan.patterns", text)).collect()
}

fn packages(settings: &Settings) -> Vec<Told> {
    let wrong = alone(|config| config.packages = settings.sandbox.packages.clone());
    let told = wrong.map(|text| fault("packages", text));
    told.into_iter().collect()
}

/// Programs that are named and not there.
fn paths(settings: &Settings) -> Vec<Told> {
    let (sandbox, vmm) = (&settings.sandbox, &settings.sandbox.vmm);
    let programs = [
        ("agent", &sandbox.agent),
        ("vmm.qemu_path", &vmm.qemu_path),
        ("vmm.bwrap_path", &vmm.bwrap_path),
        ("vmm.firecracker_path", &vmm.firecracker_path),
        ("vmm.jailer_path", &vmm.jailer_path),
    ];
    let absent = |path: &Path| !path.is_file();
    let mut found = Vec::new();
    for (setting, path) in programs {
        if let Some(path) = path.as_deref().filter(|path| absent(path)) {
            let text = format!(
                "{setting}: {} is no file that is there; correct it",
                path.display()
            );
            found.push(fault(setting, text));
        }
    }
    let folder = settings.languages.folder.as_ref();
    if let Some(folder) = folder.filter(|folder| !folder.is_dir()) {
        let text = format!(
            "languages.folder: {} is not there; no language is added",
            folder.display()
        );
        found.push(warning("languages.folder", text));
    }
    found
}

fn cgroup(settings: &Settings) -> Vec<Told> {
    let name = &settings.sandbox.vmm.cgroup_parent;
    let mut parts = Path::new(name).components().peekable();
    let is_name = parts.peek().is_some() && parts.all(|part| matches!(part, Component::Normal(_)));
    match is_name {
        true => Vec::new(),
        false => vec![fault(
            "vmm.cgroup_parent",
            format!(
                "vmm.cgroup_parent is {name:?}; it is a name below the tool's own cgroup, such as llm-firecracker, and cannot lead out of it"
            ),
        )],
    }
}

fn memory(settings: &Settings) -> Vec<Told> {
    let sandbox = &settings.sandbox;
    let overhead = u64::from(sandbox.vmm.memory_overhead_mib);
    let of_default = u64::from(sandbox.limits.defaults.memory_mib) + overhead;
    let of_least = u64::from(MIN_MEMORY_MIB) + overhead;
    let mut found = Vec::new();
    let bound = sandbox.admission_bounds().memory_mib;
    if bound < of_default {
        let tell = if bound < of_least { fault } else { warning };
        found.push(tell(
            "admission.memory_mib",
            format!("admission.memory_mib: {bound} MiB hold no job with the default limits, which needs {of_default}, {overhead} of them for its VMM; the least VM needs {of_least}"),
        ));
    }
    let most = match sandbox.vmm.all_memory_mib {
        0 => vmm::cgroup::memory::default_cap_mib(),
        own => own,
    };
    let largest = sandbox.pool.iter().max_by_key(|(_, size)| size.min);
    let largest = largest.map_or_else(String::new, |(language, _)| {
        format!("pool.{}.min", language.label())
    });
    let waiting = sandbox.pool.values().map(|size| size.min as u64);
    let needed = waiting
        .fold(0, u64::saturating_add)
        .saturating_mul(of_default);
    if needed > most {
        found.push(warning(
            largest,
            format!("pool: VMs that wait may need {needed} MiB, {of_default} each, and all VMs may hold {most} (vmm.all_memory_mib); the pools may never be full: lower min"),
        ));
    }
    found
}

fn rates(settings: &Settings) -> Vec<Told> {
    let name = "server.key_defaults.requests_per_second";
    let rate = settings.server.key_defaults.requests_per_second;
    match rate {
        _ if rate > 0.0 => Vec::new(),
        0.0 => {
            let burst = settings.server.key_defaults.burst;
            let text = format!(
                "{name} is 0: after {burst} requests (burst) a key waits 1000 seconds for each"
            );
            vec![warning(name, text)]
        }
        _ => vec![fault(
            name,
            format!("{name} is {rate}, allowed is more than 0"),
        )],
    }
}

fn keys(settings: &Settings) -> Vec<Told> {
    let file = settings.server.keys_file.as_ref();
    let absent = file.filter(|file| !file.exists());
    let told = absent.map(|file| {
        let file = file.display();
        let text = format!("the file of keys {file} is not there yet; llm-firecracker keys add NAME makes it. Until then everybody on this machine may use the service");
        warning("server.keys_file", text)
    });
    told.into_iter().collect()
}

fn variables(_: &Settings) -> Vec<Told> {
    let told = |name: String| {
        warning(
            "",
            format!("the variable {name} is none of the tool's and has no effect"),
        )
    };
    unknown_variables().into_iter().map(told).collect()
}
