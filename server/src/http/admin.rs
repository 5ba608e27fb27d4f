//! The administration of a running server, on the operator's port alone: who is connected, who is
//! banned or muted, orders about them, and what there is to say to them. Each request brings the operator's token; without a
//! token in the settings there is nothing here. What orders do is `lobby`'s; who asked for what is
//! in the audit log.

mod announce;
mod people;
mod request;

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use hyper::body::Incoming;
use hyper::header::{AUTHORIZATION, HeaderMap};
use hyper::{Method, Request, StatusCode};
use parking_lot::Mutex;

use super::attempts::Attempts;
use super::body;
use super::reply::{self, Reply};
use crate::auth::AdminToken;
use crate::cluster::Cluster;
use crate::config::{Config, ConfigError};
use crate::date::Date;
use crate::lobby::Lobby;
use crate::metrics::Metrics;
use crate::moderation::audit;
use crate::moderation::order::{Order, Refused};
use crate::notices::Refused as NotSaid;

/// Where all of it is.
const ROOT: &str = "/admin/";
/// The order by which a node's rooms leave it.
const DRAIN: &str = "drain";
/// What is stored of a person: read, and erased.
const EXPORT: &str = "export";
const ERASE: &str = "erase";
/// What is to be said to players.
const ANNOUNCE: &str = "announce";
/// Bytes of an order: the longest player and reason, every character escaped, are less.
const BODY_BYTES_MAX: usize = 4096;
/// For what is kept for who is away to be stored. It is said all the same when it is.
const STORED_WITHIN: Duration = Duration::from_secs(2);
/// Characters of a path that the audit log shows.
const PATH_CHARS_SHOWN: usize = 40;

/// See the module's description.
pub(crate) struct Admin {
    token: Option<AdminToken>,
    attempts: Mutex<Attempts>,
    /// For an order to arrive.
    patience: Duration,
    metrics: Arc<Metrics>,
}

/// Whether a request is for the administration, which may change something and has bodies.
pub(crate) fn is_for(request: &Request<Incoming>) -> bool {
    request.uri().path().starts_with(ROOT)
}

/// Why a request is not looked at further.
enum Denied {
    /// It has no token, or a wrong one.
    Token(&'static str),
    /// Its address brought too many wrong ones.
    Limited,
}

impl Admin {
    /// With the token that the settings name.
    ///
    /// # Errors
    /// One line: its file can't be read, or the token is weak.
    pub(crate) fn new(config: &Config, metrics: Arc<Metrics>) -> Result<Admin, ConfigError> {
        let path = config.admin_token_file.as_deref();
        Ok(Admin {
            token: path.map(AdminToken::read).transpose()?,
            attempts: Mutex::default(),
            patience: config.header_timeout,
            metrics,
        })
    }

    /// The answer to a request for which [`is_for`] holds, from `who`.
    pub(crate) async fn answer(
        &self,
        request: Request<Incoming>,
        who: SocketAddr,
        lobby: &Lobby,
        cluster: Option<&Cluster>,
    ) -> Reply {
        let Some(token) = &self.token else {
            let line = "no administration here: it needs --admin-token-file\n";
            return reply::text(StatusCode::NOT_FOUND, line);
        };
        let path = request.uri().path();
        let shown: String = path.chars().take(PATH_CHARS_SHOWN).collect();
        match self.admit(token, request.headers(), who.ip(), Instant::now()) {
            Ok(()) => {}
            Err(Denied::Token(why)) => {
                self.metrics.admin_unauthorised.increment(1);
                audit::refused(who, &shown, why);
                return reply::unauthorised("the administration's token is needed\n");
            }
            // Not in the log, which a flood of them would fill.
            Err(Denied::Limited) => {
                self.metrics.admin_limited.increment(1);
                return reply::too_many("too many wrong tokens from this address\n");
            }
        }
        let action = path.strip_prefix(ROOT).unwrap_or_default().to_owned();
        let is_read = matches!(*request.method(), Method::GET | Method::HEAD);
        match action.as_str() {
            "players" if is_read => reply::json(&lobby.moderation().players(Date::now())),
            "bans" if is_read => reply::json(&lobby.moderation().bans(Date::now())),
            "mutes" if is_read => reply::json(&lobby.moderation().mutes(Date::now())),
            "players" | "bans" | "mutes" => reply::not_allowed(),
            DRAIN if request.method() == Method::POST => match cluster {
                Some(cluster) => {
                    cluster.drain();
                    audit::drained(who);
                    reply::json(&cluster.status())
                }
                None => {
                    let line = "this server is in no cluster, its rooms can't leave it\n";
                    reply::text(StatusCode::CONFLICT, line)
                }
            },
            DRAIN => reply::only_post(),
            EXPORT if !is_read => reply::not_allowed(),
            ERASE if request.method() != Method::POST => reply::only_post(),
            _ => {
                let carried_out = match action.as_str() {
                    EXPORT => people::export(request.uri().query(), who, lobby).await,
                    ERASE => match self.body(request).await {
                        Ok(body) => people::erase(&body, who, lobby).await,
                        Err(refused) => Err(refused),
                    },
                    ANNOUNCE => self.announce(request, who, lobby).await,
                    _ => self.order(&action, request, who, lobby).await,
                };
                carried_out.unwrap_or_else(|(status, why)| {
                    self.metrics.admin_refused.increment(1);
                    audit::refused(who, &shown, &why);
                    match status {
                        StatusCode::METHOD_NOT_ALLOWED => reply::only_post(),
                        status => reply::text(status, why + "\n"),
                    }
                })
            }
        }
    }

