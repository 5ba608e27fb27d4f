//! Whether a client takes gzip (RFC 9110 §12.5.3), the one coding that files are kept in. Pure.

use hyper::HeaderMap;
use hyper::header::ACCEPT_ENCODING;

/// Items that are read: nobody knows of so many codings.
const ITEMS_MAX: usize = 16;

/// Whether gzip is taken, and not less gladly than the plain file.
pub(super) fn takes_gzip(headers: &HeaderMap) -> bool {
    let lines = headers.get_all(ACCEPT_ENCODING).iter();
    let items = lines.filter_map(|line| line.to_str().ok());
    let (mut gzip, mut plain, mut others) = (None, None, None);
    for item in items.flat_map(|line| line.split(',')).take(ITEMS_MAX) {
        let mut parts = item.split(';').map(str::trim);
        let coding = parts.next().unwrap_or("");
        let Some(weight) = weight(parts) else {
            continue;
        };
        let into = match coding {
            "*" => &mut others,
            _ if coding.eq_ignore_ascii_case("gzip") || coding.eq_ignore_ascii_case("x-gzip") => {
                &mut gzip
            }
            _ if coding.eq_ignore_ascii_case("identity") => &mut plain,
            _ => continue,
        };
        *into = (*into).max(Some(weight));
    }
    let gzip = gzip.or(others).unwrap_or(0);
    // What is not named is taken as well, but not wished for.
    gzip > 0 && gzip >= plain.unwrap_or(0)
}

/// Thousandths; `None` if it is none.
fn weight<'a>(parameters: impl Iterator<Item = &'a str>) -> Option<u16> {
    let mut weight = 1000;
    for parameter in parameters {
        let (name, value) = parameter.split_once('=')?;
        if !name.trim_end().eq_ignore_ascii_case("q") {
            return None;
        }
        let value: f32 = value.trim_start().parse().ok()?;
        if !(0.0..=1.0).contains(&value) {
            return None;
        }
        weight = (value * 1000.0) as u16;
    }
    Some(weight)
}

#[cfg(test)]
mod tests {
    use super::*;
    use hyper::header::HeaderValue;

    #[test]
    fn weights_decide() {
        let check = |lines: &[&str], taken: bool| {
            let mut headers = HeaderMap::new();
            for line in lines {
                headers.append(ACCEPT_ENCODING, HeaderValue::from_str(line).unwrap());
            }
            assert_eq!(takes_gzip(&headers), taken, "{lines:?}");
        };
        check(&["gzip, deflate, br, zstd"], true);
        check(&["br", "GZIP"], true);
        check(&["x-gzip"], true);
        check(&["*"], true);
        check(&["gzip;q=0.001"], true);
        check(&["gzip ; q = 0.5, identity;q=0.5"], true);
        check(&["identity;q=0, *;q=0.1"], true);
        check(&[], false);
        check(&[""], false);
        check(&["br, deflate"], false);
        check(&["gzip;q=0"], false);
        check(&["gzip;q=0.000, *"], false);
        check(&["*;q=0"], false);
        check(&["identity, gzip;q=0.5"], false);
        check(&["gzip;q=2"], false);
        check(&["gzip;q=-1"], false);
        check(&["gzip;q=NaN"], false);
        check(&["gzip;level=9"], false);
        check(&["gzipped"], false);
        check(&["not gzip"], false);
        let late = "a, ".repeat(ITEMS_MAX) + "gzip";
        check(&[&late], false);
    }
}
