//! `bench --svg` draws what it measured. How it looks is held where pictures are made (`crates/bench/src/plot`); `compare`
//! draws by the same, of technologies that the lab has.

use crate::lab;
use crate::tool::{PATIENCE, Tool};

#[test]
fn bench_draws_its_times_with_a_legend() {
    if !lab::lab().has("bash") {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("times.svg");
    let _slot = lab::slot();
    let done = Tool::new()
        .args(["bench", "bash", "--paths", "pool", "--runs", "2", "--svg"])
        .arg(&file)
        .finish(PATIENCE);
    assert_eq!(done.code(), Some(0), "{}", done.err());
    let picture = std::fs::read_to_string(&file).unwrap();
    assert!(picture.starts_with("<svg") && picture.ends_with("</svg>\n"));
    for said in ["bash pool", "from the pool", "median", "2 runs of each"] {
        assert!(picture.contains(said), "{said} is not in {picture}");
    }
}
