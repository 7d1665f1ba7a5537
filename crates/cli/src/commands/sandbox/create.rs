//! `sandbox create`.

use super::service::{Service, off_thread};
use crate::args::CreateArgs;
use crate::table;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::process::ExitCode;

/// What is asked for; what is absent is as the service has it.
#[derive(Serialize)]
struct Wanted {
    #[serde(skip_serializing_if = "Option::is_none")]
    image: Option<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    packages: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    timeout: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    idle_timeout: Option<f64>,
    env: BTreeMap<String, String>,
    metadata: BTreeMap<String, String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    writable: Option<bool>,
    limits: Limits,
}

#[derive(Serialize)]
struct Limits {
    #[serde(skip_serializing_if = "Option::is_none")]
    memory_mib: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    writable_mib: Option<u64>,
}

#[derive(Deserialize)]
struct Made {
    id: String,
}

/// Begins one and prints its id.
pub async fn run(service: Service, args: CreateArgs) -> anyhow::Result<ExitCode> {
    let wanted = Wanted {
        image: args.image,
        packages: args.with,
        timeout: args.timeout.map(|time| time.as_secs_f64()),
        idle_timeout: args.idle_timeout.map(|time| time.as_secs_f64()),
        env: args.env.into_iter().collect(),
        metadata: args.metadata.into_iter().collect(),
        writable: args.writable.then_some(true),
        limits: Limits {
            memory_mib: args.memory,
            writable_mib: args.writable_mib,
        },
    };
    let made: Made = off_thread(move || service.post("/api/v1/sandboxes", &wanted)).await?;
    table::line(made.id)?;
    Ok(ExitCode::SUCCESS)
}
