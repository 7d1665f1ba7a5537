//! `sandbox logs`: what a process wrote, as far as it is kept, and what comes.

use super::address;
use super::service::{Service, ServiceError, off_thread};
use super::shown::Shown;
use super::told::{self, Telling, Told};
use crate::args::LogsArgs;
use crate::terminal;
use anyhow::bail;
use serde::Deserialize;
use serde::de::IgnoredAny;
use std::process::ExitCode;
use std::time::Duration;
use tokio::time::{Instant, timeout_at};

/// The service tells of what is kept at once, and does not say where that ends: it ends with the first pause.
const PAUSE: Duration = Duration::from_millis(500);
/// One that writes without a pause is not followed for longer,
const LONGEST: Duration = Duration::from_secs(5);
/// nor for more bytes than can have been kept.
const MOST: u64 = protocol::supervisor::MAX_KEPT_BYTES;

#[derive(Deserialize)]
struct State {
    exit: Option<IgnoredAny>,
}

/// How far it is followed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Until {
    /// To the process' end.
    Exit,
    /// To the first pause.
    Pause,
}

/// Prints it.
pub async fn run(service: Service, args: LogsArgs) -> anyhow::Result<ExitCode> {
    let path = address::process(&args.id, args.process);
    let (asked, state) = (service.clone(), path.clone());
    let state: State = off_thread(move || asked.get(&state)).await?;
    let until = match args.follow || state.exit.is_some() {
        true => Until::Exit,
        false => Until::Pause,
    };
    let from = args.from;
    let path = format!("{path}/output?from={from}");
    let body = off_thread(move || service.get_lines(&path)).await?;
    print(told::tell(move || Ok(body)), from, until).await?;
    Ok(ExitCode::SUCCESS)
}

async fn print(mut told: Telling, from: u64, until: Until) -> anyhow::Result<()> {
    let mut shown = Shown::for_people();
    let mut next = from;
    let begun = Instant::now();
    let mut printed = 0;
    while until == Until::Exit || printed < MOST {
        let told = match until {
            Until::Exit => told.recv().await,
            Until::Pause => {
                let now = Instant::now();
                let pause = (now + PAUSE).min(begun + LONGEST);
                match timeout_at(pause, told.recv()).await {
                    Ok(told) => told,
                    Err(_) => break,
                }
            }
        };
        match told {
            Some(Ok(Told::Output(output))) => {
                if output.offset > next {
                    let last = output.offset - 1;
                    terminal::say(format_args!("bytes {next} to {last} are no longer kept"));
                }
                printed += output.next_offset.saturating_sub(output.offset);
                next = output.next_offset;
                shown.write(output)?;
            }
            Some(Ok(Told::Exit(_))) => break,
            Some(Ok(Told::Error(problem))) => return Err(ServiceError::Refused(problem).into()),
            Some(Ok(Told::Started(_) | Told::Alive)) => {}
            Some(Err(error)) => bail!("{error}; --from {next} goes on"),
            None => bail!("the service ended the stream; --from {next} goes on"),
        }
    }
    shown.finish()?;
    Ok(())
}
