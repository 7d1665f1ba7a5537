//! `keys`: who may use the service.

use super::print_json;
use crate::args::{Global, KeysCommand};
use crate::{context, table};
use serde_json::json;
use server::config::KeyLimits;
use server::keys::file::{KeyForm, Scope, add_as, read, revoke};
use std::process::ExitCode;

/// Carries out one of the commands.
pub fn run(global: &Global, command: KeysCommand) -> anyhow::Result<ExitCode> {
    let settings = context::settings(global)?;
    let path = context::keys_file(&settings);
    trust::check_secret("the file of API keys", &path)?;
    match command {
        KeysCommand::Add {
            name,
            observe,
            e2b,
            requests_per_second,
            jobs,
            sessions,
        } => {
            let mut scopes = vec![Scope::Execute];
            scopes.extend(observe.then_some(Scope::Observe));
            let of_all = settings.server.key_defaults;
            let own = KeyLimits {
                requests_per_second: requests_per_second.unwrap_or(of_all.requests_per_second),
                jobs: jobs.unwrap_or(of_all.jobs),
                sessions: sessions.unwrap_or(of_all.sessions),
                ..of_all
            };
            // A key without limits of its own follows the configuration.
            let own = (own != of_all).then_some(own);
            let form = match e2b {
                true => KeyForm::E2b,
                false => KeyForm::Own,
            };
            let new = add_as(form, &path, &name, (&scopes, own))?;
            eprintln!("The key is shown once and kept nowhere:");
            table::line(new.key)?;
        }
        KeysCommand::List { format } if format.json => {
            return print_json(&json!({ "keys": read(&path)?.keys }));
        }
        KeysCommand::List { .. } => {
            let keys = read(&path)?.keys;
            let rows = keys.into_iter().map(|key| {
                let state = match key.revoked_at {
                    Some(at) => format!("revoked {at}"),
                    None => "valid".to_owned(),
                };
                vec![key.id, key.name, key.created_at, state]
            });
            table::print(&["id", "name", "made", "state"], rows)?;
        }
        KeysCommand::Revoke { id } => {
            let record = revoke(&path, &id)?;
            table::line(format_args!("revoked {} ({})", record.id, record.name))?;
        }
    }
    Ok(ExitCode::SUCCESS)
}
