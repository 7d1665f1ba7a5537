//! A spool as a child would leave it that was taken over: nothing of it leads out of the tree.

use super::fixture::listed;
use crate::oci::bounds::Bounds;
use crate::oci::flatten::listing::{Content, Item};
use crate::oci::flatten::materialise::materialise;
use crate::oci::flatten::plan::TREE;
use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;

fn enter(name: &str) -> Item {
    Item::Enter {
        name: name.into(),
        mode: 0o755,
    }
}

fn file(name: &str, number: u32, content: Content) -> Item {
    Item::File {
        name: name.into(),
        mode: 0o6777,
        number,
        content,
    }
}

fn link(name: &str, target: &str) -> Item {
    Item::Symlink {
        name: name.into(),
        target: target.into(),
    }
}

/// What comes of a listing beside a spool with a file `1`, links `2` and `3` to a file and a folder outside, and a pipe `4`.
fn made(items: &[Item]) -> Result<Vec<String>, String> {
    let lab = tempfile::tempdir().unwrap();
    let at = |name: &str| lab.path().join(name);
    fs::create_dir_all(at("spool")).unwrap();
    fs::create_dir_all(at("outside")).unwrap();
    fs::write(at("outside/secret"), "secret").unwrap();
    fs::write(at("spool/1"), "one").unwrap();
    symlink(at("outside/secret"), at("spool/2")).unwrap();
    symlink(at("outside"), at("spool/3")).unwrap();
    let mode = rustix::fs::Mode::from_raw_mode(0o644);
    let fifo = rustix::fs::FileType::Fifo;
    rustix::fs::mknodat(rustix::fs::CWD, at("spool/4"), fifo, mode, 0).unwrap();
    let mut bytes = Vec::new();
    for item in items {
        item.write(&mut bytes).unwrap();
    }
    fs::write(at("spool").join(TREE), bytes).unwrap();
    let made = materialise(&at("spool"), &at("root"), &Bounds::default());
    let untouched = |path: &Path| listed(path) == ["secret 644 secret"];
    assert!(untouched(&at("outside")));
    made.map(|()| listed(&at("root")))
        .map_err(|error| format!("{error}: {:?}", std::error::Error::source(&error)))
}

#[test]
fn a_listing_is_made_as_it_stands() {
    let items = [
        enter(""),
        enter("a"),
        file("one", 1, Content::Shared),
        file("two", 1, Content::Shared),
        file("empty", 9, Content::Empty),
        Item::Leave,
        link("out", "/etc"),
        Item::Leave,
    ];
    let expected = [
        "a/ 755",
        "a/empty 777 ",
        "a/one 777 x3 one",
        "a/two 777 x3 one",
        "out -> /etc",
    ];
    // The third name is the spool's own, which goes with it.
    assert_eq!(made(&items).unwrap(), expected);
}

#[test]
fn a_listing_leads_nowhere_else() {
    let deep: Vec<Item> = (0..400).map(|_| enter("d")).collect();
    for (items, expected) in [
        (vec![], "failed to fill whole buffer"),
        (vec![enter("")], "failed to fill whole buffer"),
        (vec![Item::Leave], "leaves its root"),
        (vec![file("a", 1, Content::Own)], "names no root"),
        (vec![link("a", "b")], "names no root"),
        (vec![enter(""), enter("..")], "a name that is none"),
        (vec![enter(""), enter("")], "a name that is none"),
        (vec![enter(""), enter("a/b")], "a name that is none"),
        (
            vec![enter(""), file("../a", 1, Content::Own)],
            "a name that is none",
        ),
        (
            vec![enter(""), file("/a", 9, Content::Empty)],
            "a name that is none",
        ),
        (vec![enter(""), link("a/b", "c")], "a name that is none"),
        // Through a link that it has just made.
        (
            vec![enter(""), link("a", "../outside"), enter("a")],
            "exists",
        ),
        (
            vec![
                enter(""),
                link("a", "../outside/secret"),
                file("a", 9, Content::Empty),
            ],
            "exists",
        ),
        (
            vec![
                enter(""),
                link("a", "../outside/secret"),
                file("a", 1, Content::Own),
            ],
            "exists",
        ),
        (
            vec![enter(""), link("a", "b"), file("a", 1, Content::Shared)],
            "exists",
        ),
        // Contents that are none.
        (
            vec![enter(""), file("a", 2, Content::Own)],
            "symbolic links",
        ),
        (
            vec![enter(""), file("a", 3, Content::Own)],
            "symbolic links",
        ),
        (vec![enter(""), file("a", 4, Content::Own)], "no plain file"),
        (vec![enter(""), file("a", 5, Content::Own)], "No such file"),
        (
            vec![
                enter(""),
                file("a", 1, Content::Own),
                file("b", 1, Content::Own),
            ],
            "No such file",
        ),
        ([vec![enter("")], deep].concat(), "deeper than its bound"),
        (vec![enter(""), link("a", "")], "No such file"),
        (vec![enter(""), link("a\0b", "c")], "nvalid"),
    ] {
        let error = made(&items).unwrap_err();
        assert!(error.contains(expected), "{items:?}: {error}");
    }
}
