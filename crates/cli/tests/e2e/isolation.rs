//! What holds a job, as its result names it, and what the engine cannot give, refused by name.

use crate::lab::{self, PLACE};
use crate::tool::{PATIENCE, Tool};

#[test]
fn a_result_says_what_held_its_job() {
    if !lab::lab().has("bash") {
        return;
    }
    let result = Tool::run("sh", "echo x").args(["--json"]).go().json();
    let (engine, seen) = (lab::engine(), &result["isolation"]);
    let accelerator = seen["accelerator"].as_str().unwrap();
    assert_eq!(seen["engine"], engine.name);
    assert!(engine.accelerators.contains(&accelerator), "{seen}");
    let jail = seen["jail"].as_str().unwrap();
    assert!(jail.starts_with(engine.jail), "{seen}");
    assert_eq!(lab::path(), engine.path, "the way of a fresh VM");
}

#[test]
fn more_cpus_are_given_or_refused_with_the_names_of_the_engines_that_can() {
    if !lab::lab().has("bash") {
        return;
    }
    let counts = "while read -r word _; do [[ $word == cpu[0-9]* ]] && echo cpu; done < /proc/stat";
    let done = Tool::run("sh", counts)
        .args(["--json", "--vcpus", "2"])
        .go();
    let result = done.json();
    let Some(most) = lab::engine().max_vcpus else {
        assert_eq!(result["stdout"], "cpu\ncpu\n", "{result}");
        return;
    };
    assert_eq!((done.code(), most), (Some(2), 1), "{}", done.err());
    assert_eq!(result["failure"]["code"], "vcpus_invalid", "{result}");
    let message = result["failure"]["message"].as_str().unwrap();
    for word in [lab::engine().name, "1 CPU at most", "qemu", "firecracker"] {
        assert!(message.contains(word), "{word}: {message}");
    }
}

#[test]
fn a_minimum_that_the_engine_does_not_reach_refuses_its_jobs() {
    if !lab::lab().has("bash") {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let config = folder.path().join("config.toml");
    let run = |minimum: &str| {
        let chroots = lab::chroots(&lab::lab().state);
        let more = format!("{chroots}[isolation]\nminimum = \"{minimum}\"\n");
        std::fs::write(&config, PLACE.config_text(&more)).unwrap();
        let _slot = lab::slot();
        Tool::with(&lab::lab().state, &config)
            .program("sh", "echo ran")
            .args(["--json"])
            .finish(PATIENCE)
    };
    let any = run("any").json();
    assert_eq!(any["stdout"], "ran\n", "{any}");
    let hardware = run("hardware").json();
    if any["isolation"]["accelerator"] == "kvm" {
        assert_eq!(hardware["stdout"], "ran\n", "{hardware}");
    } else {
        let failure = &hardware["failure"];
        assert_eq!(failure["code"], "isolation_too_weak", "{hardware}");
        assert_eq!(hardware["stdout"], "");
        let message = failure["message"].as_str().unwrap();
        assert!(message.contains(lab::engine().name), "{message}");
    }
    let unknown = run("harware");
    assert_ne!(unknown.code(), Some(0));
    assert!(unknown.err().contains("harware"), "{}", unknown.err());
}
