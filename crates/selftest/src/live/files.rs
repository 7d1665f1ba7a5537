//! What a client asks of a live sandbox's files.

use super::Stop;
use super::client::Client;
use sandbox::live::LiveError;
use std::time::Duration;
use tokio::task::JoinSet;

/// The file that is written and read again and again.
const CONTENT: &[u8] = &[b'x'; 10_000];
/// How long those read who then go away.
const READING: Duration = Duration::from_millis(500);
/// What stands in a file that nobody was to write.
const MARK: &[u8] = b"written by the client";

impl Client<'_> {
    pub(super) async fn write_whole(&mut self, path: &str, content: &[u8]) -> Result<u64, Stop> {
        Ok(self.try_write(path, content).await??)
    }

    pub(super) async fn list(&mut self, path: &str) -> Result<(), Stop> {
        let listing = self.in_time("list", self.sandbox.list(path, 1)).await?;
        self.seen.note(match listing {
            Ok(listing) if listing.truncated => {
                format!("listed {} and more", listing.entries.len())
            }
            Ok(listing) => format!("listed {}", listing.entries.len()),
            Err(error) => format!("not listed: {error}"),
        });
        Ok(())
    }

    pub(super) async fn files(&mut self, count: u64, path: &str) -> Result<(), Stop> {
        let (mut right, mut failed) = (0, 0);
        for _ in 0..count {
            match self.try_write(path, CONTENT).await? {
                Ok(_) => right += 1,
                Err(_) => failed += 1,
            }
            match self.try_read(path).await? {
                Ok(content) if content == CONTENT => right += 1,
                Ok(content) => {
                    let bytes = content.len();
                    self.seen
                        .breach(format!("{bytes} bytes were read as a whole file"));
                }
                Err(_) => failed += 1,
            }
        }
        self.seen.note(format!("{right} right, {failed} failed"));
        Ok(())
    }

    pub(super) async fn refused(&mut self, verb: &str, path: &str) -> Result<(), Stop> {
        let sandbox = self.sandbox;
        let done = match verb {
            "read" => self.try_read(path).await?.map(drop),
            "write" => self.try_write(path, MARK).await?.map(drop),
            "list" => self.in_time(verb, sandbox.list(path, 1)).await?.map(drop),
            "make" => self.in_time(verb, sandbox.make_folder(path)).await?,
            _ => self.in_time(verb, sandbox.remove(path)).await?,
        };
        match done {
            Ok(()) => self.seen.breach(format!("{verb} {path}")),
            Err(error) => self.seen.note(format!("refused {verb} {path}: {error}")),
        }
        Ok(())
    }

    /// Those that wait for a place go away as well.
    pub(super) async fn give_up(&mut self, count: u64, path: &str) -> Result<(), Stop> {
        let mut reading = JoinSet::new();
        for _ in 0..count {
            let (sandbox, path) = (self.sandbox.clone(), path.to_owned());
            reading.spawn(async move {
                let mut file = sandbox.read_file(&path).await?;
                while file.next().await?.is_some() {}
                Ok::<_, LiveError>(())
            });
        }
        tokio::time::sleep(READING).await;
        reading.shutdown().await;
        self.seen.note(format!("{count} readers went away"));
        Ok(())
    }

    async fn try_write(
        &mut self,
        path: &str,
        content: &[u8],
    ) -> Result<Result<u64, LiveError>, Stop> {
        let sandbox = self.sandbox;
        let asked = async {
            let mut file = sandbox.write_file(path).await?;
            file.write(content).await?;
            file.finish().await
        };
        self.in_time(&format!("write {path}"), asked).await
    }

    async fn try_read(&mut self, path: &str) -> Result<Result<Vec<u8>, LiveError>, Stop> {
        let sandbox = self.sandbox;
        let asked = async {
            let mut file = sandbox.read_file(path).await?;
            let mut content = Vec::new();
            while let Some(piece) = file.next().await? {
                content.extend(piece);
            }
            Ok(content)
        };
        self.in_time(&format!("read {path}"), asked).await
    }
}
