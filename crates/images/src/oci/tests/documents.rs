//! Manifests, indexes and configs that somebody hostile wrote, or that are of something else.

use super::fixture::{Lab, Tar, gzipped};
use serde_json::{Value, json};
use std::fs;

const INDEX: &str = "application/vnd.oci.image.index.v1+json";

fn lab() -> (Lab, Vec<super::fixture::Stored>) {
    (Lab::new(), vec![gzipped(Tar::new().file("a", "1").done())])
}

#[test]
fn what_manifest_and_config_say_has_to_hold() {
    type Change = fn(&mut Value, &mut Value);
    let cases: [(Change, &str); 13] = [
        (
            |_, manifest| manifest["layers"][0]["size"] = json!(7),
            "bytes, not 7 as promised",
        ),
        (
            |_, manifest| manifest["layers"][0]["digest"] = json!("sha256:00"),
            "no digest of the form",
        ),
        (
            |_, manifest| manifest["layers"][0]["digest"] = json!("sha256:../../../etc/passwd"),
            "no digest of the form",
        ),
        (
            |_, manifest| {
                manifest["layers"][0]["digest"] = json!(format!("sha256:{}", "0".repeat(64)))
            },
            "No such file",
        ),
        (
            |_, manifest| manifest["layers"][0]["urls"] = json!(["https://elsewhere.example/"]),
            "a foreign layer",
        ),
        (
            |_, manifest| {
                manifest["layers"][0]["mediaType"] =
                    json!("application/vnd.docker.image.rootfs.foreign.diff.tar.gzip")
            },
            "a foreign layer",
        ),
        (
            |_, manifest| {
                manifest["layers"][0]["mediaType"] =
                    json!("application/vnd.cncf.helm.chart.content.v1.tar+gzip")
            },
            "which is not read",
        ),
        (
            |_, manifest| manifest["config"] = json!({"mediaType": "application/vnd.cncf.helm.config.v1+json", "digest": format!("sha256:{}", "0".repeat(64)), "size": 2}),
            "is of no image",
        ),
        (
            |_, manifest| manifest["schemaVersion"] = json!(1),
            "of another version",
        ),
        (
            |_, manifest| manifest["manifests"] = json!([]),
            "an index and a manifest at once",
        ),
        (
            |config, _| config["rootfs"]["diff_ids"] = json!([]),
            "has 0 diff_ids for 1 layers",
        ),
        (
            |config, _| {
                config["rootfs"]["diff_ids"] = json!([format!("sha256:{}", "0".repeat(64))])
            },
            "not the diff_id",
        ),
        (
            |config, _| config["architecture"] = json!("arm64"),
            "for linux/arm64, not linux/amd64",
        ),
    ];
    for (change, expected) in cases {
        let (lab, layers) = lab();
        lab.image(&layers, change);
        let error = lab.bring().unwrap_err();
        let mut text = error.to_string();
        if let Some(cause) = std::error::Error::source(&error) {
            text = format!("{text}: {cause}");
        }
        assert!(text.contains(expected), "{text}");
    }
}

#[test]
fn other_bytes_than_a_digest_promises_are_the_reason_given() {
    let (lab, layers) = lab();
    let descriptor = lab.image(&layers, |_, _| {});
    let digest = descriptor["digest"].as_str().unwrap().to_owned();
    let blob = |name: &str| {
        lab.path("image/blobs/sha256")
            .join(name.strip_prefix("sha256:").unwrap())
    };
    // The layer: as long as it was, so that it is read; the child finds damage first, and that is not the reason given.
    let layer = blob(&crate::oci::digest::Digest::of(&layers[0].bytes).to_string());
    let mut bytes = fs::read(&layer).unwrap();
    bytes[20] ^= 1;
    fs::write(&layer, bytes).unwrap();
    let error = lab.refusal();
    assert!(
        error.starts_with("layer sha256:") && error.contains("as promised"),
        "{error}"
    );
    // A pipe in its place is not waited for.
    fs::remove_file(&layer).unwrap();
    rustix::fs::mknodat(
        rustix::fs::CWD,
        &layer,
        rustix::fs::FileType::Fifo,
        rustix::fs::Mode::from_raw_mode(0o644),
        0,
    )
    .unwrap();
    assert!(lab.bring().unwrap_err().to_string().starts_with("reading "));
    // The manifest.
    fs::write(blob(&digest), b"{}").unwrap();
    assert!(lab.refusal().contains("bytes, not"));
}

