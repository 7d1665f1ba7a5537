//! Whiteouts and replacement against a model that has paths and no tree.

use crate::oci::bounds::Bounds;
use crate::oci::layer::change::{Attributes, Change, Inode, Special, What};
use crate::oci::tree::{Folder, Node, Tree};
use proptest::prelude::*;
use std::collections::BTreeMap;
use std::rc::Rc;

/// An entry of a layer in the model's terms.
#[derive(Debug, Clone)]
enum Act {
    Folder,
    File(u32),
    Fifo,
    Whiteout,
    Opaque,
}

type Paths = BTreeMap<String, char>;

/// What a layer does to a list of paths. `None` where it puts something below what is no folder.
fn model(paths: &mut Paths, layer: &[(String, Act)]) -> Option<()> {
    for (path, act) in layer {
        let below = format!("{path}/");
        match act {
            Act::Whiteout => paths.retain(|name, _| name != path && !name.starts_with(&below)),
            Act::Opaque => paths.retain(|name, _| !name.starts_with(&below)),
            _ => {}
        }
    }
    for (path, act) in layer {
        let kind = match act {
            Act::Folder => 'd',
            Act::File(_) => 'f',
            Act::Fifo => 'p',
            Act::Whiteout | Act::Opaque => continue,
        };
        for (at, _) in path.match_indices('/') {
            if *paths.entry(path[..at].to_owned()).or_insert('d') != 'd' {
                return None;
            }
        }
        let below = format!("{path}/");
        if kind != 'd' || paths.get(path) != Some(&'d') {
            paths.retain(|name, _| !name.starts_with(&below));
        }
        paths.insert(path.clone(), kind);
    }
    Some(())
}

fn changes(layer: &[(String, Act)]) -> Vec<Change> {
    let attributes = Attributes::default();
    let change = |(path, act): &(String, Act)| Change {
        path: path.split('/').map(|part| part.as_bytes().into()).collect(),
        what: match act {
            Act::Folder => What::Folder(attributes),
            Act::File(number) => What::File(Rc::new(Inode {
                number: *number,
                size: 1,
                attributes,
            })),
            Act::Fifo => What::Special(Special::Fifo),
            Act::Whiteout => What::Whiteout,
            Act::Opaque => What::Opaque,
        },
    };
    layer.iter().map(change).collect()
}

fn paths_of(folder: &Folder, above: &str, paths: &mut Paths) {
    for (name, node) in &folder.children {
        let path = format!("{above}{}", String::from_utf8_lossy(name));
        let kind = match node {
            Node::Folder(folder) => {
                paths_of(folder, &format!("{path}/"), paths);
                'd'
            }
            Node::File(_) => 'f',
            Node::Symlink(_) => 'l',
            Node::Special(_) => 'p',
        };
        paths.insert(path, kind);
    }
}

fn layers() -> impl Strategy<Value = Vec<Vec<(String, Act)>>> {
    let part = prop::sample::select(vec!["a", "b", "c"]);
    let path = prop::collection::vec(part, 1..4).prop_map(|parts| parts.join("/"));
    let act = prop_oneof![
        3 => Just(Act::Folder),
        4 => (0..9u32).prop_map(Act::File),
        1 => Just(Act::Fifo),
        2 => Just(Act::Whiteout),
        1 => Just(Act::Opaque),
    ];
    prop::collection::vec(prop::collection::vec((path, act), 0..8), 1..5)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 4000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn layers_do_to_a_tree_what_they_do_to_a_list(layers in layers()) {
        let bounds = Bounds::default();
        let (mut tree, mut expected) = (Tree::new(&bounds), Paths::new());
        for layer in &layers {
            let applied = tree.apply(changes(layer));
            match model(&mut expected, layer) {
                None => {
                    prop_assert!(applied.is_err());
                    return Ok(());
                }
                Some(()) => prop_assert!(applied.is_ok(), "{applied:?}"),
            }
            let mut seen = Paths::new();
            paths_of(&tree.root, "", &mut seen);
            prop_assert_eq!(&seen, &expected);
        }
    }
}
