//! What `run` says of a result: JSON, or a sentence on standard error where the ending needs one. A user of the command
//! line knows flags, not the fields of a request.

use crate::terminal;
use anyhow::Context as _;
use protocol::error_code::ErrorCode;
use protocol::result::{EgressDenied, Failure, JobResult, Status};
use protocol::wire::{LimitName, Phase};
use sandbox::outcome;

/// A request's fields and the flags that set them.
const FLAGS: &[(&str, &str)] = &[
    ("args", "--"),
    ("compile_timeout", "--compile-timeout"),
    ("cpu_seconds", "--cpu-time"),
    ("egress", "--egress"),
    ("env", "--env"),
    ("files", "--input"),
    ("image", "--image"),
    ("language", "--lang"),
    ("memory_mib", "--memory"),
    ("normalize_time", "--normalize-time"),
    ("output_bytes", "--output-limit"),
    ("packages", "--with"),
    ("pids", "--pids"),
    ("seccomp_profile", "--seccomp-profile"),
    ("timeout", "--timeout"),
    ("trace_id", "--trace-id"),
    ("vcpus", "--vcpus"),
];

/// Prints it. `memory_mib` is what its VM had, where there was one to be.
pub fn print(result: &JobResult, memory_mib: Option<u32>) -> anyhow::Result<()> {
    let plain_end = matches!(result.status, Status::Ok)
        || (result.status == Status::Error && result.signal.is_none());
    if !plain_end {
        terminal::say(sentence(result, memory_mib));
    }
    for (cut, name) in [
        (result.stdout_truncated, "stdout"),
        (result.stderr_truncated, "stderr"),
    ] {
        if cut {
            terminal::say(format_args!(
                "{name} was cut at the output limit (--output-limit)"
            ));
        }
    }
    // What the scan found was said before the program ran.
    for note in result
        .notes
        .iter()
        .filter(|note| !note.starts_with("the scan "))
    {
        terminal::say(note);
    }
    // A program's own words for it may be any.
    for denied in result.egress.iter().flat_map(|egress| &egress.denied) {
        terminal::say(refused(denied));
    }
    Ok(())
}

/// One JSON result.
pub fn print_json(result: &JobResult) -> anyhow::Result<()> {
    crate::table::json_line(result).context("writing the result")
}

fn refused(denied: &EgressDenied) -> String {
    let EgressDenied {
        host,
        port,
        reason,
        message,
        count,
    } = denied;
    let place = match port {
        0 => host.clone(),
        port => format!("{host}:{port}"),
    };
    let times = match count {
        1 => String::new(),
        count => format!(" ({count} times)"),
    };
    format!("network: {place} was refused{times}: {message} [{reason}]")
}

fn sentence(result: &JobResult, memory_mib: Option<u32>) -> String {
    if let Some(failure) = &result.failure {
        return of_failure(failure);
    }
    let said = outcome::sentence(result);
    let Some(limit) = &result.limit else {
        return said;
    };
    let phase = result.phase;
    match (limit.name, memory_mib) {
        (LimitName::Memory, Some(mib)) => {
            format!("{said}, which a VM of {mib} MiB leaves to the program (--memory)")
        }
        (LimitName::Memory, None) => format!("{said} (--memory)"),
        (LimitName::WallTime, _) if phase == Some(Phase::Compile) => {
            format!("{said} (--compile-timeout)")
        }
        (LimitName::WallTime, _) => format!("{said} (--timeout)"),
        (LimitName::CpuTime, _) => format!("{said} (--cpu-time)"),
        (LimitName::Pids, _) => format!("{said} (--pids)"),
        (LimitName::Output, _) => format!("{said} (--output-limit)"),
        (LimitName::FileSize, _) => format!("{said} (file_size_bytes in [limits])"),
        (LimitName::Syscall, _) => format!("{said} (--seccomp-profile)"),
    }
}

fn of_failure(failure: &Failure) -> String {
    let message = &failure.message;
    let flag = failure.field.and_then(|field| {
        let row = FLAGS.iter().find(|(name, _)| *name == field);
        row.map(|(name, flag)| (*name, *flag))
    });
    let said = match flag {
        // A message begins with its field where it judges a number.
        Some((field, flag)) => match message.strip_prefix(field) {
            Some(rest) if rest.starts_with(' ') => format!("{flag}{rest}"),
            _ => message.clone(),
        },
        None => message.clone(),
    };
    match failure.code {
        ErrorCode::Cancelled => said,
        code => format!("{said} [{code}]"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::args::Cli;
    use clap::CommandFactory as _;

    #[test]
    fn each_flag_that_is_named_is_one_of_run() {
        let cli = Cli::command();
        let run = cli.find_subcommand("run").unwrap();
        for (field, flag) in FLAGS.iter().filter(|(_, flag)| *flag != "--") {
            let long = flag.strip_prefix("--");
            assert!(
                run.get_arguments().any(|arg| arg.get_long() == long),
                "{field}: {flag}"
            );
        }
    }

    #[test]
    fn a_number_out_of_bounds_is_told_by_its_flag() {
        let failure = Failure {
            code: ErrorCode::MemoryInvalid,
            message: "memory_mib is 9 GiB, allowed is 128 MiB to 4 GiB; lower it".into(),
            field: Some("memory_mib"),
        };
        let said = "--memory is 9 GiB, allowed is 128 MiB to 4 GiB; lower it [memory_invalid]";
        assert_eq!(of_failure(&failure), said);
    }
}
