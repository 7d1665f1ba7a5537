//! What layers would leave, without writing any of it: for whoever wants to know beforehand, and for fuzzing.

use crate::oci::bounds::Bounds;
use crate::oci::error::{Fault, LayerError};
use crate::oci::flatten::listing::{self, Item};
use crate::oci::layer::read::{Budget, Layers, Located, Spool};
use crate::oci::tree::Tree;
use std::io::{self, Read};

/// Paths of the tree that these archives leave, the lowest layer first, none of them compressed.
pub fn inspect(archives: &[&[u8]]) -> Result<Vec<Vec<u8>>, LayerError> {
    let bounds = Bounds::default();
    let mut tree = Tree::new(&bounds);
    let mut layers = Layers {
        bounds: &bounds,
        budget: Budget::of(&bounds),
        spool: Nowhere,
    };
    let of = archives.len();
    for (index, archive) in archives.iter().enumerate() {
        let located = |(entry, fault): Located| LayerError {
            index,
            of,
            entry,
            fault,
        };
        let changes = layers.archive(&mut &**archive).map_err(located)?;
        let applied = tree.apply(changes);
        applied.map_err(|(entry, fault)| located((Some(entry), fault)))?;
    }
    paths(&tree).map_err(|error| LayerError {
        index: of.saturating_sub(1),
        of,
        entry: None,
        fault: Fault::of_writing(&error),
    })
}

/// As the listing has them that goes from the jail to its parent.
fn paths(tree: &Tree<'_>) -> io::Result<Vec<Vec<u8>>> {
    let mut listed = Vec::new();
    listing::write(&tree.root, &mut listed)?;
    let mut from = &listed[..];
    let (mut above, mut paths) = (Vec::new(), Vec::new());
    while !from.is_empty() {
        match Item::read(&mut from)? {
            Item::Enter { name, .. } => {
                above.push(name);
                paths.push(above[1..].join(&b'/'));
            }
            Item::Leave => drop(above.pop()),
            Item::File { name, .. } | Item::Symlink { name, .. } => {
                let folder = above.get(1..).unwrap_or_default();
                paths.push([folder, &[name]].concat().join(&b'/'));
            }
        }
    }
    // The root has no name.
    paths.retain(|path| !path.is_empty());
    Ok(paths)
}

struct Nowhere;

impl Spool for Nowhere {
    fn keep(&mut self, _: u32, content: &mut dyn Read) -> Result<(), Fault> {
        let copied = io::copy(content, &mut io::sink());
        copied
            .map(drop)
            .map_err(|error| Fault::of_reading(error, "its content"))
    }
}
