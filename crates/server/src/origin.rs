//! Which pages are this server's own. Browsers say in `Origin` where a request comes from; nothing else a request
//! carries proves that, `Host` least of all.

use std::net::SocketAddr;

use http::{HeaderMap, Uri, header, uri::Authority};

use crate::config::{Config, ConfigError};

/// The server's own origins, spelt as browsers spell them.
#[derive(Debug, Clone)]
pub(crate) struct Origins {
    own: Vec<String>,
}

/// Where a request says it comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum OriginCheck {
    /// It doesn't say: not a page, or a page's plain navigation.
    None,
    /// A page of this server.
    Own,
    /// Anything else, also what can't be read.
    Foreign,
}

impl Origins {
    /// The public URLs where there are any, else this machine's names for itself with the port that was bound.
    pub(crate) fn new(config: &Config, bound: SocketAddr) -> Result<Self, ConfigError> {
        let own = if config.public_urls.is_empty() { loopback(bound.port()) } else { config.public_origins()? };
        Ok(Self { own })
    }

    pub(crate) fn check(&self, headers: &HeaderMap) -> OriginCheck {
        let mut stated = headers.get_all(header::ORIGIN).iter();
        let Some(origin) = stated.next() else { return OriginCheck::None };
        let is_own = self.own.iter().any(|own| own.as_bytes() == origin.as_bytes());
        if is_own && stated.next().is_none() { OriginCheck::Own } else { OriginCheck::Foreign }
    }

    /// The address to send people to.
    pub(crate) fn public(&self) -> &str {
        self.own.first().expect("a server has an address of its own")
    }

    /// Whether people reach the server through TLS, so that cookies can be kept to it.
    pub(crate) fn secure(&self) -> bool {
        self.own.iter().all(|origin| origin.starts_with("https:"))
    }
}

fn loopback(port: u16) -> Vec<String> {
    let own = |host| serialized("http", host, Some(port));
    ["localhost", "127.0.0.1", "[::1]"].map(own).into()
}

/// The origin of a URL that names a server and nothing below it.
pub(crate) fn of_url(url: &str) -> Result<String, &'static str> {
    let uri: Uri = url.parse().map_err(|_| "it is no URL (non-Latin names go in their xn-- form)")?;
    let scheme = match uri.scheme_str() {
        Some(scheme @ ("http" | "https")) => scheme,
        _ => return Err("it must begin with https:// or http://"),
    };
    if !matches!(uri.path(), "" | "/") || url.contains(['?', '#']) {
        return Err("the server answers at the root of an address only");
    }
    let authority = uri.authority().ok_or("it names no host")?;
    if !is_host_and_port(authority) {
        return Err("it must be a host, and a port if need be");
    }
    Ok(serialized(scheme, authority.host(), authority.port_u16()))
}

/// Leaves out user names and ports that are none.
fn is_host_and_port(authority: &Authority) -> bool {
    let (whole, host) = (authority.as_str(), authority.host());
    let with_port = authority.port().is_some_and(|port| port.as_u16() > 0 && whole == format!("{host}:{port}"));
    !host.is_empty() && (whole == host || with_port)
}

