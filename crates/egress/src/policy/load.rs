//! From what is written to what is meant. Every fault is told, none is put right.

use super::fault::{Fault, Field, NamedFault, Why};
use super::{
    EgressConfig, HTTP_PORT, Inject, Layer, MAX_BYTES, MAX_CONNECTIONS, MAX_ITEMS, MAX_POLICIES,
    MAX_POLICY_NAME, MAX_RULES, Policy, PolicyConfig, Requests, Rule, RuleConfig,
};
use crate::name::HostPattern;
use crate::path::PathGlob;
use std::collections::BTreeMap;
use std::sync::Arc;

/// The method that makes a server send the request back.
const TRACE: &str = "TRACE";
/// The method that is a proxy's.
const CONNECT: &str = "CONNECT";
/// Bytes of a method's name.
const MAX_METHOD_BYTES: usize = 32;
/// Characters of a value that a fault repeats.
const MAX_SHOWN: usize = 64;

/// Compiles all policies of a configuration.
pub fn load_all(config: &EgressConfig) -> Result<BTreeMap<String, Arc<Policy>>, Vec<NamedFault>> {
    let mut policies = BTreeMap::new();
    let mut faults = Vec::new();
    let count = config.policies.len();
    if count > MAX_POLICIES {
        let fault = whole(Field::Name, Why::TooManyPolicies { count });
        return Err(vec![NamedFault {
            policy: None,
            fault,
        }]);
    }
    for (name, written) in &config.policies {
        let named = |fault| NamedFault {
            policy: Some(name.clone()),
            fault,
        };
        if !is_policy_name(name) {
            faults.push(named(whole(Field::Name, Why::PolicyName)));
        }
        match Policy::compile(written) {
            Ok(policy) => drop(policies.insert(name.clone(), Arc::new(policy))),
            Err(found) => faults.extend(found.into_iter().map(named)),
        }
    }
    match faults.is_empty() {
        true => Ok(policies),
        false => Err(faults),
    }
}

fn is_policy_name(name: &str) -> bool {
    let word = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit();
    let any = |c: char| word(c) || c == '-' || c == '_';
    name.len() <= MAX_POLICY_NAME && name.starts_with(word) && name.chars().all(any)
}

fn whole(field: Field, why: Why) -> Fault {
    Fault {
        rule: None,
        field,
        why,
    }
}

impl Policy {
    /// Compiles one policy.
    pub fn compile(written: &PolicyConfig) -> Result<Policy, Vec<Fault>> {
        let mut faults = Vec::new();
        let (max_bytes, max_connections) = (written.max_bytes, written.max_connections);
        if !(1..=MAX_BYTES).contains(&max_bytes) {
            faults.push(whole(Field::MaxBytes, Why::Bytes { value: max_bytes }));
        }
        if !(1..=MAX_CONNECTIONS).contains(&max_connections) {
            faults.push(whole(
                Field::MaxConnections,
                Why::Connections {
                    value: max_connections,
                },
            ));
        }
        let count = written.allow.len();
        if count > MAX_RULES {
            faults.push(whole(Field::Allow, Why::TooManyRules { count }));
            return Err(faults);
        }
        let mut rules: Vec<(usize, Rule)> = Vec::new();
        for (place, rule) in (1..).zip(&written.allow) {
            let at = |(field, why)| Fault {
                rule: Some(place),
                field,
                why,
            };
            match compile_rule(rule) {
                Ok(rule) => {
                    // A pair of rules is told of once, at the later one.
                    let clash = rules
                        .iter()
                        .find_map(|(first, earlier)| clash(*first, earlier, &rule));
                    faults.extend(clash.map(at));
                    rules.push((place, rule));
                }
                Err(found) => faults.extend(found.into_iter().map(at)),
            }
        }
        let rules = rules.into_iter().map(|(_, rule)| rule).collect();
        match faults.is_empty() {
            true => Ok(Policy {
                rules,
                max_bytes,
                max_connections,
            }),
            false => Err(faults),
        }
    }
}

type Found = Vec<(Field, Why)>;

fn compile_rule(written: &RuleConfig) -> Result<Rule, Found> {
    let mut found = Found::new();
    let host = HostPattern::parse(&written.host);
    if let Err(error) = &host {
        let (host, error) = (shown(&written.host), error.clone());
        found.push((Field::Host, Why::Host { host, error }));
    }
    let ports = in_order(&written.ports, Field::Ports, &mut found);
    match ports.first() {
        None => found.push((Field::Ports, Why::NoPort)),
        Some(0) => found.push((Field::Ports, Why::PortZero)),
        Some(_) => {}
    }
    let layer = layer(written, &mut found);
    match host {
        Ok(host) if found.is_empty() => Ok(Rule { host, ports, layer }),
        _ => Err(found),
    }
}

