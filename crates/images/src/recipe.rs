//! What every image is made of, whatever its language: see [`languages::image`] for the rest.

use crate::debian::sources::Suite;

/// The release that all packages come from, with newer ones built for it: Go's and Rust's makers mend only those.
pub(crate) const SUITE: Suite = Suite::Backports("trixie");
/// Changes when root file systems made by older versions of this crate are to be built again.
pub(crate) const ROOTFS_FORMAT: u32 = 6;
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
    "usr/lib/terminfo/**",
];

/// In every image: the packages of [`KEEP_ALWAYS`]. Those of [`PROGRAMS_ALWAYS`] come besides.
pub(crate) const PACKAGES_ALWAYS: &[&str] = &["libc-bin", "ncurses-base", "tzdata"];

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

#[cfg(test)]
mod tests {
    use super::*;

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
