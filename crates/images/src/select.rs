//! Chooses what of the unpacked packages goes into an image: what the recipe names, and what that
//! needs in turn. A program's libraries and loader are read from its ELF header, a link's target
//! from the link.

use crate::error::ImageError;
use crate::recipe::{DROP_ALWAYS, KEEP_ALWAYS, PROGRAMS_ALWAYS};
use globset::{GlobBuilder, GlobSet, GlobSetBuilder};
use goblin::elf::Elf;
use languages::image::Recipe;
use std::collections::BTreeSet;
use std::ffi::{OsStr, OsString};
use std::fs;
use std::io::Read;
use std::path::{Component, Path, PathBuf};

/// Where the loader looks for libraries, relative to the root.
const LIBRARY_FOLDERS: &[&str] = &["usr/lib/x86_64-linux-gnu", "usr/lib"];
/// As many links as the kernel follows.
const MAX_LINKS: usize = 40;

/// The files and links of `tree` that belong in the image, relative to it.
pub(crate) fn select(
    tree: &Path,
    recipe: &Recipe,
    programs: &BTreeSet<PathBuf>,
) -> Result<BTreeSet<PathBuf>, ImageError> {
    let keep = globs(&recipe.keep, KEEP_ALWAYS)?;
    let drop = globs(&recipe.drop, DROP_ALWAYS)?;
    let mut waiting = Vec::new();
    for entry in walkdir::WalkDir::new(tree).sort_by_file_name() {
        let entry = entry.map_err(|error| ImageError::io("listing", tree)(error.into()))?;
        let path = entry.path().strip_prefix(tree).unwrap_or(entry.path());
        let wanted = keep.is_match(path) || programs.contains(path);
        if !entry.file_type().is_dir() && wanted && !drop.is_match(path) {
            waiting.push(path.to_path_buf());
        }
    }
    let names = waiting.iter().filter_map(|path| path.file_name());
    let kept: BTreeSet<OsString> = names.map(OsString::from).collect();
    let mut chosen = BTreeSet::new();
    while let Some(path) = waiting.pop() {
        if !chosen.contains(&path) && add(tree, &path, &kept, &mut waiting)? {
            chosen.insert(path);
        }
    }
    Ok(chosen)
}

/// The programs in `/usr/bin` of the packages whose programs are kept.
pub(crate) fn programs(recipe: &Recipe, packages: &[crate::debian::Unpacked]) -> BTreeSet<PathBuf> {
    let of_them = packages.iter().filter(|package| {
        let name = package.name.as_str();
        recipe.programs_of.contains(&package.name) || PROGRAMS_ALWAYS.contains(&name)
    });
    let files = of_them.flat_map(|package| &package.files);
    files
        .filter(|path| path.starts_with("usr/bin"))
        .cloned()
        .collect()
}

fn globs(own: &[String], always: &[&str]) -> Result<GlobSet, ImageError> {
    let mut set = GlobSetBuilder::new();
    let wrong = |error: globset::Error| ImageError::unexpected(error.to_string());
    for pattern in own.iter().map(String::as_str).chain(always.iter().copied()) {
        let glob = GlobBuilder::new(pattern).literal_separator(true).build();
        set.add(glob.map_err(wrong)?);
    }
    set.build().map_err(wrong)
}

