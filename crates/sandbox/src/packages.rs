//! Packages that a program asks for: from its language to the same language in an image that has them.
//!
//! ```text
//!  known? ──yes──> the language in that image
//!    │ no
//!  a turn among those that make one ──> resolved, fetched, packed ──> the language in the new image
//! ```
//!
//! What it takes is done by threads that may wait, a few at a time, and goes on when its client is gone: the next who
//! asks for the same finds it.

mod error;
mod words;

pub use error::PackagesError;

use crate::current::Current;
use crate::error::Why;
use images::custom::PackageSet;
use images::{ImageError, ImageStore, Progress};
use protocol::language::{Language, RootImage};
use protocol::packages::RequiredPackages;
use protocol::packages::rules::PackageRules;
use std::sync::Arc;
use tokio::sync::Semaphore;
use tokio::time::timeout;

/// Images that are made at one time in this process: the resolvers wait for registries, packing takes a core.
const MAX_BUILDS: usize = 2;

/// Who is told how far a build is, on another thread.
pub type SharedProgress = Arc<dyn Progress + Send + Sync>;

/// Finds and makes images with packages.
#[derive(Debug, Clone)]
pub struct Packages {
    store: Arc<ImageStore>,
    rules: Arc<Current<PackageRules>>,
    builds: Arc<Semaphore>,
}

impl Packages {
    /// Images of this store, by these rules.
    pub fn new(store: Arc<ImageStore>, rules: PackageRules) -> Packages {
        Packages {
            store,
            rules: Arc::new(Current::new(rules)),
            builds: Arc::new(Semaphore::new(MAX_BUILDS)),
        }
    }

    /// What may be asked for.
    pub fn rules(&self) -> Arc<PackageRules> {
        self.rules.get()
    }

    /// Other rules, for what is asked for from now on.
    pub fn set_rules(&self, rules: PackageRules) {
        self.rules.set(rules);
    }

    /// The same for whom the operator's list does not bind: any package, from the same places, by the same bounds.
    #[must_use]
    pub fn with_any(&self) -> Packages {
        Packages {
            rules: Arc::new(Current::new(self.rules().as_ref().clone().with_any())),
            ..self.clone()
        }
    }

    /// The language in an image that has these packages, if the same was asked for of late. Cheap.
    pub async fn known(&self, language: Language, asked: &RequiredPackages) -> Option<Language> {
        let (packages, asked, rules) = (self.clone(), asked.clone(), self.rules());
        let find = move || {
            let set = package_set(language, &asked, &rules);
            packages.store.known_packages(&set)
        };
        let image = tokio::task::spawn_blocking(find).await.ok()??;
        language.in_image(image)
    }

    /// The language in an image that has these packages, which is made if it is not there. Dropping the future does not
    /// end what is being made.
    pub async fn make(
        &self,
        language: Language,
        asked: &RequiredPackages,
        progress: SharedProgress,
    ) -> Result<Language, PackagesError> {
        let rules = self.rules();
        rules.check_asked(asked)?;
        if let Some(language) = self.known(language, asked).await {
            return Ok(language);
        }
        let patience = rules.deadline();
        let turn = timeout(patience, self.builds.clone().acquire_owned()).await;
        let Ok(Ok(turn)) = turn else {
            let seconds = patience.as_secs();
            return Err(Why::PackagesTurn { seconds }.into());
        };
        let (packages, asked) = (self.clone(), asked.clone());
        let make = move || -> Result<RootImage, ImageError> {
            // Held by the work, not by who waits for it.
            let _turn = turn;
            let set = package_set(language, &asked, &rules);
            packages.store.with_packages(&set, progress.as_ref())
        };
        match tokio::task::spawn_blocking(make).await {
            Ok(Ok(image)) => {
                let made = language.in_image(image);
                made.ok_or_else(|| Why::PackagesLost.into())
            }
            Ok(Err(error)) => Err(error.into()),
            Err(_) => Err(Why::PackagesLost.into()),
        }
    }
}

fn package_set<'a>(
    language: Language,
    asked: &'a RequiredPackages,
    rules: &'a PackageRules,
) -> PackageSet<'a> {
    PackageSet {
        base: language.image(),
        asked,
        rules,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use images::Silent;
    use protocol::error_code::ErrorCode;
    use protocol::language::named;
    use protocol::packages::Registry;

    fn packages(rules: &str) -> (tempfile::TempDir, Packages) {
        let folder = tempfile::tempdir().unwrap();
        let store = Arc::new(ImageStore::open(&folder.path().join("images")).unwrap());
        let rules = toml::from_str(rules).unwrap();
        (folder, Packages::new(store, rules))
    }

    fn six() -> RequiredPackages {
        RequiredPackages::parse(Registry::Pypi, &["six"]).unwrap()
    }

    async fn refused(packages: &Packages) -> PackagesError {
        let made = packages
            .make(named("python"), &six(), Arc::new(Silent))
            .await;
        made.unwrap_err()
    }

    #[tokio::test]
    async fn what_may_not_be_asked_for_is_refused_before_anything_is_looked_for() {
        for (rules, words) in [
            ("", "PyPI may not be asked for"),
            ("python = [\"attrs\"]", "six is not in the list"),
        ] {
            let (_folder, packages) = packages(rules);
            let PackagesError::Refused(rejection) = refused(&packages).await else {
                panic!("{rules}");
            };
            assert_eq!(rejection.code, ErrorCode::PackagesRefused);
            assert!(rejection.message.contains(words), "{rejection}");
            assert!(rejection.to_string().contains("[packages]"), "{rejection}");
        }
    }

    #[tokio::test]
    async fn whoever_decides_for_himself_is_bound_by_no_list_and_told_of_a_missing_image() {
        let (_folder, packages) = packages("max_seconds = 7");
        let any = packages.with_any();
        assert_eq!(any.rules().max_seconds, 7);
        assert!(any.known(named("python"), &six()).await.is_none());
        let PackagesError::Failed(error) = refused(&any).await else {
            panic!("an image is not the request's to have");
        };
        assert_eq!(error.code(), ErrorCode::ImageMissing);
    }

    #[tokio::test(start_paused = true)]
    async fn who_gets_no_turn_in_time_is_told_to_come_again() {
        let (_folder, packages) = packages("python = \"any\"\nmax_seconds = 2");
        let all = u32::try_from(MAX_BUILDS).unwrap();
        let _at_work = packages.builds.clone().acquire_many_owned(all).await;
        let PackagesError::Failed(error) = refused(&packages).await else {
            panic!("another time will do");
        };
        assert_eq!(error.code(), ErrorCode::PackagesUnavailable);
        assert!(error.to_string().contains("2 seconds"), "{error}");
    }
}
