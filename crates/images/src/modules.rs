//! Which kernel modules a guest needs, and in which order they load.
//!
//! Packages do not carry `modules.dep` (it is made on installation), so dependencies are read from
//! the modules themselves, as `depmod` does.

use crate::error::ImageError;
use goblin::elf::Elf;
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

/// What guests need of either engine. A name that is neither a module nor built in is left out
/// when this says that guests can do without.
const WANTED: &[(&str, Need)] = &[
    ("virtio_mmio", Need::Must),
    ("virtio_blk", Need::Must),
    ("erofs", Need::Must),
    ("virtio_console", Need::Must),
    ("vmw_vsock_virtio_transport", Need::Must),
    // What makes the root writable, where a sandbox may write to it.
    ("overlay", Need::Must),
    ("virtio_rng", Need::May),
    // Debian's cloud kernel has no driver for it before 6.12; the agent reseeds by itself.
    ("vmgenid", Need::May),
];

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Need {
    Must,
    May,
}

/// A module's name, the way the kernel spells it, and its file.
pub(crate) type Module = (String, PathBuf);

/// The modules of [`WANTED`] and what they depend on, each after its dependencies.
pub(crate) fn in_load_order(folder: &Path) -> Result<Vec<Module>, ImageError> {
    let mut modules = LoadOrder {
        files: files(folder),
        settled: built_in(folder)?,
        order: Vec::new(),
    };
    for (name, need) in WANTED {
        if *need == Need::May && !modules.files.contains_key(*name) {
            continue;
        }
        modules.place(name)?;
    }
    Ok(modules.order)
}

struct LoadOrder {
    files: BTreeMap<String, PathBuf>,
    /// Built in, or placed already.
    settled: BTreeSet<String>,
    order: Vec<Module>,
}

impl LoadOrder {
    /// Puts a module after those it depends on.
    fn place(&mut self, name: &str) -> Result<(), ImageError> {
        // Marked before its dependencies are: a circle, which the kernel forbids, ends here.
        if !self.settled.insert(name.to_owned()) {
            return Ok(());
        }
        let file = self.files.get(name).cloned().ok_or_else(|| {
            ImageError::unexpected(format!(
                "kernel module {name} is neither built in nor there"
            ))
        })?;
        let bytes = fs::read(&file).map_err(ImageError::io("reading", &file))?;
        let depends = depends(&bytes)
            .ok_or_else(|| ImageError::unexpected(format!("{} is no module", file.display())))?;
        for dependency in depends {
            self.place(&dependency)?;
        }
        self.order.push((name.to_owned(), file));
        Ok(())
    }
}

/// The modules that `modinfo -F depends` names; `None` when this is not a module.
fn depends(module: &[u8]) -> Option<Vec<String>> {
    let elf = Elf::parse(module).ok()?;
    let section = elf
        .section_headers
        .iter()
        .find(|header| elf.shdr_strtab.get_at(header.sh_name) == Some(".modinfo"))?;
    let info = module.get(section.file_range()?)?;
    let list = info
        .split(|byte| *byte == 0)
        .find_map(|field| field.strip_prefix(b"depends="))?;
    let names = std::str::from_utf8(list).ok()?.split(',');
    Some(names.filter(|name| !name.is_empty()).map(spelled).collect())
}

fn built_in(folder: &Path) -> Result<BTreeSet<String>, ImageError> {
    let path = folder.join("modules.builtin");
    let text = fs::read_to_string(&path).map_err(ImageError::io("reading", &path))?;
    Ok(text
        .lines()
        .filter_map(|line| name_of(Path::new(line)))
        .collect())
}

fn files(folder: &Path) -> BTreeMap<String, PathBuf> {
    let entries = walkdir::WalkDir::new(folder.join("kernel"))
        .into_iter()
        .flatten();
    entries
        .filter_map(|entry| Some((name_of(entry.path())?, entry.into_path())))
        .collect()
}