/// Puts what `path` needs on the list; false when it leads nowhere and so is left out. `kept` are the names of the files
/// that the recipe names: a library among them is found by whoever loads it, wherever it is.
fn add(
    tree: &Path,
    path: &Path,
    kept: &BTreeSet<OsString>,
    waiting: &mut Vec<PathBuf>,
) -> Result<bool, ImageError> {
    let full = tree.join(path);
    if full.is_symlink() {
        let Some(target) = target_of(tree, path) else {
            return Ok(false);
        };
        if !tree.join(&target).is_dir() {
            waiting.push(target);
        }
        return Ok(true);
    }
    let mut magic = [0; 4];
    let mut file = fs::File::open(&full).map_err(ImageError::io("opening", &full))?;
    if file
        .read(&mut magic)
        .map_err(ImageError::io("reading", &full))?
        < 4
        || &magic != b"\x7fELF"
    {
        return Ok(true);
    }
    let bytes = fs::read(&full).map_err(ImageError::io("reading", &full))?;
    // Object files and such that are no programs need nothing.
    let Ok(elf) = Elf::parse(&bytes) else {
        return Ok(true);
    };
    if let Some(loader) = elf.interpreter {
        let loader = in_tree(tree, Path::new(loader)).ok_or_else(|| missing(path, loader))?;
        waiting.push(loader);
    }
    for library in &elf.libraries {
        match library_in(tree, path, &elf.runpaths, library) {
            Some(found) => waiting.push(found),
            None if kept.contains(OsStr::new(library)) => {}
            None => return Err(missing(path, library)),
        }
    }
    Ok(true)
}

fn missing(program: &Path, library: &str) -> ImageError {
    let program = program.display();
    ImageError::unexpected(format!(
        "{program} needs {library}, which no package brought"
    ))
}

fn library_in(tree: &Path, of: &Path, runpaths: &[&str], name: &str) -> Option<PathBuf> {
    let origin = of.parent()?.to_str()?;
    let own = runpaths.iter().flat_map(|paths| paths.split(':'));
    let own = own.map(|folder| folder.replace("$ORIGIN", origin));
    let folders = own.chain(LIBRARY_FOLDERS.iter().map(|folder| (*folder).to_owned()));
    folders
        .filter_map(|folder| in_tree(tree, &Path::new(&folder).join(name)))
        .next()
}

/// Where a link of the tree leads: a path in the tree, maybe another link.
fn target_of(tree: &Path, link: &Path) -> Option<PathBuf> {
    let target = fs::read_link(tree.join(link)).ok()?;
    in_tree(tree, &link.parent()?.join(target))
}

/// The path, seen from a process whose root is `tree`, with links in its folders followed but not
/// one at its end; `None` when there is no such file.
fn in_tree(tree: &Path, path: &Path) -> Option<PathBuf> {
    let mut folder = PathBuf::new();
    let mut left: Vec<PathBuf> = parts(path);
    let mut links = 0;
    while let Some(part) = left.pop() {
        if part == Path::new("..") {
            folder.pop();
            continue;
        }
        let here = folder.join(&part);
        match fs::read_link(tree.join(&here)) {
            Ok(target) if !left.is_empty() => {
                links += 1;
                if links > MAX_LINKS {
                    return None;
                }
                if target.is_absolute() {
                    folder = PathBuf::new();
                }
                left.extend(parts(&target));
            }
            _ => folder = here,
        }
    }
    tree.join(&folder).symlink_metadata().ok().map(|_| folder)
}

/// The parts of a path, last first.
fn parts(path: &Path) -> Vec<PathBuf> {
    let parts = path.components().rev().filter_map(|part| match part {
        Component::Normal(name) => Some(PathBuf::from(name)),
        Component::ParentDir => Some(PathBuf::from("..")),
        _ => None,
    });
    parts.collect()
}

