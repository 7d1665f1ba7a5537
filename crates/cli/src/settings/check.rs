//! What must hold for a configuration to be used, besides that it can be read. Nothing is started, made or changed.

mod sense;

use super::Settings;
use super::file::{Fault, Lines, Read, read_all_of_file};
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
    /// How bad it is.
    pub level: Level,
    /// What is wrong and what to do.
    pub text: String,
}

/// How bad a finding is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Level {
    /// The configuration cannot be used.
    Fault,
    /// It can, and will not do all that it says.
    Warning,
}

/// One thing that is wrong with a setting.
struct Told {
    /// Whose line is told; empty: no setting's.
    setting: String,
    level: Level,
    text: String,
}

/// A judgement, and the setting whose line is told when it fails.
type Row = (&'static str, fn(&Settings) -> anyhow::Result<()>);

/// In the order in which an operator would mend them.
const ROWS: &[Row] = &[
    ("agent", |settings| {
        context::agent(&settings.sandbox).map(drop)
    }),
    ("vmm.uid_base", uids),
    ("egress.policies", |settings| {
        context::egress::policies(&settings.sandbox).map(drop)
    }),
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
            languages::load(global, &settings.languages).map(|()| Read {
                settings,
                lines: Lines::default(),
                faults: Vec::new(),
            })
        }
    };
    let read = match read {
        Ok(read) => read,
        Err(error) => return Ok(vec![at(None, &error)]),
    };
    let (mut settings, lines) = (read.settings, read.lines);
    let mut found: Vec<Finding> = read.faults.into_iter().map(Finding::from).collect();
    // What is told of was taken out: the rest is judged as it would be without.
    match context::with_flags(settings.sandbox.clone(), global) {
        Ok(config) => settings.sandbox = config,
        Err(error) => found.push(at(lines.of("vmm"), &error)),
    }
    let failed = |(setting, judge): &Row| {
        let error = judge(&settings).err()?;
        Some(at(lines.of(setting), &error))
    };
    found.extend(ROWS.iter().filter_map(failed));
    let told = sense::told(&settings).into_iter();
    found.extend(told.map(
        |Told {
             setting,
             level,
             text,
         }| Finding {
            line: lines.of(&setting),
            level,
            text,
        },
    ));
    found.sort_by_key(|finding| finding.line);
    Ok(found)
}

fn judged(path: &Path, global: &Global) -> anyhow::Result<Read> {
    trust::check("configuration", path)?;
    read_all_of_file(path, |config| languages::load(global, config))
}

fn at(line: Option<usize>, error: &anyhow::Error) -> Finding {
    Finding {
        line,
        level: Level::Fault,
        text: format!("{error:#}"),
    }
}

impl From<Fault> for Finding {
    fn from(Fault { line, text }: Fault) -> Finding {
        let level = Level::Fault;
        Finding { line, level, text }
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
