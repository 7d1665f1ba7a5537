//! Every body validates; the order is right.

use crate::description::Description;
use crate::spec;
use proptest::prelude::*;
use vmm::firecracker::calls::{self, Call};
use vmm::{Step, VmmConfig};

fn names(calls: &[Call]) -> Vec<String> {
    calls.iter().map(Call::to_string).collect()
}

/// Every request of a VM's life, booted or cloned.
pub fn all() -> Vec<Call> {
    let mut all = Vec::from(calls::observe());
    all.extend(calls::boot(&VmmConfig::default(), &spec(), "console=ttyS0"));
    all.push(calls::load());
    all.extend([
        calls::start(),
        calls::resume(),
        calls::pause(),
        calls::save(),
        calls::describe(),
    ]);
    all
}

#[test]
fn every_request_is_described() {
    let description = Description::read();
    for call in all() {
        let faults = description.faults(call.method.as_str(), call.path, &call.body);
        assert!(faults.is_empty(), "{call}: {faults:?}");
    }
}

#[test]
fn every_described_operation_is_used() {
    let description = Description::read();
    for operation in &description.operations {
        let used = all().iter().any(|call| {
            let found = description.operation(call.method.as_str(), call.path);
            found.is_some_and(|found| std::ptr::eq(found, operation))
        });
        assert!(used, "{} {}", operation.method, operation.path);
    }
}

#[test]
fn a_boot_configures_everything_before_it_starts() {
    let order = names(&calls::boot(&VmmConfig::default(), &spec(), ""));
    assert_eq!(
        order,
        [
            "PUT /machine-config",
            "PUT /boot-source",
            "PUT /drives/rootfs",
            "PUT /vsock",
            "PUT /entropy",
        ]
    );
    assert_eq!(calls::start().to_string(), "PUT /actions");
}

/// Firecracker refuses to load after anything but logger and metrics was configured.
#[test]
fn a_clone_configures_nothing_before_it_loads_and_is_resumed_last() {
    assert_eq!(names(&calls::observe()), ["PUT /logger", "PUT /metrics"]);
    let load = calls::load();
    assert_eq!(load.to_string(), "PUT /snapshot/load");
    assert_eq!(load.body["resume_vm"], false);
    assert_eq!(load.body["mem_backend"]["backend_type"], "File");
    assert_eq!(calls::resume().to_string(), "PATCH /vm");
}

#[test]
fn each_call_belongs_to_the_step_that_an_error_names() {
    let steps: Vec<Step> = [
        calls::start(),
        calls::resume(),
        calls::pause(),
        calls::save(),
    ]
    .iter()
    .map(|call| call.step)
    .collect();
    assert_eq!(steps, [Step::Run, Step::Run, Step::Pause, Step::Save]);
    assert_eq!(calls::load().step, Step::Load);
}

proptest! {
    #[test]
    fn whatever_the_vm_its_walls_stand(
        memory_mib in 64u32..8192,
        vcpus in 1u32..32,
        template in proptest::option::of("T2|T2S|T2CL|T2A|C3|None"),
        bytes in 1u64..1 << 40,
        requests in 1u64..1 << 30,
    ) {
        let config = VmmConfig {
            cpu_template: template,
            drive_bytes_per_second: bytes,
            drive_requests_per_second: requests,
            ..VmmConfig::default()
        };
        let spec = vmm::VmSpec { memory_mib, vcpus, ..spec() };
        let boot = calls::boot(&config, &spec, "quiet");
        let description = Description::read();
        for call in &boot {
            let faults = description.faults("PUT", call.path, &call.body);
            prop_assert!(faults.is_empty(), "{}: {:?}", call, faults);
            prop_assert!(!call.path.contains("network") && !call.path.contains("mmds"));
        }
        let body = |path: &str| &boot.iter().find(|call| call.path == path).unwrap().body;
        prop_assert_eq!(&body("/machine-config")["smt"], false);
        let drive = body("/drives/rootfs");
        prop_assert_eq!(&drive["is_read_only"], true);
        prop_assert!(drive["rate_limiter"]["bandwidth"]["size"] == bytes);
        prop_assert!(drive["rate_limiter"]["ops"]["size"] == requests);
        // One disk, and every path is the jail's, never the host's.
        prop_assert_eq!(boot.iter().filter(|call| call.path.starts_with("/drives")).count(), 1);
        let text = boot.iter().map(|call| call.body.to_string()).collect::<String>();
        prop_assert!(!text.contains("/images"));
    }
}
