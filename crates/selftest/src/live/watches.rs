//! Watches on folders of a live sandbox.

use super::Stop;
use super::client::Client;
use sandbox::live::{LiveError, WatchEvent};
use std::time::Duration;
use tokio::task::JoinSet;
use tokio::time::timeout;

impl Client<'_> {
    pub(super) async fn watch(&mut self, depth: u32, path: &str) -> Result<(), Stop> {
        let sandbox = self.sandbox;
        let asked = async {
            let mut watch = sandbox.watch(path, depth).await?;
            let first = watch.next().await?;
            Ok((watch, first))
        };
        let (watch, first) = self.in_time("watch", asked).await??;
        self.watches.push(watch);
        match first {
            Some(WatchEvent::Watching { folders }) => {
                self.seen.note(format!("watching {folders} folders"));
            }
            other => self.seen.breach(format!("a watch begins with {other:?}")),
        }
        Ok(())
    }

    /// Takes what the last watch told, as far as an event of this name.
    pub(super) async fn told(&mut self, seconds: u64, wanted: &str) -> Result<(), Stop> {
        let Some(watch) = self.watches.last_mut() else {
            return Ok(());
        };
        let mut taken = 0;
        let looked = timeout(Duration::from_secs(seconds), async {
            while let Some(event) = watch.next().await? {
                taken += 1;
                if name(&event) == wanted {
                    return Ok(true);
                }
            }
            Ok::<_, LiveError>(false)
        });
        match looked.await {
            Ok(Ok(true)) => self.seen.note(format!("told: {wanted}")),
            Ok(Ok(false)) => self
                .seen
                .note(format!("the watch ended after {taken} events")),
            Ok(Err(error)) => return Err(error.into()),
            Err(_) => self
                .seen
                .breach(format!("no {wanted} in {seconds} s, after {taken} events")),
        }
        Ok(())
    }

    /// Some more than there may be at one time.
    pub(super) async fn watches(&mut self, count: u64, path: &str) -> Result<(), Stop> {
        let mut beginning = JoinSet::new();
        for _ in 0..count {
            let (sandbox, path) = (self.sandbox.clone(), path.to_owned());
            beginning.spawn(async move {
                let mut watch = sandbox.watch(&path, 1).await?;
                watch.next().await?;
                Ok::<_, LiveError>(watch)
            });
        }
        let all = async { Ok(beginning.join_all().await) };
        let (mut begun, mut refused) = (0, 0);
        for watch in self.in_time("all watches", all).await?? {
            match watch {
                Ok(_) => begun += 1,
                Err(LiveError::Gone(why)) => return Err(Stop::Sandbox(why)),
                Err(_) => refused += 1,
            }
        }
        self.seen
            .note(format!("{begun} watches began, {refused} were refused"));
        Ok(())
    }
}

fn name(event: &WatchEvent) -> &'static str {
    match event {
        WatchEvent::Watching { .. } => "watching",
        WatchEvent::Created { .. } => "created",
        WatchEvent::Modified { .. } => "modified",
        WatchEvent::Removed { .. } => "removed",
        WatchEvent::Moved { .. } => "moved",
        WatchEvent::Overflow { .. } => "overflow",
    }
}
