//! The table says what it may say, and names what exists.

use super::*;
use protocol::error_code::ERROR_CODES;
use protocol::result::STATUSES;
use std::collections::HashSet;

#[test]
fn there_are_enough_and_each_has_its_own_name() {
    let all = attacks().unwrap();
    let names: HashSet<_> = all.iter().map(|attack| attack.name.as_str()).collect();
    assert_eq!(names.len(), all.len());
    assert!(all.len() >= 60, "{}", all.len());
    for (kind, name) in KINDS {
        assert!(all.iter().any(|attack| attack.kind == *kind), "{name}");
    }
}

#[test]
fn rows_name_files_statuses_and_codes_that_exist() {
    for Attack { row, .. } in attacks().unwrap() {
        text(&row.file).unwrap();
        form(&row.file).unwrap();
        if let Some(then) = &row.then {
            text(then).unwrap();
        }
        assert!(
            !row.status.is_empty() && row.must.len() > 10,
            "{}",
            row.name
        );
        for status in &row.status {
            let known = STATUSES.iter().any(|known| known.as_str() == status);
            assert!(known || status == "admitted", "{}: {status}", row.name);
        }
        for code in &row.code {
            let known = ERROR_CODES.iter().any(|known| known.as_str() == code);
            assert!(known, "{}: {code}", row.name);
        }
        let has_place = text(&row.file).unwrap().contains("@VALUE@");
        assert_eq!(has_place, !row.values.is_empty(), "{}", row.name);
    }
}

#[test]
fn only_what_ends_by_itself_is_waited_for_longer() {
    let seconds = |name: &str| {
        let all = attacks().unwrap();
        let attack = all.into_iter().find(|attack| attack.name == name).unwrap();
        (attack.seconds(), attack.row.seconds)
    };
    for name in ["memory-at-once", "cpu-time", "mounts"] {
        let (allowed, written) = seconds(name);
        assert_eq!(allowed, written * PATIENCE, "{name}");
    }
    for name in ["busy-loop", "fork-bomb", "half-frame"] {
        let (allowed, written) = seconds(name);
        assert_eq!(allowed, written, "{name}");
    }
    assert_eq!(seconds("mounts-as-root").0, ROOT_SECONDS);
}

#[test]
fn every_file_is_used() {
    let used: HashSet<String> = attacks()
        .unwrap()
        .into_iter()
        .flat_map(|attack| [Some(attack.row.file), attack.row.then])
        .flatten()
        .collect();
    for (kind, folder) in KINDS {
        let folder = FILES.get_dir(folder).unwrap();
        for file in folder.files() {
            let path = file.path().to_string_lossy();
            assert!(used.contains(path.as_ref()), "{kind:?}: {path}");
        }
    }
}

#[test]
fn every_escalation_that_root_could_try_is_tried_as_root() {
    let all = attacks().unwrap();
    let as_root = all.iter().filter(|a| a.standing == Standing::Root).count();
    assert!(as_root >= 20, "{as_root}");
}
