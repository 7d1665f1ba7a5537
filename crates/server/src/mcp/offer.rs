//! What this server offers, in words for a model: languages whose images are there, how long things last, and that there
//! is no network.

use crate::app::App;
use crate::mcp::kept::KEPT_FOR;
use protocol::environment::OUT_DIR;
use protocol::language::{self, Language};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

/// How long what was seen of the images is believed: others may be built meanwhile.
const LOOK_AGAIN: Duration = Duration::from_secs(10);

/// What there is.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Offer {
    /// Languages that programs may be written in.
    pub languages: Vec<&'static str>,
    /// Those whose variables stay from one call to the next in a session.
    pub keeping: Vec<&'static str>,
    /// Images that a session may have.
    pub images: Vec<&'static str>,
    /// Seconds without a call after which a session ends.
    pub idle_seconds: u64,
    /// Seconds after which it ends in any case.
    pub total_seconds: u64,
}

/// What was seen last, and when.
#[derive(Debug, Default)]
pub struct Seen(Mutex<Option<(Instant, Arc<Offer>)>>);

impl Offer {
    /// What there is now.
    pub async fn of(app: &Arc<App>) -> Arc<Offer> {
        let seen = &app.mcp.offer.0;
        let now = Instant::now();
        let lock = || seen.lock().unwrap_or_else(PoisonError::into_inner);
        let fresh = |(at, _): &&(Instant, _)| now.duration_since(*at) < LOOK_AGAIN;
        if let Some((_, offer)) = lock().as_ref().filter(fresh) {
            return offer.clone();
        }
        let looking = app.clone();
        // Manifests are read from a disk.
        let looked = tokio::task::spawn_blocking(move || Offer::look(&looking)).await;
        let offer = Arc::new(looked.unwrap_or_default());
        *lock() = Some((now, offer.clone()));
        offer
    }

    fn look(app: &App) -> Offer {
        let images = &app.rooms.images;
        let names = images.list().unwrap_or_default();
        let names = names.into_iter().map(|row| row.image);
        let names = names.filter(|image| !image.is_package_set());
        let there = || language::all().filter(|language| images.holds(language.image()));
        let keeps = |language: &Language| language::context(*language).is_some();
        let sessions = &app.config().sessions;
        Offer {
            languages: there().map(Language::name).collect(),
            keeping: there().filter(keeps).map(Language::name).collect(),
            images: names.map(|image| image.name()).collect(),
            idle_seconds: sessions.idle_seconds,
            total_seconds: sessions.total_seconds,
        }
    }

    /// What a client is told of the server as a whole.
    pub fn instructions(&self) -> String {
        let Offer {
            languages,
            keeping,
            images,
            idle_seconds,
            total_seconds,
        } = self;
        let kept_minutes = KEPT_FOR.as_secs() / 60;
        format!(
            "Runs code in throwaway virtual machines. There is no network inside: nothing can be downloaded or installed while \
             a program runs.\n\
             Languages: {}. Each run_code without session_id gets a fresh VM that is destroyed afterwards; files that the \
             program leaves in {OUT_DIR} come back and can be read for {kept_minutes} minutes.\n\
             With start_session a VM stays: files stay in it, and in {} variables, too. A session ends after {idle_seconds} s \
             without a call and after {total_seconds} s in any case, with all that is in it; end_session ends it sooner.\n\
             Images of sessions: {}.\n\
             Text of a result is cut to 16 KiB, head and tail: have programs write long output to {OUT_DIR} and read it \
             in parts with read_file. PNG and JPEG files there are shown as pictures.",
            list(languages),
            list(keeping),
            list(images),
        )
    }
}

/// Names in a row; `none` where there are none.
pub fn list(names: &[&str]) -> String {
    match names {
        [] => "none (the operator has built no image yet)".to_owned(),
        names => names.join(", "),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_instructions_name_languages_lifetime_and_that_there_is_no_network() {
        let offer = Offer {
            languages: vec!["python", "go"],
            keeping: vec!["python"],
            images: vec!["agent"],
            idle_seconds: 300,
            total_seconds: 3600,
        };
        let text = offer.instructions();
        for said in [
            "no network",
            "Languages: python, go.",
            "in python variables",
            "300 s",
            "3600 s",
            "agent",
        ] {
            assert!(text.contains(said), "{said}: {text}");
        }
        assert!(Offer::default().instructions().contains("no image yet"));
        assert!(text.len() < 2048, "{}", text.len());
    }
}
