//! Usage on disk: below the state folder, in `usage`, one file a day (UTC) with a row a key.
//!
//! A file is read, added to and replaced under one lock, so neither a crash nor a second process loses or doubles what
//! another wrote; what a crash takes along is what was not written yet.

use super::row::UsageRow;
use jiff::civil::Date;
use rustix::fs::{FlockOperation, flock};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{Error, ErrorKind, Result, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

/// The folder below the state folder.
pub const FOLDER: &str = "usage";
/// The larger of these is no file of ours: a row is some hundred bytes, and keys are an operator's.
const MAX_BYTES: u64 = 64 * 1024 * 1024;

/// What a key used, with what it was called last.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct NamedRow {
    /// Its name.
    pub name: String,
    /// Its last request of the day, in seconds since 1970 (UTC).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_used: Option<i64>,
    /// What it used.
    #[serde(flatten)]
    pub used: UsageRow,
}

/// A day's rows, by the keys' ids.
pub type Day = BTreeMap<String, NamedRow>;

/// A day as it is written.
#[derive(Debug, Default, Serialize, Deserialize)]
struct DayFile {
    /// Grows when what is written means something else.
    format: u32,
    keys: Day,
}

const FORMAT: u32 = 1;

/// Adds these rows to their days' files, and removes files of more than so many days ago.
pub fn add(dir: &Path, days: &BTreeMap<Date, Day>, keep_days: u32) -> Result<()> {
    DirBuilder::new().recursive(true).mode(0o700).create(dir)?;
    let lock = OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(false)
        .mode(0o600)
        .open(dir.join("lock"))?;
    flock(&lock, FlockOperation::LockExclusive)?;
    for (date, rows) in days {
        let path = path(dir, *date);
        let is_new = !path.exists();
        let mut day = read_or_set_aside(&path)?;
        add_rows(&mut day, rows);
        replace(&path, day)?;
        if is_new {
            remove_old(dir, *date, keep_days);
        }
    }
    Ok(())
}

/// Adds rows to a day.
pub fn add_rows(day: &mut Day, rows: &Day) {
    for (key, more) in rows {
        let own = day.entry(key.clone()).or_default();
        own.name.clone_from(&more.name);
        own.last_used = own.last_used.max(more.last_used);
        own.used.add(&more.used);
    }
}

/// The days from this one on, oldest first.
pub fn read_since(dir: &Path, since: Date) -> Result<BTreeMap<Date, Day>> {
    let mut days = BTreeMap::new();
    for (date, path) in dates(dir)? {
        if date >= since {
            days.insert(date, read(&path)?);
        }
    }
    Ok(days)
}

fn path(dir: &Path, date: Date) -> PathBuf {
    dir.join(format!("{date}.json"))
}

fn dates(dir: &Path) -> Result<Vec<(Date, PathBuf)>> {
    let entries = match fs::read_dir(dir) {
        Ok(entries) => entries,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(error),
    };
    let mut dates = Vec::new();
    for entry in entries {
        let path = entry?.path();
        let name = path.file_name().and_then(|name| name.to_str());
        let date = name.and_then(|name| name.strip_suffix(".json")?.parse().ok());
        dates.extend(date.map(|date| (date, path)));
    }
    dates.sort();
    Ok(dates)
}

fn read(path: &Path) -> Result<Day> {
    let file = match File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Day::new()),
        Err(error) => return Err(error),
    };
    let wrong = |what: String| {
        let text = format!("{} is no file of usage: {what}", path.display());
        Error::new(ErrorKind::InvalidData, text)
    };
    if file.metadata()?.len() > MAX_BYTES {
        return Err(wrong(format!("it has more than {MAX_BYTES} bytes")));
    }
    let text = std::io::read_to_string(file)?;
    let DayFile { format, keys } =
        serde_json::from_str(&text).map_err(|error| wrong(error.to_string()))?;
    match format {
        FORMAT => Ok(keys),
        other => Err(wrong(format!("format {other} is of another version"))),
    }
}