fn name_of(path: &Path) -> Option<String> {
    let name = path.file_name()?.to_str()?.strip_suffix(".ko")?;
    Some(spelled(name))
}

/// The kernel takes `-` and `_` in names of modules for the same.
fn spelled(name: &str) -> String {
    name.replace('-', "_")
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The smallest ELF file with a `.modinfo` section.
    fn module(info: &str) -> Vec<u8> {
        let names = b"\0.modinfo\0.shstrtab\0";
        let info_at = 64;
        let names_at = info_at + info.len();
        let table_at = (names_at + names.len()).next_multiple_of(8);
        let mut elf = b"\x7fELF\x02\x01\x01\0\0\0\0\0\0\0\0\0\x01\0\x3e\0\x01\0\0\0".to_vec();
        elf.resize(40, 0);
        elf.extend_from_slice(&(table_at as u64).to_le_bytes());
        elf.extend_from_slice(&[0, 0, 0, 0, 64, 0, 0, 0, 0, 0, 64, 0, 3, 0, 2, 0]);
        elf.extend_from_slice(info.as_bytes());
        elf.extend_from_slice(names);
        elf.resize(table_at + 64, 0);
        for (name, kind, at, size) in [
            (1_u32, 1_u32, info_at, info.len()),
            (10, 3, names_at, names.len()),
        ] {
            elf.extend_from_slice(&name.to_le_bytes());
            elf.extend_from_slice(&kind.to_le_bytes());
            elf.extend_from_slice(&[0; 16]);
            elf.extend_from_slice(&(at as u64).to_le_bytes());
            elf.extend_from_slice(&(size as u64).to_le_bytes());
            elf.extend_from_slice(&[0; 24]);
        }
        elf
    }

    fn kernel(modules: &[(&str, &str)], built_in: &str) -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir(folder.path().join("kernel")).unwrap();
        fs::write(folder.path().join("modules.builtin"), built_in).unwrap();
        for (name, depends) in modules {
            let info = format!("license=GPL\0depends={depends}\0name={name}\0");
            let path = folder.path().join("kernel").join(format!("{name}.ko"));
            fs::write(path, module(&info)).unwrap();
        }
        folder
    }

    const BUILT_IN: &str = "kernel/a/virtio_blk.ko\nkernel/a/erofs.ko\nkernel/a/overlay.ko\nkernel/b/virtio_console.ko\n\
                            kernel/b/vmw_vsock_virtio_transport.ko\n";

    #[test]
    fn dependencies_load_first_and_built_in_ones_not_at_all() {
        let modules = [
            ("virtio_mmio", "virtio,virtio_ring"),
            ("virtio", "virtio_ring"),
            ("virtio_ring", ""),
            ("virtio-rng", "virtio,erofs"),
            ("unused", ""),
        ];
        let folder = kernel(&modules, BUILT_IN);
        let order = in_load_order(folder.path()).unwrap();
        let names: Vec<_> = order.iter().map(|(name, _)| name.as_str()).collect();
        assert_eq!(
            names,
            ["virtio_ring", "virtio", "virtio_mmio", "virtio_rng"]
        );
    }

    #[test]
    fn a_needed_module_that_is_missing_is_named() {
        let folder = kernel(&[("virtio_mmio", "virtio")], BUILT_IN);
        let error = in_load_order(folder.path()).unwrap_err().to_string();
        assert!(error.contains("module virtio is neither"), "{error}");
    }

    #[test]
    fn a_circle_and_a_broken_file_do_not_hang_or_panic() {
        let circle = [("virtio_mmio", "virtio"), ("virtio", "virtio_mmio")];
        assert_eq!(
            in_load_order(kernel(&circle, BUILT_IN).path())
                .unwrap()
                .len(),
            2
        );
        let whole = module("depends=a\0");
        assert_eq!(depends(&whole), Some(vec!["a".to_owned()]));
        for length in 0..whole.len() {
            depends(&whole[..length]);
        }
    }
}
