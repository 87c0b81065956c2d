//! The table of routes: each names who may call it, and its guard holds it to that.

use std::convert::Infallible;

use axum::{
    Router,
    body::{Body, to_bytes},
    extract::{Request, State},
    handler::Handler,
    middleware::{self, Next},
    response::{IntoResponse, Redirect, Response},
    routing::{MethodFilter, MethodRouter, on},
};
use http::{HeaderValue, Method, StatusCode, header};
use subtle::ConstantTimeEq as _;

use super::{
    console::Front,
    failure::{Failure, Refusal},
    pages,
    params::Params,
    who::{self, Who},
};
use crate::store::Role;

/// The largest form, in bytes.
const FORM_BYTES: usize = 64 * 1024;

/// Who may call a route.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Caller {
    /// Also who is not signed in.
    Anybody,
    /// Who is on this machine itself, and every viewer.
    LocalOrViewer,
    /// Viewers, analysts, admins.
    Viewer,
    /// Analysts and admins.
    Analyst,
    /// Admins.
    Admin,
    /// Buckets, which show a registration key or wait for approval.
    Bucket,
}

impl Caller {
    /// The least role that may call, if it takes one.
    pub fn role(self) -> Option<Role> {
        match self {
            Self::Anybody | Self::Bucket => None,
            Self::LocalOrViewer | Self::Viewer => Some(Role::Viewer),
            Self::Analyst => Some(Role::Analyst),
            Self::Admin => Some(Role::Admin),
        }
    }
}

/// Who reads the answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Face {
    /// A person: refusals are pages, who is not signed in is sent to do so.
    Page,
    /// A program: refusals are JSON. API tokens count.
    Api,
}

/// What the API's description says of a route.
#[derive(Clone, Copy, Debug)]
pub struct Description {
    /// One line.
    pub summary: &'static str,
    /// Parameters behind `?`: name, what it does.
    pub query: &'static [(&'static str, &'static str)],
    /// Name of the answer's schema.
    pub answer: &'static str,
}

/// One row of the table.
pub struct Route {
    /// `GET` or `POST`.
    pub method: Method,
    /// With `{name}` for the parts that vary.
    pub path: &'static str,
    /// Who may call it.
    pub caller: Caller,
    /// Who reads the answer.
    pub face: Face,
    /// For the API's description.
    pub description: Option<Description>,
    /// None when another router serves it.
    handler: Option<MethodRouter<Front>>,
}

impl Route {
    /// A row for `GET`.
    pub(super) fn get<H: Handler<T, Front>, T: 'static>(
        path: &'static str,
        caller: Caller,
        handler: H,
    ) -> Self {
        Self::new(Method::GET, path, caller, Some(on(MethodFilter::GET, handler)))
    }

    /// A row for `POST`.
    pub(super) fn post<H: Handler<T, Front>, T: 'static>(
        path: &'static str,
        caller: Caller,
        handler: H,
    ) -> Self {
        Self::new(Method::POST, path, caller, Some(on(MethodFilter::POST, handler)))
    }

    /// A row for `POST` by buckets, served by `register_bucket`.
    pub(super) fn for_buckets(path: &'static str) -> Self {
        Self::new(Method::POST, path, Caller::Bucket, None).plain()
    }

    fn new(method: Method, path: &'static str, caller: Caller, handler: Option<MethodRouter<Front>>) -> Self {
        Self { method, path, caller, face: Face::Page, description: None, handler }
    }

    /// Answers programs.
    #[must_use]
    pub(super) fn api(
        mut self,
        summary: &'static str,
        query: &'static [(&'static str, &'static str)],
        answer: &'static str,
    ) -> Self {
        self.face = Face::Api;
        self.description = Some(Description { summary, query, answer });
        self
    }

    /// Answers programs, outside of the API.
    #[must_use]
    pub(super) fn plain(mut self) -> Self {
        self.face = Face::Api;
        self
    }

    /// Adds the route, guarded, to a router.
    pub(super) fn add(self, router: Router<Front>, front: &Front) -> Router<Front> {
        let Some(handler) = self.handler else { return router };
        let gate = Gate { front: front.clone(), caller: self.caller, face: self.face };
        router.route(self.path, handler.layer::<_, Infallible>(middleware::from_fn_with_state(gate, guard)))
    }
}

