//! What every image is made of, whatever its language: see [`languages::image`] for the rest.

use crate::debian::sources::Suite;
use languages::RootImage;
use languages::image::Recipe;
use sha2::{Digest as _, Sha256};

/// The release that all packages come from, with newer ones built for it: Go's and Rust's makers mend only those.
pub(crate) const SUITE: Suite = Suite::Backports("trixie");
/// Changes when root file systems made by older versions of this crate are to be built again.
pub(crate) const ROOTFS_FORMAT: u32 = 7;
/// The same of kernels, and what is made with them.
pub(crate) const KERNEL_FORMAT: u32 = 5;

/// Kept in every image: programs in these languages start others, or end threads.
pub(crate) const KEEP_ALWAYS: &[&str] = &[
    // Loaded by name when a thread ends: no file asks for it.
    "usr/lib/x86_64-linux-gnu/libgcc_s.so.1",
    // What LANG=C.UTF-8 names: without it, text is counted and folded as bytes.
    "usr/lib/locale/C.utf8/**",
    "usr/share/zoneinfo/**",
    // What programs on a terminal ask for what its keys and escapes are.
    "usr/{lib,share}/terminfo/**",
    // What scripts use of their packages, which have many more.
    "usr/bin/{flock,getopt,lscpu,more,prlimit,rev,script,setsid,taskset}",
    "usr/bin/{column,hexdump}",
];

/// In every image: the packages of [`KEEP_ALWAYS`]. Those of [`PROGRAMS_ALWAYS`] come besides.
pub(crate) const PACKAGES_ALWAYS: &[&str] = &[
    "bsdextrautils",
    "libc-bin",
    "ncurses-base",
    "tzdata",
    "util-linux",
];

/// Packages of which every image has all programs: what shells and `subprocess` expect to find.
pub(crate) const PROGRAMS_ALWAYS: &[&str] = &[
    "bash",
    "coreutils",
    "dash",
    "debianutils",
    "diffutils",
    "findutils",
    "gawk",
    "grep",
    "gzip",
    "hostname",
    "less",
    "ncurses-bin",
    "procps",
    "sed",
    "tar",
    "vim-tiny",
];

/// Links in every image.
pub(crate) const LINKS_ALWAYS: &[(&str, &str)] = &[
    ("usr/bin/awk", "gawk"),
    ("usr/bin/vi", "vim.tiny"),
    ("usr/bin/which", "which.debianutils"),
];

/// What of them is left out: their packages' own, for nobody's program.
pub(crate) const DROP_ALWAYS: &[&str] = &["usr/bin/bashbug", "usr/share/zoneinfo/{right,posix}/**"];

/// SHA-256, in lower-case hex, of what an image is asked to be: its recipe, the files that this names, and what every image
/// has. Not of what bounds it, and not of Debian's packages, whose versions go on by themselves.
pub(crate) fn inputs(image: RootImage) -> String {
    inputs_of(image.recipe().clone(), image)
}

fn inputs_of(mut recipe: Recipe, image: RootImage) -> String {
    recipe.max_mib = 0;
    recipe.by_default = false;
    let named = recipe.npm.iter().chain(&recipe.pip);
    let files = named.chain(recipe.files.values());
    let files = files.filter_map(|name| image.companion(name));
    let always = (
        [KEEP_ALWAYS, DROP_ALWAYS, PACKAGES_ALWAYS, PROGRAMS_ALWAYS],
        LINKS_ALWAYS,
    );
    // Neither can fail: texts, numbers and lists.
    let parts = [
        serde_json::to_vec(&always).unwrap_or_default(),
        serde_json::to_vec(&recipe).unwrap_or_default(),
    ];
    digest_of(parts.iter().map(Vec::as_slice).chain(files))
}

/// Each part with its length before it: what moves from one part to the next is another input.
fn digest_of<'a>(parts: impl Iterator<Item = &'a [u8]>) -> String {
    let mut hasher = Sha256::new();
    for part in parts {
        hasher.update((part.len() as u64).to_le_bytes());
        hasher.update(part);
    }
    hex::encode(hasher.finalize())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn another_recipe_or_file_is_another_input_and_another_bound_is_none() {
        let image = RootImage::named("python-data").unwrap();
        let of = |change: fn(&mut Recipe)| {
            let mut recipe = image.recipe().clone();
            change(&mut recipe);
            inputs_of(recipe, image)
        };
        let own = inputs(image);
        assert_eq!(own, of(|_| {}));
        assert_eq!(own, of(|recipe| recipe.max_mib += 1));
        assert_ne!(own, of(|recipe| recipe.keep.clear()));
        assert_ne!(own, of(|recipe| recipe.npm = None));
        let parts = |parts: &[&str]| digest_of(parts.iter().map(|part| part.as_bytes()));
        assert_ne!(parts(&["ab", "c"]), parts(&["a", "bc"]));
    }

    #[test]
    fn every_glob_of_the_table_parses() {
        let rows = languages::images().map(languages::RootImage::recipe);
        let of_rows = rows.flat_map(|recipe| recipe.keep.iter().chain(&recipe.drop));
        let always = KEEP_ALWAYS.iter().chain(DROP_ALWAYS).copied();
        for glob in of_rows.map(String::as_str).chain(always) {
            globset::Glob::new(glob).unwrap();
            assert!(!glob.contains(' ') && !glob.starts_with('/'), "{glob}");
        }
    }
}
