//! Ends a QEMU that no longer answers: a guest that managed to wedge its VMM must not hold a slot.

use crate::config::VmmConfig;
use crate::jail::process::Process;
use crate::qmp::Qmp;
use serde_json::json;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Weak};
use tokio::sync::Mutex;
use tokio::task::JoinHandle;
use tokio::time::timeout;

/// Stops when dropped.
#[derive(Debug)]
pub struct Watchdog {
    task: JoinHandle<()>,
    bit: Arc<AtomicBool>,
}

impl Watchdog {
    /// Asks at each interval; a command that is on its way has a deadline of its own.
    pub fn start(config: &VmmConfig, qmp: &Arc<Mutex<Qmp>>, process: &Arc<Process>) -> Self {
        let bit = Arc::new(AtomicBool::new(false));
        let (interval, deadline) = (config.watchdog_interval, config.watchdog_deadline);
        let (fired, qmp, process) = (bit.clone(), Arc::downgrade(qmp), Arc::downgrade(process));
        let task = tokio::spawn(async move {
            loop {
                tokio::time::sleep(interval).await;
                let Some(qmp) = Weak::upgrade(&qmp) else {
                    return;
                };
                let Ok(mut qmp) = qmp.try_lock() else {
                    continue;
                };
                let asked = qmp.execute("query-status", json!({}));
                if !matches!(timeout(deadline, asked).await, Ok(Ok(_))) {
                    let Some(process) = Weak::upgrade(&process) else {
                        return;
                    };
                    // Dead already is not 'no longer answers'.
                    if process.ended().is_none() {
                        fired.store(true, Ordering::Relaxed);
                        process.kill();
                    }
                    return;
                }
            }
        });
        Self { task, bit }
    }

    /// It ended the VM.
    pub fn fired(&self) -> bool {
        self.bit.load(Ordering::Relaxed)
    }
}

impl Drop for Watchdog {
    fn drop(&mut self) {
        self.task.abort();
    }
}
