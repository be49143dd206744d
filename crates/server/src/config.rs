//! What the person who starts the server decides.

use std::{fmt, net::SocketAddr, path::PathBuf, str::FromStr};

use crate::origin;

/// A server's settings.
#[derive(Debug, Clone)]
pub struct Config {
    pub listen: SocketAddr,
    /// The folder that holds everything the server keeps.
    pub data: PathBuf,
    pub signup: Signup,
    /// Where people reach this server, such as `https://tidebook.example`; empty for one's own machine only.
    pub public_urls: Vec<String>,
}

/// Who may make an account, once the first one exists.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Signup {
    /// Everyone who reaches the server.
    Open,
    /// Those with an invite.
    #[default]
    Invite,
    /// Nobody.
    Closed,
}

/// Settings that must not be run with. Each says what to do.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ConfigError {
    #[error(
        "listening on {0} lets other machines in, so the server must know the address people type: \
         add --public-url https://…, or listen on 127.0.0.1"
    )]
    PublicUrlMissing(SocketAddr),
    #[error("--public-url {url}: {reason}; write it like https://tidebook.example")]
    PublicUrl { url: String, reason: &'static str },
    #[error("the addresses given as --public-url must be all https or all http: a session's cookie is made for one")]
    MixedSchemes,
}

impl Config {
    /// Whether the server can be run like this.
    pub fn check(&self) -> Result<(), ConfigError> {
        if self.listens_beyond_loopback() && self.public_urls.is_empty() {
            return Err(ConfigError::PublicUrlMissing(self.listen));
        }
        let origins = self.public_origins()?;
        let https = origins.iter().filter(|origin| origin.starts_with("https:")).count();
        if https > 0 && https < origins.len() { Err(ConfigError::MixedSchemes) } else { Ok(()) }
    }

    pub(crate) fn listens_beyond_loopback(&self) -> bool {
        !self.listen.ip().to_canonical().is_loopback()
    }

    /// The public URLs as browsers write them in `Origin`.
    pub(crate) fn public_origins(&self) -> Result<Vec<String>, ConfigError> {
        let parse =
            |url: &String| origin::of_url(url).map_err(|reason| ConfigError::PublicUrl { url: url.clone(), reason });
        self.public_urls.iter().map(parse).collect()
    }
}

impl FromStr for Signup {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "open" => Ok(Self::Open),
            "invite" => Ok(Self::Invite),
            "closed" => Ok(Self::Closed),
            _ => Err("expected open, invite or closed"),
        }
    }
}

impl fmt::Display for Signup {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Open => "open",
            Self::Invite => "invite",
            Self::Closed => "closed",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config(listen: &str, public_urls: &[&str]) -> Config {
        Config {
            listen: listen.parse().unwrap(),
            data: PathBuf::new(),
            signup: Signup::default(),
            public_urls: public_urls.iter().map(|url| (*url).to_owned()).collect(),
        }
    }

    #[test]
    fn beyond_loopback_a_public_url_is_needed() {
        let missing = |listen: &str| Err(ConfigError::PublicUrlMissing(listen.parse().unwrap()));
        let cases = [
            ("127.0.0.1:8000", Ok(())),
            ("127.1.2.3:8000", Ok(())),
            ("[::1]:8000", Ok(())),
            ("[::ffff:127.0.0.1]:8000", Ok(())),
            ("0.0.0.0:8000", missing("0.0.0.0:8000")),
            ("[::]:8000", missing("[::]:8000")),
            ("192.168.1.2:8000", missing("192.168.1.2:8000")),
        ];
        for (listen, expected) in cases {
            assert_eq!(config(listen, &[]).check(), expected, "{listen}");
            assert_eq!(config(listen, &["https://tide.example"]).check(), Ok(()), "{listen}");
        }
    }

    #[test]
    fn public_urls_are_one_kind_of_origin() {
        let cases = [
            (&["https://a.example", "https://b.example:8443/"][..], true),
            (&["http://a.example"], true),
            (&["https://a.example", "http://b.example"], false),
            (&["a.example"], false),
            (&["https://a.example/book"], false),
        ];
        for (urls, allowed) in cases {
            assert_eq!(config("0.0.0.0:80", urls).check().is_ok(), allowed, "{urls:?}");
        }
    }

    #[test]
    fn sign_up_modes_round_trip() {
        for mode in [Signup::Open, Signup::Invite, Signup::Closed] {
            assert_eq!(mode.to_string().parse(), Ok(mode));
        }
        assert!("Open".parse::<Signup>().is_err());
    }
}
