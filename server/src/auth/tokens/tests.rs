//! Tokens of guests and of operators, good ones and each way to be wrong.

use std::path::PathBuf;

use serde_json::{Value, json};
use tickwire::ids::{PlayerId, RoomId};

use super::super::SeatToken;
use super::*;

const SECRET: &[u8] = b"a secret that is long enough: 0123456789";
/// RFC 8410's example of an Ed25519 key, and its public half.
const PRIVATE_PEM: &str = "-----BEGIN PRIVATE KEY-----\n\
    MC4CAQAwBQYDK2VwBCIEINTuctv5E1hK1bbY8fdp+K06/nwoy/HU++CXqI9EdVhC\n\
    -----END PRIVATE KEY-----\n";
const PUBLIC_PEM: &str = "-----BEGIN PUBLIC KEY-----\n\
    MCowBQYDK2VwAyEAGb9ECWmEzf6FQbrBZ9w7lshQhqowtrbLDFw4rXAxZuE=\n\
    -----END PUBLIC KEY-----\n";

/// A key file that is gone with the test.
struct File(PathBuf);

impl File {
    fn new(name: &str, bytes: &[u8]) -> File {
        let path = std::env::temp_dir().join(format!("tickwire-{}-{name}", std::process::id()));
        std::fs::write(&path, bytes).unwrap();
        File(path)
    }
}

impl Drop for File {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.0);
    }
}

/// Nodes have one secret, and who is known at one is known at all: by it alone, not by the secret
/// as it is.
#[test]
fn guests_and_seats_of_a_cluster_are_the_same_at_all_nodes() {
    let key = File::new("cluster-key", SECRET);
    let at = |set: fn(&mut Config, PathBuf)| {
        let mut config = Config::default();
        set(&mut config, key.0.clone());
        keys_of(&config).unwrap()
    };
    let node = |config: &mut Config, key| config.cluster_key_file = Some(key);
    let (one, other) = (at(node), at(node));
    let alone = at(|config, key| config.guest_key_file = Some(key));
    let (guest, token) = one.identify("").unwrap();
    assert_eq!(other.identify(&token).unwrap().0, guest);
    assert_ne!(alone.identify(&token).unwrap().0, guest);
    let seat = one.seats().token(RoomId(1), PlayerId(2), 3, &guest);
    let seat = SeatToken::read(&seat).unwrap();
    assert!(other.seats().proves(&seat, &guest));
    assert!(!alone.seats().proves(&seat, &guest));
}

fn keys_of(config: &Config) -> Result<Tokens, ConfigError> {
    Tokens::new(config, Entropy::default())
}

fn config(key: Option<&File>) -> Config {
    Config {
        auth_key_file: key.map(|file| file.0.clone()),
        auth_issuer: "https://login.example".into(),
        auth_audience: "game".into(),
        ..Config::default()
    }
}

fn claims() -> Value {
    json!({"sub": "ann", "iss": "https://login.example", "aud": "game", "exp": Date::now().0 + 60})
}

fn with(key: &str, value: Value) -> Value {
    let mut claims = claims();
    claims[key] = value;
    claims
}

fn signed(claims: &Value, algorithm: Algorithm) -> String {
    let key = EncodingKey::from_secret(SECRET);
    encode(&Header::new(algorithm), claims, &key).unwrap()
}

#[test]
fn guests_are_themselves_again() {
    let tokens = keys_of(&Config::default()).unwrap();
    let (ann, token) = tokens.identify("").unwrap();
    let (bo, _) = tokens.identify("").unwrap();
    assert!(ann.is_guest && ann != bo);
    assert_eq!(tokens.identify(&token).unwrap().0, ann);
    // After a restart with another key they are somebody new, and not locked out.
    let restarted = keys_of(&Config::default()).unwrap();
    assert_ne!(restarted.identify(&token).unwrap().0, ann);
    assert_eq!(
        tokens.identify("x"),
        Err(Unauthorised),
        "no key for others'"
    );
    let key = File::new("guest", &[7; 32]);
    let kept = Config {
        guest_key_file: Some(key.0.clone()),
        ..Config::default()
    };
    let (cy, token) = keys_of(&kept).unwrap().identify("").unwrap();
    assert_eq!(keys_of(&kept).unwrap().identify(&token).unwrap().0, cy);
}

/// Theirs from a login is good for a hello, once perhaps: it is not looked at here.
#[test]
fn who_comes_back_is_known_by_the_servers_own_token_alone() {
    let file = File::new("known", SECRET);
    let tokens = keys_of(&config(Some(&file))).unwrap();
    let theirs = signed(&claims(), Algorithm::HS256);
    let (ann, token) = tokens.identify(&theirs).unwrap();
    assert_eq!(tokens.known(&token), Some(ann));
    let another = keys_of(&config(Some(&file))).unwrap();
    for wrong in ["", "x", &theirs, &token[1..]] {
        assert_eq!(tokens.known(wrong), None, "{wrong}");
    }
    assert_eq!(another.known(&token), None, "another key");
}