/// Moves what was chosen from `tree` to `root`, making folders on the way.
pub(crate) fn move_chosen(
    tree: &Path,
    chosen: &BTreeSet<PathBuf>,
    root: &Path,
) -> Result<(), ImageError> {
    for path in chosen {
        let to = root.join(path);
        let folder = to.parent().unwrap_or(root);
        fs::create_dir_all(folder).map_err(ImageError::io("creating", folder))?;
        fs::rename(tree.join(path), &to).map_err(ImageError::io("moving to", &to))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::symlink;

    fn tree() -> tempfile::TempDir {
        let tree = tempfile::tempdir().unwrap();
        for folder in ["usr/bin", "usr/lib/x86_64-linux-gnu", "usr/share/doc"] {
            fs::create_dir_all(tree.path().join(folder)).unwrap();
        }
        symlink("usr/lib", tree.path().join("lib")).unwrap();
        tree
    }

    fn recipe(keep: &[&str], drop: &[&str]) -> Recipe {
        let own = |globs: &[&str]| globs.iter().map(|glob| (*glob).to_owned()).collect();
        Recipe {
            keep: own(keep),
            drop: own(drop),
            ..languages::RootImage::named("bash")
                .unwrap()
                .recipe()
                .clone()
        }
    }

    #[test]
    fn only_what_is_named_and_what_links_lead_to_is_chosen() {
        let tree = tree();
        let at = |path: &str| tree.path().join(path);
        fs::write(at("usr/lib/real.1"), b"x").unwrap();
        symlink("real.1", at("usr/lib/real")).unwrap();
        symlink("/lib/real", at("usr/bin/a")).unwrap();
        symlink("nowhere", at("usr/bin/dangling")).unwrap();
        symlink("loop", at("usr/bin/loop")).unwrap();
        fs::write(at("usr/bin/dropped"), b"x").unwrap();
        fs::write(at("usr/share/doc/a"), b"x").unwrap();
        let recipe = recipe(&["usr/bin/*"], &["usr/bin/dropped"]);
        let chosen = select(tree.path(), &recipe, &BTreeSet::new()).unwrap();
        let expected = [
            "usr/bin/a",
            "usr/bin/loop",
            "usr/lib/real",
            "usr/lib/real.1",
        ];
        assert_eq!(chosen, expected.map(PathBuf::from).into());
    }

    #[test]
    fn a_program_brings_its_loader_and_libraries_or_says_which_is_missing() {
        let tree = tree();
        fs::copy("/bin/true", tree.path().join("usr/bin/true")).unwrap();
        let recipe = recipe(&["usr/bin/*"], &[]);
        let error = select(tree.path(), &recipe, &BTreeSet::new()).unwrap_err();
        assert!(error.to_string().contains("usr/bin/true needs "), "{error}");
        symlink("usr/lib", tree.path().join("lib64")).unwrap();
        fs::write(tree.path().join("usr/lib/ld-linux-x86-64.so.2"), b"").unwrap();
        fs::write(tree.path().join("usr/lib/x86_64-linux-gnu/libc.so.6"), b"").unwrap();
        let chosen = select(tree.path(), &recipe, &BTreeSet::new()).unwrap();
        let expected = [
            "usr/bin/true",
            "usr/lib/ld-linux-x86-64.so.2",
            "usr/lib/x86_64-linux-gnu/libc.so.6",
        ];
        assert_eq!(chosen, expected.map(PathBuf::from).into());
    }

    #[test]
    fn a_library_that_the_recipe_keeps_need_not_be_where_the_loader_looks() {
        let tree = tree();
        let at = |path: &str| tree.path().join(path);
        fs::copy("/bin/true", at("usr/bin/true")).unwrap();
        symlink("usr/lib", at("lib64")).unwrap();
        fs::write(at("usr/lib/ld-linux-x86-64.so.2"), b"").unwrap();
        fs::create_dir(at("usr/lib/own")).unwrap();
        fs::write(at("usr/lib/own/libc.so.6"), b"").unwrap();
        let kept = recipe(&["usr/bin/*", "usr/lib/own/*"], &[]);
        let chosen = select(tree.path(), &kept, &BTreeSet::new()).unwrap();
        assert!(chosen.contains(Path::new("usr/lib/own/libc.so.6")));
        let error = select(tree.path(), &recipe(&["usr/bin/*"], &[]), &BTreeSet::new());
        assert!(error.is_err());
    }

    #[test]
    fn links_never_lead_out_of_the_tree() {
        let tree = tree();
        symlink(
            "../../../../../../etc/passwd",
            tree.path().join("usr/bin/up"),
        )
        .unwrap();
        symlink("/etc", tree.path().join("etc-link")).unwrap();
        assert_eq!(target_of(tree.path(), Path::new("usr/bin/up")), None);
        assert_eq!(in_tree(tree.path(), Path::new("/etc-link/passwd")), None);
    }
}
