//! `bench sandbox` with little of each part: that every figure comes, beside its bound. Whether it holds is for a quiet
//! machine to say.

use crate::lab;
use crate::leftovers::leftovers;
use crate::service::{tool, until};
use serde_json::Value;

/// As few as show that a part measures.
const LITTLE: &[&str] = &[
    "--starts",
    "2",
    "--keys",
    "3",
    "--cells",
    "2",
    "--pace",
    "1",
    "--file-mib",
    "2",
    "--crowd",
    "4",
];

#[tokio::test(flavor = "multi_thread")]
async fn each_figure_stands_beside_its_bound() {
    let _alone = lab::alone().await;
    if !lab::can_run("python") {
        return;
    }
    let config = lab::config_file("bench-sandbox", "");
    let mut command = tool(&config);
    let done = command
        .args(["bench", "sandbox", "--json"])
        .args(LITTLE)
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&done.stderr).into_owned();
    let told: Value = serde_json::from_slice(&done.stdout).unwrap_or_else(|_| panic!("{said}"));
    let figures = told["figures"].as_array().unwrap();
    let bounds: Vec<(f64, &str)> = figures
        .iter()
        .map(|row| {
            (
                row["bound"].as_f64().unwrap(),
                row["unit"].as_str().unwrap(),
            )
        })
        .collect();
    let expected = [
        (10.0, "ms"),
        (10.0, "ms"),
        (5.0, "ms"),
        (10_000.0, "lines/s"),
        (0.0, "lines"),
        (50.0, "MB/s"),
        (50.0, "MB/s"),
        (0.0, "bytes"),
        (64.0, "MiB"),
    ];
    assert_eq!(bounds, expected, "{told:#}");
    // What is lost or wrong is so at any load.
    for row in figures.iter().filter(|row| row["bound"] == 0.0) {
        assert_eq!(row["value"], 0.0, "{row:#}");
    }
    let all_held = figures.iter().all(|row| row["held"] == true);
    assert_eq!(done.status.success(), all_held, "{said}");
    until("its VMs are gone", async || leftovers().is_empty()).await;
}