#[test]
fn the_operators_tokens_are_checked_in_every_part() {
    let file = File::new("matrix", SECRET);
    let tokens = keys_of(&config(Some(&file))).unwrap();
    let ann = tokens
        .identify(&signed(&claims(), Algorithm::HS256))
        .unwrap()
        .0;
    assert_eq!((&*ann.subject, ann.is_guest), ("ann", false));
    let refused = |token: &str, why: &str| {
        assert_eq!(tokens.identify(token), Err(Unauthorised), "{why}");
    };
    for algorithm in [Algorithm::HS384, Algorithm::HS512] {
        refused(&signed(&claims(), algorithm), "another algorithm");
    }
    let [head, body, _] = signed(&claims(), Algorithm::HS256)
        .split('.')
        .map(str::to_owned)
        .collect::<Vec<_>>()
        .try_into()
        .unwrap();
    // {"alg":"none","typ":"JWT"}
    let none = "eyJhbGciOiJub25lIiwidHlwIjoiSldUIn0";
    refused(&format!("{none}.{body}."), "no signature wanted");
    refused(&format!("{head}.{body}."), "no signature");
    refused(&format!("{head}.{body}.AAAA"), "a wrong signature");
    let other = EncodingKey::from_secret(&[9; 32]);
    let forged = encode(&Header::default(), &claims(), &other).unwrap();
    refused(&forged, "another key");
    let now = Date::now().0;
    for (key, value) in [
        ("exp", json!(now - LEEWAY_S - 2)),
        ("exp", json!(now - 30)),
        ("exp", json!((now + 60).to_string())),
        ("exp", json!("soon")),
        ("exp", Value::Null),
        ("nbf", json!(now + 60)),
        ("aud", json!("another")),
        ("aud", json!(["another"])),
        ("iss", json!("https://evil.example")),
        ("sub", json!("")),
        ("sub", json!("x".repeat(129))),
        ("sub", json!("a\nb")),
        ("sub", json!(7)),
    ] {
        refused(
            &signed(&with(key, value.clone()), Algorithm::HS256),
            &format!("{key} {value}"),
        );
    }
    for missing in ["exp", "iss", "aud", "sub"] {
        let mut claims = claims();
        claims.as_object_mut().unwrap().remove(missing);
        refused(&signed(&claims, Algorithm::HS256), missing);
    }
    let late = with("exp", json!(now - 2));
    assert!(
        tokens.identify(&signed(&late, Algorithm::HS256)).is_ok(),
        "clocks differ a little"
    );
    let mut own = Header::new(Algorithm::HS256);
    own.kid = Some(OWN.into());
    let key = EncodingKey::from_secret(SECRET);
    refused(
        &encode(&own, &claims(), &key).unwrap(),
        "the operator's key is not the server's",
    );
}