#[derive(Clone)]
struct Gate {
    front: Front,
    caller: Caller,
    face: Face,
}

async fn guard(State(gate): State<Gate>, request: Request, next: Next) -> Response {
    let (parts, body) = request.into_parts();
    let wanted = parts.uri.path_and_query().map_or("/", |path| path.as_str()).to_owned();
    let reading = parts.method == Method::GET || parts.method == Method::HEAD;
    match admit(&gate, parts, body).await {
        Ok((who, request)) => {
            let response = next.run(request).await;
            show_refusal(gate.face, who.as_ref(), response)
        }
        Err((_, Failure::NotSignedIn)) if gate.face == Face::Page => {
            let next = if reading { wanted } else { "/".to_owned() };
            let query = Params::default().with("next", &next);
            Redirect::to(&format!("/sign-in?{query}")).into_response()
        }
        Err((who, failure)) => show_refusal(gate.face, who.as_ref(), failure.into_response()),
    }
}

type Admitted = Result<(Option<Who>, Request), (Option<Who>, Failure)>;

async fn admit(gate: &Gate, mut parts: http::request::Parts, body: Body) -> Admitted {
    let tokens = gate.face == Face::Api;
    let who = who::identify(&gate.front, &parts.headers, tokens).await.map_err(|e| (None, e.into()))?;
    let local = gate.caller == Caller::LocalOrViewer && who::local(&parts.headers, who::connection(&parts));
    if let Some(least) = gate.caller.role()
        && !local
    {
        match &who {
            None => return Err((None, Failure::NotSignedIn)),
            Some(w) if w.role < least => return Err((who, Failure::NotAllowed(least.as_str()))),
            Some(_) => {}
        }
    }
    let mut body = body;
    if parts.method != Method::GET && parts.method != Method::HEAD {
        if !who::same_origin(&parts.headers) {
            return Err((who, Failure::Forged));
        }
        let Ok(bytes) = to_bytes(body, FORM_BYTES).await else { return Err((who, Failure::TooLarge)) };
        // Every form is checked here, so that no page can forget to. Signing in has nothing to check against yet.
        if let Some(csrf) =
            who.as_ref().filter(|_| gate.caller.role().is_some()).and_then(|w| w.csrf.as_deref())
        {
            let header =
                parts.headers.get("x-csrf-token").and_then(|value| value.to_str().ok()).map(str::to_owned);
            let sent =
                header.or_else(|| Params::parse(&bytes).get("csrf").map(str::to_owned)).unwrap_or_default();
            if !bool::from(sent.as_bytes().ct_eq(csrf.as_bytes())) {
                return Err((who, Failure::Forged));
            }
        }
        body = Body::from(bytes);
    }
    if let Some(who) = &who {
        parts.extensions.insert(who.clone());
    }
    Ok((who, Request::from_parts(parts, body)))
}

/// Gives a refusal its body, in the language of who reads it.
pub(super) fn show_refusal(face: Face, who: Option<&Who>, mut response: Response) -> Response {
    let Some(refusal) = response.extensions_mut().remove::<Refusal>() else { return response };
    let status = response.status();
    let mut shown = match face {
        Face::Page => (status, pages::refusal(status, who, &refusal.message)).into_response(),
        Face::Api => {
            let body = serde_json::json!({ "error": refusal.word, "message": refusal.message });
            (status, axum::Json(body)).into_response()
        }
    };
    if status == StatusCode::UNAUTHORIZED {
        shown.headers_mut().insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
    }
    if let Some(seconds) = refusal.wait {
        shown.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(seconds));
    }
    shown
}
