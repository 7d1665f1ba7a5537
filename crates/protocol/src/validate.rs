//! From what a client asked to what may run: every check on a job, in one place, in the order in
//! which a client would want to hear of it.

use crate::error_code::ErrorCode;
use crate::job::{Job, JobRequest, RequestedLimits, ScanMode};
use crate::language::{Language, instead_of_language};
use crate::limits::{
    JobLimits, LimitValues, MAX_ARG_BYTES, MAX_ARGS, MAX_CODE_BYTES, MAX_ENV, MIN_MEMORY_MIB,
    SandboxRules,
};
use crate::scan::Scanner;
use crate::supervisor::ProcessUser;
use crate::trace_id::TraceId;
use numbers::{Unit, Whole, bucket, seconds};
use std::collections::BTreeMap;
use std::time::Duration;

mod files;
mod numbers;

/// What the operator decided: defaults, maxima, and the scan.
#[derive(Debug, Clone)]
pub struct Policy {
    /// What a job gets when it says nothing.
    pub defaults: LimitValues,
    /// The most it may ask for.
    pub maxima: LimitValues,
    /// The scan's mode when the request has none.
    pub scan_mode: ScanMode,
    /// The scan's patterns.
    pub scanner: Scanner,
    /// What sandboxes may do that takes a wall away.
    pub sandboxes: SandboxRules,
}

/// Why a job was refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}; {}", code.advice())]
pub struct Rejection {
    /// The stable code.
    pub code: ErrorCode,
    /// The request's field.
    pub field: &'static str,
    /// What is wrong, with the value seen (escaped, shortened).
    pub message: String,
    /// The job's trace id, as far as there is a valid one.
    pub trace_id: Option<TraceId>,
}

impl Rejection {
    /// A refusal of a field's value.
    pub fn new(code: ErrorCode, field: &'static str, message: impl Into<String>) -> Rejection {
        Rejection {
            code,
            field,
            message: message.into(),
            trace_id: None,
        }
    }
}

/// A client's text as it may stand in a message: escaped and at most 64 characters of it.
pub fn shown(text: &str) -> String {
    let mut out: String = text
        .chars()
        .take(64)
        .flat_map(char::escape_default)
        .collect();
    if text.chars().nth(64).is_some() {
        out.push('…');
    }
    format!("\"{out}\"")
}

/// A program's bytes as text.
pub fn code_from_bytes(bytes: Vec<u8>) -> Result<String, Rejection> {
    if bytes.len() > MAX_CODE_BYTES {
        return Err(code_too_large(bytes.len()));
    }
    String::from_utf8(bytes).map_err(|error| {
        Rejection::new(
            ErrorCode::CodeNotUtf8,
            "code",
            format!(
                "the code is not UTF-8 (first wrong byte at offset {})",
                error.utf8_error().valid_up_to()
            ),
        )
    })
}

fn code_too_large(length: usize) -> Rejection {
    Rejection::new(
        ErrorCode::CodeTooLarge,
        "code",
        format!("the code has {length} bytes, at most {MAX_CODE_BYTES} are allowed"),
    )
}

impl SandboxRules {
    /// Refuses a process of a sandbox that would be who nobody may be.
    pub fn check_user(self, user: ProcessUser) -> Result<(), Rejection> {
        match (user, self.guest_root) {
            (ProcessUser::Root, false) => {
                let (code, text) = (
                    ErrorCode::GuestRootForbidden,
                    "nobody may be root in sandboxes here",
                );
                Err(Rejection::new(code, "user", text))
            }
            (ProcessUser::Root, true) | (ProcessUser::Sandbox, _) => Ok(()),
        }
    }
}

impl Policy {
    /// Checks a request and makes it a job.
    pub fn validate(&self, request: JobRequest) -> Result<Job, Rejection> {
        // First the name, so that every later refusal can carry it.
        let trace_id = match &request.trace_id {
            None => TraceId::generate(),
            Some(text) => TraceId::parse(text).map_err(|error| {
                Rejection::new(
                    ErrorCode::TraceIdInvalid,
                    "trace_id",
                    format!("trace_id {} is not allowed: {error}", shown(text)),
                )
            })?,
        };
        self.validate_named(request, trace_id.clone())
            .map_err(|rejection| Rejection {
                trace_id: Some(trace_id),
                ..rejection
            })
    }

    fn validate_named(&self, request: JobRequest, trace_id: TraceId) -> Result<Job, Rejection> {
        let language = Language::from_label(&request.language).ok_or_else(|| {
            Rejection::new(
                ErrorCode::LanguageUnknown,
                "language",
                format!(
                    "language {} is not known, {}",
                    shown(&request.language),
                    instead_of_language(&request.language)
                ),
            )
        })?;
        if request.code.is_empty() {
            return Err(Rejection::new(
                ErrorCode::CodeEmpty,
                "code",
                "the code is empty",
            ));
        }
        if request.code.len() > MAX_CODE_BYTES {
            return Err(code_too_large(request.code.len()));
        }
        let limits = self.limits(&request.limits)?;
        check_args(&request.args)?;
        check_env(&request.env)?;
        let named = request.entry.as_deref();
        let entry = named.unwrap_or(&language.row().source_file).to_owned();
        files::check(&entry, &request.files)?;
        let patterns_found = self.scan(&request)?;
        Ok(Job {
            trace_id,
            owner: request.owner,
            language,
            code: request.code,
            entry,
            args: request.args,
            env: request.env.into_iter().collect(),
            files: request.files,
            limits,
            fresh_interpreter: request.fresh_interpreter,
            collect_artifacts: request.collect_artifacts,
            normalize_time: bucket(request.normalize_time)?,
            seccomp_program: request.seccomp_program,
            egress: request.egress,
            patterns_found,
        })
    }

