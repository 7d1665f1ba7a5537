//! What every request shares, and the table of routes.

use crate::config::ServerConfig;
use crate::e2b::ports::{OfAPort, OfItsOwnOrigin};
use crate::feed::Feed;
use crate::health::EngineTrouble;
use crate::history::History;
use crate::jobs::store::JobStore;
use crate::keys::{Keys, Principal};
use crate::mcp::{self, Mcp};
use crate::memory::Memory;
use crate::metrics::HttpMetrics;
use crate::places::Places;
use crate::problem::{HttpCode, Problem};
use crate::rate::RateLimiter;
use crate::refusals::{Asker, Refusals, Sum};
use crate::turn::Pace;
use crate::usage::UsageLedger;
use crate::{
    dashboard, docs, e2b, execute, health, history, jobs, lists, metrics, observe, openapi, paused,
    piston, sandboxes, sessions, trace, unread, usage, whoami,
};
use axum::Router;
use axum::body::Body;
use axum::extract::{MatchedPath, Request, State};
use axum::http::{HeaderName, HeaderValue, StatusCode, header};
use axum::middleware::{Next, from_fn, from_fn_with_state, map_response};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use futures_util::future::BoxFuture;
use images::ImageStore;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::registry::Registry;
use protocol::event::EventType;
use protocol::job::{Job, JobRequest};
use protocol::trace_id::TraceId;
use sandbox::current::Current;
use sandbox::events::Notice;
use sandbox::sandbox::Sandbox;
use serde_json::{Value, json};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Instant;
use tokio::sync::Mutex;
use tokio_util::sync::CancellationToken;
use tower_http::catch_panic::CatchPanicLayer;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

/// Runs the host's checks and gives their table, or one sentence for the log; takes seconds.
pub type Doctor = Arc<dyn Fn() -> BoxFuture<'static, Result<Value, String>> + Send + Sync>;

/// The rooms that the front door leads to.
#[derive(Clone)]
pub struct Rooms {
    /// Runs the jobs.
    pub sandbox: Arc<Sandbox>,
    /// What VMs boot from.
    pub images: Arc<ImageStore>,
    /// Must be one of the sandbox's event sinks.
    pub feed: Arc<Feed>,
    /// Whose free space `/readyz` looks at.
    pub state_dir: PathBuf,
    /// The doctor's table, when there is a doctor.
    pub doctor: Option<Doctor>,
    /// Events that the audit log did not take.
    pub audit_failures: Counter,
}

/// What every request shares.
pub struct App {
    /// The settings in force.
    config: Current<ServerConfig>,
    /// The rooms behind.
    pub rooms: Rooms,
    /// The keys in force.
    pub keys: Keys,
    /// Started without keys, on a loopback address.
    pub open: bool,
    /// How often each key may ask.
    pub rates: RateLimiter,
    /// How long jobs took of late.
    pub pace: Pace,
    /// Bytes of bodies and answers that are held.
    pub memory: Memory,
    /// What only HTTP counts.
    pub http: HttpMetrics,
    /// Everything that is counted, by its public names.
    pub registry: Registry,
    /// How many VMs stay, and whose.
    pub places: Arc<Places>,
    /// How many requests an image is being made for, and whose.
    pub builds: Arc<Places>,
    /// VMs that stay between programs.
    pub sessions: sessions::table::Sessions,
    /// VMs that stay, with their processes.
    pub sandboxes: sandboxes::table::Sandboxes,
    /// Those that are paused, and snapshots of them.
    pub paused: paused::table::PausedSandboxes,
    /// What E2B's clients share.
    pub e2b: e2b::E2bState,
    /// What assistants' calls keep from one to the next.
    pub mcp: Mcp,
    /// The service stops: no new jobs.
    pub draining: CancellationToken,
    /// Held while the doctor looks: it reads every image, so one at a time.
    pub doctor_at_work: Mutex<()>,
    /// What `/readyz` saw of the images.
    pub images_looked: health::Looked,
    /// When the service started.
    pub started: Instant,
    /// Refusals of this minute, for the event log.
    pub refusals: Refusals,
    /// Jobs that run and those that ended lately.
    pub jobs: JobStore,
    /// What each key used.
    pub usage: UsageLedger,
    /// How the service fared of late.
    pub history: History,
    /// Whether VMs start.
    pub engine_trouble: EngineTrouble,
}

