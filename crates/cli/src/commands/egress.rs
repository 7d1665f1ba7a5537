//! `egress`: policies as they are decided by, without running anything.

use super::print_json;
use crate::args::{EgressCommand, Format, Global};
use crate::context;
use crate::table::{self, kept, spare};
use egress::check::{self, Checked};
use egress::policy::Policy;
use serde_json::json;
use std::collections::BTreeMap;
use std::process::ExitCode;
use std::sync::Arc;

/// The exit code of a check that says no.
const EXIT_REFUSED: u8 = 1;

/// Does what the command says.
pub fn run(global: &Global, command: EgressCommand) -> anyhow::Result<ExitCode> {
    let config = context::config(global)?;
    let policies = context::egress::policies(&config)?;
    match command {
        EgressCommand::List { format } => list(&policies, &format),
        EgressCommand::Check {
            policy,
            urls,
            method,
            format,
        } => {
            let Some(found) = policies.get(&policy) else {
                anyhow::bail!("{}", unknown(&policy, &policies));
            };
            let checked: Vec<Checked> = urls
                .iter()
                .map(|url| check::url(found, &method, url))
                .collect();
            told(&checked, &format)
        }
    }
}

/// That there is no such policy, and which there are.
fn unknown(policy: &str, policies: &BTreeMap<String, Arc<Policy>>) -> String {
    let known: Vec<&str> = policies.keys().map(String::as_str).collect();
    match known.as_slice() {
        [] => format!(
            "there is no policy {policy:?}: the configuration has no [egress.policies.NAME]"
        ),
        known => format!(
            "there is no policy {policy:?}; there are {}",
            known.join(", ")
        ),
    }
}

fn list(policies: &BTreeMap<String, Arc<Policy>>, format: &Format) -> anyhow::Result<ExitCode> {
    if format.json {
        let rows: Vec<_> = policies
            .iter()
            .map(|(name, policy)| row(name, policy))
            .collect();
        return print_json(&json!({ "policies": rows }));
    }
    if policies.is_empty() {
        table::line(
            "No policy: no job has a network. See [egress.policies.NAME] in `llm-firecracker config reference`.",
        )?;
        return Ok(ExitCode::SUCCESS);
    }
    let rows = policies.iter().map(|(name, policy)| {
        let hosts: Vec<String> = policy
            .rules()
            .iter()
            .map(|rule| rule.host.to_string())
            .collect();
        let injected = policy.injections().count();
        vec![
            name.clone(),
            hosts.join(", "),
            injected.to_string(),
            policy.max_connections().to_string(),
            policy.max_bytes().to_string(),
        ]
    });
    let columns = [
        kept("policy"),
        kept("hosts"),
        spare("secrets"),
        spare("max connections"),
        spare("max bytes"),
    ];
    table::print_fitted(&columns, rows, format)?;
    Ok(ExitCode::SUCCESS)
}

fn row(name: &str, policy: &Policy) -> serde_json::Value {
    let hosts: Vec<String> = policy
        .rules()
        .iter()
        .map(|rule| rule.host.to_string())
        .collect();
    json!({
        "name": name,
        "hosts": hosts,
        "ports": policy.ports(),
        "secrets": policy.injections().count(),
        "max_connections": policy.max_connections(),
        "max_bytes": policy.max_bytes(),
    })
}

fn told(checked: &[Checked], format: &Format) -> anyhow::Result<ExitCode> {
    let code = match checked.iter().all(|one| one.refused.is_none()) {
        true => ExitCode::SUCCESS,
        false => ExitCode::from(EXIT_REFUSED),
    };
    if format.json {
        let rows: Vec<_> = checked
            .iter()
            .map(|one| {
                json!({
                    "url": one.url,
                    "allowed": one.refused.is_none(),
                    "rule": one.rule,
                    "looks_at": one.way,
                    "injects": one.injects,
                    "reason": one.refused.map(|reason| reason.code()),
                    "message": one.refused.map(|reason| format!("{}; {}", reason.sentence(), reason.advice())),
                })
            })
            .collect();
        print_json(&json!({ "checked": rows }))?;
        return Ok(code);
    }
    let rows = checked.iter().map(|one| match one.refused {
        None => vec![
            "allowed".to_owned(),
            one.url.clone(),
            format!(
                "rule {}: {}",
                one.rule.unwrap_or_default(),
                one.way.unwrap_or_default()
            ),
        ],
        Some(reason) => vec![
            "refused".to_owned(),
            one.url.clone(),
            format!(
                "{}; {} [{}]",
                reason.sentence(),
                reason.advice(),
                reason.code()
            ),
        ],
    });
    table::print_fitted(&[kept("verdict"), kept("url"), kept("why")], rows, format)?;
    Ok(code)
}
