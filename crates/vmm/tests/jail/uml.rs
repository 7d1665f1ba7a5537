//! What the tests of User-Mode Linux share: its engine on a host of a test's own.

use crate::guest::initramfs;
use crate::host::Host;
use crate::images;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::io::AsyncReadExt;
use vmm::jail::inspect;
use vmm::{Channel, Engine, EngineKind, UmlGuest, Vm, VmId, VmSpec, VmmConfig};

/// How long what takes 60 ms may take where others test, too.
pub const PATIENCE: Duration = Duration::from_secs(20);

/// RAM of a test's guest, MiB.
pub const MEMORY_MIB: u32 = 128;

/// An engine, and what its guests are made of.
pub struct Uml {
    pub engine: Arc<dyn Engine>,
    guest: UmlGuest,
    pub rootfs: PathBuf,
}

/// What is missing here: a test says so, or fails where everything is to be there.
pub fn missing(what: &str) {
    assert!(
        std::env::var_os("LLM_FIRECRACKER_REQUIRE").is_none(),
        "{what}"
    );
    println!("not run: {what}");
}

/// The host's configuration with a guest to boot: a kernel that was built before, and the agent.
pub fn config(host: &Host) -> Option<VmmConfig> {
    let Some(kernel) = images::uml_kernel() else {
        missing("no kernel of User-Mode Linux; llm-firecracker images build --kernel uml");
        return None;
    };
    let Some(agent) = images::agent() else {
        missing("no agent; make agent");
        return None;
    };
    let agent = std::fs::read(agent).unwrap();
    let initramfs = initramfs(&host.folder(), "agent", &agent);
    Some(VmmConfig {
        uml: Ok(UmlGuest { kernel, initramfs }),
        ..host.config.clone()
    })
}

/// The engine; `None`, and the reason printed, where it does not run.
pub async fn uml(host: &Host) -> Option<Uml> {
    let config = config(host)?;
    let Some(rootfs) = images::rootfs() else {
        missing("no root file system; llm-firecracker images build");
        return None;
    };
    let guest = config.uml.clone().unwrap();
    match vmm::open(Some(EngineKind::Uml), config).await {
        Ok(engine) => Some(Uml {
            engine,
            guest,
            rootfs,
        }),
        Err(e) => {
            missing(&e.to_string());
            None
        }
    }
}

/// A running guest, its processes as the host sees them.
pub struct Live {
    pub vm: Box<dyn Vm>,
    /// Held: an agent whose channel ends ends its guest.
    pub channel: Box<dyn Channel>,
    /// The kernel.
    pub kernel: i32,
    /// What the guest's first process is on the host.
    pub job: i32,
}

impl Uml {
    pub fn spec(&self, id: &str) -> VmSpec {
        VmSpec {
            id: VmId::new(id).unwrap(),
            kernel: self.guest.kernel.clone(),
            initramfs: self.guest.initramfs.clone(),
            rootfs: self.rootfs.clone(),
            memory_mib: MEMORY_MIB,
            vcpus: 1,
        }
    }

    /// A guest with another first process than the agent.
    pub fn spec_of(&self, id: &str, initramfs: PathBuf) -> VmSpec {
        VmSpec {
            initramfs,
            ..self.spec(id)
        }
    }

    /// Boots a guest and waits until its agent has spoken.
    pub async fn live(&self, id: &str) -> Live {
        let mut vm = self.engine.boot(self.spec(id)).await.unwrap();
        let mut channel = vm.connect().await.unwrap();
        let mut word = [0u8; 64];
        assert!(channel.read(&mut word).await.unwrap() > 0);
        let kernel = vm.usage().pid;
        let job = job_of(kernel);
        Live {
            vm,
            channel,
            kernel,
            job,
        }
    }
}

/// The process of a guest's first process: it says what it is by its name.
pub fn job_of(kernel: i32) -> i32 {
    let named = |pid: &i32| {
        let name = std::fs::read_to_string(format!("/proc/{pid}/comm"));
        name.is_ok_and(|name| name.trim() == "uml-userspace")
    };
    let begun = Instant::now();
    loop {
        if let Some(job) = inspect::children_of(kernel).into_iter().find(named) {
            return job;
        }
        assert!(begun.elapsed() < PATIENCE);
        std::thread::yield_now();
    }
}
