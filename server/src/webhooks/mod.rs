//! The operator's web hook: what is stored of results, and of chat if that is wanted, is posted to the
//! URL of the settings, signed as Standard Webhooks are. What is still to be told stands in the
//! store's [`outbox`](crate::store::outbox), written with what it is of, so that nothing is lost to a
//! kill; it goes when the receiver has answered 2xx. So each comes at least once, in no promised
//! order, and always with the same `webhook-id`.
//!
//! **What is not taken** is tried again by [`schedule`], for 24 h; then it is given up and counted.
//! `Retry-After` of 429 and 503 holds all for so long, an hour at most; after 410 nothing is sent until
//! the next start. Only this URL is ever called: a redirect is no 2xx.
//!
//! **Of several servers** of one database one sends at a time: who has the outbox, for
//! [`HELD_MS`]. `run` starts it; nothing waits for it.

mod client;
mod message;
mod schedule;
mod signature;

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use rand::TryRng;
use rand::rngs::SysRng;
use tokio::task::JoinSet;
use tokio::time::sleep;

use crate::config::{Config, ConfigError, read_file};
use crate::date;
use crate::metrics::Metrics;
use crate::store::outbox::{Due, Key, Kind};
use crate::store::{ReadError, Store};
use crate::tls_client;
use client::Client;
use signature::Secret;

/// Requests at once.
const AT_ONCE: usize = 8;
/// Of what is due, so many are looked at.
const ROUND: u64 = 64;
/// Until it is looked again where nothing is due.
const LOOK_EVERY: Duration = Duration::from_secs(1);
/// While nothing is taken at all: from the first of these to the last, twice as long each time.
const REST: Duration = Duration::from_secs(1);
const REST_MAX: Duration = Duration::from_secs(60);
/// The longest that a receiver may hold all.
const RETRY_AFTER_MAX: Duration = Duration::from_secs(3600);
/// For how long a server has the outbox: longer than a round takes whose receiver never answers.
const HELD_MS: u64 = 180_000;

/// See the module's description.
pub(crate) struct Webhook {
    store: Store,
    metrics: Arc<Metrics>,
    sender: Arc<Sender>,
    /// Until when this server has the outbox.
    held_ms: u64,
}

struct Sender {
    client: Client,
    secret: Secret,
}

/// What came of a round.
#[derive(Default)]
struct Round {
    outcomes: Vec<(Key, Option<u64>)>,
    tried: usize,
    taken: usize,
    retry_after_s: u64,
    is_gone: bool,
}

impl Webhook {
    /// The one that the settings name, if they do.
    ///
    /// # Errors
    /// One line: its secret or its authorities can't be used, or there is no store.
    pub(crate) fn new(
        config: &Config,
        store: &Store,
        metrics: &Arc<Metrics>,
    ) -> Result<Option<Webhook>, ConfigError> {
        let (Some(url), Some(path)) = (&config.webhook_url, &config.webhook_key_file) else {
            return Ok(None);
        };
        if !store.is_there() {
            let why = "webhook-url needs --store: what is to be told is kept there until it is";
            return Err(ConfigError::new(why));
        }
        let ca = config.webhook_ca_file.as_deref();
        let tls = url.tls.then(|| {
            let read = |path| Ok::<_, ConfigError>((path, read_file(path, "webhook-ca-file")?));
            let ca = ca.map(read).transpose()?;
            let ca = ca.as_ref().map(|(path, pem)| (*path, &pem[..]));
            tls_client::believing(ca, "webhook-url", "webhook-ca-file")
        });
        let sender = Sender {
            client: Client::new(url.clone(), tls.transpose()?),
            secret: secret(path)?,
        };
        Ok(Some(Webhook {
            store: store.clone(),
            metrics: metrics.clone(),
            sender: Arc::new(sender),
            held_ms: 0,
        }))
    }

    /// Sends what is due, for as long as it is polled.
    pub(crate) async fn keep_sending(mut self) {
        let (mut is_read, mut failures) = (true, 0_u32);
        loop {
            let round = match self.round().await {
                Ok(round) => round,
                Err(why) => {
                    if std::mem::replace(&mut is_read, false) {
                        tracing::warn!(why, "the web hook's outbox can't be used for now");
                    }
                    sleep(LOOK_EVERY).await;
                    continue;
                }
            };
            is_read = true;
            if round.is_gone {
                tracing::error!(
                    "the web hook answers 410: nothing is sent to it until the next start"
                );
                return std::future::pending().await;
            }
            if round.tried > 0 {
                let is_failing = round.taken == 0;
                if is_failing && failures == 0 {
                    tracing::warn!("the web hook takes nothing: it is tried again");
                }
                if !is_failing && failures > 0 {
                    tracing::info!("the web hook takes what it is told again");
                }
                failures = if is_failing { failures + 1 } else { 0 };
            }
            let rest = match failures {
                0 if round.outcomes.is_empty() => LOOK_EVERY,
                0 => Duration::ZERO,
                _ => REST.saturating_mul(1_u32 << failures.min(10)).min(REST_MAX),
            };
            let held = Duration::from_secs(round.retry_after_s).min(RETRY_AFTER_MAX);
            sleep(rest.max(held)).await;
        }
    }

