//! What is answered instead of what was asked for: a problem document (RFC 9457). Pure.

use std::borrow::Cow;

use hyper::StatusCode;
use hyper::header::{ALLOW, CONTENT_TYPE, HeaderName, HeaderValue, RETRY_AFTER, WWW_AUTHENTICATE};
use serde::Serialize;

use crate::http::reply::{self, Reply};
use crate::store::ReadError;

const MEDIA_TYPE: HeaderValue = HeaderValue::from_static("application/problem+json");

/// Why a request was refused. It had no effect.
#[derive(Clone, Debug, PartialEq)]
pub(in crate::http) struct Problem {
    status: StatusCode,
    detail: Cow<'static, str>,
    /// What of the request is wrong, as `to.game`.
    field: Option<Box<str>>,
    header: Option<(HeaderName, HeaderValue)>,
}

/// As it is written.
#[derive(Serialize)]
struct Document<'a> {
    /// Always this: the status says it all.
    #[serde(rename = "type")]
    kind: &'static str,
    title: &'static str,
    status: u16,
    detail: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    field: Option<&'a str>,
}

impl Problem {
    /// One of this status; `detail` is one sentence for a person.
    pub(in crate::http) fn new(
        status: StatusCode,
        detail: impl Into<Cow<'static, str>>,
    ) -> Problem {
        Problem {
            status,
            detail: detail.into(),
            field: None,
            header: match status {
                StatusCode::UNAUTHORIZED => {
                    Some((WWW_AUTHENTICATE, HeaderValue::from_static("Bearer")))
                }
                _ => None,
            },
        }
    }

    /// A query that can't be.
    pub(in crate::http) fn of_query(name: &str, detail: impl Into<Cow<'static, str>>) -> Problem {
        Problem::new(StatusCode::BAD_REQUEST, detail).at(name)
    }

    /// What can't be read of the store.
    pub(super) fn unread(why: ReadError) -> Problem {
        match why {
            ReadError::NoStore => {
                let why = "nothing is stored here: it needs --store";
                Problem::new(StatusCode::NOT_FOUND, why)
            }
            why @ (ReadError::Busy | ReadError::Late) => {
                Problem::new(StatusCode::SERVICE_UNAVAILABLE, why.to_string()).after(1)
            }
            // What the database says is the operator's to read.
            ReadError::Failed(why) => {
                tracing::warn!(why, "the store can't be read");
                let why = "the store can't be read";
                Problem::new(StatusCode::SERVICE_UNAVAILABLE, why).after(5)
            }
        }
    }

    /// The same with what of the request is wrong.
    pub(in crate::http) fn at(self, field: &str) -> Problem {
        Problem {
            field: Some(field.into()),
            ..self
        }
    }

    /// The same with when to ask again, in seconds.
    pub(super) fn after(self, seconds: u32) -> Problem {
        Problem {
            header: Some((RETRY_AFTER, seconds.into())),
            ..self
        }
    }

    /// 405, with what is taken there.
    pub(super) fn not_allowed(allowed: &'static str) -> Problem {
        let status = StatusCode::METHOD_NOT_ALLOWED;
        Problem {
            header: Some((ALLOW, HeaderValue::from_static(allowed))),
            ..Problem::new(status, format!("here is {allowed} alone"))
        }
    }

    pub(super) fn status(&self) -> StatusCode {
        self.status
    }

    pub(super) fn detail(&self) -> &str {
        &self.detail
    }

    pub(super) fn field(&self) -> Option<&str> {
        self.field.as_deref()
    }

    /// When to ask again, in seconds, if that is said.
    pub(super) fn after_s(&self) -> Option<u32> {
        let (_, after) = self
            .header
            .as_ref()
            .filter(|(name, _)| name == RETRY_AFTER)?;
        after.to_str().ok()?.parse().ok()
    }

    /// As it is answered.
    pub(in crate::http) fn reply(self) -> Reply {
        let mut reply = reply::json(&Document {
            kind: "about:blank",
            title: self.status.canonical_reason().unwrap_or_default(),
            status: self.status.as_u16(),
            detail: &self.detail,
            field: self.field.as_deref(),
        });
        *reply.status_mut() = self.status;
        let headers = reply.headers_mut();
        headers.insert(CONTENT_TYPE, MEDIA_TYPE);
        if let Some((name, value)) = self.header {
            headers.insert(name, value);
        }
        reply
    }
}
