//! QEMU, with whatever accelerator works here.

use super::{
    assert_cgroup, assert_goes_first, assert_namespaces, assert_rlimits, assert_root,
    assert_status, open_files,
};
use crate::host::host;
use crate::images;
use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use vmm::cgroup::Limits;
use vmm::{VmId, VmSpec};

#[tokio::test]
async fn a_live_qemu_is_held_as_the_table_says() {
    let Some(host) = host("qemu") else { return };
    let Some([kernel, initramfs, rootfs]) = images::of_virtual_machines() else {
        println!("not run: no images; llm-firecracker images build");
        return;
    };
    let engine = match vmm::qemu::QemuEngine::open(host.config.clone()).await {
        Ok(engine) => engine,
        Err(e) => {
            println!("not run: {e}");
            return;
        }
    };
    let spec = |id: &str| VmSpec {
        id: VmId::new(id).unwrap(),
        kernel: kernel.clone(),
        initramfs: initramfs.clone(),
        rootfs: rootfs.clone(),
        memory_mib: 128,
        vcpus: 1,
    };
    let (one, two) = (spec("one"), spec("two"));
    let engine: &dyn vmm::Engine = &engine;
    let (one, two) = (
        engine.boot(one).await.unwrap(),
        engine.boot(two).await.unwrap(),
    );
    let (pid, other) = (one.usage().pid, two.usage().pid);
    // The jail's filter and QEMU's own.
    assert_goes_first(pid);
    assert_status(pid, host.uids(), 2);
    assert_namespaces(pid, other);
    assert_rlimits(pid, 0);
    assert_cgroup(pid, "one", Limits::of_vm(&host.config, 128, 1), &host);
    let command = fs::read(format!("/proc/{pid}/cmdline")).unwrap();
    let program = PathBuf::from(
        String::from_utf8_lossy(command.split(|b| *b == 0).next().unwrap()).into_owned(),
    );
    let mut table: BTreeSet<PathBuf> = vmm::jail::root::RootSpec::of_program(&program)
        .unwrap()
        .files
        .into_values()
        .collect();
    table.extend(["/kernel", "/initramfs", "/ram", "/rootfs", "/qboot.rom"].map(PathBuf::from));
    assert_root(pid, &table, &["/ram"], None);
    // Of the host's files only the root file system is open, and its own RAM.
    let mut known = vec![Path::new("/dev/null"), rootfs.as_path(), Path::new("/ram")];
    if engine.identity().accelerator == Some(vmm::Accelerator::Kvm) {
        known.push(Path::new("/dev/kvm"));
    }
    for target in open_files(pid) {
        let target = Path::new(&target);
        assert!(
            target.is_relative() || known.contains(&target),
            "{target:?}"
        );
    }
    one.close().await.unwrap();
    two.close().await.unwrap();
    assert!(host.runs().is_empty() && host.cgroups().is_empty());
}
