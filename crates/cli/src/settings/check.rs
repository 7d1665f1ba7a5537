//! What must hold for a configuration to be used, besides that it can be read. Nothing is started, made or changed.

use super::Settings;
use super::file::{Fault, Faults, Lines, read_file};
use crate::args::Global;
use crate::context;
use crate::context::languages;
use serde::Serialize;
use server::keys::file as key_file;
use std::path::Path;

/// The last uid that is a user's: -1 means nobody and -2 is `nobody` by custom.
const LAST_UID: u64 = u32::MAX as u64 - 2;

/// One thing that is wrong.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// The line of the configuration, from 1; absent: no line says it.
    pub line: Option<usize>,
    /// What is wrong and what to do.
    pub text: String,
}

/// A judgement, and the setting whose line is told when it fails.
type Row = (&'static str, fn(&Settings) -> anyhow::Result<()>);

/// In the order in which an operator would mend them.
const ROWS: &[Row] = &[
    ("limits", |settings| {
        Ok(settings.sandbox.policy().map(drop)?)
    }),
    ("agent", |settings| {
        context::agent(&settings.sandbox).map(drop)
    }),
    ("vmm.uid_base", uids),
    ("server.keys_file", keys),
    ("server.tls", certificate),
    ("server.listen", listen),
    ("events.file", event_file),
    ("telemetry.otlp_endpoint", collector),
];

/// Everything that is wrong with this configuration, or with the defaults where there is none.
pub fn findings(global: &Global, path: Option<&Path>) -> anyhow::Result<Vec<Finding>> {
    let read = match path {
        Some(path) => judged(path, global),
        None => {
            let settings = Settings::default();
            languages::load(global, &settings.languages).map(|()| (settings, Lines::default()))
        }
    };
    let (settings, lines) = match read {
        Ok(read) => read,
        Err(error) => {
            return Ok(match error.downcast::<Faults>() {
                Ok(Faults { faults, .. }) => faults.into_iter().map(Finding::from).collect(),
                Err(error) => vec![at(None, &error)],
            });
        }
    };
    let mut settings = settings;
    match context::with_flags(settings.sandbox.clone(), global) {
        Ok(config) => settings.sandbox = config,
        Err(error) => return Ok(vec![at(lines.of("vmm"), &error)]),
    }
    let failed = |(setting, judge): &Row| {
        let error = judge(&settings).err()?;
        Some(at(lines.of(setting), &error))
    };
    Ok(ROWS.iter().filter_map(failed).collect())
}

fn judged(path: &Path, global: &Global) -> anyhow::Result<(Settings, Lines)> {
    trust::check("configuration", path)?;
    read_file(path, |config| languages::load(global, config))
}

fn at(line: Option<usize>, error: &anyhow::Error) -> Finding {
    Finding {
        line,
        text: format!("{error:#}"),
    }
}

impl From<Fault> for Finding {
    fn from(Fault { line, text }: Fault) -> Finding {
        Finding { line, text }
    }
}

fn uids(settings: &Settings) -> anyhow::Result<()> {
    let vmm = &settings.sandbox.vmm;
    let last = u64::from(vmm.uid_base) + u64::from(vmm.uid_count) - 1;
    anyhow::ensure!(
        last <= LAST_UID,
        "vmm.uid_base and vmm.uid_count reach to uid {last}, over the last one, {LAST_UID}; lower one of them"
    );
    Ok(())
}

fn keys(settings: &Settings) -> anyhow::Result<()> {
    let path = context::keys_file(settings);
    if settings.server.keys_file.is_some() {
        anyhow::ensure!(
            path.exists(),
            "the file of keys {} is not there; llm-firecracker keys add NAME makes it",
            path.display()
        );
    }
    trust::check_secret("the file of API keys", &path)?;
    key_file::read(&path)?;
    Ok(())
}

fn certificate(settings: &Settings) -> anyhow::Result<()> {
    let Some(tls) = &settings.server.tls else {
        return Ok(());
    };
    server::tls::acceptor(tls)?;
    trust::check_secret("the certificate's key", &tls.key)?;
    trust::check("the certificate", &tls.certificate)?;
    Ok(())
}

fn listen(settings: &Settings) -> anyhow::Result<()> {
    let address = settings.server.listen;
    let has_keys =
        || key_file::read(&context::keys_file(settings)).is_ok_and(|file| !file.keys.is_empty());
    anyhow::ensure!(
        address.ip().is_loopback() || has_keys(),
        "server.listen: {address} can be reached from other machines, but there are no API keys; add one (llm-firecracker keys add NAME) or listen on 127.0.0.1"
    );
    Ok(())
}

fn event_file(settings: &Settings) -> anyhow::Result<()> {
    let Some(path) = &settings.sandbox.events.file else {
        return Ok(());
    };
    let folder = path
        .parent()
        .filter(|folder| !folder.as_os_str().is_empty());
    let there = folder.is_none_or(Path::is_dir);
    anyhow::ensure!(
        there && !path.is_dir(),
        "events.file: {} cannot be written: its folder is not there, or it is one",
        path.display()
    );
    Ok(())
}

fn collector(settings: &Settings) -> anyhow::Result<()> {
    let Some(endpoint) = &settings.telemetry.otlp_endpoint else {
        return Ok(());
    };
    anyhow::ensure!(
        endpoint.starts_with("http://") && endpoint.len() > "http://".len(),
        "telemetry.otlp_endpoint is {endpoint:?}; the exporter speaks plain HTTP: http://127.0.0.1:4318"
    );
    Ok(())
}
