//! The operator's port: figures for Prometheus, whether this server lives and takes players, its
//! rooms with each client's state, and the administration. On a listener of its own, so that it
//! need not be public.

use std::sync::Arc;
use std::time::{Duration, Instant};

use hyper::body::Incoming;
use hyper::{Request, StatusCode};
use tickwire::ids::RoomId;
use tokio::sync::{Semaphore, watch};

use super::admin::{self, Admin};
use super::http1::{self, Port};
use super::reply::{self, Reply};
use crate::cluster::Cluster;
use crate::date::Date;
use crate::lobby::Lobby;
use crate::logging;
use crate::metrics::Metrics;
use crate::transport::Accept;

/// Connections at once; further ones wait in the listener.
const CONNECTIONS_MAX: usize = 32;
/// Between two upkeeps of the figures.
const UPKEEP: Duration = Duration::from_secs(5);

/// Serves for as long as it is polled.
pub(crate) async fn serve(
    mut accept: Accept,
    header_timeout: Duration,
    admin: Admin,
    metrics: Arc<Metrics>,
    lobby: Lobby,
    cluster: Option<Cluster>,
    stopping: watch::Receiver<bool>,
) {
    let admin = Arc::new(admin);
    let slots = Arc::new(Semaphore::new(CONNECTIONS_MAX));
    let mut upkeep = tokio::time::interval(UPKEEP);
    loop {
        let accepted = async {
            // Never closed, so never an error.
            let slot = slots.clone().acquire_owned().await;
            (accept.next().await, slot)
        };
        let ((stream, who), slot) = tokio::select! {
            accepted = accepted => accepted,
            _ = upkeep.tick() => {
                metrics.upkeep();
                lobby.moderation().upkeep(Date::now());
                logging::upkeep();
                continue;
            }
        };
        let (admin, metrics, lobby) = (admin.clone(), metrics.clone(), lobby.clone());
        let (cluster, stopping) = (cluster.clone(), stopping.clone());
        tokio::spawn(async move {
            let answer = async |request: Request<Incoming>| {
                if admin::is_for(&request) {
                    return admin.answer(request, who, &lobby, cluster.as_ref()).await;
                }
                let ready = !*stopping.borrow() && lobby.ready();
                answer(request, &metrics, &lobby, cluster.as_ref(), ready).await
            };
            let never = std::future::pending();
            let port = Port {
                takes: admin::is_for,
                ..http1::NOTHING
            };
            http1::serve(stream, header_timeout, never, port, answer).await;
            drop(slot);
        });
    }
}

async fn answer(
    request: Request<Incoming>,
    metrics: &Metrics,
    lobby: &Lobby,
    cluster: Option<&Cluster>,
    ready: bool,
) -> Reply {
    let path = request.uri().path();
    match path {
        "/metrics" => reply::fresh("text/plain; version=0.0.4", metrics.render().into_bytes()),
        "/healthz" => reply::health(lobby.lives()),
        "/readyz" if ready => match lobby.store().degraded(Instant::now()) {
            None => reply::text(StatusCode::OK, "ready\n"),
            Some(why) => reply::text(StatusCode::OK, format!("ready, store degraded: {why}\n")),
        },
        "/readyz" => reply::unavailable("not ready\n"),
        "/rooms" => reply::json(&lobby.survey()),
        "/cluster" => match cluster {
            Some(cluster) => reply::json(&cluster.status()),
            None => reply::text(StatusCode::NOT_FOUND, "this server is in no cluster\n"),
        },
        _ => {
            let room = path.strip_prefix("/rooms/").and_then(|id| id.parse().ok());
            let view = match room {
                Some(room) => lobby.inspect(RoomId(room)).await,
                None => None,
            };
            match view {
                Some(view) => reply::json(&view),
                None => reply::text(StatusCode::NOT_FOUND, "nothing here\n"),
            }
        }
    }
}
