//! Processes of a live sandbox that are root of its guest.

use super::Stop;
use super::client::Client;
use protocol::supervisor::ProcessUser;
use sandbox::live::ProcessSpec;

impl Client<'_> {
    pub(super) fn as_root(&self, script: &str) -> ProcessSpec {
        ProcessSpec {
            user: ProcessUser::Root,
            ..self.bash(script)
        }
    }

    pub(super) async fn run_as_root(&mut self, seconds: u64, script: &str) -> Result<(), Stop> {
        let spec = self.as_root(script);
        self.run_spec(seconds, spec).await
    }
}
