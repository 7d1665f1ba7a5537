//! What a file says of an image.

use super::{RESERVED, Wrong, argv, count, is_name, is_shown, listed, text, variables};
use crate::image::{Finish, Recipe, is_debian_package};

/// What kernels read, from a page to the largest that mkfs.erofs writes by default.
const CLUSTER_KIB: [u32; 5] = [4, 8, 16, 32, 64];
/// The largest image, MiB.
const MAX_IMAGE_MIB: u64 = 8192;

/// What an image's file says besides its recipe.
pub(crate) fn image_file(name: &str, file: &str, about: &str) -> Result<(), Wrong> {
    ensure!(
        is_name(name)
            && !name.contains(['.', '+', '#'])
            && !RESERVED.contains(&name)
            && name == file,
        "name",
        "is {name:?}; write the file's own, of a-z 0-9 -, and none that the tool's own files have"
    );
    ensure!(
        is_shown(about),
        "about",
        "is {about:?}; write a few words of plain letters"
    );
    Ok(())
}

pub(crate) fn image(recipe: &Recipe, companions: &[String]) -> Result<(), Wrong> {
    packages("image.packages", &recipe.packages)?;
    // Of Debian's or, as `@scope/name`, of npm's.
    let runtime = recipe.runtime_package.replace(['@', '/', '_'], "x");
    packages("image.runtime_package", &[runtime])?;
    packages("image.programs_of", &recipe.programs_of)?;
    let newer = recipe.from_backports.iter();
    let newer: Vec<String> = newer.map(|name| name.replace('*', "x")).collect();
    packages("image.from_backports", &newer)?;
    listed("image.npm", recipe.npm.as_slice(), companions)?;
    listed("image.pip", recipe.pip.as_slice(), companions)?;
    for (field, globs) in [("image.keep", &recipe.keep), ("image.drop", &recipe.drop)] {
        count(field, globs.len())?;
        inside(field, globs)?;
    }
    let sources: Vec<String> = recipe.files.values().cloned().collect();
    listed("image.files", &sources, companions)?;
    inside("image.files", recipe.files.keys())?;
    count("image.links", recipe.links.len())?;
    inside("image.links", recipe.links.keys())?;
    text("image.links", recipe.links.values())?;
    count("image.finish", recipe.finish.len())?;
    recipe.finish.iter().try_for_each(finish)?;
    count("image.mapped", recipe.mapped.len())?;
    // Each becomes a line of a file.
    let line = |text: &String| is_shown(text) && !text.contains(' ');
    ensure!(
        recipe.mapped.iter().all(line),
        "image.mapped",
        "has an expression with blanks; write one word each"
    );
    ensure!(
        recipe
            .cluster_kib
            .is_none_or(|kib| CLUSTER_KIB.contains(&kib)),
        "image.cluster_kib",
        "is {:?}; write one of {CLUSTER_KIB:?}",
        recipe.cluster_kib
    );
    max_mib(recipe.max_mib)
}

pub(crate) fn max_mib(mib: u64) -> Result<(), Wrong> {
    ensure!(
        (1..=MAX_IMAGE_MIB).contains(&mib),
        "image.max_mib",
        "is {mib}; write 1 to {MAX_IMAGE_MIB}"
    );
    Ok(())
}

fn packages(field: &'static str, packages: &[String]) -> Result<(), Wrong> {
    count(field, packages.len())?;
    match packages.iter().find(|name| !is_debian_package(name)) {
        None => Ok(()),
        Some(name) => Err((
            field,
            format!("has {name:?}; write the name of a package of Debian's"),
        )),
    }
}

/// Paths and globs that stay inside the image.
fn inside<'a>(
    field: &'static str,
    paths: impl IntoIterator<Item = &'a String> + Clone,
) -> Result<(), Wrong> {
    text(field, paths.clone())?;
    let plain = |path: &str| {
        let leads_out = path.split('/').any(|part| part == "..");
        !path.is_empty() && !path.starts_with('/') && !leads_out && !path.contains(['\n', ' '])
    };
    match paths.into_iter().find(|path| !plain(path)) {
        None => Ok(()),
        Some(path) => Err((
            field,
            format!("has {path:?}; write it relative to the image's root, without '..' and blanks"),
        )),
    }
}

fn finish(finish: &Finish) -> Result<(), Wrong> {
    ensure!(
        is_shown(&finish.doing),
        "image.finish",
        "has doing = {:?}; write a few words of plain letters",
        finish.doing
    );
    argv("image.finish", &finish.argv)?;
    variables("image.finish", &finish.env)
}
