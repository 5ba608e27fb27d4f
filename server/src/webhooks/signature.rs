//! Signatures of what is sent, as Standard Webhooks has them: HMAC-SHA-256 over the id, the time and
//! the body, by a secret that both ends have. Pure.

use aws_lc_rs::hmac::{HMAC_SHA256, Key, sign};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;

/// How a secret begins, as other libraries write it.
const PREFIX: &str = "whsec_";
/// Bytes that a secret may have.
const SECRET_BYTES: std::ops::RangeInclusive<usize> = 24..=64;

/// What signs.
pub(super) struct Secret(Key);

impl Secret {
    /// Reads `whsec_` and 24 to 64 bytes in base64.
    ///
    /// # Errors
    /// What is wrong with it, which says nothing of it.
    pub(super) fn read(text: &str) -> Result<Secret, &'static str> {
        let wrong = "is not whsec_ and 24 to 64 bytes in base64";
        let coded = text.trim_ascii_end().strip_prefix(PREFIX).ok_or(wrong)?;
        let bytes = STANDARD.decode(coded).map_err(|_| wrong)?;
        match SECRET_BYTES.contains(&bytes.len()) {
            true => Ok(Secret(Key::new(HMAC_SHA256, &bytes))),
            false => Err(wrong),
        }
    }

    /// The value of `webhook-signature` for a message that is sent at a time, in seconds.
    pub(super) fn sign(&self, id: &str, at_s: u64, body: &str) -> String {
        let tag = sign(&self.0, format!("{id}.{at_s}.{body}").as_bytes());
        format!("v1,{}", STANDARD.encode(tag))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// As the libraries of Standard Webhooks have it.
    #[test]
    fn it_is_what_others_compute() {
        let secret = Secret::read("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw\n")
            .ok()
            .unwrap();
        let id = "msg_p5jXN8AQM9LWM0D4loKWxJek";
        let signature = secret.sign(id, 1_614_265_330, r#"{"test": 2432232314}"#);
        assert_eq!(signature, "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
    }

    #[test]
    fn what_is_no_secret_is_refused() {
        let long = format!("whsec_{}", STANDARD.encode([7; 65]));
        for text in [
            "",
            "whsec_",
            "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
            "whsec_!",
            &long,
        ] {
            assert!(Secret::read(text).is_err(), "{text}");
        }
    }
}
