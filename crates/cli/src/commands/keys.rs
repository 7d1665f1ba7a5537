//! `keys`: who may use the service.

use super::print_json;
use crate::args::{Format, Global, KeysCommand};
use crate::table::{self, kept, spare};
use crate::{context, terminal};
use anyhow::Context as _;
use jiff::Timestamp;
use jiff::civil::Date;
use serde_json::{Value, json};
use server::config::KeyLimits;
use server::keys::file::{KeyForm, KeyRecord, Scope, add_as, read, revoke};
use server::usage::file::{FOLDER, read_since};
use std::collections::BTreeMap;
use std::io::IsTerminal as _;
use std::path::Path;
use std::process::ExitCode;

/// Carries out one of the commands.
pub fn run(global: &Global, command: KeysCommand) -> anyhow::Result<ExitCode> {
    let settings = context::settings(global)?;
    let path = context::keys_file(&settings);
    trust::check_secret("the file of API keys", &path)?;
    let of_all = settings.server.key_defaults;
    match command {
        KeysCommand::List { format } => {
            let keys = read(&path)?.keys;
            let last_used = last_used(context::state_dir(&settings.sandbox))?;
            let rows = Rows { of_all, last_used };
            match format.json {
                true => {
                    let keys: Vec<Value> = keys.iter().map(|key| rows.json(key)).collect();
                    return print_json(&json!({ "keys": keys }));
                }
                false => rows.print(&keys, &format)?,
            }
        }
        KeysCommand::Revoke { key, format } => {
            let KeyRecord {
                id,
                name,
                revoked_at,
                ..
            } = revoke(&path, &key)?;
            if format.json {
                return print_json(&json!({ "id": id, "name": name, "revoked_at": revoked_at }));
            }
            table::line(format_args!("revoked {id} ({name})"))?;
        }
        KeysCommand::Add {
            name,
            run,
            observe,
            admin,
            e2b,
            requests_per_second,
            burst,
            running,
            jobs,
            sessions,
            format,
        } => {
            let named = [
                (run, Scope::Run),
                (observe, Scope::Observe),
                (admin, Scope::Admin),
            ];
            let named = named.into_iter().filter(|(is_named, _)| *is_named);
            let mut scopes: Vec<Scope> = named.map(|(_, scope)| scope).collect();
            if scopes.is_empty() {
                scopes.push(Scope::Run);
            }
            let own = KeyLimits {
                requests_per_second: requests_per_second.unwrap_or(of_all.requests_per_second),
                burst: burst.unwrap_or(of_all.burst),
                jobs: jobs.unwrap_or(of_all.jobs),
                running: running.unwrap_or(of_all.running),
                sessions: sessions.unwrap_or(of_all.sessions),
            };
            // A key without limits of its own follows the configuration.
            let own = (own != of_all).then_some(own);
            let form = match e2b {
                true => KeyForm::E2b,
                false => KeyForm::Own,
            };
            let mut others = read(&path)?.keys.into_iter();
            if let Some(other) =
                others.find(|other| other.name == name && other.revoked_at.is_none())
            {
                terminal::say(format_args!(
                    "key {} has this name, too: metrics add the two up, and `keys revoke` takes their ids alone",
                    other.id
                ));
            }
            let new = add_as(form, &path, &name, (&scopes, own))?;
            if format.json {
                let KeyRecord { id, name, .. } = &new.record;
                return print_json(
                    &json!({ "id": id, "name": name, "scopes": scopes, "key": new.key }),
                );
            }
            eprintln!("The key is shown once and kept nowhere:");
            table::line(new.key)?;
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// When keys were used last, as far as their usage says; nothing where that cannot be read by who asks.
fn last_used(state_dir: &Path) -> anyhow::Result<BTreeMap<String, Timestamp>> {
    let dir = state_dir.join(FOLDER);
    let days = match read_since(&dir, Date::MIN) {
        Err(error) if error.kind() == std::io::ErrorKind::PermissionDenied => {
            return Ok(BTreeMap::new());
        }
        days => days.with_context(|| format!("reading usage in {}", dir.display()))?,
    };
    let rows = days.into_values().flatten();
    let used =
        rows.filter_map(|(key, row)| Some((key, Timestamp::from_second(row.last_used?).ok()?)));
    // Days come oldest first: the last one counts.
    Ok(used.collect())
}

struct Rows {
    of_all: KeyLimits,
    last_used: BTreeMap<String, Timestamp>,
}

impl Rows {
    fn json(&self, key: &KeyRecord) -> Value {
        json!({
            "id": key.id,
            "name": key.name,
            "scopes": key.scopes,
            "created_at": key.created_at,
            "last_used_at": self.last_used.get(&key.id).map(Timestamp::to_string),
            "revoked_at": key.revoked_at,
            "limits": key.limits.unwrap_or(self.of_all),
            "has_own_limits": key.limits.is_some(),
        })
    }

    fn print(&self, keys: &[KeyRecord], format: &Format) -> std::io::Result<()> {
        let columns = [
            kept("id"),
            kept("name"),
            kept("scopes"),
            kept("state"),
            kept("last used"),
            spare("jobs"),
            spare("a second"),
            spare("running"),
            spare("sessions"),
            spare("created"),
        ];
        table::print_fitted(&columns, keys.iter().map(|key| self.row(key)), format)
    }

    fn row(&self, key: &KeyRecord) -> Vec<String> {
        let limits = key.limits.unwrap_or(self.of_all);
        let scopes: Vec<&str> = key.scopes.iter().map(|scope| scope.as_str()).collect();
        let running = match limits.running {
            0 => "its share".to_owned(),
            own => own.to_string(),
        };
        let last_used = self.last_used.get(&key.id);
        let created = key.created_at.parse().ok();
        vec![
            key.id.clone(),
            key.name.clone(),
            scopes.join(","),
            match key.revoked_at {
                Some(_) => "revoked".to_owned(),
                None => "valid".to_owned(),
            },
            last_used.map_or_else(|| "not known".to_owned(), |at| moment(*at)),
            limits.jobs.to_string(),
            limits.requests_per_second.to_string(),
            running,
            limits.sessions.to_string(),
            created.map_or_else(|| key.created_at.clone(), moment),
        ]
    }
}

/// A moment: how long ago on a terminal, to the second elsewhere.
fn moment(at: Timestamp) -> String {
    match std::io::stdout().is_terminal() {
        true => table::ago(at),
        false => Timestamp::from_second(at.as_second())
            .unwrap_or(at)
            .to_string(),
    }
}