fn for_platform(descriptor: &Value, os: &str, architecture: &str) -> Value {
    let mut descriptor = descriptor.clone();
    descriptor["platform"] = json!({"os": os, "architecture": architecture});
    descriptor
}

#[test]
fn of_several_the_one_for_this_machine_is_taken_or_none() {
    let (lab, layers) = lab();
    let ours = lab.image(&layers, |_, _| {});
    let other = lab.image(&layers, |config, _| config["architecture"] = json!("arm64"));
    let arm = for_platform(&other, "linux", "arm64");
    let unknown = for_platform(&other, "unknown", "unknown");
    lab.index(&[
        arm.clone(),
        unknown.clone(),
        for_platform(&ours, "linux", "amd64"),
    ]);
    assert_eq!(
        lab.bring().unwrap().manifest_digest,
        ours["digest"].as_str().unwrap()
    );
    lab.index(&[arm.clone(), unknown.clone()]);
    let text = lab.bring().unwrap_err().to_string();
    let expected = "index.json: has no image for linux/amd64, but linux/arm64, unknown/unknown";
    assert_eq!(text, expected);
    // One index in another, as builders nest them; not without end.
    let list =
        json!({"schemaVersion": 2, "manifests": [arm, for_platform(&ours, "linux", "amd64")]});
    let mut nested = lab.blob(INDEX, list.to_string().as_bytes());
    lab.index(std::slice::from_ref(&nested));
    assert!(lab.bring().is_ok());
    for _ in 0..3 {
        let list = json!({"schemaVersion": 2, "manifests": [nested]});
        nested = lab.blob(INDEX, list.to_string().as_bytes());
    }
    lab.index(&[nested]);
    let text = lab.bring().unwrap_err().to_string();
    assert!(text.contains("is below more than 3 indexes"), "{text}");
}

#[test]
fn tags_name_one_image_of_a_folder() {
    let (lab, layers) = lab();
    let tagged = |descriptor: &Value, tag: &str| {
        let mut descriptor = descriptor.clone();
        descriptor["annotations"] = json!({"org.opencontainers.image.ref.name": tag});
        for_platform(&descriptor, "linux", "amd64")
    };
    let one = lab.image(&layers, |_, _| {});
    let two = lab.image(&layers, |config, _| {
        config["config"] = json!({"Cmd": ["/a"]})
    });
    lab.index(&[tagged(&one, "one"), tagged(&two, "two")]);
    let path = lab.path("image").display().to_string();
    let brought = lab.bring_from(&format!("oci:{path}:two")).unwrap();
    assert_eq!(brought.manifest_digest, two["digest"].as_str().unwrap());
    for (source, expected) in [
        (
            format!("oci:{path}"),
            r#"has several images, "one", "two": name one"#,
        ),
        (
            format!("oci:{path}:three"),
            r#"has no image tagged "three", but "one", "two""#,
        ),
    ] {
        let text = Lab::new().bring_from(&source).unwrap_err().to_string();
        assert!(text.contains(expected), "{text}");
    }
}

#[test]
fn documents_have_bounds_and_forms() {
    let (lab, layers) = lab();
    let huge = vec![b' '; (4 << 20) + 1];
    for (name, bytes, expected) in [
        (
            "index.json",
            &huge[..],
            "index.json of more bytes, more than the bound of 4194304",
        ),
        ("index.json", b"[]", "index.json: invalid"),
        ("index.json", b"nothing", "index.json: expected"),
        (
            "oci-layout",
            br#"{"imageLayoutVersion":"2.0.0"}"#,
            "oci-layout: is of another version",
        ),
    ] {
        lab.image(&layers, |_, _| {});
        fs::write(lab.path("image").join(name), bytes).unwrap();
        let text = lab.refusal();
        assert!(text.contains(expected), "{text}");
    }
    let (lab, layers) = self::lab();
    let mut descriptor = lab.image(&layers, |_, _| {});
    descriptor["size"] = json!(5 << 20);
    lab.index(&[descriptor]);
    let text = lab.refusal();
    assert!(
        text.contains("of 5242880 bytes, more than the bound of 4194304"),
        "{text}"
    );
}
