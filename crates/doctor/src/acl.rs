//! POSIX access lists as the kernel keeps them (include/uapi/linux/posix_acl_xattr.h): four bytes of
//! version, then eight for each entry: tag, permissions, id.

/// Where it is kept.
pub const ATTRIBUTE: &str = "system.posix_acl_access";
/// What an extended attribute may hold at most (`XATTR_SIZE_MAX`).
pub const MAX_BYTES: usize = 64 * 1024;

const HEADER_BYTES: usize = 4;
const ENTRY_BYTES: usize = 8;
/// Entries that name somebody: `ACL_USER` and `ACL_GROUP`.
const NAMED: [(u16, &str); 2] = [(0x02, "uid"), (0x08, "gid")];

/// Users and groups that are named and have any permission.
pub fn let_in(list: &[u8]) -> Vec<String> {
    let entries = list.get(HEADER_BYTES..).unwrap_or_default();
    let (entries, _) = entries.as_chunks::<ENTRY_BYTES>();
    entries
        .iter()
        .filter_map(|[t0, t1, p0, p1, id @ ..]| {
            let (tag, permissions) = (
                u16::from_le_bytes([*t0, *t1]),
                u16::from_le_bytes([*p0, *p1]),
            );
            let (_, kind) = NAMED.iter().find(|(named, _)| *named == tag)?;
            (permissions != 0).then(|| format!("{kind} {}", u32::from_le_bytes(*id)))
        })
        .collect()
}
