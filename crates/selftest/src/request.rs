//! An attack's file as a request, as a front door would have read it.

use crate::error::SelftestError;
use crate::table::{Attack, Form, Standing, text};
use protocol::job::{JobFile, JobRequest, RequestedLimits};
use protocol::language::Language;
use protocol::validate::{Rejection, code_from_bytes};
use serde::Deserialize;
use std::collections::BTreeMap;

/// What every attack in Python may import.
const SUPPORT: &str = "support/attack.py";
/// The language whose VM the hostile agent runs a talk in.
pub const TALK_LANGUAGE: &str = "bash";
/// Attacks in it may import [`SUPPORT`].
const SUPPORT_LANGUAGE: &str = "python";

/// Processes of a live sandbox at one time: more than it keeps, so that this bound is met too.
const SANDBOX_PIDS: u64 = 512;

/// A request, or the refusal of the front door itself.
pub type Asked = Result<JobRequest, Rejection>;

/// What `doors/*.toml` may say. Numbers are text, so that a value may be any text.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Door {
    language: String,
    language_bytes: Option<usize>,
    code: String,
    code_bytes: Option<usize>,
    code_hex: Option<String>,
    trace_id: Option<String>,
    timeout: Option<String>,
    memory_mib: Option<String>,
    vcpus: Option<String>,
    pids: Option<String>,
    args: Vec<String>,
    args_repeated: Option<usize>,
    env: BTreeMap<String, String>,
    files: Vec<DoorFile>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct DoorFile {
    path: String,
    text: String,
    bytes: Option<usize>,
}

/// The request of an attack, with `value` in its place.
pub fn first(
    attack: &Attack,
    value: Option<&str>,
    env: &BTreeMap<String, String>,
) -> Result<Asked, SelftestError> {
    let row = &attack.row;
    let mut text = text(&row.file)?.to_owned();
    if let Some(value) = value {
        text = text.replace("@VALUE@", value);
    }
    let mut limits = RequestedLimits {
        timeout_seconds: Some(attack.seconds()),
        compile_timeout_seconds: row.compile_seconds,
        cpu_seconds: row.cpu_seconds,
        memory_mib: row.memory_mib,
        writable_mib: row.writable_mib,
        ..RequestedLimits::default()
    };
    match attack.form_of(&row.file)? {
        Form::Request => door(&text, &mut limits, &row.name),
        Form::Talk => Ok(Ok(JobRequest {
            collect_artifacts: row.artifacts,
            ..program(
                attack.language(TALK_LANGUAGE),
                format!("#!talk\n{text}"),
                limits,
            )
        })),
        Form::Client(language) => Ok(Ok(to_stay(language, limits))),
        Form::Link => Ok(Ok(to_stay(attack.language(TALK_LANGUAGE), limits))),
        Form::Program(language) => Ok(Ok(JobRequest {
            collect_artifacts: row.artifacts,
            env: env.clone(),
            ..standing(attack.standing, language, text, limits)?
        })),
    }
}

/// The request of the job that looks for what the first one left.
pub fn second(attack: &Attack, file: &str) -> Result<JobRequest, SelftestError> {
    let limits = RequestedLimits {
        timeout_seconds: Some(attack.row.seconds.max(attack.seconds())),
        ..RequestedLimits::default()
    };
    match attack.form_of(file)? {
        Form::Program(language) => {
            standing(attack.row.then_as, language, text(file)?.into(), limits)
        }
        _ => Err(SelftestError::Table {
            name: attack.name.clone(),
            what: "what follows must be a program".into(),
        }),
    }
}

fn standing(
    standing: Standing,
    language: Language,
    text: String,
    limits: RequestedLimits,
) -> Result<JobRequest, SelftestError> {
    let code = match standing {
        Standing::Job => text,
        Standing::Root => format!("#!root\n{text}"),
    };
    let mut request = program(language, code, limits);
    if language.name() == SUPPORT_LANGUAGE {
        request.files.push(JobFile {
            path: "attack.py".into(),
            data: crate::table::text(SUPPORT)?.as_bytes().into(),
        });
    }
    Ok(request)
}

