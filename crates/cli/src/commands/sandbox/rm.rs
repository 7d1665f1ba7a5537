//! `sandbox rm`.

use super::address;
use super::service::{Service, ServiceError, off_thread};
use crate::{table, terminal};
use std::process::ExitCode;

/// Ends each and prints its id; one that cannot be ended is said, and keeps none of the others.
pub async fn run(service: Service, ids: Vec<String>) -> anyhow::Result<ExitCode> {
    let mut code = ExitCode::SUCCESS;
    for id in ids {
        let (service, path) = (service.clone(), address::sandbox(&id));
        match off_thread(move || service.delete(&path)).await {
            Ok(()) => table::line(id)?,
            Err(ServiceError::Refused(problem)) => {
                terminal::say(format_args!("{id}: {problem}"));
                code = ExitCode::FAILURE;
            }
            Err(error) => return Err(error.into()),
        }
    }
    Ok(code)
}