/// A day's file; one that cannot be read is set aside, so that the day goes on.
fn read_or_set_aside(path: &Path) -> Result<Day> {
    let error = match read(path) {
        Err(error) if error.kind() == ErrorKind::InvalidData => error,
        other => return other,
    };
    let aside = path.with_extension("json.damaged");
    tracing::error!(%error, aside = %aside.display(), "a file of usage is set aside");
    fs::rename(path, aside)?;
    Ok(Day::new())
}

fn replace(path: &Path, keys: Day) -> Result<()> {
    let format = FORMAT;
    let text = serde_json::to_vec(&DayFile { format, keys })?;
    let new = path.with_extension("json.new");
    let mut file = OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(true)
        .mode(0o600)
        .open(&new)?;
    let written = file.write_all(&text).and_then(|()| file.sync_all());
    let replaced = written.and_then(|()| fs::rename(&new, path));
    // Half a file on a full disk takes room from others.
    replaced.inspect_err(|_| _ = fs::remove_file(&new))
}

fn remove_old(dir: &Path, today: Date, keep_days: u32) {
    let Ok(oldest) = today.checked_sub(jiff::Span::new().days(i64::from(keep_days))) else {
        return;
    };
    for (date, path) in dates(dir).unwrap_or_default() {
        if date < oldest
            && let Err(error) = fs::remove_file(&path)
        {
            tracing::warn!(%error, path = %path.display(), "an old file of usage could not be removed");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::civil::date;
    use std::os::unix::fs::PermissionsExt as _;

    fn rows(key: &str, jobs: u64) -> Day {
        let used = UsageRow {
            jobs: [("ok".to_owned(), jobs)].into(),
            wall_seconds: 0.5,
            ..UsageRow::default()
        };
        let row = NamedRow {
            name: "app".into(),
            used,
            last_used: None,
        };
        [(key.to_owned(), row)].into()
    }

    #[test]
    fn processes_that_write_at_once_lose_nothing() {
        let dir = tempfile::tempdir().unwrap();
        let dir = dir.path().join(FOLDER);
        let today = date(2026, 11, 30);
        std::thread::scope(|scope| {
            for n in 0..8 {
                let dir = &dir;
                scope.spawn(move || {
                    let days = [(today, rows(&(n % 2).to_string(), 3))].into();
                    add(dir, &days, 400).unwrap();
                });
            }
        });
        let days = read_since(&dir, today).unwrap();
        let total: u64 = days[&today].values().map(|row| row.used.jobs["ok"]).sum();
        assert_eq!((total, days[&today].len()), (24, 2));
        let mode = |path: &Path| path.metadata().unwrap().permissions().mode() & 0o777;
        assert_eq!(mode(&dir), 0o700);
        assert_eq!(mode(&path(&dir, today)), 0o600);
    }

    #[test]
    fn old_days_go_and_a_damaged_one_is_set_aside() {
        let dir = tempfile::tempdir().unwrap();
        let dir = dir.path();
        let (old, today) = (date(2025, 1, 1), date(2026, 11, 30));
        add(dir, &[(old, rows("k", 1))].into(), 400).unwrap();
        add(dir, &[(today, rows("k", 1))].into(), 400).unwrap();
        assert_eq!(read_since(dir, old).unwrap().len(), 1);
        assert!(read_since(dir, date(2026, 12, 1)).unwrap().is_empty());
        fs::write(path(dir, today), "{\"format\":1,\"ke").unwrap();
        assert!(read_since(dir, old).is_err());
        add(dir, &[(today, rows("k", 2))].into(), 400).unwrap();
        assert_eq!(
            read_since(dir, old).unwrap()[&today]["k"].used.jobs["ok"],
            2
        );
        assert!(dir.join("2026-11-30.json.damaged").exists());
    }

    #[test]
    fn a_folder_that_is_not_there_has_no_usage() {
        let dir = tempfile::tempdir().unwrap();
        let none = read_since(&dir.path().join("none"), date(2026, 1, 1));
        assert!(none.unwrap().is_empty());
    }
}
