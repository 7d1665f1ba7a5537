//! What tests of several modules need.

pub(crate) mod guest;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use vmm::{Channel, Vm, VmExit, VmId, VmUsage, VmmError};

/// A VM of which there is only its end.
pub(crate) struct NoVm {
    id: VmId,
    end_takes: Duration,
    is_gone: Arc<AtomicBool>,
}

impl NoVm {
    /// One whose end takes so long; `is_gone` becomes true then.
    pub(crate) fn ending_in(end_takes: Duration, is_gone: Arc<AtomicBool>) -> NoVm {
        NoVm {
            id: VmId::new("none".to_owned()).unwrap(),
            end_takes,
            is_gone,
        }
    }
}

impl Drop for NoVm {
    fn drop(&mut self) {
        if !self.is_gone.load(Ordering::SeqCst) {
            std::thread::sleep(self.end_takes);
            self.is_gone.store(true, Ordering::SeqCst);
        }
    }
}

#[async_trait::async_trait]
impl Vm for NoVm {
    fn id(&self) -> &VmId {
        &self.id
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
    async fn save(&mut self, into: &std::path::Path) -> Result<(), VmmError> {
        std::fs::write(into.join("vm"), "all of it").unwrap();
        Ok(())
    }
    fn console_tail(&self) -> String {
        "the console's last line".into()
    }
    fn usage(&self) -> VmUsage {
        VmUsage::default()
    }
    async fn wait_exit(&mut self) -> VmExit {
        std::future::pending().await
    }
    async fn close(self: Box<Self>) -> Result<(), VmmError> {
        tokio::time::sleep(self.end_takes).await;
        self.is_gone.store(true, Ordering::SeqCst);
        Ok(())
    }
}
