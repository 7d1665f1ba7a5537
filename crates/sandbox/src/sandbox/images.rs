//! Images that other processes make while this one runs.

use super::Sandbox;
use protocol::language::RootImage;

/// What sandboxes have that name nothing, where it is there: what programs expect who use one as a computer.
const OF_SANDBOXES: &str = "agent";

impl Sandbox {
    /// Makes an image that a request names known, where another process built or imported it meanwhile. What is not
    /// there stays unknown, and is refused where the request is read.
    pub async fn know_image(&self, name: Option<&str>) {
        let Some(name) = name.map(str::to_owned) else {
            return;
        };
        let images = self.supply.images().clone();
        let adopted = tokio::task::spawn_blocking(move || images.adopt(&name).is_some()).await;
        tracing::debug!(
            is_known = adopted.unwrap_or_default(),
            "a named image was looked for"
        );
    }

    /// The image of sandboxes that name neither an image nor a language; `None`: a language's own.
    pub async fn image_of_sandboxes(&self) -> Option<&'static str> {
        let images = self.supply.images().clone();
        let looked =
            move || RootImage::named(OF_SANDBOXES).is_some_and(|image| images.holds(image));
        let is_there = tokio::task::spawn_blocking(looked)
            .await
            .unwrap_or_default();
        is_there.then_some(OF_SANDBOXES)
    }
}