    fn limits(&self, asked: &RequestedLimits) -> Result<JobLimits, Rejection> {
        let (default, max) = (&self.defaults, &self.maxima);
        let timeout = seconds(
            "timeout",
            asked.timeout_seconds,
            default.timeout_seconds,
            max.timeout_seconds,
        )?;
        let compile_timeout = seconds(
            "compile_timeout",
            asked.compile_timeout_seconds,
            default.compile_timeout_seconds,
            max.compile_timeout_seconds,
        )?;
        let memory_mib = Whole {
            code: ErrorCode::MemoryInvalid,
            field: "memory_mib",
            unit: Unit::Mib,
            default: default.memory_mib.into(),
            allowed: MIN_MEMORY_MIB.into()..=max.memory_mib.into(),
        };
        let memory_mib = memory_mib.of(asked.memory_mib)? as u32;
        let vcpus = Whole {
            code: ErrorCode::VcpusInvalid,
            field: "vcpus",
            unit: Unit::None,
            default: default.vcpus.into(),
            allowed: 1..=max.vcpus.into(),
        };
        let vcpus = vcpus.of(asked.vcpus)? as u32;
        let limit = |field, asked, default, max| Whole::limit(field, default, max).of(asked);
        let bytes = |field, asked, default, max| {
            Whole::limit(field, default, max)
                .in_unit(Unit::Bytes)
                .of(asked)
        };
        // Without a limit of its own, CPU time never ends a job before its wall time would.
        let cpu_seconds = match asked.cpu_seconds.or(Some(default.cpu_seconds)) {
            None | Some(0) => timeout.max(compile_timeout).as_secs() * u64::from(vcpus) + 2,
            Some(own) => limit("cpu_seconds", Some(own), own, max.cpu_seconds)?,
        };
        Ok(JobLimits {
            timeout,
            compile_timeout,
            cpu: Duration::from_secs(cpu_seconds),
            memory_mib,
            vcpus,
            pids: limit("pids", asked.pids, default.pids, max.pids)?,
            output_bytes: bytes(
                "output_bytes",
                asked.output_bytes,
                default.output_bytes,
                max.output_bytes,
            )?,
            file_size_bytes: bytes(
                "file_size_bytes",
                asked.file_size_bytes,
                default.file_size_bytes,
                max.file_size_bytes,
            )?,
            tmpfs_mib: match default.tmpfs_mib {
                0 => memory_mib / 4,
                own => own,
            },
            writable_mib: self.writable(asked.writable_mib, memory_mib)?,
            open_files: default.open_files,
            artifact_bytes: default.artifact_bytes,
        })
    }

    /// It is part of the VM's memory, of which programs need the rest.
    fn writable(&self, asked: Option<u64>, memory_mib: u32) -> Result<u32, Rejection> {
        let Some(asked) = asked else { return Ok(0) };
        if !self.sandboxes.writable {
            let text = "nobody may write to the root file system here";
            return Err(Rejection::new(
                ErrorCode::WritableForbidden,
                "writable",
                text,
            ));
        }
        let most = self.maxima.writable_mib.min(memory_mib / 2);
        let default = match self.defaults.writable_mib {
            0 => memory_mib / 4,
            own => own,
        };
        let limit = Whole::limit("writable_mib", default.min(most).into(), most.into());
        let limit = limit.in_unit(Unit::Mib);
        let value = limit.of((asked > 0).then_some(asked))?;
        // At most a u32.
        Ok(value as u32)
    }

    fn scan(&self, request: &JobRequest) -> Result<Vec<String>, Rejection> {
        let mode = request.scan.unwrap_or(self.scan_mode);
        if mode == ScanMode::Off {
            return Ok(Vec::new());
        }
        let found = self.scanner.find(&request.code);
        if mode == ScanMode::Block && !found.is_empty() {
            return Err(Rejection::new(
                ErrorCode::PatternBlocked,
                "code",
                format!("the code contains {}", found.join(", ")),
            ));
        }
        Ok(found)
    }
}

fn check_args(args: &[String]) -> Result<(), Rejection> {
    let bytes: usize = args.iter().map(String::len).sum();
    let wrong = if args.len() > MAX_ARGS {
        format!("{} arguments", args.len())
    } else if bytes > MAX_ARG_BYTES {
        format!("arguments of {bytes} bytes")
    } else if let Some(arg) = args.iter().find(|arg| arg.contains('\0')) {
        format!("argument {} has a NUL", shown(arg))
    } else {
        return Ok(());
    };
    Err(Rejection::new(ErrorCode::ArgsInvalid, "args", wrong))
}

/// Whether these can be the environment of a program.
pub fn check_env(env: &BTreeMap<String, String>) -> Result<(), Rejection> {
    let bytes: usize = env
        .iter()
        .map(|(name, value)| name.len() + value.len())
        .sum();
    let plain = |name: &str| {
        !name.is_empty()
            && !name.starts_with(|c: char| c.is_ascii_digit())
            && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_')
    };
    let wrong = if env.len() > MAX_ENV {
        format!("{} environment variables", env.len())
    } else if bytes > MAX_ARG_BYTES {
        format!("environment of {bytes} bytes")
    } else if let Some(name) = env.keys().find(|name| !plain(name)) {
        format!("environment variable {} is no plain name", shown(name))
    } else if let Some((name, _)) = env.iter().find(|(_, value)| value.contains('\0')) {
        format!("environment variable {} has a NUL", shown(name))
    } else {
        return Ok(());
    };
    Err(Rejection::new(ErrorCode::EnvInvalid, "env", wrong))
}

#[cfg(test)]
mod tests;