fn layer(written: &RuleConfig, found: &mut Found) -> Layer {
    let methods = in_order(&written.methods, Field::Methods, found);
    let is_method = |method: &&String| {
        (1..=MAX_METHOD_BYTES).contains(&method.len())
            && *method != CONNECT
            && method
                .bytes()
                .all(|byte| byte.is_ascii_uppercase() || byte == b'-')
    };
    for method in methods.iter().filter(|method| !is_method(method)) {
        found.push((
            Field::Methods,
            Why::Method {
                method: shown(method),
            },
        ));
    }
    let mut paths = Vec::new();
    for path in in_order(&written.paths, Field::Paths, found) {
        match PathGlob::parse(&path) {
            Ok(glob) => paths.push(glob),
            Err(error) => found.push((
                Field::Paths,
                Why::Path {
                    path: shown(&path),
                    error,
                },
            )),
        }
    }
    let inject = inject(written, found);
    if written.tcp {
        for (field, is_set) in [
            (Field::Methods, !written.methods.is_empty()),
            (Field::Paths, !written.paths.is_empty()),
            (Field::Inject, written.inject.is_some()),
        ] {
            if is_set {
                found.push((field, Why::WithTcp));
            }
        }
        return Layer::Bytes;
    }
    match methods.is_empty() && paths.is_empty() && inject.is_none() {
        true => Layer::Hello,
        false => Layer::Requests(Requests {
            methods,
            paths,
            inject,
        }),
    }
}

fn inject(written: &RuleConfig, found: &mut Found) -> Option<Inject> {
    let inject = written.inject.as_ref()?;
    if written.ports.contains(&HTTP_PORT) {
        found.push((Field::Inject, Why::InClear));
    }
    if written.methods.iter().any(|method| method == TRACE) {
        found.push((Field::Methods, Why::TraceShowsSecret));
    }
    match Inject::compile(inject) {
        Ok(inject) => Some(inject),
        Err(faults) => {
            found.extend(faults.into_iter().map(|why| (field_of(&why), why)));
            None
        }
    }
}

fn field_of(why: &Why) -> Field {
    match why {
        Why::Header | Why::HeaderForbidden { .. } => Field::InjectHeader,
        Why::Source => Field::InjectValueFrom,
        Why::Prefix => Field::InjectPrefix,
        _ => Field::Inject,
    }
}

/// In order; what is there twice, and too many, is told.
fn in_order<T: Clone + Ord + ToString>(items: &[T], field: Field, found: &mut Found) -> Vec<T> {
    let count = items.len();
    if count > MAX_ITEMS {
        found.push((field, Why::TooManyItems { count }));
        return items.iter().take(1).cloned().collect();
    }
    let mut sorted = items.to_vec();
    sorted.sort();
    let twice = sorted.windows(2).find(|pair| pair[0] == pair[1]);
    if let Some(item) = twice.and_then(|pair| pair.first()) {
        let item = shown(&item.to_string()).escape_debug().to_string();
        found.push((field, Why::Repeated { item }));
    }
    sorted
}

/// What two rules that can both be the most exact ones for a host and port must not be.
fn clash(first: usize, earlier: &Rule, rule: &Rule) -> Option<(Field, Why)> {
    let port = *earlier
        .ports
        .iter()
        .find(|port| rule.ports.contains(port))?;
    if earlier.host != rule.host {
        return None;
    }
    let host = rule.host.to_string();
    match (&earlier.layer, &rule.layer) {
        (Layer::Requests(one), Layer::Requests(other)) => {
            let shadows =
                has_all(&one.methods, &other.methods) && has_all(&one.paths, &other.paths);
            shadows.then_some((Field::Host, Why::Shadowed { first, host, port }))
        }
        (one, other) if one == other => Some((Field::Host, Why::Shadowed { first, host, port })),
        _ => Some((Field::Host, Why::Layers { first, host, port })),
    }
}

/// Of two lists of which an empty one allows all.
fn has_all<T: PartialEq>(all: &[T], some: &[T]) -> bool {
    all.is_empty() || !some.is_empty() && some.iter().all(|item| all.contains(item))
}

/// The beginning of what somebody wrote.
fn shown(text: &str) -> String {
    text.chars().take(MAX_SHOWN).collect()
}