/// What a live sandbox is opened by; the program is not run.
fn to_stay(language: Language, limits: RequestedLimits) -> JobRequest {
    let limits = RequestedLimits {
        pids: Some(SANDBOX_PIDS),
        // It lives until it is closed.
        timeout_seconds: None,
        ..limits
    };
    program(language, "true".into(), limits)
}

/// A plain request.
pub fn program(language: Language, code: String, limits: RequestedLimits) -> JobRequest {
    JobRequest {
        language: language.name().into(),
        code,
        limits,
        ..JobRequest::default()
    }
}

fn door(text: &str, limits: &mut RequestedLimits, name: &str) -> Result<Asked, SelftestError> {
    let wrong = |what: String| SelftestError::Table {
        name: name.into(),
        what,
    };
    let door: Door = toml::from_str(text).map_err(|error| wrong(error.to_string()))?;
    if let Some(timeout) = &door.timeout {
        let seconds = timeout.parse().map_err(|_| wrong(timeout.clone()))?;
        limits.timeout_seconds = Some(seconds);
    }
    for (asked, limit) in [
        (&door.memory_mib, &mut limits.memory_mib),
        (&door.vcpus, &mut limits.vcpus),
        (&door.pids, &mut limits.pids),
    ] {
        if let Some(text) = asked {
            *limit = Some(text.parse().map_err(|_| wrong(text.clone()))?);
        }
    }
    let code = match code_from_bytes(code(&door)) {
        Ok(code) => code,
        Err(rejection) => return Ok(Err(rejection)),
    };
    let mut args = door.args;
    if let (Some(count), Some(first)) = (door.args_repeated, args.first().cloned()) {
        args = vec![first; count];
    }
    Ok(Ok(JobRequest {
        language: filled(door.language, door.language_bytes),
        code,
        args,
        env: door.env,
        files: door
            .files
            .into_iter()
            .map(|file| JobFile {
                data: filled(file.text, file.bytes).into_bytes().into(),
                path: file.path,
            })
            .collect(),
        trace_id: door.trace_id,
        limits: limits.clone(),
        ..JobRequest::default()
    }))
}

fn code(door: &Door) -> Vec<u8> {
    match &door.code_hex {
        None => filled(door.code.clone(), door.code_bytes).into_bytes(),
        Some(hex) => hex
            .as_bytes()
            .chunks_exact(2)
            .filter_map(|pair| std::str::from_utf8(pair).ok())
            .filter_map(|pair| u8::from_str_radix(pair, 16).ok())
            .collect(),
    }
}

/// A text made as long as asked for.
fn filled(mut text: String, bytes: Option<usize>) -> String {
    let missing = bytes.unwrap_or(0).saturating_sub(text.len());
    text.extend(std::iter::repeat_n('x', missing));
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::table::attacks;

    #[test]
    fn every_attack_makes_a_request_for_every_value() {
        for attack in attacks().unwrap() {
            let values = match attack.row.values.is_empty() {
                true => vec![None],
                false => attack.row.values.iter().map(|v| Some(v.as_str())).collect(),
            };
            for value in values {
                let asked = first(&attack, value, &BTreeMap::new());
                assert!(asked.is_ok(), "{}: {asked:?}", attack.name);
            }
            if let Some(then) = &attack.row.then {
                second(&attack, then).unwrap();
            }
        }
    }

    #[test]
    fn a_text_is_made_exactly_as_long_as_asked() {
        assert_eq!(filled("ab".into(), Some(5)), "abxxx");
        assert_eq!(filled("ab".into(), Some(1)), "ab");
        assert_eq!(filled("ab".into(), None), "ab");
    }
}