impl App {
    /// Puts the parts together.
    pub fn new(config: ServerConfig, rooms: Rooms, keys: Keys) -> Arc<App> {
        let mut registry = Registry::default();
        let metrics = rooms.sandbox.metrics();
        let pool = rooms.sandbox.supply().pool().sizes();
        metrics.announce(&rooms.sandbox.identity().kind.to_string(), pool.into_keys());
        metrics.register(&mut registry);
        let http = HttpMetrics::default();
        http.register(&mut registry);
        http.announce(keys.names());
        let audit = rooms.audit_failures.clone();
        registry.register(
            "audit_failures",
            "Events that the audit log did not take",
            audit,
        );
        Arc::new(App {
            pace: Pace::default(),
            memory: Memory::new(&config.http),
            open: keys.is_open(),
            rates: RateLimiter::default(),
            places: Places::new(http.sessions.clone()),
            builds: Arc::default(),
            sessions: sessions::table::Sessions::default(),
            sandboxes: sandboxes::table::Sandboxes::default(),
            paused: paused::table::PausedSandboxes::open(
                &rooms.state_dir,
                rooms.sandbox.saved_bounds().clone(),
            ),
            e2b: e2b::E2bState::default(),
            mcp: Mcp::default(),
            draining: CancellationToken::new(),
            doctor_at_work: Mutex::default(),
            images_looked: health::Looked::default(),
            started: Instant::now(),
            refusals: Refusals::default(),
            jobs: JobStore::new(config.kept_jobs.clone()),
            usage: UsageLedger::new(&rooms.state_dir, config.usage_days),
            history: History::default(),
            engine_trouble: EngineTrouble::default(),
            config: Current::new(config),
            rooms,
            keys,
            http,
            registry,
        })
    }

    /// The settings in force.
    pub fn config(&self) -> Arc<ServerConfig> {
        self.config.get()
    }

    /// Takes other settings, for requests that come from now on.
    pub fn set_config(&self, config: ServerConfig) {
        self.config.set(config);
    }

    /// Counts a refusal, and has its event left where it has none yet.
    pub fn refused(&self, problem: &Problem, asker: &Asker) {
        self.count_refusal(problem.code, asker);
        if !problem.noted {
            self.note(problem, asker);
        }
    }

    /// Leaves a refusal's event, now or in the minute's sum. Code and field say what was
    /// wrong; the sentence may show what the client sent, and is the client's alone.
    fn note(&self, problem: &Problem, asker: &Asker) {
        let sandbox = &self.rooms.sandbox;
        sandbox.metrics().refused();
        let source = asker.source();
        if !self.refusals.take(source, problem.code, Instant::now()) {
            return;
        }
        let trace_id = problem
            .trace_id
            .as_deref()
            .and_then(|text| TraceId::parse(text).ok());
        let owner = asker.owner().map(Arc::as_ref);
        let extra = json!({
            "code": problem.code,
            "field": problem.public_field(),
            "status": problem.status.as_u16(),
        });
        let notice = Notice::new(EventType::ValidationFail, problem.public_sentence(), extra);
        sandbox.events().emit(trace_id.as_ref(), notice.of(owner));
    }

    /// Leaves the events of refusals that were only counted.
    pub fn tell(&self, sums: Vec<Sum>) {
        for Sum {
            source,
            code,
            count,
        } in sums
        {
            self.rooms.sandbox.events().emit(
                None,
                Notice::new(
                    EventType::ValidationFail,
                    format!("{count} more requests were refused within a minute: {code}"),
                    json!({ "code": code, "count": count, "source": source.to_string() }),
                )
                .of(source.owner()),
            );
        }
    }

    /// Lets a request of this key become a job. Its refusal is noted as every other of this service is.
    pub fn admit(&self, who: &Principal, request: JobRequest) -> Result<Job, Problem> {
        let owner = Some(who.owner());
        self.judge(JobRequest { owner, ..request })
    }

    /// The same of a request that says already whose it is.
    pub fn judge(&self, request: JobRequest) -> Result<Job, Problem> {
        let sandbox = &self.rooms.sandbox;
        let owner = request.owner.clone();
        sandbox.judge(request).map_err(|rejection| {
            sandbox.note_pattern(&rejection, owner.as_deref());
            Problem::from(rejection)
        })
    }
}

/// The routes that the OpenAPI page documents.
pub fn documented() -> OpenApiRouter<Arc<App>> {
    OpenApiRouter::with_openapi(openapi::base())
        .routes(routes!(execute::execute))
        .routes(routes!(sessions::create, sessions::list))
        .routes(routes!(sessions::get, sessions::extend, sessions::delete))
        .routes(routes!(sessions::execute))
        .routes(routes!(sessions::interrupt))
        .routes(routes!(
            sessions::files::upload,
            sessions::files::files,
            sessions::files::write,
            sessions::files::remove
        ))
        .routes(routes!(sessions::files::download))
        .merge(sandboxes::routes())
        .routes(routes!(piston::execute))
        .routes(routes!(piston::runtimes))
        .routes(routes!(lists::languages))
        .routes(routes!(lists::rootfs))
        .routes(routes!(lists::snapshots))
        .routes(routes!(jobs::list))
        .routes(routes!(jobs::get))
        .routes(routes!(jobs::artifact))
        .routes(routes!(whoami::whoami))
        .routes(routes!(usage::usage))
        .routes(routes!(observe::status))
        .routes(routes!(history::history))
        .routes(routes!(observe::events))
        .routes(routes!(observe::doctor))
        .routes(routes!(metrics::metrics))
        .routes(routes!(health::healthz))
        .routes(routes!(health::readyz))
}

