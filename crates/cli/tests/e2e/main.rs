//! The tool as a user runs it, against real VMs: no mock, no fake, nothing but its command line.
//!
//! [`lab`] is the state folder that these tests own, [`tool`] starts the binary and waits with a deadline,
//! [`host`] reads what the host shows, [`engines`] is what is true of one engine alone. The rest are tests:
//! [`cases`] is one table for all languages, whose sources are in a file each; [`programs`] compares real
//! programs byte by byte, [`reports`] those that others reported; [`life`], [`leftovers`], [`killed`] and [`refusals`] look at a job's ways to end;
//! [`damage`] at images and snapshots, [`fresh`] at what two VMs share, [`go_build`] at what is compiled
//! without `go build`, [`walls`] at the filter and the bucket that users choose, [`isolation`] and [`memory`]
//! at the walls that the engine gives, [`battery`] at the attack battery itself, for which [`canaries`] leaves
//! traces on the host; [`stopped`] at a VMM that stands still, [`secrets`] at what must be in no log, [`admission`] at what the host
//! has no memory for, [`new_language`] at an operator's language, [`features`] at what newer versions of languages brought,
//! [`cpython`] at CPython's own tests and [`data`] at libraries of data science, beside the same tree without a VM ([`native`]),
//! [`own_images`] at images of a user's own, [`imported`] at others' from a registry, [`packages`] at what programs ask for, [`paused`] at sandboxes that go on after a restart, [`build_killed`] at a build of images that is stopped, [`pictures`] at what `bench` draws, [`shell`]
//! at a terminal in a VM, by [`screen`], and [`habits`] at what people write by habit, and what they see.
//!
//! A test whose image, VMM or agent is missing says `not run: …`; with `LLM_FIRECRACKER_REQUIRE=1`
//! that is a failure, and where nothing at all can run, [`something_can_be_run`] fails.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod admission;
mod bash;
mod battery;
mod build_killed;
mod canaries;
mod cases;
mod cpython;
mod damage;
mod data;
mod egress;
#[path = "../shared/engines.rs"]
mod engines;
mod features;
mod fresh;
mod go;
mod go_build;
mod habits;
mod host;
mod imported;
mod isolation;
mod killed;
mod lab;
mod leftovers;
mod life;
mod memory;
mod native;
mod new_language;
mod node;
mod own_images;
mod packages;
mod paused;
mod pictures;
#[path = "../shared/place.rs"]
mod place;
mod programs;
mod python;
mod refusals;
mod reports;
mod rust;
mod screen;
mod secrets;
mod shell;
mod stopped;
mod tool;
mod walls;

#[test]
fn something_can_be_run() {
    let lab = lab::lab();
    assert!(
        !lab.languages.is_empty(),
        "not run: anything. {}",
        lab.missing
    );
    println!("languages: {}; {}", lab.languages.join(", "), lab.missing);
}
