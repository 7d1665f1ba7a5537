//! Layers with bytes changed at random: read to a tree of names that stay inside, or refused in a line.

use super::fixture::Tar;
use crate::oci::inspect;
use proptest::prelude::*;
use std::collections::BTreeSet;
use tar::EntryType;

fn whole() -> Vec<u8> {
    Tar::new()
        .folder("usr/lib", 0o755)
        .symlink("lib", "usr/lib")
        .file("lib/a", "content")
        .hard_link("b", "usr/lib/a")
        .pax(&[("path", b"a/long/name"), ("SCHILY.xattr.user.a", b"b")])
        .file("x", "1")
        .entry(EntryType::GNULongName, b"x", b"")
        .file("usr/.wh.lib", "")
        .done()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 3000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn changed_layers_stay_inside_or_are_refused(
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..6),
        sums in any::<bool>(),
    ) {
        let mut bytes = whole();
        for (at, byte) in changes {
            let at = at.index(bytes.len());
            bytes[at] = byte;
        }
        if sums {
            // So that more than the checksum is looked at.
            for block in bytes.chunks_mut(512).filter(|block| block[257..262] == *b"ustar") {
                block[148..156].fill(b' ');
                let sum: u32 = block.iter().map(|byte| u32::from(*byte)).sum();
                block[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
            }
        }
        match inspect(&[&bytes, &bytes]) {
            Err(error) => {
                let text = error.to_string();
                prop_assert!(text.len() < 1024 && !text.chars().any(char::is_control), "{text:?}");
            }
            Ok(paths) => {
                let names: BTreeSet<_> = paths.iter().collect();
                prop_assert_eq!(names.len(), paths.len());
                for path in &paths {
                    let plain = |part: &[u8]| !part.is_empty() && part != b"." && part != b".." && !part.contains(&0);
                    prop_assert!(path.split(|byte| *byte == b'/').all(plain));
                    if let Some(slash) = path.iter().rposition(|byte| *byte == b'/') {
                        prop_assert!(names.contains(&path[..slash].to_vec()));
                    }
                }
            }
        }
    }
}

#[test]
fn seeds_of_the_fuzzer_are_read() {
    let seed = |name: &str| {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../../fuzz/seeds/oci_layer");
        std::fs::read(format!("{folder}/{name}")).unwrap()
    };
    for (name, count) in [("tree", 6), ("extended", 3), ("whiteouts", 2), ("long", 3)] {
        assert_eq!(inspect(&[&seed(name)]).unwrap().len(), count, "{name}");
    }
    assert!(inspect(&[&seed("above")]).is_err());
}