/// Every route, with what stands around all of them.
pub fn router(app: Arc<App>) -> Router {
    let (documented, api) = documented().split_for_parts();
    let pages = docs::router(openapi::complete(api));
    let routes = documented
        // Where Piston's public instance has them.
        .route("/api/v2/piston/execute", post(piston::execute))
        .route("/api/v2/piston/runtimes", get(piston::runtimes))
        .merge(e2b::routes())
        .merge(pages)
        .merge(dashboard::router())
        .merge(mcp::http::router())
        .fallback(not_found)
        .method_not_allowed_fallback(method_not_allowed)
        .layer(from_fn_with_state(app.clone(), e2b::ports::divert))
        .layer(CatchPanicLayer::custom(panicked))
        .layer(from_fn_with_state(app.clone(), count_and_note))
        .layer(from_fn(harden))
        .layer(from_fn(unread::read_a_little))
        .layer(from_fn(trace::request))
        .with_state(app);
    // Which methods there are is added to an answer outside of all layers of a router.
    Router::new()
        .fallback_service(routes)
        .layer(map_response(name_methods))
}

async fn not_found() -> Problem {
    Problem::new(HttpCode::NotFound)
}

async fn method_not_allowed() -> Problem {
    Problem::new(HttpCode::MethodNotAllowed)
}

/// Has the refusal of a method name those that there are.
async fn name_methods(response: Response) -> Response {
    let allow = response.headers().get(header::ALLOW);
    let methods = allow.and_then(|allow| allow.to_str().ok());
    let problem = response.extensions().get::<Problem>();
    let problem = problem.filter(|it| it.code == HttpCode::MethodNotAllowed.as_str());
    let (Some(methods), Some(problem)) = (methods, problem) else {
        return response;
    };
    let named = Problem {
        detail: format!("this path takes {}", methods.replace(',', ", ")),
        ..problem.clone()
    };
    let body = serde_json::to_string(&named.body()).unwrap_or_default();
    let (mut parts, _) = response.into_parts();
    parts.headers.remove(header::CONTENT_LENGTH);
    Response::from_parts(parts, Body::from(body))
}

fn panicked(_: Box<dyn std::any::Any + Send>) -> Response {
    // The panic's own message went to standard error; it is no business of a client.
    Problem::new(HttpCode::InternalError).into_response()
}

/// Counts each answer, and leaves an event of each refusal that has none yet.
async fn count_and_note(State(app): State<Arc<App>>, mut request: Request, next: Next) -> Response {
    let route = request
        .extensions()
        .get::<MatchedPath>()
        .map_or("other", MatchedPath::as_str)
        .to_owned();
    let address = request.extensions().get::<SocketAddr>().map(SocketAddr::ip);
    let asker = Asker::at(address);
    request.extensions_mut().insert(asker.clone());
    let begun = Instant::now();
    let response = next.run(request).await;
    let route = match response.extensions().get::<OfAPort>() {
        Some(OfAPort) => "port",
        None => &route,
    };
    app.http.answered(route, response.status(), begun.elapsed());
    let quiet = [StatusCode::NOT_FOUND, StatusCode::METHOD_NOT_ALLOWED];
    let problem = response.extensions().get::<Problem>();
    if let Some(problem) = problem.filter(|problem| !quiet.contains(&problem.status)) {
        app.refused(problem, &asker);
    }
    response
}

/// What every answer says to browsers; pages have set their own policy already.
async fn harden(request: Request, next: Next) -> Response {
    const HEADERS: &[(HeaderName, &str)] = &[
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::REFERRER_POLICY, "no-referrer"),
        (header::X_FRAME_OPTIONS, "DENY"),
        (header::CACHE_CONTROL, "no-store"),
        (
            header::CONTENT_SECURITY_POLICY,
            "default-src 'none'; frame-ancestors 'none'",
        ),
    ];
    let mut response = next.run(request).await;
    // A page of a sandbox below a name of its own is its author's.
    if response.extensions().get::<OfItsOwnOrigin>().is_some() {
        return response;
    }
    for (name, value) in HEADERS {
        response
            .headers_mut()
            .entry(name)
            .or_insert(HeaderValue::from_static(value));
    }
    response
}
