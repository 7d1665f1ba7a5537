//! The releases that are pinned.
//!
//! The digests are those of Firecracker's release assets. They were not computed from a download by
//! this project, which has never been given a way to one: they are what many independent public
//! projects pin for the same asset (v1.16.1: ten for x86_64, three for aarch64). A wrong one can do
//! no more than refuse a good archive.

/// A release archive and what it must be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Release {
    /// As in its tag, without the `v`.
    pub version: String,
    /// As `uname -m` says it.
    pub arch: String,
    /// Where it is.
    pub url: String,
    /// Of the archive, 64 hexadecimal digits.
    pub sha256: String,
}

/// Version, architecture, SHA-256 of `firecracker-vVERSION-ARCH.tgz`.
const PINNED: &[(&str, &str, &str)] = &[
    (
        "1.16.1",
        "x86_64",
        "382a02a869e4d6d5cb14c40577f9545e8458021ea8b0b2d3fc10ec14d9c242e6",
    ),
    (
        "1.16.1",
        "aarch64",
        "8d0e69f6d6f9a1724551f607f18504052c16c1828ee3d4d7b6e6c73380871e0e",
    ),
];

/// The release that is installed on this architecture.
pub fn pinned(arch: &str) -> Option<Release> {
    let (version, arch, sha256) = PINNED.iter().find(|row| row.1 == arch)?;
    Some(Release {
        version: version.to_string(),
        arch: arch.to_string(),
        url: format!(
            "https://github.com/firecracker-microvm/firecracker/releases/download/v{version}/firecracker-v{version}-{arch}.tgz"
        ),
        sha256: sha256.to_string(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pins_are_digests_and_addresses_name_their_version() {
        for (version, arch, sha256) in PINNED {
            assert_eq!(hex::decode(sha256).unwrap().len(), 32);
            let release = pinned(arch).unwrap();
            assert!(
                release
                    .url
                    .starts_with("https://github.com/firecracker-microvm/")
            );
            assert_eq!(release.url.matches(version).count(), 2);
        }
        assert_eq!(pinned("riscv64"), None);
    }
}
