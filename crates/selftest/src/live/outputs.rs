//! Outputs of a live sandbox' processes, followed in ways that nobody means well by.

use super::Stop;
use super::client::{Client, SHOWN_BYTES};

impl Client<'_> {
    /// Takes one piece each time; the pieces must be those that follow each other.
    pub(super) async fn reconnect(&mut self, name: &str, count: u64) -> Result<(), Stop> {
        let process = self.named(name)?;
        let mut from = 0;
        for _ in 0..count {
            let sandbox = self.sandbox;
            let asked = async move {
                let mut output = sandbox.follow(process, from).await?;
                let piece = output.next().await?;
                Ok((output.from(), piece))
            };
            let (begins, piece) = self.in_time("follow", asked).await??;
            if begins < from {
                self.seen.breach(format!("asked for {from}, got {begins}"));
            }
            if let Some(piece) = piece {
                from = piece.offset + piece.data.len() as u64;
            }
        }
        self.seen.note(format!("followed {count} times"));
        Ok(())
    }

    /// Of a process that ended.
    pub(super) async fn kept(&mut self, name: &str, most: u64) -> Result<(), Stop> {
        let process = self.named(name)?;
        let sandbox = self.sandbox;
        let asked = async move {
            let mut output = sandbox.follow(process, 0).await?;
            let mut kept = 0;
            while let Some(piece) = output.next().await? {
                kept += piece.data.len() as u64;
            }
            Ok((kept, output.from()))
        };
        let (kept, from) = self.in_time("its output", asked).await??;
        match kept <= most {
            true => self.seen.note(format!("kept {kept} from {from}")),
            false => self.seen.breach(format!("kept {kept} bytes, not {most}")),
        }
        Ok(())
    }

    /// Of a process that ended: what is left of its output.
    pub(super) async fn show(&mut self, name: &str) -> Result<(), Stop> {
        let process = self.named(name)?;
        let sandbox = self.sandbox;
        let asked = async move {
            let mut output = sandbox.follow(process, 0).await?;
            let mut shown = Vec::new();
            while let Some(piece) = output.next().await? {
                shown.extend(piece.data);
                shown.truncate(SHOWN_BYTES);
            }
            Ok(shown)
        };
        let shown = self.in_time("its output", asked).await??;
        self.seen.note(String::from_utf8_lossy(&shown).trim_end());
        Ok(())
    }
}
