//! What programs of the operator's ask of a running server, on a port of their own with keys of
//! their own: who plays where, how matches ended, what was said, and what players are to be told. Not the
//! administration, whose token opens nothing here. This file has the port and the order in which a
//! request is judged; `routes` has what there is, a file each resource what it answers,
//! `openapi.json` says the same to programs. `run` starts it.
//!
//! A request that is refused had no effect, and is answered with a problem document.

mod answer;
mod boards;
mod callers;
mod event;
mod events;
mod game;
mod history;
mod idempotency;
mod matches;
mod openapi;
mod passed_on;
mod player;
mod presence;
pub(super) mod problem;
pub(super) mod query;
mod rooms;
mod routes;
mod strict;

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use hyper::body::{Body, Incoming};
use hyper::header::{CONTENT_ENCODING, CONTENT_TYPE, TRANSFER_ENCODING};
use hyper::{HeaderMap, Request, StatusCode};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::sync::{Semaphore, watch};

use super::body;
use super::http1::{self, Port};
use super::reply::{self, Reply};
use crate::auth::ApiKey;
use crate::config::{Config, ConfigError};
use crate::lobby::Lobby;
use crate::metrics::Metrics;
use crate::store::ReadError;
use crate::transport::Accept;
use crate::transport::certificate::Certificate;
use callers::Callers;
use events::Events;
use problem::Problem;
use routes::{Resource, Route};

/// Connections at once: a few for each of the programs that have a key. Further ones wait in the
/// listener until one ends, after 30 s at most.
const CONNECTIONS_MAX: usize = 256;

/// Bytes of what is said: a text of 200 characters and an event with its payload, every character
/// escaped, are less.
const BODY_BYTES_MAX: usize = 16 * 1024;

/// All requests come to [`Api::answer`], which says no by itself.
const PORT: Port = Port {
    takes: |_| true,
    refuse: |status, line| Problem::new(status, line.trim_end()).reply(),
};

/// See the module's description.
pub(crate) struct Api {
    callers: Callers,
    events: Arc<Events>,
    lobby: Lobby,
    metrics: Arc<Metrics>,
    /// For a request's head to arrive, and for its body.
    patience: Duration,
    /// `None`: plain, or a proxy's.
    certificate: Option<Arc<Certificate>>,
    stopping: watch::Receiver<bool>,
}

impl Api {
    /// With the keys that the settings name.
    ///
    /// # Errors
    /// One line: there is no file of them, or it can't be used.
    pub(crate) fn new(
        config: &Config,
        lobby: &Lobby,
        certificate: Option<Arc<Certificate>>,
        metrics: &Arc<Metrics>,
        stopping: watch::Receiver<bool>,
    ) -> Result<Api, ConfigError> {
        let (Some(path), Some(listen)) = (&config.api_keys_file, config.api_listen) else {
            let why = "api-listen and api-keys-file are given together or not at all";
            return Err(ConfigError::new(why));
        };
        let games = lobby.games().iter().map(|game| game.game).collect();
        // A certificate is of a name, which nobody calls this machine by on its own.
        let certificate = certificate.filter(|_| !listen.ip().is_loopback());
        if certificate.is_none() && !listen.ip().is_loopback() {
            tracing::warn!(%listen, "api-listen without tls-cert: keys can be read on their way");
        }
        let callers = Callers::new(path, games)?;
        let events = Arc::new(Events::new(lobby.store().clone()));
        events.clone().serve_other_nodes(lobby);
        Ok(Api {
            callers,
            events,
            lobby: lobby.clone(),
            metrics: metrics.clone(),
            patience: config.header_timeout,
            certificate,
            stopping,
        })
    }

    /// Recalls what programs were answered before: before it is served.
    ///
    /// # Errors
    /// See [`ReadError`].
    pub(crate) async fn recall(&self) -> Result<(), ReadError> {
        self.events.recall().await
    }

    /// Serves for as long as it is polled.
    pub(crate) async fn serve(self, mut accept: Accept) {
        let api = Arc::new(self);
        let slots = Arc::new(Semaphore::new(CONNECTIONS_MAX));
        let taking = async {
            loop {
                // Never closed, so never an error.
                let slot = slots.clone().acquire_owned().await;
                let (stream, who) = accept.next().await;
                let api = api.clone();
                tokio::spawn(async move {
                    api.secured(stream, who).await;
                    drop(slot);
                });
            }
        };
        tokio::select! {
            () = taking => {}
            () = api.callers.watch() => {}
        }
    }

