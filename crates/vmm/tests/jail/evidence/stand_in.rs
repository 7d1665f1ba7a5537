//! A program that does nothing, in the jail that QEMU gets.

use super::{
    assert_cgroup, assert_goes_first, assert_namespaces, assert_rlimits, assert_root,
    assert_status, open_files,
};
use crate::host::{LIMITS, host};
use std::path::Path;
use vmm::jail::inspect::child_of;

#[tokio::test]
async fn a_live_stand_in_is_held_as_the_table_says() {
    let Some(host) = host("evidence") else { return };
    let program = Path::new("/bin/sleep").canonicalize().unwrap();
    let jail = host.jail(&program);
    let (one, _out) = host.start(&jail, "one", &["300"]);
    let (two, _out) = host.start(&jail, "two", &["300"]);
    assert_ne!(one.uid, two.uid);
    let pid = one.process.pid();
    host.wait_for_program(pid, &program);
    host.wait_for_program(two.process.pid(), &program);
    // The jail's filter.
    assert_goes_first(pid);
    assert_status(pid, one.uid..one.uid + 1, 1);
    assert_namespaces(pid, two.process.pid());
    assert_rlimits(pid, 0);
    assert_cgroup(pid, "one", LIMITS, &host);
    let table = vmm::jail::root::RootSpec::of_program(&program).unwrap();
    assert_root(pid, &table.files.into_values().collect(), &[], None);
    assert_eq!(open_files(pid).len(), 3, "stdin, stdout, stderr");
    assert!(child_of(pid).is_none());
}
