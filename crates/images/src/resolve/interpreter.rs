//! Guests' Python, as `uv` is told of it. `uv` asks an interpreter what it is, and would have one on the host to ask; but
//! what is resolved is for guests, so it is given a script that says what theirs is. No Python is needed, or run.

use crate::pypi::tags::{GLIBC_MINOR, PYTHON_MINOR};
use serde_json::json;

/// Of the tool's own images: Trixie's.
pub const PYTHON_VERSION: &str = "3.13.5";

/// The script. What it prints is `uv`'s own form, which may change with its version: that is pinned.
pub(super) fn script() -> String {
    format!("#!/bin/sh\nprintf '%s\\n' '{}'\n", description())
}

fn description() -> serde_json::Value {
    let nowhere = "/nowhere";
    json!({
        "result": "success",
        "markers": {
            "implementation_name": "cpython", "implementation_version": PYTHON_VERSION, "os_name": "posix",
            "platform_machine": "x86_64", "platform_python_implementation": "CPython", "platform_release": "",
            "platform_system": "Linux", "platform_version": "", "python_full_version": PYTHON_VERSION,
            "python_version": format!("3.{PYTHON_MINOR}"), "sys_platform": "linux",
        },
        "os": {"name": "manylinux", "major": 2, "minor": GLIBC_MINOR},
        "arch": "x86_64", "manylinux_compatible": true, "gil_disabled": false, "debug_enabled": false,
        "pointer_size": "64", "standalone": false,
        // Of use only to those who build.
        "cpu_info": {"detected": {"kind": "flags", "flags": "fpu"}},
        "extension_suffixes": [format!(".cpython-3{PYTHON_MINOR}-x86_64-linux-gnu.so"), ".abi3.so", ".so"],
        "sys_base_prefix": nowhere, "sys_base_exec_prefix": nowhere, "sys_prefix": nowhere,
        "sys_base_executable": nowhere, "sys_executable": nowhere, "sys_path": [], "site_packages": [], "stdlib": nowhere,
        "scheme": {"platlib": nowhere, "purelib": nowhere, "include": nowhere, "scripts": nowhere, "data": nowhere},
        "virtualenv": {"purelib": "x", "platlib": "x", "include": "x", "scripts": "x", "data": ""},
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_script_prints_the_description() {
        assert!(
            !description().to_string().contains('\''),
            "it is in single quotes"
        );
        let printed = std::process::Command::new("sh")
            .args(["-c", &script()])
            .output()
            .unwrap();
        let read: serde_json::Value = serde_json::from_slice(&printed.stdout).unwrap();
        assert_eq!(read, description());
        assert!(PYTHON_VERSION.starts_with(&format!("3.{PYTHON_MINOR}.")));
    }
}
