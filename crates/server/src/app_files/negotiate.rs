//! Which form of a file a request gets: its encoding (RFC 9110, 12.5.3), and whether it has it already (13.1.2).

use http::{HeaderMap, HeaderValue, header};

/// In the order of the server's preference, the smallest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Encoding {
    Brotli,
    Gzip,
    Identity,
}

impl Encoding {
    const ALL: [Self; 3] = [Self::Brotli, Self::Gzip, Self::Identity];

    /// Its name in `Content-Encoding`, where it has one.
    pub(super) fn name(self) -> Option<&'static str> {
        match self {
            Self::Brotli => Some("br"),
            Self::Gzip => Some("gzip"),
            Self::Identity => None,
        }
    }
}

/// The available encoding that the request likes best; of equals, the smallest. A request that refuses everything gets
/// the plain form, which the RFC allows and which helps more than 406.
pub(super) fn choose(request: &HeaderMap, is_available: impl Fn(Encoding) -> bool) -> Encoding {
    let stated = Stated::read(request);
    let candidates = Encoding::ALL.into_iter().filter(|encoding| is_available(*encoding));
    let weighed = candidates.map(|encoding| (stated.weight(encoding), encoding)).filter(|(weight, _)| *weight > 0);
    // `max_by_key` keeps the last of equals, so the order is turned around for it.
    let best = weighed.collect::<Vec<_>>().into_iter().rev().max_by_key(|(weight, _)| *weight);
    best.map_or(Encoding::Identity, |(_, encoding)| encoding)
}

/// What `Accept-Encoding` says: names and their weights in thousandths.
struct Stated<'a> {
    codings: Vec<(&'a str, u16)>,
}

impl<'a> Stated<'a> {
    fn read(request: &'a HeaderMap) -> Self {
        let lines = request.get_all(header::ACCEPT_ENCODING).iter().filter_map(|line| line.to_str().ok());
        Self { codings: lines.flat_map(|line| line.split(',')).filter_map(coding).collect() }
    }

    fn weight(&self, encoding: Encoding) -> u16 {
        let of = |name: &str| {
            self.codings.iter().find(|(stated, _)| stated.eq_ignore_ascii_case(name)).map(|(_, weight)| *weight)
        };
        match encoding.name() {
            Some(name) => of(name).or_else(|| of("*")).unwrap_or(0),
            // Plain is welcome unless it is refused, but never before what was asked for by name.
            None => of("identity").or_else(|| of("*").filter(|weight| *weight == 0)).unwrap_or(1),
        }
    }
}

/// `name` or `name;q=0.5`; `None` for what can't be read.
fn coding(text: &str) -> Option<(&str, u16)> {
    let mut parts = text.split(';').map(str::trim);
    let name = parts.next().filter(|name| !name.is_empty())?;
    let weight = parts.find_map(|part| part.strip_prefix("q=").or_else(|| part.strip_prefix("Q=")));
    match weight.map(str::parse::<f32>) {
        None => Some((name, 1000)),
        // In bounds, so the cast only drops what lies behind the three digits a weight may have.
        Some(Ok(weight)) if (0.0..=1.0).contains(&weight) => Some((name, (weight * 1000.0).round() as u16)),
        Some(_) => None,
    }
}

/// Whether the caller already has the form of this ETag.
pub(super) fn etag_matches(request: &HeaderMap, etag: &HeaderValue) -> bool {
    let lines = request.get_all(header::IF_NONE_MATCH).iter().filter_map(|line| line.to_str().ok());
    let mut tags = lines.flat_map(|line| line.split(',')).map(str::trim);
    // Weak and strong are alike here, the RFC says; proxies that compress make ours weak.
    tags.any(|tag| tag == "*" || tag.strip_prefix("W/").unwrap_or(tag).as_bytes() == etag.as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(name: header::HeaderName, lines: &[&str]) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for line in lines {
            headers.append(name.clone(), line.parse().unwrap());
        }
        headers
    }

    #[test]
    fn the_best_accepted_encoding_is_chosen() {
        use Encoding::{Brotli, Gzip, Identity};
        let cases: [(&[&str], Encoding); 21] = [
            (&[], Identity),
            (&[""], Identity),
            (&["gzip, deflate, br, zstd"], Brotli),
            (&["gzip"], Gzip),
            (&["GZIP"], Gzip),
            (&["gzip", "br"], Brotli),
            (&["br;q=0, gzip"], Gzip),
            (&["br; q=0, gzip; q=0"], Identity),
            (&["br;q=0.000"], Identity),
            (&["br;q=0.5, gzip;q=0.8"], Gzip),
            (&["br;q=0.001"], Brotli),
            (&["identity;q=1, br;q=0.5"], Identity),
            (&["identity;q=0.5, br;q=0.5"], Brotli),
            (&["*"], Brotli),
            (&["*;q=0.5, br;q=0"], Gzip),
            (&["*;q=0"], Identity),
            (&["*;q=0, gzip"], Gzip),
            (&["identity;q=0"], Identity),
            (&["deflate"], Identity),
            (&["br;q=2"], Identity),
            (&["br;q=x, gzip"], Gzip),
        ];
        for (lines, expected) in cases {
            let headers = request(header::ACCEPT_ENCODING, lines);
            assert_eq!(choose(&headers, |_| true), expected, "{lines:?}");
        }
    }

    #[test]
    fn what_is_not_there_is_not_chosen() {
        let headers = request(header::ACCEPT_ENCODING, &["br, gzip"]);
        assert_eq!(choose(&headers, |encoding| encoding != Encoding::Brotli), Encoding::Gzip);
        assert_eq!(choose(&headers, |encoding| encoding == Encoding::Identity), Encoding::Identity);
    }

    #[test]
    fn an_etag_matches_itself_and_a_star() {
        let etag = HeaderValue::from_static("\"ab-br\"");
        let cases: [(&[&str], bool); 9] = [
            (&[], false),
            (&["\"ab-br\""], true),
            (&["W/\"ab-br\""], true),
            (&["\"x\", \"ab-br\""], true),
            (&["\"x\"", "\"ab-br\""], true),
            (&["*"], true),
            (&["\"ab-gzip\""], false),
            (&["ab-br"], false),
            (&["\"ab\""], false),
        ];
        for (lines, expected) in cases {
            assert_eq!(etag_matches(&request(header::IF_NONE_MATCH, lines), &etag), expected, "{lines:?}");
        }
    }
}
