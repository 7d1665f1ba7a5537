//! How far a compilation is, told from what `make` prints.

use crate::progress::Phases;

/// How many files are compiled: counted once; more or fewer only make the bar end early or late.
const FILES: u64 = 735;

/// Turns lines of `make` into progress from one percentage to another.
pub(crate) struct Steps<'a> {
    phases: &'a Phases<'a>,
    from: u64,
    to: u64,
    compiled: u64,
}

impl<'a> Steps<'a> {
    pub(crate) fn new(phases: &'a Phases<'a>, from: u64, to: u64) -> Steps<'a> {
        Steps {
            phases,
            from,
            to,
            compiled: 0,
        }
    }

    /// Reports when the line takes the whole a percent further.
    pub(crate) fn follow(&mut self, line: &str) {
        if line.trim_start().starts_with("LD ") && line.ends_with("vmlinux.o") {
            self.phases.at(self.to, "linking");
        }
        let Some(file) = compiled(line) else {
            return;
        };
        let before = self.percent();
        self.compiled += 1;
        if self.percent() > before {
            let step = format!("compiling {file} ({} of about {FILES})", self.compiled);
            self.phases.at(self.percent(), &step);
        }
    }

    fn percent(&self) -> u64 {
        let compiled = self.compiled.min(FILES);
        self.from + (self.to - self.from) * compiled / FILES
    }
}

/// `  CC      fs/namei.o`, also for programs of the build itself and for assembly.
fn compiled(line: &str) -> Option<&str> {
    let (kind, file) = line.trim_start().split_once(' ')?;
    let file = file.trim_start();
    (kind == "CC" && file.ends_with(".o")).then_some(file)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::progress::Progress;
    use std::sync::Mutex;

    #[derive(Default)]
    struct Seen(Mutex<Vec<(String, u64)>>);

    impl Progress for Seen {
        fn step(&self, name: &str, done: u64, _: Option<u64>) {
            self.0.lock().unwrap().push((name.to_owned(), done));
        }
    }

    #[test]
    fn lines_of_compilers_are_told_from_others() {
        assert_eq!(compiled("  CC      fs/namei.o"), Some("fs/namei.o"));
        for line in [
            "  AR      fs/built-in.a",
            "  HOSTCC  a.o",
            "CC",
            "",
            "  CC  a.s",
        ] {
            assert_eq!(compiled(line), None, "{line}");
        }
    }

    #[test]
    fn the_bar_moves_a_percent_at_a_time_and_stays_in_its_part() {
        let seen = Seen::default();
        let phases = Phases::new(&seen);
        let mut steps = Steps::new(&phases, 20, 95);
        steps.follow("  UPD     include/generated/utsversion.h");
        for index in 0..2 * FILES {
            steps.follow(&format!("  CC      a/{index}.o"));
        }
        steps.follow("  LD      vmlinux.o");
        let seen = seen.0.into_inner().unwrap();
        let percents: Vec<_> = seen.iter().map(|(_, percent)| *percent).collect();
        let expected: Vec<u64> = (21..=95).chain([95]).collect();
        assert_eq!(percents, expected);
        assert!(
            seen[0].0.starts_with("compiling a/9.o (10 of"),
            "{:?}",
            seen[0]
        );
        assert_eq!(seen.last().unwrap().0, "linking");
    }
}
