//! The body of a request, read whole: bounded in bytes and time, so that who sends more or slower
//! than that holds nothing. What is in it is the caller's: `admin` and `api`.

use std::fmt;
use std::time::Duration;

use bytes::Bytes;
use http_body_util::{BodyExt, LengthLimitError, Limited};
use hyper::StatusCode;
use hyper::body::{Body, Incoming};

/// Why there is no body. What was read of it is dropped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum BodyError {
    /// It has more bytes than these.
    TooLong(usize),
    /// It broke off.
    CutOff,
    /// It did not come in time.
    TooSlow,
}

impl BodyError {
    /// What is answered.
    pub(super) fn status(self) -> StatusCode {
        match self {
            BodyError::TooLong(_) => StatusCode::PAYLOAD_TOO_LARGE,
            BodyError::CutOff => StatusCode::BAD_REQUEST,
            BodyError::TooSlow => StatusCode::REQUEST_TIMEOUT,
        }
    }
}

impl fmt::Display for BodyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            BodyError::TooLong(most) => write!(f, "body: more than {most} bytes"),
            BodyError::CutOff => f.write_str("body: cut off"),
            BodyError::TooSlow => f.write_str("body: too slow"),
        }
    }
}

/// All of it, of `most` bytes, within `patience`.
///
/// # Errors
/// See [`BodyError`].
pub(super) async fn read(
    body: Incoming,
    most: usize,
    patience: Duration,
) -> Result<Bytes, BodyError> {
    // Announced: not a byte of it is read.
    if body.size_hint().lower() > most as u64 {
        return Err(BodyError::TooLong(most));
    }
    match tokio::time::timeout(patience, Limited::new(body, most).collect()).await {
        Ok(Ok(body)) => Ok(body.to_bytes()),
        Ok(Err(error)) if error.is::<LengthLimitError>() => Err(BodyError::TooLong(most)),
        Ok(Err(_)) => Err(BodyError::CutOff),
        Err(_) => Err(BodyError::TooSlow),
    }
}