    /// The TLS handshake first, if there is one.
    async fn secured(&self, stream: TcpStream, who: SocketAddr) {
        // The second half of an answer would wait for the acknowledgement of the first.
        let _ = stream.set_nodelay(true);
        let Some(certificate) = &self.certificate else {
            return self.connection(stream, who).await;
        };
        match tokio::time::timeout(self.patience, certificate.accept(stream)).await {
            Ok(Ok(stream)) => self.connection(stream, who).await,
            _ => self.metrics.tls_handshakes_failed.increment(1),
        }
    }

    async fn connection(
        &self,
        stream: impl AsyncRead + AsyncWrite + Send + Unpin + 'static,
        who: SocketAddr,
    ) {
        let answer = async |request: Request<Incoming>| {
            let (name, answered) = self.answer(request, who).await;
            let reply = answered.unwrap_or_else(Problem::reply);
            self.metrics.api_answered(name, reply.status().as_u16());
            reply
        };
        let never = std::future::pending();
        http1::serve(stream, self.patience, never, PORT, answer).await;
    }

    /// The name of what was asked for, as figures have it, and the answer.
    async fn answer(
        &self,
        request: Request<Incoming>,
        who: SocketAddr,
    ) -> (&'static str, Result<Reply, Problem>) {
        let route = routes::find(request.method(), request.uri().path());
        let name = route.as_ref().map_or(routes::NOWHERE, |route| route.name);
        (name, self.judged(request, who, route).await)
    }

    /// Who asks is judged before what they ask for.
    async fn judged(
        &self,
        request: Request<Incoming>,
        who: SocketAddr,
        route: Result<&'static Route, Problem>,
    ) -> Result<Reply, Problem> {
        let now = Instant::now();
        let opens = match route {
            // Programs are made by the document, and it is in the sources.
            Ok(Route { opens: None, .. }) => {
                return no_body(&request).map(|()| http1::body_read(openapi::answer()));
            }
            Ok(Route {
                opens: Some(opens), ..
            }) => Ok(*opens),
            Err(problem) => Err(problem),
        };
        let caller = self.callers.admit(request.headers(), who.ip(), now)?;
        let (scope, resource) = opens?;
        if !caller.may(scope) {
            let why = format!("this key is not for {}", scope.name());
            return Err(Problem::new(StatusCode::FORBIDDEN, why));
        }
        if *self.stopping.borrow() {
            let why = "the server stops";
            return Err(Problem::new(StatusCode::SERVICE_UNAVAILABLE, why).after(5));
        }
        let reply = match resource {
            Resource::Rooms => rooms::answer(query(&request)?, &caller, &self.lobby)?,
            Resource::Presence => presence::answer(query(&request)?, &caller, &self.lobby).await?,
            Resource::Boards => boards::answer(query(&request)?, &caller, &self.lobby).await?,
            Resource::Matches => matches::answer(query(&request)?, &caller, &self.lobby).await?,
            Resource::History => history::answer(query(&request)?, &caller, &self.lobby).await?,
            Resource::Events => self.event(request, caller, who).await?,
        };
        Ok(http1::body_read(reply))
    }

    async fn event(
        &self,
        request: Request<Incoming>,
        caller: Arc<ApiKey>,
        who: SocketAddr,
    ) -> Result<Reply, Problem> {
        let (head, body) = request.into_parts();
        check_media_type(&head.headers)?;
        let body = body::read(body, BODY_BYTES_MAX, self.patience).await;
        let body = body.map_err(|error| Problem::new(error.status(), error.to_string()))?;
        let (events, lobby) = (&self.events, &self.lobby);
        let answer = events.answer(&head.headers, &body, caller, who, lobby);
        answer.await.map(|answer| reply::json(&answer))
    }
}

/// What is behind the path, of a request that has no body.
fn query(request: &Request<Incoming>) -> Result<&str, Problem> {
    no_body(request).map(|()| request.uri().query().unwrap_or(""))
}

/// What is asked for by GET has none: it is left unread, and the connection ends.
fn no_body(request: &Request<Incoming>) -> Result<(), Problem> {
    let has_none =
        request.body().is_end_stream() && !request.headers().contains_key(TRANSFER_ENCODING);
    let problem = || Problem::new(StatusCode::BAD_REQUEST, "no body is taken here");
    has_none.then_some(()).ok_or_else(problem)
}

fn check_media_type(headers: &HeaderMap) -> Result<(), Problem> {
    let line = headers
        .get(CONTENT_TYPE)
        .and_then(|line| line.to_str().ok());
    let essence = line.and_then(|line| line.split(';').next()).unwrap_or("");
    let is_json = essence.trim().eq_ignore_ascii_case("application/json");
    let why = "a body is application/json, as it is: without Content-Encoding";
    let problem = || Problem::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, why);
    (is_json && !headers.contains_key(CONTENT_ENCODING))
        .then_some(())
        .ok_or_else(problem)
}
