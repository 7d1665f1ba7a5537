//! Examines this machine with what doctor can find out alone: `cargo run -p doctor --example doctor`.
use doctor::{Colours, Facts, Host};

fn main() {
    let facts = Facts::gathered(None, None, "/var/lib/llm-firecracker".into());
    print!(
        "{}",
        doctor::examine(&Host::live(facts)).to_text(Colours::None)
    );
}
