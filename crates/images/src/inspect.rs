//! What is in an image, for people and for tools that keep inventories.

use crate::custom::Origin;
use crate::error::ImageError;
use crate::manifest::{Package, PackageSource};
use crate::store::ImageStore;
use languages::RootImage;
use languages::custom::Defaults;
use serde::Serialize;
use serde_json::{Value, json};

/// All that is known of an image.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Inspected {
    /// Its name.
    pub image: RootImage,
    /// What it holds, in a few words.
    pub about: String,
    /// Size of the image file.
    pub size_bytes: u64,
    /// SHA-256, in lower-case hex.
    pub sha256: String,
    /// RFC 3339, UTC.
    pub built_at: String,
    /// Seconds since it was last used, where that is written down.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub unused_seconds: Option<u64>,
    /// Languages whose programs run in it.
    pub languages: Vec<String>,
    /// What it was made of, where it is not the tool's.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub origin: Option<Origin>,
    /// What its programs find, where it is not the tool's.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub defaults: Option<Defaults>,
    /// Where its files come from, as far as that is known.
    pub packages: Vec<Package>,
}

impl ImageStore {
    /// What is in an image. Reads its manifest alone.
    pub fn inspect(&self, image: RootImage) -> Result<Inspected, ImageError> {
        let manifest = self.read_rootfs(image)?;
        let languages = image.languages().into_iter();
        let unused = self.unused_for(image).filter(|_| image.is_custom());
        Ok(Inspected {
            image,
            about: image.about().to_owned(),
            size_bytes: manifest.image.size,
            sha256: manifest.image.sha256,
            built_at: manifest.built_at,
            unused_seconds: unused.map(|unused| unused.as_secs()),
            languages: languages
                .map(|language| language.name().to_owned())
                .collect(),
            origin: manifest.custom.map(|custom| custom.origin),
            defaults: image.defaults().cloned(),
            packages: manifest.packages,
        })
    }
}

impl Inspected {
    /// A bill of materials: CycloneDX 1.6, as JSON.
    pub fn bill_of_materials(&self) -> Value {
        let components: Vec<Value> = self.packages.iter().map(component).collect();
        json!({
            "bomFormat": "CycloneDX",
            "specVersion": "1.6",
            "version": 1,
            "metadata": {
                "timestamp": self.built_at,
                "component": {
                    "type": "container",
                    "bom-ref": "image",
                    "name": self.image.name(),
                    "hashes": [{"alg": "SHA-256", "content": self.sha256}],
                },
            },
            "components": components,
        })
    }
}

fn component(package: &Package) -> Value {
    let url = package_url(package);
    let mut component = json!({
        "type": "library",
        "bom-ref": url,
        "name": package.name,
        "version": package.version,
        "purl": url,
    });
    if !package.sha256.is_empty() {
        component["hashes"] = json!([{"alg": "SHA-256", "content": package.sha256}]);
    }
    if !package.licence.is_empty() {
        // As its makers name it, which is not always SPDX's word.
        component["licenses"] = json!([{"license": {"name": package.licence}}]);
    }
    component
}

/// <https://github.com/package-url/purl-spec>.
fn package_url(package: &Package) -> String {
    let version = escaped(&package.version);
    let name: Vec<String> = package.name.split('/').map(escaped).collect();
    let name = name.join("/");
    match package.source {
        PackageSource::Debian => format!("pkg:deb/debian/{name}@{version}?arch=amd64"),
        PackageSource::Npm => format!("pkg:npm/{name}@{version}"),
        PackageSource::Pypi => format!("pkg:pypi/{name}@{version}"),
    }
}

fn escaped(text: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b".-_~".contains(&byte);
    let letter = |byte: u8| match plain(byte) {
        true => char::from(byte).to_string(),
        false => format!("%{byte:02X}"),
    };
    text.bytes().map(letter).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn packages_have_the_urls_that_inventories_know() {
        let package = |name: &str, version: &str, source| Package {
            name: name.to_owned(),
            version: version.to_owned(),
            source,
            ..Package::default()
        };
        for (package, url) in [
            (
                package("libstdc++6", "14.2.0-19", PackageSource::Debian),
                "pkg:deb/debian/libstdc%2B%2B6@14.2.0-19?arch=amd64",
            ),
            (
                package("@esbuild/linux-x64", "0.28.2", PackageSource::Npm),
                "pkg:npm/%40esbuild/linux-x64@0.28.2",
            ),
            (
                package("python-docx", "1.2.0", PackageSource::Pypi),
                "pkg:pypi/python-docx@1.2.0",
            ),
        ] {
            assert_eq!(package_url(&package), url);
            assert_eq!(component(&package)["purl"], url);
        }
    }
}
