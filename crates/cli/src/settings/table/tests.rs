//! That the table has every setting, and says of each what a reader needs.

use super::*;
use std::collections::BTreeSet;

fn leaves(value: &Value, name: &str, found: &mut BTreeSet<String>) {
    match value {
        Value::Object(table) if !table.is_empty() => {
            for (key, inner) in table {
                leaves(inner, &joined(name, key), found);
            }
        }
        Value::Object(_) => {}
        _ => _ = found.insert(name.to_owned()),
    }
}

#[test]
fn every_setting_that_is_read_is_in_the_table() {
    let mut read = BTreeSet::new();
    let defaults = serde_json::to_value(Settings::default()).unwrap();
    leaves(&defaults, "", &mut read);
    // The certificate is a table that is not there by default.
    read.remove("server.tls");
    let rows = settings();
    let named: BTreeSet<String> = rows.iter().map(|row| row.name.clone()).collect();
    let missing: Vec<&String> = read.difference(&named).collect();
    assert!(missing.is_empty(), "{missing:?}");
    for extra in ["server.tls.key", "server.tls.certificate", "pool.NAME.min"] {
        assert!(named.contains(extra), "{extra}");
    }
}

#[test]
fn each_says_what_it_is_and_what_it_does() {
    for row in settings() {
        assert!(!row.kind.is_empty() && !row.meaning.is_empty(), "{row:?}");
        let absent = row.default.is_null();
        assert!(
            !(absent && row.kind == "integer") || row.required,
            "{row:?}"
        );
    }
}

#[test]
fn a_default_is_within_its_own_bounds() {
    for row in settings() {
        let Some(default) = row.default.as_f64() else {
            continue;
        };
        let bound = |bound: Option<Value>| bound.and_then(|bound| bound.as_f64());
        assert!(
            bound(row.least).is_none_or(|least| default >= least),
            "{}",
            row.name
        );
        assert!(
            bound(row.most).is_none_or(|most| default <= most),
            "{}",
            row.name
        );
    }
}

#[test]
fn a_reload_takes_policies_and_not_where_the_service_is() {
    let rows = settings();
    let reloads = |name: &str| rows.iter().find(|row| row.name == name).unwrap().reload;
    for name in [
        "limits.maxima.pids",
        "packages.python",
        "admission.queued",
        "server.key_defaults.burst",
    ] {
        assert!(reloads(name), "{name}");
    }
    for name in [
        "state_dir",
        "server.listen",
        "engine.kind",
        "vmm.uid_base",
        "limits.defaults.memory_mib",
    ] {
        assert!(!reloads(name), "{name}");
    }
}