#[test]
fn what_a_token_says_is_critical_is_not_overlooked() {
    let file = File::new("crit", SECRET);
    let tokens = keys_of(&config(Some(&file))).unwrap();
    let with_crit = |crit: &[&str], kid: Option<&str>| {
        let mut header = Header::new(Algorithm::HS256);
        header.crit = Some(crit.iter().map(|name| (*name).to_owned()).collect());
        header.kid = kid.map(str::to_owned);
        encode(&header, &claims(), &EncodingKey::from_secret(SECRET)).unwrap()
    };
    for crit in [&["b64"][..], &["exp"], &[], &["a", "b"]] {
        for kid in [None, Some(OWN)] {
            let token = with_crit(crit, kid);
            assert_eq!(
                tokens.identify(&token),
                Err(Unauthorised),
                "{crit:?} {kid:?}"
            );
        }
    }
    // Also where a token that is none would make a guest of who brings it.
    let guests = keys_of(&Config::default()).unwrap();
    let token = with_crit(&["b64"], Some(OWN));
    assert_eq!(guests.identify(&token), Err(Unauthorised));
    // Of another type than a list it is no header.
    for crit in ["\"b64\"", "7", "[7]", "{}"] {
        let header = format!(r#"{{"alg":"HS256","crit":{crit}}}"#);
        assert_eq!(
            tokens.identify(&signed_raw(&header, &claims())),
            Err(Unauthorised),
            "{crit}"
        );
    }
}

/// Signed with a header as it is written.
fn signed_raw(header: &str, claims: &Value) -> String {
    let base64 = |bytes: &[u8]| {
        const DIGITS: &[u8; 64] =
            b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
        let digits = bytes.chunks(3).flat_map(|three| {
            let bits = (0..3).fold(0, |n, i| n << 8 | u32::from(*three.get(i).unwrap_or(&0)));
            (0..=three.len()).map(move |i| DIGITS[(bits >> (18 - 6 * i)) as usize & 63])
        });
        String::from_utf8(digits.collect()).unwrap()
    };
    let message = format!(
        "{}.{}",
        base64(header.as_bytes()),
        base64(claims.to_string().as_bytes())
    );
    let key = EncodingKey::from_secret(SECRET);
    let signature = jsonwebtoken::crypto::sign(message.as_bytes(), &key, Algorithm::HS256);
    format!("{message}.{}", signature.unwrap())
}

#[test]
fn dates_may_have_fractions() {
    let file = File::new("fractions", SECRET);
    let tokens = keys_of(&config(Some(&file))).unwrap();
    let now = Date::now().0 as f64;
    let check = |key: &str, value: Value, good: bool| {
        let mut claims = with(key, value.clone());
        claims["jti"] = json!(format!("{key} {value}"));
        let token = signed(&claims, Algorithm::HS256);
        assert_eq!(tokens.identify(&token).is_ok(), good, "{key} {value}");
        // Good once, however long it lasts.
        assert_eq!(
            tokens.identify(&token),
            Err(Unauthorised),
            "{key} {value} again"
        );
    };
    check("exp", json!(now + 60.5), true);
    check("exp", json!(now + 0.25), true);
    check("exp", json!(1e15), true);
    check("exp", json!(1e300), false);
    check("exp", json!(u64::MAX), true);
    check("exp", json!(now - 60.5), false);
    check("exp", json!(0.5), false);
    check("exp", json!(-1e300), false);
    check("exp", json!(-1), false);
    check("exp", json!([now + 60.0]), false);
    check("nbf", json!(now - 0.5), true);
    check("nbf", json!(now + 60.5), false);
    check("nbf", json!(1e300), false);
    check("nbf", json!(-1), false);
    check("iat", json!(now - 0.125), true);
    check("iat", json!(-1e300), true);
}

#[test]
fn ed25519_keys_are_taken_and_not_mistaken_for_secrets() {
    let file = File::new("ed", PUBLIC_PEM.as_bytes());
    let tokens = keys_of(&config(Some(&file))).unwrap();
    let key = EncodingKey::from_ed_pem(PRIVATE_PEM.as_bytes()).unwrap();
    let token = encode(&Header::new(Algorithm::EdDSA), &claims(), &key).unwrap();
    assert_eq!(&*tokens.identify(&token).unwrap().0.subject, "ann");
    // Who knows the public key signs with it as if it were a secret.
    let public = EncodingKey::from_secret(PUBLIC_PEM.as_bytes());
    let confused = encode(&Header::new(Algorithm::HS256), &claims(), &public).unwrap();
    assert_eq!(tokens.identify(&confused), Err(Unauthorised));
    let private = File::new("private", PRIVATE_PEM.as_bytes());
    assert!(
        keys_of(&config(Some(&private))).is_err(),
        "the public half is wanted"
    );
}

#[test]
fn a_numbered_token_is_good_once_and_its_user_comes_back_with_the_servers() {
    let file = File::new("replay", SECRET);
    let tokens = keys_of(&config(Some(&file))).unwrap();
    let once = signed(&with("jti", json!("1")), Algorithm::HS256);
    let (ann, own) = tokens.identify(&once).unwrap();
    assert_eq!(tokens.identify(&once), Err(Unauthorised), "replayed");
    assert_eq!(tokens.identify(&own).unwrap().0, ann);
    assert_eq!(tokens.identify(&own).unwrap().0, ann, "as often as need be");
    let unnumbered = signed(&claims(), Algorithm::HS256);
    assert!((0..2).all(|_| tokens.identify(&unnumbered).is_ok()));
    // A user whose token lost its key is told so, rather than made a guest.
    let restarted = keys_of(&config(Some(&file))).unwrap();
    assert_eq!(restarted.identify(&own), Err(Unauthorised));
}

#[test]
fn where_guests_are_not_let_in_nobody_becomes_one() {
    let file = File::new("closed", SECRET);
    let mut closed = config(Some(&file));
    closed.guests = false;
    let tokens = keys_of(&closed).unwrap();
    assert_eq!(tokens.identify(""), Err(Unauthorised));
    assert!(
        tokens
            .identify(&signed(&claims(), Algorithm::HS256))
            .is_ok()
    );
}

#[test]
fn weak_and_missing_keys_are_refused_at_start() {
    for (name, bytes) in [
        ("empty", &b""[..]),
        ("short", &[b'x'; 31]),
        ("breaks", b"x\n\n\n"),
    ] {
        let file = File::new(name, bytes);
        let error = keys_of(&config(Some(&file))).err().unwrap().to_string();
        assert!(
            error.contains("needs 32") && !error.contains('\n'),
            "{error}"
        );
    }
    let gone = Config {
        auth_key_file: Some("/nonexistent/key".into()),
        ..Config::default()
    };
    let error = keys_of(&gone).err().unwrap().to_string();
    assert!(error.contains("/nonexistent/key"), "{error}");
}
