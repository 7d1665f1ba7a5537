//! A job's phases with what they may use, and beside them what their programs connect to.

use super::{Course, KEPT_BYTES, Stopped};
use crate::drive::bounds;
use crate::live::{AdoptSpec, LiveError};
use crate::outcome::TalkEnd;

impl Course<'_> {
    /// The phases within the job's bounds, and beside them what their programs connect to, where they may.
    pub(super) async fn bounded_phases(
        &mut self,
        adopt: Option<AdoptSpec>,
    ) -> Result<TalkEnd, Stopped> {
        self.guest.supervise(bounds(self.job, KEPT_BYTES)).await?;
        let Some(mut outside) = self.io.outside.take() else {
            return self.phases(adopt).await;
        };
        let opened = self
            .guest
            .open_network(outside.ports(), outside.trust())
            .await;
        let end = match opened {
            Ok(network) => tokio::select! {
                biased;
                end = self.phases(adopt) => end,
                () = outside.serve(network) => Err(Stopped::Guest(LiveError::Gone("its network is gone".into()))),
            },
            Err(error) => Err(error.into()),
        };
        self.io.outside = Some(outside);
        end
    }
}
