//! Which of the tool's images has a Python module that a program did not find.

use crate::RootImage;
use crate::root_image::images;

/// Modules whose package has another name: module, package.
const RENAMED: &[(&str, &str)] = &[
    ("PIL", "pillow"),
    ("bs4", "beautifulsoup4"),
    ("cv2", "opencv-python-headless"),
    ("dateutil", "python-dateutil"),
    ("docx", "python-docx"),
    ("pptx", "python-pptx"),
    ("skimage", "scikit-image"),
    ("sklearn", "scikit-learn"),
    ("yaml", "pyyaml"),
];

impl RootImage {
    /// Whether the lock file that it is made by has the package of this Python module.
    pub fn has_module(self, module: &str) -> bool {
        let package = package_of(module);
        let lock = self.recipe().pip.as_deref();
        let lock = lock.and_then(|file| self.companion(file)).unwrap_or(b"");
        let lines = String::from_utf8_lossy(lock);
        let mut names = lines.lines().filter_map(|line| line.split_once("=="));
        names.any(|(name, _)| normalized(name) == package)
    }
}

/// The tool's images that have it.
pub fn images_with_module(module: &str) -> Vec<RootImage> {
    let own = images().filter(|image| !image.is_custom());
    own.filter(|image| image.has_module(module)).collect()
}

fn package_of(module: &str) -> String {
    let renamed = RENAMED.iter().find(|(name, _)| *name == module);
    renamed.map_or_else(|| normalized(module), |(_, package)| (*package).to_owned())
}

/// PEP 503, as far as names in lock files need it.
fn normalized(name: &str) -> String {
    name.trim().to_ascii_lowercase().replace(['_', '.'], "-")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_module_is_found_by_its_packages_name() {
        let names = |module| -> Vec<&str> {
            let found = images_with_module(module).into_iter();
            found.map(RootImage::name).collect()
        };
        for module in ["numpy", "PIL", "matplotlib"] {
            assert!(names(module).contains(&"python-data"), "{module}");
            assert!(names(module).contains(&"agent"), "{module}");
        }
        // Each of the table is a package that some image has.
        for (module, _) in RENAMED {
            assert!(!names(module).is_empty(), "{module}");
        }
        assert_eq!(names("no_such_module"), [""; 0]);
        assert_eq!(names(""), [""; 0]);
    }
}
