//! Where programs start, and the variables that each has.

/// The folder that a job starts in; its own tmpfs, gone with the VM.
pub const WORK_DIR: &str = "/work";

/// Where a program puts what it wants to hand out.
pub const OUT_DIR: &str = "/work/out";

/// Where the work folder is shown besides, as the home of a user called `user`, in images whose `/home` is empty.
pub const HOME_DIR: &str = "/home/user";

/// The uid and gid of jobs, and of a sandbox's own user.
pub const JOB_ID: u32 = 10_000;

/// What every program has, before its language's and its own variables.
pub const BASE_ENV: &[(&str, &str)] = &[
    ("PATH", "/usr/local/bin:/usr/bin:/bin"),
    ("HOME", WORK_DIR),
    ("TMPDIR", "/tmp"),
    ("LANG", "C.UTF-8"),
    ("USER", "job"),
];

/// One environment of several; what comes later wins.
pub fn merged(variables: impl Iterator<Item = (String, String)>) -> Vec<(String, String)> {
    let mut merged: Vec<(String, String)> = Vec::new();
    for (name, value) in variables {
        merged.retain(|(known, _)| *known != name);
        merged.push((name, value));
    }
    merged
}

/// A variable of one's own.
pub fn owned((name, value): (&str, &str)) -> (String, String) {
    (name.to_owned(), value.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_value_of_a_name_is_the_only_one() {
        let own = [("HOME", "/tmp"), ("A", "1"), ("A", "2")];
        let merged = merged(BASE_ENV.iter().chain(&own).copied().map(owned));
        let value = |name: &str| {
            let values: Vec<_> = merged.iter().filter(|(known, _)| known == name).collect();
            assert_eq!(values.len(), 1, "{name}");
            values[0].1.clone()
        };
        assert_eq!(value("HOME"), "/tmp");
        assert_eq!(value("A"), "2");
        assert_eq!(value("USER"), "job");
    }
}