    /// Whether the request brings the token. Who brings wrong ones is not looked at any more for a
    /// while, so that trying is slow; the right one from there has to wait as well.
    fn admit(
        &self,
        token: &AdminToken,
        headers: &HeaderMap,
        from: IpAddr,
        now: Instant,
    ) -> Result<(), Denied> {
        let mut attempts = self.attempts.lock();
        if !attempts.may_try(from, now) {
            return Err(Denied::Limited);
        }
        let brought = headers.get(AUTHORIZATION).map(|value| value.as_bytes());
        let why = match brought.and_then(|value| value.strip_prefix(b"Bearer ")) {
            Some(brought) if token.is(brought) => return Ok(()),
            Some(_) => "wrong token",
            None => "no token",
        };
        attempts.failed(from, now);
        Err(Denied::Token(why))
    }

    async fn body(&self, request: Request<Incoming>) -> Result<Bytes, (StatusCode, String)> {
        let body = body::read(request.into_body(), BODY_BYTES_MAX, self.patience).await;
        body.map_err(|error| (error.status(), error.to_string()))
    }

    /// Carries the order in a request out. The error is what is answered, and logged.
    async fn order(
        &self,
        action: &str,
        request: Request<Incoming>,
        who: SocketAddr,
        lobby: &Lobby,
    ) -> Result<Reply, (StatusCode, String)> {
        let is_post = request.method() == Method::POST;
        let body = match is_post {
            true => self.body(request).await?,
            false => Bytes::new(),
        };
        let Some(order) = request::read(action, &body) else {
            return Err((StatusCode::NOT_FOUND, "nothing here".into()));
        };
        if !is_post {
            return Err((StatusCode::METHOD_NOT_ALLOWED, "only POST".into()));
        }
        let order: Order = order.map_err(|why| (StatusCode::BAD_REQUEST, why))?;
        // In a task of its own, since this one ends with the operator's connection.
        let lobby = lobby.clone();
        let carried_out = tokio::spawn(async move {
            let outcome = lobby.carry_out(&order).await;
            if let Ok(outcome) = &outcome {
                audit::done(who, &order, outcome);
            }
            outcome
        });
        match carried_out.await {
            Ok(Ok(outcome)) => Ok(reply::json(&outcome)),
            Ok(Err(Refused::Full)) => Err((
                StatusCode::INSUFFICIENT_STORAGE,
                format!(
                    "the list is full at {}: lift some",
                    crate::moderation::SANCTIONS_MAX
                ),
            )),
            Ok(Err(Refused::NotThere)) => Err((
                StatusCode::NOT_FOUND,
                "nothing like that is in force".into(),
            )),
            Ok(Err(Refused::Busy)) => Err((
                StatusCode::SERVICE_UNAVAILABLE,
                "in force, but a worker is too busy to look at its players: give it again".into(),
            )),
            Err(_) => Err((StatusCode::INTERNAL_SERVER_ERROR, "it failed".into())),
        }
    }

    /// Says what is in a request to those who are meant. The error is what is answered, and logged.
    async fn announce(
        &self,
        request: Request<Incoming>,
        who: SocketAddr,
        lobby: &Lobby,
    ) -> Result<Reply, (StatusCode, String)> {
        if request.method() != Method::POST {
            return Err((StatusCode::METHOD_NOT_ALLOWED, "only POST".into()));
        }
        let body = body::read(request.into_body(), BODY_BYTES_MAX, self.patience)
            .await
            .map_err(|error| (error.status(), error.to_string()))?;
        let read = announce::read(&body, |game, name, fields| lobby.event(game, name, fields));
        let (to, notice) = read.map_err(|why| (StatusCode::BAD_REQUEST, why))?;
        // In a task of its own: what is being stored is said, whoever waits for it.
        let lobby = lobby.clone();
        let said = tokio::spawn(async move {
            let reached = lobby.publish(&to, &notice, |_| None).await?;
            let (now, later) = (reached.now, reached.later);
            audit::announced(who, &to.to_string(), &notice.text, now, later);
            Ok(reached)
        });
        match tokio::time::timeout(STORED_WITHIN, said).await {
            Ok(Ok(said)) => said
                .map(|reached| reply::json(&reached))
                .map_err(|why: NotSaid| {
                    let status = match why {
                        NotSaid::BadText | NotSaid::OtherGame => StatusCode::BAD_REQUEST,
                        NotSaid::NoSuchGame => StatusCode::NOT_FOUND,
                        NotSaid::PlayerFull | NotSaid::Full => StatusCode::INSUFFICIENT_STORAGE,
                        NotSaid::NotStored | NotSaid::NoHome => StatusCode::SERVICE_UNAVAILABLE,
                    };
                    (status, why.to_string())
                }),
            Ok(Err(_)) => Err((StatusCode::INTERNAL_SERVER_ERROR, "it failed".into())),
            Err(_) => {
                let why = "not stored yet: it is said when the store takes it";
                Err((StatusCode::SERVICE_UNAVAILABLE, why.into()))
            }
        }
    }
}
