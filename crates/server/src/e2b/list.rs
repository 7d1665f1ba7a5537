//! The list of an E2B client's sandboxes: filters, order, pages.

use super::body::ListedBody;
use super::error::AsE2b;
use crate::app::App;
use crate::auth::Caller;
use crate::problem::{HttpCode, Problem};
use axum::Json;
use axum::extract::{Query, RawQuery, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Uri};
use jiff::Timestamp;
use std::sync::Arc;

/// Sandboxes on one page at most, and where nothing is said.
pub const MAX_PAGE: usize = 100;
/// The name of the next page, where there is one.
pub const NEXT_TOKEN: HeaderName = HeaderName::from_static("x-next-token");

/// What is wanted of the list.
#[derive(Debug, Default, PartialEq)]
struct Wanted {
    metadata: Vec<(String, String)>,
    /// Absent: all states.
    states: Option<Vec<String>>,
    started_after: Option<Timestamp>,
    template: Option<String>,
    order: Order,
    limit: Option<usize>,
    /// The last name of the page before.
    after: Option<String>,
}

/// Which comes first.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
enum Order {
    /// The newest, as E2B has it.
    #[default]
    Descending,
    /// The oldest.
    Ascending,
}

impl Wanted {
    fn of(query: &str) -> Result<Wanted, Problem> {
        let mut wanted = Wanted::default();
        for (name, value) in pairs(query) {
            match name.as_str() {
                "metadata" => wanted.metadata = metadata(&value),
                "state" => {
                    let states = value.split(',').map(str::to_owned);
                    wanted.states.get_or_insert_default().extend(states);
                }
                "startedAfter" => {
                    let at = value
                        .parse()
                        .map_err(|_| wrong("startedAfter", "no time (RFC 3339)"))?;
                    wanted.started_after = Some(at);
                }
                "template" => wanted.template = Some(value),
                "order" => {
                    wanted.order = match value.as_str() {
                        "asc" => Order::Ascending,
                        "desc" => Order::Descending,
                        _ => return Err(wrong("order", "neither asc nor desc")),
                    }
                }
                "limit" => wanted.limit = Some(page_limit(&value)?),
                "nextToken" => wanted.after = Some(value),
                // Another version's.
                _ => {}
            }
        }
        Ok(wanted)
    }

    fn wants(&self, body: &ListedBody) -> bool {
        let has = |(name, value): &(String, String)| body.metadata().get(name) == Some(value);
        let states = self.states.as_ref();
        self.metadata.iter().all(has)
            && states.is_none_or(|states| states.iter().any(|state| state == body.state().as_str()))
            && self
                .template
                .as_ref()
                .is_none_or(|template| template == body.template())
            && self.started_after.is_none_or(|after| {
                let started = body.started_at().parse::<Timestamp>();
                started.is_ok_and(|started| started >= after)
            })
    }

    /// One page of them, which come oldest first, and the token of the next.
    fn page(&self, mut bodies: Vec<ListedBody>) -> (Vec<ListedBody>, Option<String>) {
        bodies.retain(|body| self.wants(body));
        if self.order == Order::Descending {
            bodies.reverse();
        }
        if let Some(after) = &self.after {
            // Names are in the order of time; the one of the token may be gone.
            bodies.retain(|body| match self.order {
                Order::Ascending => body.id() > after.as_str(),
                Order::Descending => body.id() < after.as_str(),
            });
        }
        let limit = self.limit.unwrap_or(MAX_PAGE);
        let more = bodies.len() > limit;
        bodies.truncate(limit);
        let last = bodies.last().filter(|_| more);
        let next = last.map(|body| body.id().to_owned());
        (bodies, next)
    }
}

/// How many there are to be on a page.
pub fn page_limit(text: &str) -> Result<usize, Problem> {
    let limit = text.parse().ok();
    let limit = limit.filter(|limit| (1..=MAX_PAGE).contains(limit));
    limit.ok_or_else(|| wrong("limit", &format!("not 1 to {MAX_PAGE}")))
}

fn wrong(field: &'static str, what: &str) -> Problem {
    Problem::with(HttpCode::FieldInvalid, format!("{field} is {what}")).field(field)
}

/// The pairs of a query, decoded.
pub fn pairs(query: &str) -> Vec<(String, String)> {
    let uri = format!("/?{query}").parse::<Uri>().ok();
    let pairs = uri.and_then(|uri| Query::try_from_uri(&uri).ok());
    pairs.map(|Query(pairs)| pairs).unwrap_or_default()
}

/// Metadata in a query: a query of its own, whose parts clients code once more.
fn metadata(text: &str) -> Vec<(String, String)> {
    let decoded = |text: String| {
        let once = pairs(&format!("x={}", text.replace('+', "%2B")));
        once.into_iter().next().map_or(text, |(_, value)| value)
    };
    let all = pairs(text).into_iter();
    all.map(|(name, value)| (decoded(name), decoded(value)))
        .collect()
}

/// `GET /v2/sandboxes`, and `GET /sandboxes` of older clients.
pub async fn list(
    State(app): State<Arc<App>>,
    who: Result<Caller, Problem>,
    RawQuery(query): RawQuery,
) -> Result<(HeaderMap, Json<Vec<ListedBody>>), AsE2b> {
    let Caller(who) = who?;
    let wanted = Wanted::of(query.as_deref().unwrap_or_default())?;
    let slots = app.sandboxes.slots_of(&who);
    let mut bodies: Vec<ListedBody> = slots
        .iter()
        .filter_map(|slot| ListedBody::of(slot))
        .collect();
    // One that is on its way from one to the other is told of once.
    let paused = app.paused.all_of(&who);
    let paused = paused
        .iter()
        .filter_map(|entry| ListedBody::of_paused(entry));
    bodies.extend(
        paused
            .filter(|body| !slots.iter().any(|slot| slot.id == body.id()))
            .collect::<Vec<_>>(),
    );
    bodies.sort_by(|a, b| a.id().cmp(b.id()));
    let (page, next) = wanted.page(bodies);
    // There is none behind the last page.
    let next = next.and_then(|next| HeaderValue::from_str(&next).ok());
    let headers = next.map(|next| (NEXT_TOKEN, next)).into_iter().collect();
    Ok((headers, Json(page)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_query_is_read_as_clients_write_it() {
        let wanted = Wanted::of(
            "metadata=a%2520b%3Dx%252By%26c%3Dd&state=running%2Cpaused&limit=2&order=asc",
        );
        let wanted = wanted.unwrap();
        let metadata = [("a b", "x+y"), ("c", "d")].map(|(n, v)| (n.to_owned(), v.to_owned()));
        assert_eq!(wanted.metadata, metadata);
        assert_eq!(wanted.states.unwrap(), ["running", "paused"]);
        assert_eq!((wanted.limit, wanted.order), (Some(2), Order::Ascending));
        for wrong in [
            "limit=0",
            "limit=101",
            "limit=x",
            "order=up",
            "startedAfter=now",
        ] {
            assert_eq!(Wanted::of(wrong).unwrap_err().status, 400, "{wrong}");
        }
        assert!(Wanted::of("startedAfter=2026-01-01T00%3A00%3A00%2B01%3A00").is_ok());
        assert_eq!(Wanted::of("").unwrap(), Wanted::default());
    }
}
