//! What of a changed configuration a running service takes. Pure: it is only said here, not done.

use super::Settings;
use super::origin::values;
use super::table::{ANY_NAME, Setting, settings};

/// What a reload comes to.
#[derive(Debug, Clone)]
pub struct Plan {
    /// The settings in force after it.
    pub settings: Settings,
    /// What counts from now on, by name.
    pub changed: Vec<String>,
    /// What counts after a restart, by name.
    pub needs_restart: Vec<String>,
}

/// The settings in force with what of the new ones a running service can take.
pub fn plan(in_force: &Settings, new: &Settings) -> Result<Plan, serde_json::Error> {
    let (old, now) = (values(in_force), values(new));
    let rows = settings();
    let mut merged = serde_json::to_value(new)?;
    let (mut changed, mut needs_restart) = (Vec::new(), Vec::new());
    let all: std::collections::BTreeSet<&String> = old.keys().chain(now.keys()).collect();
    for name in all {
        let (before, after) = (old.get(name), now.get(name));
        if before == after {
            continue;
        }
        if row(&rows, name).is_some_and(|row| row.reload) {
            changed.push(name.clone());
            continue;
        }
        needs_restart.push(name.clone());
        if let Some(place) = merged.pointer_mut(&format!("/{}", name.replace('.', "/"))) {
            *place = before.cloned().unwrap_or_default();
        }
    }
    let mut sections = merged;
    let mut section = |name: &str| {
        let sections = sections.as_object_mut();
        sections
            .and_then(|all| all.remove(name))
            .unwrap_or_default()
    };
    let (server, _) = (section("server"), section("pool"));
    for name in ["audit", "telemetry", "languages", "vmm", "egress"] {
        section(name);
    }
    let mut settings = in_force.clone();
    settings.server = serde_json::from_value(server)?;
    settings.sandbox = serde_json::from_value(sections)?;
    // What a configuration cannot change while VMs live, and what is in no configuration.
    settings.sandbox.pool = in_force.sandbox.pool.clone();
    settings.sandbox.egress = in_force.sandbox.egress.clone();
    settings.sandbox.vmm = in_force.sandbox.vmm.clone();
    Ok(Plan {
        settings,
        changed,
        needs_restart,
    })
}

/// The row of the table that this setting is of.
fn row<'a>(rows: &'a [Setting], name: &str) -> Option<&'a Setting> {
    let is_it = |row: &&Setting| {
        let (mut parts, mut own) = (row.name.split('.'), name.split('.'));
        let same = parts
            .by_ref()
            .zip(own.by_ref())
            .all(|(part, own)| part == ANY_NAME || part == own);
        same && row.name.matches('.').count() == name.matches('.').count()
    };
    rows.iter().find(is_it)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::settings::file::read;

    fn settings_of(text: &str) -> Settings {
        read(text, |_| Ok(())).unwrap().0
    }

    #[test]
    fn policies_are_taken_and_the_rest_is_named() {
        let before = settings_of("[pool.python]\nmin = 1\nmax = 2");
        let after = settings_of(
            "state_dir = \"/else\"\n[limits.maxima]\npids = 7\n[limits.defaults]\npids = 7\nmemory_mib = 256\n\
             [packages]\npython = [\"six\"]\n[server]\nlisten = 9\nqueue_seconds = 1\n[vmm]\nuid_base = 7\n\
             [pool.bash]\nmin = 1\nmax = 2\n[egress.policies.web]\nallow = []",
        );
        let plan = plan(&before, &after).unwrap();
        assert!(plan.settings.sandbox.egress.policies.is_empty());
        assert_eq!(
            plan.changed,
            [
                "limits.defaults.pids",
                "limits.maxima.pids",
                "packages.python",
                "server.queue_seconds"
            ]
        );
        for name in [
            "state_dir",
            "limits.defaults.memory_mib",
            "server.listen",
            "vmm.uid_base",
            "egress.policies.web.allow",
            "pool.bash.min",
            "pool.python.min",
        ] {
            assert!(
                plan.needs_restart.iter().any(|named| named == name),
                "{name}: {:?}",
                plan.needs_restart
            );
        }
        let now = plan.settings;
        assert_eq!(now.sandbox.limits.maxima.pids, 7);
        assert_eq!(now.sandbox.limits.defaults.memory_mib, 512);
        assert_eq!(now.server.queue_seconds, 1);
        assert_eq!(now.server.listen, before.server.listen);
        assert_eq!(now.sandbox.state_dir, None);
        assert_eq!(now.sandbox.pool, before.sandbox.pool);
    }

    #[test]
    fn a_certificate_may_come_and_nothing_changes_where_nothing_did() {
        let before = Settings::default();
        let after = settings_of("[server.tls]\ncertificate = \"/c\"\nkey = \"/k\"");
        let same = plan(&before, &before).unwrap();
        assert!(same.changed.is_empty() && same.needs_restart.is_empty());
        let plan = plan(&before, &after).unwrap();
        assert_eq!(plan.changed, ["server.tls.certificate", "server.tls.key"]);
        assert_eq!(plan.settings.server.tls, after.server.tls);
    }
}
