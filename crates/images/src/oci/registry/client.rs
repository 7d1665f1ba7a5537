//! HTTP to one registry: TLS as the host trusts it, plain HTTP on this very host; a token or a password where it asks for one.

use crate::oci::error::OciError;
use crate::oci::registry::challenge::{Challenge, Scheme};
use crate::oci::registry::reference::{Reference, is_loopback};
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use serde::Deserialize;
use std::cell::RefCell;
use std::io::Read;
use std::time::Duration;
use ureq::http::Response;
use ureq::tls::{RootCerts, TlsConfig};
use ureq::{Agent, Body};

const USER: &str = "LLM_FIRECRACKER_REGISTRY_USER";
const PASSWORD: &str = "LLM_FIRECRACKER_REGISTRY_PASSWORD";
const CONNECT_DEADLINE: Duration = Duration::from_secs(15);
/// Of one layer; a slow line brings 400 MiB in it.
const DEADLINE: Duration = Duration::from_secs(3600);
/// A registry that is busy, or a line that broke.
const TRIES: u32 = 3;
const PAUSE: Duration = Duration::from_secs(2);
/// Bytes of the answer that has a token in it.
const MAX_TOKEN_BYTES: u64 = 64 * 1024;
const UNAUTHORIZED: u16 = 401;

/// A connection to one repository.
pub(super) struct Client {
    agent: Agent,
    base: String,
    repository: String,
    home: Home,
    /// `user:password`, if the environment has them.
    credentials: Option<String>,
    /// The header that was good for the last request.
    authorization: RefCell<Option<String>>,
}

/// Where a registry is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Home {
    /// On this very host.
    Here,
    Elsewhere,
}

/// Why a request did not end well.
enum Failed {
    /// Another try may end otherwise.
    Passing(OciError),
    Final(OciError),
}

/// A body on its way.
pub(super) struct Answer<'a> {
    body: Box<dyn Read + 'a>,
    url: &'a str,
    broke: bool,
}

impl Answer<'_> {
    pub(super) fn read(&mut self, buffer: &mut [u8]) -> Result<usize, OciError> {
        self.body.read(buffer).map_err(|error| {
            self.broke = true;
            wrong(self.url, error.to_string())
        })
    }
}

#[derive(Deserialize)]
struct Token {
    token: Option<String>,
    access_token: Option<String>,
}

impl Client {
    pub(super) fn of(reference: &Reference) -> Client {
        let home = match is_loopback(&reference.registry) {
            true => Home::Here,
            false => Home::Elsewhere,
        };
        let tls = TlsConfig::builder()
            .root_certs(RootCerts::PlatformVerifier)
            .build();
        let mut config = Agent::config_builder()
            .timeout_connect(Some(CONNECT_DEADLINE))
            .timeout_global(Some(DEADLINE))
            .http_status_as_error(false)
            // Registries send layers from other hosts, by TLS too, and without what they were asked with.
            .https_only(home == Home::Elsewhere)
            .tls_config(tls);
        if home == Home::Here {
            config = config.max_redirects(0).proxy(None);
        }
        let variable = |name| std::env::var(name).ok();
        let credentials = variable(USER).zip(variable(PASSWORD));
        Client {
            agent: config.build().into(),
            base: reference.base(),
            repository: reference.path(),
            home,
            credentials: credentials.map(|(user, password)| format!("{user}:{password}")),
            authorization: RefCell::default(),
        }
    }

