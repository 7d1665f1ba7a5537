//! Boots a VM, snapshots it, clones it N times and prints how long each step took.
//! `cargo run -p vmm --example clone-bench -- KERNEL INITRAMFS ROOTFS [N] [MIB]`
use std::path::PathBuf;
use std::time::Instant;
use tokio::io::AsyncReadExt;
use vmm::{EngineKind, VmId, VmSpec, VmmConfig, VmmError};

#[tokio::main(flavor = "multi_thread", worker_threads = 2)]
async fn main() -> Result<(), VmmError> {
    let args: Vec<String> = std::env::args().collect();
    let number = |at: usize, default| args.get(at).and_then(|n| n.parse().ok()).unwrap_or(default);
    let (count, memory_mib) = (number(4, 5), number(5, 256));
    let state_dir = std::env::temp_dir().join(format!("clone-bench-{}", std::process::id()));
    let config = VmmConfig {
        state_dir: state_dir.clone(),
        ..VmmConfig::default()
    };
    let start = Instant::now();
    let engine = vmm::open(Some(EngineKind::Qemu), config.clone()).await?;
    println!("open {:?}: {:?}", start.elapsed(), engine.identity());
    let start = Instant::now();
    let engine2 = vmm::open(Some(EngineKind::Qemu), config).await?;
    drop(engine2);
    println!("open again {:?}", start.elapsed());
    let spec = |name: String| -> Result<VmSpec, VmmError> {
        Ok(VmSpec {
            id: VmId::new(name)?,
            kernel: PathBuf::from(&args[1]),
            initramfs: PathBuf::from(&args[2]),
            rootfs: PathBuf::from(&args[3]),
            memory_mib,
            vcpus: 1,
        })
    };
    let Some(snapshots) = engine.snapshots() else {
        println!("no clones: {:?}", engine.identity().clones_refused);
        return Ok(());
    };
    let start = Instant::now();
    let mut vm = snapshots.boot_template(spec("template".into())?).await?;
    println!("boot: running {:?}", start.elapsed());
    let mut buffer = [0u8; 256];
    {
        let mut channel = vm.connect().await?;
        tokio::select! {
            read = channel.read(&mut buffer) => println!("first bytes {:?} {:?}", start.elapsed(), read),
            exit = vm.wait_exit() => println!("exit {exit} {}\n{}", exit.console, exit.stderr),
        }
    }
    println!("{:?}", vm.usage());
    vm.pause().await?;
    let into = state_dir.join("snapshot");
    let _ = std::fs::create_dir(&into);
    let start = Instant::now();
    let Some(template) = vm.into_template() else {
        println!("the template is none");
        return Ok(());
    };
    let files = template.snapshot(&into).await?;
    println!("snapshot {:?}", start.elapsed());
    for i in 0..count {
        let start = Instant::now();
        let mut vm = snapshots
            .restore(spec(format!("clone-{i}"))?, &files)
            .await?;
        let running = start.elapsed();
        vm.pause().await?;
        let usage = vm.usage();
        let closing = Instant::now();
        vm.close().await?;
        println!(
            "clone {running:?}, close {:?}, pss {} MiB",
            closing.elapsed(),
            usage.pss_bytes >> 20
        );
    }
    let _ = std::fs::remove_dir_all(state_dir);
    Ok(())
}
