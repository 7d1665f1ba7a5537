//! Usage as it is told, over HTTP and by the command: by key, and by day.

use super::file::{Day, NamedRow};
use super::row::UsageRow;
use jiff::civil::Date;
use serde::Serialize;
use std::collections::BTreeMap;
use utoipa::ToSchema;

/// How far back usage is told where nobody says how far.
pub const USUAL: &str = "30d";

/// What keys used.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct UsageReport {
    /// The first day (UTC) that counts.
    pub since: String,
    /// By key, sorted by name.
    pub keys: Vec<KeyUsage>,
}

/// What one key used.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct KeyUsage {
    /// Its id; `local` without keys.
    pub key: String,
    /// What it was called last.
    pub key_name: String,
    /// All of it.
    pub total: UsageRow,
    /// By day, oldest first; a day on which it used nothing is left out.
    pub days: Vec<DayUsage>,
}

/// What a key used on one day.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct DayUsage {
    /// The day (UTC), as `2026-11-30`.
    pub day: String,
    /// What it used.
    pub used: UsageRow,
}

impl UsageReport {
    /// What the keys that are wanted used, by id and name.
    pub fn of(
        since: Date,
        days: &BTreeMap<Date, Day>,
        is_wanted: impl Fn(&str, &str) -> bool,
    ) -> UsageReport {
        let mut by_key: BTreeMap<&str, KeyUsage> = BTreeMap::new();
        for (date, day) in days {
            for (key, NamedRow { name, used, .. }) in day {
                let own = by_key.entry(key).or_insert_with(|| KeyUsage {
                    key: key.clone(),
                    key_name: String::new(),
                    total: UsageRow::default(),
                    days: Vec::new(),
                });
                own.key_name.clone_from(name);
                own.total.add(used);
                own.days.push(DayUsage {
                    day: date.to_string(),
                    used: used.clone(),
                });
            }
        }
        let all = by_key.into_values();
        let mut keys: Vec<KeyUsage> = all
            .filter(|own| is_wanted(&own.key, &own.key_name))
            .collect();
        keys.sort_by(|a, b| (&a.key_name, &a.key).cmp(&(&b.key_name, &b.key)));
        UsageReport {
            since: since.to_string(),
            keys,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::civil::date;

    #[test]
    fn days_are_summed_by_key() {
        let row = |name: &str, sandboxes| NamedRow {
            name: name.into(),
            last_used: None,
            used: UsageRow {
                sandboxes,
                ..UsageRow::default()
            },
        };
        let (first, second) = (date(2026, 11, 1), date(2026, 11, 2));
        let days = BTreeMap::from([
            (first, Day::from([("a".into(), row("old", 1))])),
            (
                second,
                Day::from([("a".into(), row("new", 2)), ("b".into(), row("b", 4))]),
            ),
        ]);
        let all = UsageReport::of(first, &days, |_, _| true);
        assert_eq!(all.keys.len(), 2);
        let own = UsageReport::of(first, &days, |key, _| key == "a");
        assert_eq!(own.keys[0].key_name, "new");
        assert_eq!(own.keys[0].total.sandboxes, 3);
        assert_eq!(own.keys[0].days.len(), 2);
    }
}