/// As the URL standard serializes an origin: lower-case host, and no port where it is the scheme's own.
fn serialized(scheme: &str, host: &str, port: Option<u16>) -> String {
    let host = host.to_ascii_lowercase();
    match (scheme, port) {
        (_, None) | ("http", Some(80)) | ("https", Some(443)) => format!("{scheme}://{host}"),
        (_, Some(port)) => format!("{scheme}://{host}:{port}"),
    }
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use http::HeaderValue;

    use super::*;
    use crate::config::Signup;

    fn origins(public_urls: &[&str]) -> Origins {
        let listen = "127.0.0.1:8000".parse().unwrap();
        let public_urls = public_urls.iter().map(|url| (*url).to_owned()).collect();
        let config = Config { listen, data: PathBuf::new(), signup: Signup::Open, public_urls };
        Origins::new(&config, listen).unwrap()
    }

    fn check(origins: &Origins, stated: &[&[u8]]) -> OriginCheck {
        let mut headers = HeaderMap::new();
        for origin in stated {
            headers.append(header::ORIGIN, HeaderValue::from_bytes(origin).unwrap());
        }
        origins.check(&headers)
    }

    #[test]
    fn without_a_public_url_only_this_machine_is_own() {
        use OriginCheck::{Foreign, Own};
        let cases: [(&str, OriginCheck); 18] = [
            ("http://localhost:8000", Own),
            ("http://127.0.0.1:8000", Own),
            ("http://[::1]:8000", Own),
            ("null", Foreign),
            ("", Foreign),
            ("http://localhost", Foreign),
            ("http://localhost:80", Foreign),
            ("http://localhost:8001", Foreign),
            ("http://localhost:80000", Foreign),
            ("https://localhost:8000", Foreign),
            ("http://localhost:8000/", Foreign),
            ("http://localhost:8000.evil.example", Foreign),
            ("http://evil.localhost:8000", Foreign),
            ("http://localhost:8000@evil.example", Foreign),
            ("HTTP://LOCALHOST:8000", Foreign),
            (" http://localhost:8000", Foreign),
            ("http://127.0.0.2:8000", Foreign),
            ("localhost:8000", Foreign),
        ];
        for (origin, expected) in cases {
            assert_eq!(check(&origins(&[]), &[origin.as_bytes()]), expected, "{origin}");
        }
    }

    #[test]
    fn a_public_url_is_own_and_nothing_near_it() {
        use OriginCheck::{Foreign, Own};
        let own = origins(&["https://Tide.example/", "https://other.example:8443"]);
        let cases: [(&str, OriginCheck); 11] = [
            ("https://tide.example", Own),
            ("https://other.example:8443", Own),
            ("https://other.example", Foreign),
            ("https://tide.example:443", Foreign),
            ("http://tide.example", Foreign),
            ("https://tide.example.evil.example", Foreign),
            ("https://eviltide.example", Foreign),
            ("https://sub.tide.example", Foreign),
            ("https://tide.exampl", Foreign),
            ("http://localhost:8000", Foreign),
            ("null", Foreign),
        ];
        for (origin, expected) in cases {
            assert_eq!(check(&own, &[origin.as_bytes()]), expected, "{origin}");
        }
    }

    #[test]
    fn no_origin_is_none_and_two_are_foreign() {
        let own = origins(&[]);
        let good = b"http://localhost:8000".as_slice();
        assert_eq!(check(&own, &[]), OriginCheck::None);
        assert_eq!(check(&own, &[good, good]), OriginCheck::Foreign);
        assert_eq!(check(&own, &[good, b"null"]), OriginCheck::Foreign);
        assert_eq!(check(&own, &[b"http://localhost:8000\xff"]), OriginCheck::Foreign);
    }

    #[test]
    fn a_url_has_one_origin_or_none() {
        let cases = [
            ("https://a.example", Some("https://a.example")),
            ("https://A.example:443/", Some("https://a.example")),
            ("http://a.example:80", Some("http://a.example")),
            ("http://a.example:443", Some("http://a.example:443")),
            ("http://[::1]:8000", Some("http://[::1]:8000")),
            ("https://a.example/app", None),
            ("https://a.example?x", None),
            ("https://a.example#x", None),
            ("https://me@a.example", None),
            ("https://a.example:", None),
            ("https://a.example:0", None),
            ("https://a.example:99999", None),
            ("ftp://a.example", None),
            ("a.example", None),
            ("/", None),
            ("", None),
            ("*", None),
        ];
        for (url, expected) in cases {
            assert_eq!(of_url(url).ok().as_deref(), expected, "{url}");
        }
    }

    #[test]
    fn only_https_is_secure() {
        assert!(origins(&["https://a.example"]).secure());
        assert!(!origins(&["http://a.example"]).secure());
        assert!(!origins(&[]).secure());
    }
}