    /// Sends what is due now, a part of it.
    async fn round(&mut self) -> Result<Round, String> {
        let now_ms = date::now_ms();
        if self.store.is_shared() && self.held_ms < now_ms + HELD_MS / 2 {
            let until_ms = now_ms + HELD_MS;
            if !self
                .store
                .hold_outbox(until_ms, now_ms, self.held_ms)
                .await?
            {
                return Ok(Round::default());
            }
            self.held_ms = until_ms;
        }
        // Results first.
        let mut due = Vec::new();
        for kind in [Kind::Result, Kind::Chat] {
            let most = ROUND - due.len() as u64;
            let read = self.store.outbox(kind, now_ms, most).await;
            due.extend(read.map_err(|why| why.to_string())?);
        }
        let mut round = Round::default();
        let mut due = due.into_iter();
        let mut sending = JoinSet::new();
        loop {
            while sending.len() < AT_ONCE
                && !round.is_gone
                && let Some(next) = due.next()
            {
                let body = self.body(&next.key).await.map_err(|why| why.to_string())?;
                match body {
                    // It is not there any more.
                    None => round.outcomes.push((next.key, None)),
                    Some(body) => {
                        let sender = self.sender.clone();
                        sending.spawn(async move { sender.send(next, body).await });
                    }
                }
            }
            match sending.join_next().await {
                None => break,
                Some(sent) => {
                    let sent = sent.map_err(|error| error.to_string())?;
                    round.tried += 1;
                    self.judge(sent, &mut round);
                }
            }
        }
        if !round.outcomes.is_empty() {
            self.store.told(&round.outcomes).await?;
        }
        Ok(round)
    }

    /// What is told of it now.
    async fn body(&self, key: &Key) -> Result<Option<String>, ReadError> {
        Ok(match key.kind {
            Kind::Result => {
                let of = self.store.match_of(&key.channel, key.number).await?;
                of.map(|(game, of)| message::ended(&game, &of))
            }
            Kind::Chat => {
                let before = Some(key.number.saturating_add(1));
                let lines = self.store.lines_before(&key.channel, before, 1).await?;
                let line = lines.into_iter().find(|line| line.sequence == key.number);
                line.map(|line| message::said(&line))
            }
        })
    }

    fn judge(&self, (due, answer): (Due, Option<client::Answer>), round: &mut Round) {
        let counter = match answer.map(|answer| answer.status) {
            Some(200..=299) => &self.metrics.webhook_taken,
            Some(_) => &self.metrics.webhook_refused,
            None => &self.metrics.webhook_unanswered,
        };
        counter.increment(1);
        if let Some(client::Answer { status, .. }) = answer
            && (200..300).contains(&status)
        {
            round.taken += 1;
            return round.outcomes.push((due.key, None));
        }
        if let Some(answer) = answer {
            round.is_gone |= answer.status == 410;
            if matches!(answer.status, 429 | 503) {
                let after = answer.retry_after_s.unwrap_or(0);
                round.retry_after_s = round.retry_after_s.max(after);
            }
        }
        // Without chance they may come together.
        let chance = SysRng.try_next_u64().unwrap_or(0);
        let again = schedule::due_ms(date::now_ms(), due.tries.saturating_add(1), chance);
        round.outcomes.push((due.key, Some(again)));
    }
}

impl Sender {
    async fn send(&self, due: Due, body: String) -> (Due, Option<client::Answer>) {
        let (id, at_s) = (message::id(&due.key), date::now_ms() / 1000);
        let signature = self.secret.sign(&id, at_s, &body);
        let headers = [
            ("webhook-id", id),
            ("webhook-timestamp", at_s.to_string()),
            ("webhook-signature", signature),
        ];
        let answer = self.client.post(&headers, body).await;
        let answer = answer.inspect_err(|error| tracing::debug!(%error, "the web hook"));
        (due, answer.ok())
    }
}

fn secret(path: &Path) -> Result<Secret, ConfigError> {
    let setting = "webhook-key-file";
    let bytes = read_file(path, setting)?;
    let text = String::from_utf8_lossy(&bytes);
    let wrong = |why| ConfigError::new(format!("{setting} {} {why}", path.display()));
    Secret::read(&text).map_err(wrong)
}
