//! A session that is let go.

use super::*;
use protocol::result::BootPath;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use vmm::{Channel, Vm, VmExit, VmId, VmUsage, VmmError};

/// How long this VM's end takes.
const SLOW: Duration = Duration::from_millis(500);

struct SlowVm(VmId, Arc<AtomicBool>);

impl Drop for SlowVm {
    fn drop(&mut self) {
        if !self.1.load(Ordering::SeqCst) {
            std::thread::sleep(SLOW);
            self.1.store(true, Ordering::SeqCst);
        }
    }
}

#[async_trait::async_trait]
impl Vm for SlowVm {
    fn id(&self) -> &VmId {
        &self.0
    }
    async fn connect(&mut self) -> Result<Box<dyn Channel>, VmmError> {
        Ok(Box::new(tokio::io::empty()))
    }
    async fn pause(&mut self) -> Result<(), VmmError> {
        Ok(())
    }
    async fn resume(&mut self) -> Result<(), VmmError> {
        Ok(())
    }
    fn console_tail(&self) -> String {
        String::new()
    }
    fn usage(&self) -> VmUsage {
        VmUsage::default()
    }
    async fn wait_exit(&mut self) -> VmExit {
        std::future::pending().await
    }
    async fn close(self: Box<Self>) -> Result<(), VmmError> {
        tokio::time::sleep(SLOW).await;
        self.1.store(true, Ordering::SeqCst);
        Ok(())
    }
}

/// Whoever drops a session may hold a lock, on the task that accepts connections.
#[tokio::test]
async fn dropping_a_session_does_not_wait_for_the_end_of_its_vm() {
    let gone = Arc::new(AtomicBool::new(false));
    let mut vm = SlowVm(VmId::new("slow".to_owned()).unwrap(), gone.clone());
    let channel = vm.connect().await.unwrap();
    let (sender, receiver) = crate::talk::open(channel);
    let leased = Leased {
        vm: Box::new(vm),
        sender,
        receiver,
        path: BootPath::Boot,
    };
    let destroying = TaskTracker::new();
    let session = Session {
        trace_id: TraceId::parse("t").unwrap(),
        leased: Some(leased),
        memory: None,
        at_work: false,
        isolation: Isolation {
            engine: "none".into(),
            accelerator: "none".into(),
            jail: "none".into(),
        },
        metrics: Metrics::default(),
        events: EventBus::default(),
        destroying: destroying.clone(),
    };
    let begun = Instant::now();
    drop(session);
    assert!(begun.elapsed() < SLOW / 2);
    assert!(!gone.load(Ordering::SeqCst));
    destroying.close();
    destroying.wait().await;
    assert!(gone.load(Ordering::SeqCst));
}
