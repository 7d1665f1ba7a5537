//! Names inside a tree.

use crate::oci::bounds::Bounds;
use crate::oci::error::Fault;

/// The parts of a path below the root, none of which leads elsewhere. Empty for the root.
pub(crate) type Parts = Vec<Box<[u8]>>;

/// Takes a name apart. Absolute names and names with `..` are refused rather than mended: those who read them otherwise
/// would see another tree.
pub(crate) fn parts(raw: &[u8], bounds: &Bounds) -> Result<Parts, Fault> {
    if raw.len() > bounds.path_bytes {
        let what = format!("a path of {} bytes", raw.len());
        return Err(Fault::bound(what, bounds.path_bytes as u64));
    }
    if raw.contains(&0) {
        return Err(Fault::Name("its name has a NUL byte".to_owned()));
    }
    // The root itself is `/` for some writers.
    if raw.starts_with(b"/") && raw.iter().any(|byte| *byte != b'/') {
        return Err(Fault::Name("its name is absolute".to_owned()));
    }
    let named = raw.split(|byte| *byte == b'/');
    let named = named.filter(|part| !part.is_empty() && *part != b".");
    let parts: Parts = named.map(Box::from).collect();
    for part in &parts {
        if **part == *b".." {
            return Err(Fault::Name("its name has a \"..\"".to_owned()));
        }
        if part.len() > bounds.name_bytes {
            let what = format!("a name of {} bytes", part.len());
            return Err(Fault::bound(what, bounds.name_bytes as u64));
        }
    }
    check_depth(parts.len(), bounds)?;
    Ok(parts)
}

/// Refuses what has too many folders above it.
pub(crate) fn check_depth(depth: usize, bounds: &Bounds) -> Result<(), Fault> {
    match depth > bounds.depth {
        true => Err(Fault::bound(
            format!("a depth of {depth}"),
            bounds.depth as u64,
        )),
        false => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_stay_inside() {
        let bounds = Bounds::default();
        let long = [b'a'; 256];
        let deep = b"a/".repeat(300);
        for (raw, expected) in [
            (&b"a/b"[..], Ok("a|b")),
            (b"./a//b/", Ok("a|b")),
            (b"./", Ok("")),
            (b"/", Ok("")),
            (b"a\nb/\xff", Ok("a\nb|\u{fffd}")),
            (b"/etc", Err("its name is absolute")),
            (b"..", Err("its name has a \"..\"")),
            (b"a/../../b", Err("its name has a \"..\"")),
            (b"a\0b", Err("its name has a NUL byte")),
            (
                &long,
                Err("a name of 256 bytes, more than the bound of 255"),
            ),
            (&deep, Err("a depth of 300, more than the bound of 256")),
            (
                &[b'a'; 65536],
                Err("a path of 65536 bytes, more than the bound of 4095"),
            ),
        ] {
            let seen = parts(raw, &bounds);
            let seen = seen.map(|parts| String::from_utf8_lossy(&parts.join(&b'|')).into_owned());
            let seen = seen.map_err(|fault| fault.to_string());
            let expected = expected.map(str::to_owned).map_err(str::to_owned);
            assert_eq!(seen, expected, "{}", raw.escape_ascii());
        }
    }
}
