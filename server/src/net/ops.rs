//! The operator's port: figures for Prometheus, and whether this server lives and takes
//! players. On a listener of its own, so that it need not be public.

use std::sync::Arc;
use std::time::Duration;

use hyper::body::Incoming;
use hyper::{Request, StatusCode};
use tokio::sync::Semaphore;

use super::accept::Accept;
use super::http;
use super::reply::{self, Reply};
use crate::metrics::Metrics;

/// Connections at once; further ones wait in the listener.
const CONNECTIONS_MAX: usize = 32;
/// Between two upkeeps of the figures.
const UPKEEP: Duration = Duration::from_secs(5);

/// Serves for as long as it is polled. `ready`: whether players may be sent here.
pub(crate) async fn serve(
    mut accept: Accept,
    header_timeout: Duration,
    metrics: Arc<Metrics>,
    ready: impl Fn() -> bool + Clone + Send + Sync + 'static,
) {
    let slots = Arc::new(Semaphore::new(CONNECTIONS_MAX));
    let mut upkeep = tokio::time::interval(UPKEEP);
    loop {
        let accepted = async {
            // Never closed, so never an error.
            let slot = slots.clone().acquire_owned().await;
            (accept.next().await, slot)
        };
        let ((stream, _), slot) = tokio::select! {
            accepted = accepted => accepted,
            _ = upkeep.tick() => {
                metrics.upkeep();
                continue;
            }
        };
        let (metrics, ready) = (metrics.clone(), ready.clone());
        tokio::spawn(async move {
            let answer = |request| answer(&request, &metrics, &ready);
            http::serve(stream, header_timeout, std::future::pending(), answer).await;
            drop(slot);
        });
    }
}

fn answer(request: &Request<Incoming>, metrics: &Metrics, ready: &impl Fn() -> bool) -> Reply {
    match request.uri().path() {
        "/metrics" => reply::fresh("text/plain; version=0.0.4", metrics.render().into_bytes()),
        "/healthz" => reply::text(StatusCode::OK, "ok\n"),
        "/readyz" if ready() => reply::text(StatusCode::OK, "ready\n"),
        "/readyz" => reply::unavailable("not ready\n"),
        _ => reply::text(StatusCode::NOT_FOUND, "nothing here\n"),
    }
}
