//! Boots a kernel of User-Mode Linux as the engine does, says how long it took and what it printed:
//! `cargo run -p vmm --example uml-boot -- STATE_DIR KERNEL INITRAMFS ROOTFS`

use std::time::{Duration, Instant};
use tokio::io::AsyncReadExt;
use vmm::{EngineKind, UmlGuest, VmId, VmSpec, VmmConfig};

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let words: Vec<std::path::PathBuf> = std::env::args_os().skip(1).map(Into::into).collect();
    let [state_dir, kernel, initramfs, rootfs] = words.as_slice() else {
        return Err("STATE_DIR KERNEL INITRAMFS ROOTFS".into());
    };
    let config = VmmConfig {
        state_dir: state_dir.clone(),
        uml: Some(UmlGuest {
            kernel: kernel.clone(),
            initramfs: initramfs.clone(),
        }),
        ..VmmConfig::default()
    };
    println!("{:?}", vmm::uml::probe(&config).await);
    let engine = vmm::open(Some(EngineKind::Uml), config).await?;
    println!("{:?}", engine.identity());
    for round in 0..5 {
        let begun = Instant::now();
        let mut vm = engine
            .boot(VmSpec {
                id: VmId::new(format!("uml-boot-{}-{round}", std::process::id()))?,
                kernel: kernel.clone(),
                initramfs: initramfs.clone(),
                rootfs: rootfs.clone(),
                memory_mib: 512,
                vcpus: 1,
            })
            .await?;
        let sealed = begun.elapsed();
        let mut channel = vm.connect().await?;
        let mut buffer = [0u8; 4096];
        let read = tokio::time::timeout(Duration::from_secs(10), channel.read(&mut buffer)).await;
        let spoke = begun.elapsed();
        println!(
            "sealed after {sealed:?}, spoke after {spoke:?}: {read:?}; {:?}",
            vm.usage()
        );
        println!("{}", vm.console_tail());
        vm.close().await?;
        println!("gone after {:?}", begun.elapsed());
    }
    Ok(())
}
