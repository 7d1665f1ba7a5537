use super::*;
use Happened::{Arrived, Came, Changed, Left, Lost, Removed, Unwatched, Went};

const ROOT: u32 = 1;
const SUB: u32 = 2;

/// `/w`, three levels of it watched, with `/w/sub`.
fn tree() -> Tree<u32> {
    let mut tree = Tree::new(ROOT, "/w".into(), 3);
    tree.add(SUB, "/w/sub".into(), 2);
    tree
}

fn came(folder: u32, name: &str) -> Happened<u32> {
    Came {
        folder,
        name: name.into(),
        kind: Arrival::Other,
    }
}

fn left(folder: u32, name: &str, cookie: u32) -> Happened<u32> {
    Left {
        folder,
        name: name.into(),
        cookie,
    }
}

fn arrived(folder: u32, name: &str, cookie: u32, kind: Arrival) -> Happened<u32> {
    Arrived {
        folder,
        name: name.into(),
        kind,
        cookie,
    }
}

/// Steps as words.
fn words(steps: Vec<Step<u32>>) -> Vec<String> {
    let word = |step| match step {
        Step::Tell(WatchEvent::Created { path }) => format!("+ {path}"),
        Step::Tell(WatchEvent::Modified { path }) => format!("~ {path}"),
        Step::Tell(WatchEvent::Removed { path }) => format!("- {path}"),
        Step::Tell(WatchEvent::Moved { from, path }) => format!("{from} > {path}"),
        Step::Tell(WatchEvent::Overflow { of }) => format!("overflow {of:?}"),
        Step::Tell(WatchEvent::Watching { folders }) => format!("watching {folders}"),
        Step::Look { path, depth } => format!("look {} {depth}", path.display()),
        Step::Forget(folder) => format!("forget {folder}"),
        Step::Over => "over".to_owned(),
    };
    steps.into_iter().map(word).collect()
}

#[test]
fn what_happens_is_told_by_its_path() {
    let name = || "a".into();
    let new_folder = |folder, name: &str| Came {
        folder,
        name: name.into(),
        kind: Arrival::Folder,
    };
    for (events, told) in [
        (
            vec![came(ROOT, "a"), came(SUB, "b")],
            &["+ /w/a", "+ /w/sub/b"][..],
        ),
        (vec![new_folder(ROOT, "d")], &["+ /w/d", "look /w/d 2"]),
        // As deep as it goes.
        (
            vec![new_folder(SUB, "d")],
            &["+ /w/sub/d", "look /w/sub/d 1"],
        ),
        (
            vec![Removed {
                folder: SUB,
                name: name(),
            }],
            &["- /w/sub/a"],
        ),
        (
            vec![
                Changed {
                    folder: ROOT,
                    name: name()
                };
                3
            ],
            &["~ /w/a"],
        ),
        (vec![Lost], &["overflow Events"]),
        (
            vec![
                came(9, "a"),
                Removed {
                    folder: 9,
                    name: name(),
                },
            ],
            &[],
        ),
        (vec![Unwatched(SUB), came(SUB, "a")], &[]),
        (vec![Went(ROOT)], &["- /w", "over"]),
        (vec![Went(SUB)], &[]),
    ] {
        let mut tree = tree();
        let steps = events
            .iter()
            .flat_map(|event| tree.on(event.clone()))
            .collect();
        assert_eq!(words(steps), told, "{events:?}");
    }
}

#[test]
fn a_move_is_two_halves_or_an_entry_that_goes_or_comes() {
    for (events, told) in [
        (
            vec![left(ROOT, "a", 7), arrived(SUB, "b", 7, Arrival::Other)],
            &["/w/a > /w/sub/b"][..],
        ),
        (vec![arrived(ROOT, "a", 7, Arrival::Other)], &["+ /w/a"]),
        (
            vec![arrived(ROOT, "d", 7, Arrival::Folder)],
            &["+ /w/d", "look /w/d 2"],
        ),
        (
            vec![left(ROOT, "a", 7), came(ROOT, "b")],
            &["- /w/a", "+ /w/b"],
        ),
        (
            vec![left(ROOT, "a", 7), arrived(ROOT, "b", 8, Arrival::Other)],
            &["- /w/a", "+ /w/b"],
        ),
        (
            vec![left(ROOT, "sub", 7), came(ROOT, "b")],
            &["forget 2", "- /w/sub", "+ /w/b"],
        ),
        // Deeper than before: what is below has another depth.
        (
            vec![left(ROOT, "sub", 7), arrived(SUB, "s", 7, Arrival::Folder)],
            &["/w/sub > /w/sub/s", "forget 2", "look /w/sub/s 1"],
        ),
    ] {
        let mut tree = tree();
        let steps = events
            .iter()
            .flat_map(|event| tree.on(event.clone()))
            .collect();
        assert_eq!(words(steps), told, "{events:?}");
        assert!(!tree.is_moving(), "{events:?}");
    }
    let mut tree = tree();
    assert!(tree.on(left(ROOT, "a", 7)).is_empty() && tree.is_moving());
    assert_eq!(words(tree.settle()), ["- /w/a"]);
    assert!(tree.settle().is_empty());
}

#[test]
fn a_folder_that_moved_is_known_by_its_new_path() {
    let mut tree = tree();
    tree.add(3, "/w/sub/deep".into(), 1);
    tree.add(4, "/w/subway".into(), 2);
    let mut steps = tree.on(left(ROOT, "sub", 7));
    steps.extend(tree.on(arrived(ROOT, "new", 7, Arrival::Folder)));
    for (folder, name) in [(SUB, "a"), (3, "b"), (4, "c")] {
        steps.extend(tree.on(came(folder, name)));
    }
    let expected = [
        "/w/sub > /w/new",
        "+ /w/new/a",
        "+ /w/new/deep/b",
        "+ /w/subway/c",
    ];
    assert_eq!(words(steps), expected);
    assert_eq!(tree.folders(), 4);
}

#[test]
fn a_changed_file_is_told_again_in_the_next_batch() {
    let mut tree = tree();
    let changed = Changed {
        folder: ROOT,
        name: "a".into(),
    };
    assert_eq!(tree.on(changed.clone()).len(), 1);
    assert_eq!(tree.on(changed.clone()).len(), 0);
    tree.begin_batch();
    assert_eq!(tree.on(changed).len(), 1);
}
