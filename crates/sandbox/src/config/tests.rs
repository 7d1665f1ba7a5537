//! What a text means, and which configurations contradict themselves.

use super::*;
use crate::error::chain;
use proptest::prelude::*;
use protocol::packages::Registry;

#[test]
fn an_empty_file_is_the_default_and_a_typo_is_an_error() {
    assert_eq!(Config::parse("").unwrap(), Config::default());
    let error = Config::parse("[limits.defaults]\ntimeuot_seconds = 3").unwrap_err();
    assert!(error.to_string().contains("timeuot_seconds"));
}

#[test]
fn a_default_over_its_maximum_is_named() {
    let config = Config::parse("[limits.defaults]\nmemory_mib = 9000").unwrap();
    let error = config.policy().unwrap_err().to_string();
    assert!(error.contains("memory_mib"), "{error}");
}

#[test]
fn one_maximum_leaves_the_others_as_they_are() {
    let config = Config::parse("[limits.maxima]\nvcpus = 8").unwrap();
    let expected = LimitValues {
        vcpus: 8,
        ..default_maxima()
    };
    assert_eq!(config.limits.maxima, expected);
    let error = Config::parse("[limits.maxima]\nvcpu = 8").unwrap_err();
    assert!(error.to_string().contains("vcpu"), "{error}");
}

#[test]
fn defaults_that_no_job_could_have_are_refused_at_once() {
    for (text, word) in [
        ("[limits.defaults]\ntimeout_seconds = nan", "timeout"),
        ("[limits.defaults]\ntimeout_seconds = 0", "timeout"),
        ("[limits.maxima]\ntimeout_seconds = nan", "timeout_seconds"),
        ("[limits.defaults]\nmemory_mib = 1", "memory_mib"),
        ("[limits.defaults]\nvcpus = 0", "vcpus"),
    ] {
        let error = Config::parse(text)
            .unwrap()
            .policy()
            .unwrap_err()
            .to_string();
        assert!(error.contains(word), "{text}: {error}");
    }
}

#[test]
fn places_are_bounded_by_cpus_and_by_memory() {
    for (by_cpus, memory_mib, vm_mib, expected) in [
        (4, 18_000, 768, 4),
        (16, 6_144, 768, 8),
        (4, 100, 768, 1),
        (4, 0, 768, 1),
        (4, 1000, 0, 4),
    ] {
        assert_eq!(places(by_cpus, memory_mib, vm_mib), expected);
    }
    let config = Config::parse("[admission]\nmemory_mib = 1000\nrunning = 3").unwrap();
    let bounds = config.admission_bounds();
    assert_eq!((bounds.running, bounds.memory_mib), (3, 1000));
    assert!(Config::default().admission_bounds().memory_mib > 0);
}

#[test]
fn every_part_can_be_set() {
    let text = "
        [limits.maxima]\nvcpus = 8
        [scan]\nmode = \"block\"\npatterns = [{ name = \"x\", expression = \"y\" }]
        [engine]\nkind = \"qemu\"\naccelerator = \"tcg\"
        [isolation]\nminimum = \"hardware\"
        [pool.python]\nmin = 1\nmax = 4
        [pool.bash]\nmin = 0\nmax = 1\nrehearsed = false
        [events]\nstderr = true
        [vmm]\nuid_base = 20000";
    let config = Config::parse(text).unwrap();
    assert_eq!(config.isolation.minimum, IsolationMinimum::Hardware);
    // A language says by its old name, too, that its VMs wait as they were restored.
    let warmed: Vec<bool> = config.pool.values().map(|size| size.warmed).collect();
    assert_eq!(warmed.iter().filter(|warmed| **warmed).count(), 1);
    assert_eq!(config.vmm.uid_base, 20_000);
    config.policy().unwrap();
}

proptest! {
    #[test]
    fn no_text_makes_it_panic(text in ".{0,300}") {
        let _ = Config::parse(&text);
    }
}

#[test]
fn packages_are_off_unless_the_operator_says_otherwise_and_rules_are_looked_at_at_once() {
    let policy = |text: &str| Config::parse(text).unwrap().policy().map(drop);
    let off = Config::default().packages;
    assert!(!off.are_on(Registry::Pypi) && !off.are_on(Registry::Npm));
    policy("[packages]\npython = [\"pandas>=2\"]\nnode = \"any\"\nmax_mib = 512\n").unwrap();
    for (text, words) in [
        ("[packages]\nmax_mib = 0\n", "max_mib is 0"),
        (
            "[packages]\npython_index = \"file:///x\"\n",
            "no http or https URL",
        ),
    ] {
        let error = policy(text).unwrap_err();
        assert!(chain(&error).contains(words), "{error}");
    }
    for text in [
        "python = \"all\"",
        "pytohn = \"any\"",
        "python = [\"a @ b\"]",
    ] {
        assert!(
            Config::parse(&format!("[packages]\n{text}\n")).is_err(),
            "{text}"
        );
    }
}
