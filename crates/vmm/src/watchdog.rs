//! Ends a VMM that no longer answers: a guest that managed to wedge its VMM must not hold a slot.

use crate::config::VmmConfig;
use crate::jail::process::Process;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Weak};
use tokio::sync::Mutex;
use tokio::task::JoinHandle;
use tokio::time::timeout;

/// Asks a VMM how it is; whether it answered.
pub type Ask<T> = for<'a> fn(&'a mut T) -> Pin<Box<dyn Future<Output = bool> + Send + 'a>>;

/// Stops when dropped.
#[derive(Debug)]
pub struct Watchdog {
    task: JoinHandle<()>,
    fired: Arc<AtomicBool>,
}

impl Watchdog {
    /// Asks at each interval; a command that is on its way has a deadline of its own.
    pub fn start<T: Send + 'static>(
        config: &VmmConfig,
        control: &Arc<Mutex<T>>,
        process: &Arc<Process>,
        ask: Ask<T>,
    ) -> Self {
        let fired = Arc::new(AtomicBool::new(false));
        let (interval, deadline) = (config.watchdog_interval, config.watchdog_deadline);
        let told = fired.clone();
        let (control, process) = (Arc::downgrade(control), Arc::downgrade(process));
        let task = tokio::spawn(async move {
            loop {
                tokio::time::sleep(interval).await;
                let Some(control) = Weak::upgrade(&control) else {
                    return;
                };
                let Ok(mut control) = control.try_lock() else {
                    continue;
                };
                if !matches!(timeout(deadline, ask(&mut control)).await, Ok(true)) {
                    let Some(process) = Weak::upgrade(&process) else {
                        return;
                    };
                    // Dead already is not 'no longer answers'.
                    if process.ended().is_none() {
                        told.store(true, Ordering::Relaxed);
                        process.kill();
                    }
                    return;
                }
            }
        });
        Self { task, fired }
    }

    /// It ended the VM.
    pub fn fired(&self) -> bool {
        self.fired.load(Ordering::Relaxed)
    }
}

impl Drop for Watchdog {
    fn drop(&mut self) {
        self.task.abort();
    }
}
