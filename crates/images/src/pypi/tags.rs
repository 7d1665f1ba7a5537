//! Which of a package's files guests can use, by what its name says: PEP 425 and 600.

/// Guests' Python, as tags name it.
pub(super) const PYTHON: &str = "cp313";
pub(crate) const PYTHON_MINOR: u32 = 13;
/// Guests' glibc is 2.41.
pub(crate) const GLIBC_MINOR: u32 = 41;

/// How well a file suits guests, 0 the best; `None`: not at all.
pub(super) fn rank(file: &str) -> Option<u32> {
    let tags = file.strip_suffix(".whl")?;
    let mut parts = tags.rsplit('-');
    let (platforms, abis, pythons) = (parts.next()?, parts.next()?, parts.next()?);
    let platform = platforms.split('.').filter_map(platform_rank).min()?;
    let python = pythons
        .split('.')
        .filter_map(|python| python_rank(python, abis))
        .min()?;
    Some(python * 2 + platform)
}

fn platform_rank(platform: &str) -> Option<u32> {
    if platform == "any" {
        return Some(1);
    }
    let old = [
        "manylinux1_x86_64",
        "manylinux2010_x86_64",
        "manylinux2014_x86_64",
        "linux_x86_64",
    ];
    if old.contains(&platform) {
        return Some(0);
    }
    let glibc = platform
        .strip_prefix("manylinux_2_")?
        .strip_suffix("_x86_64")?;
    (glibc.parse::<u32>().ok()? <= GLIBC_MINOR).then_some(0)
}

fn python_rank(python: &str, abis: &str) -> Option<u32> {
    let has = |abi: &str| abis.split('.').any(|one| one == abi);
    if python == PYTHON && has(PYTHON) {
        return Some(0);
    }
    if has("abi3") {
        let minor: u32 = python.strip_prefix("cp3")?.parse().ok()?;
        return (minor <= PYTHON_MINOR).then_some(1);
    }
    if python == PYTHON && has("none") {
        return Some(2);
    }
    let pure = match python.strip_prefix("py3")? {
        "" => true,
        minor => minor.parse::<u32>().ok()? <= PYTHON_MINOR,
    };
    (pure && has("none")).then_some(3)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_file_that_suits_best_comes_first() {
        let files = [
            "n-1-cp313-cp313-manylinux_2_27_x86_64.manylinux_2_28_x86_64.whl",
            "n-1-cp311-abi3-manylinux_2_17_x86_64.manylinux2014_x86_64.whl",
            "n-1-py3-none-manylinux_2_28_x86_64.whl",
            "n-1-py2.py3-none-any.whl",
            "n-1-py39-none-any.whl",
        ];
        let ranks: Vec<Option<u32>> = files.iter().map(|file| rank(file)).collect();
        assert!(
            ranks.is_sorted() && ranks.iter().all(Option::is_some),
            "{ranks:?}"
        );
        for file in [
            "n-1-py314-none-any.whl",
            "n-1-py2-none-any.whl",
            "n-1-cp312-none-any.whl",
            "n-1-cp313-cp313t-manylinux_2_28_x86_64.whl",
            "n-1-cp314-cp314-manylinux_2_28_x86_64.whl",
            "n-1-cp314-abi3-manylinux_2_28_x86_64.whl",
            "n-1-cp313-cp313-manylinux_2_28_aarch64.whl",
            "n-1-cp313-cp313-musllinux_1_2_x86_64.whl",
            "n-1-cp313-cp313-manylinux_2_99_x86_64.whl",
            "n-1-cp313-cp313-win_amd64.whl",
            "n-1.tar.gz",
        ] {
            assert_eq!(rank(file), None, "{file}");
        }
    }
}