    /// Hands the body of what is below the repository to `take`, again where a try broke.
    pub(super) fn get(
        &self,
        below: &str,
        accept: &str,
        take: &mut dyn FnMut(&mut Answer<'_>) -> Result<(), OciError>,
    ) -> Result<(), OciError> {
        let url = format!("{}/{below}", self.base);
        let mut tries = 1;
        loop {
            match self.once(&url, accept, take) {
                Ok(()) => return Ok(()),
                Err(Failed::Passing(_)) if tries < TRIES => {
                    std::thread::sleep(PAUSE * tries);
                    tries += 1;
                }
                Err(Failed::Passing(error) | Failed::Final(error)) => return Err(error),
            }
        }
    }

    fn once(
        &self,
        url: &str,
        accept: &str,
        take: &mut dyn FnMut(&mut Answer<'_>) -> Result<(), OciError>,
    ) -> Result<(), Failed> {
        let mut response = self.ask(url, accept)?;
        if response.status() == UNAUTHORIZED {
            self.authorize(url, &response)?;
            response = self.ask(url, accept)?;
        }
        judge(url, &response)?;
        let mut answer = Answer {
            body: Box::new(response.body_mut().as_reader()),
            url,
            broke: false,
        };
        take(&mut answer).map_err(|error| match answer.broke {
            true => Failed::Passing(error),
            false => Failed::Final(error),
        })
    }

    fn ask(&self, url: &str, accept: &str) -> Result<Response<Body>, Failed> {
        let mut request = self.agent.get(url).header("accept", accept);
        if let Some(value) = &*self.authorization.borrow() {
            request = request.header("authorization", value);
        }
        request.call().map_err(|error| broken(url, &error))
    }

    /// Does what a registry asks for before it answers.
    fn authorize(&self, url: &str, response: &Response<Body>) -> Result<(), Failed> {
        let refused = |why: &str| Failed::Final(wrong(url, why.to_owned()));
        let header = response.headers().get("www-authenticate");
        let challenge = header
            .and_then(|value| Challenge::parse(value.to_str().ok()?))
            .ok_or_else(|| refused("it wants to know who asks, in a way that is not known"))?;
        let password = self.credentials.as_ref().map(|both| basic(both));
        let value = match challenge.scheme {
            Scheme::Basic => password.ok_or_else(|| {
                refused(&format!("it wants a password: set {USER} and {PASSWORD}"))
            })?,
            Scheme::Bearer => format!("Bearer {}", self.token(&challenge, password)?),
        };
        self.authorization.replace(Some(value));
        Ok(())
    }

    fn token(&self, challenge: &Challenge, password: Option<String>) -> Result<String, Failed> {
        let realm = challenge.realm.as_str();
        let refused = |why: &str| Failed::Final(wrong(realm, why.to_owned()));
        if !is_trusted(realm, self.home) {
            return Err(refused("it is to give tokens without TLS"));
        }
        let own = format!("repository:{}:pull", self.repository);
        let mut request = self.agent.get(realm);
        request = request.query("scope", challenge.scope.as_deref().unwrap_or(&own));
        if let Some(service) = &challenge.service {
            request = request.query("service", service);
        }
        if let Some(value) = password {
            request = request.header("authorization", value);
        }
        let mut response = request.call().map_err(|error| broken(realm, &error))?;
        judge(realm, &response)?;
        let body = response.body_mut().with_config().limit(MAX_TOKEN_BYTES);
        let bytes = body.read_to_vec().map_err(|error| broken(realm, &error))?;
        let token: Option<Token> = serde_json::from_slice(&bytes).ok();
        let token = token.and_then(|both| both.token.or(both.access_token));
        let plain = |token: &String| token.bytes().all(|byte| byte.is_ascii_graphic());
        token
            .filter(plain)
            .ok_or_else(|| refused("it gives no token"))
    }
}

/// A password goes nowhere without TLS, but to this very host.
fn is_trusted(realm: &str, home: Home) -> bool {
    let plain = realm.strip_prefix("http://").unwrap_or_default();
    let host = plain.split(['/', '?']).next().unwrap_or_default();
    realm.starts_with("https://") || (home == Home::Here && is_loopback(host))
}

fn basic(both: &str) -> String {
    format!("Basic {}", BASE64_STANDARD.encode(both))
}

fn judge(url: &str, response: &Response<Body>) -> Result<(), Failed> {
    let status = response.status();
    let failed = wrong(url, format!("the answer is {status}"));
    match status.as_u16() {
        200 => Ok(()),
        429 | 500.. => Err(Failed::Passing(failed)),
        UNAUTHORIZED | 403 => {
            let why =
                format!("the answer is {status}: it may want other than {USER} and {PASSWORD}");
            Err(Failed::Final(wrong(url, why)))
        }
        _ => Err(Failed::Final(failed)),
    }
}

fn broken(url: &str, error: &ureq::Error) -> Failed {
    let failed = wrong(url, error.to_string());
    match error {
        ureq::Error::BodyExceedsLimit(_)
        | ureq::Error::BadUri(_)
        | ureq::Error::RequireHttpsOnly(_) => Failed::Final(failed),
        _ => Failed::Passing(failed),
    }
}

fn wrong(url: &str, why: String) -> OciError {
    OciError::Registry {
        url: url.to_owned(),
        why,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn passwords_go_by_tls_or_to_this_host() {
        use Home::{Elsewhere, Here};
        for (realm, home, expected) in [
            ("https://auth.example/token", Elsewhere, true),
            ("http://auth.example/token", Elsewhere, false),
            ("http://auth.example/token", Here, false),
            ("http://127.0.0.1:5001/token", Here, true),
            ("http://127.0.0.1:5001/token", Elsewhere, false),
            ("http://127.0.0.1.auth.example/", Here, false),
            ("http://127.0.0.1@auth.example/", Here, false),
            ("file:///etc/passwd", Here, false),
        ] {
            assert_eq!(is_trusted(realm, home), expected, "{realm}");
        }
    }
}
