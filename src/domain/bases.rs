//! Bases: what printed URLs begin with.
//!
//! Clients call the URLs that they are given, credentials attached, so a base must lead back here: it is what the
//! operator says, or what the request itself came to. Headers of proxies count only from those that are trusted, or
//! anybody could make answers point anywhere.

use std::borrow::Cow;
use std::fmt;
use std::net::{IpAddr, SocketAddr};

/// How the base of a request's URLs is found.
pub struct Bases {
    configured: Option<String>,
    scheme: &'static str,
    listen: String,
    echoes_twilio: bool,
    trusts: Box<dyn Fn(IpAddr) -> bool + Send + Sync>,
}

impl fmt::Debug for Bases {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Bases")
            .field("configured", &self.configured)
            .field("scheme", &self.scheme)
            .finish_non_exhaustive()
    }
}

impl Bases {
    /// What requests come to, by `scheme`; `listen` where they do not say it.
    #[must_use]
    pub fn new(scheme: &'static str, listen: SocketAddr) -> Self {
        Self {
            configured: None,
            scheme,
            listen: listen.to_string(),
            echoes_twilio: false,
            trusts: Box::new(|_| false),
        }
    }

    /// Always `url`, if there is one.
    #[must_use]
    pub fn always(mut self, url: Option<String>) -> Self {
        self.configured = url;
        self
    }

    /// Proxies whom `trusts` believes say what requests came to.
    #[must_use]
    pub fn trusting(mut self, trusts: impl Fn(IpAddr) -> bool + Send + Sync + 'static) -> Self {
        self.trusts = Box::new(trusts);
        self
    }

    /// Whether names under `twilio.com` lead here; otherwise no URL begins with one, whatever a request says, because the
    /// next request would take the credentials there.
    #[must_use]
    pub const fn echoing_twilio(mut self, echoes: bool) -> Self {
        self.echoes_twilio = echoes;
        self
    }

    /// The base for a request from `peer` with these headers, without a slash at the end.
    pub fn of<'a>(&self, peer: Option<IpAddr>, header: impl Fn(&str) -> Option<&'a str>) -> String {
        if let Some(url) = &self.configured {
            return url.clone();
        }
        let first = |name: &str| {
            header(name)
                .and_then(|list| list.split(',').next())
                .map(str::trim)
        };
        let trusted = peer.is_some_and(|peer| (self.trusts)(peer));
        let scheme = first("x-forwarded-proto")
            .filter(|word| trusted && matches!(*word, "http" | "https"))
            .unwrap_or(self.scheme);
        let host = first("x-forwarded-host")
            .filter(|name| trusted && self.may_echo(name))
            .or_else(|| header("host").filter(|name| self.may_echo(name)))
            .unwrap_or(&self.listen);
        format!("{scheme}://{host}")
    }

    fn may_echo(&self, host: &str) -> bool {
        is_host(host) && (self.echoes_twilio || !is_twilio(host))
    }
}

/// The base for media, for a client whose socket came to `base`. Where names of `twilio.com` lead here, media has the name
/// that such a client knows it by (our choice: its page may be kept to the hosts of that service by a
/// `Content-Security-Policy`, and then reaches media under no other name).
#[must_use]
pub fn of_media(base: &str) -> Cow<'_, str> {
    match base.split_once("://tsock.") {
        Some((scheme, rest)) if is_twilio(rest) => Cow::Owned(format!("{scheme}://mcs.{rest}")),
        _ => Cow::Borrowed(base),
    }
}

fn is_twilio(host: &str) -> bool {
    let name = host.split(':').next().unwrap_or(host).to_ascii_lowercase();
    name.trim_end_matches('.').ends_with("twilio.com")
}

/// Whether a header may stand for a host in a URL.
fn is_host(text: &str) -> bool {
    !text.is_empty()
        && text.bytes().all(|byte| {
            byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b'_' | b':' | b'[' | b']')
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn base(bases: &Bases, peer: [u8; 4], headers: &[(&str, &'static str)]) -> String {
        bases.of(Some(IpAddr::from(peer)), |wanted| {
            headers
                .iter()
                .find(|(name, _)| *name == wanted)
                .map(|(_, value)| *value)
        })
    }

    fn bases() -> Bases {
        Bases::new("https", ([10, 0, 0, 9], 8080).into())
    }

    #[test]
    fn proxies_count_where_they_are_trusted() {
        let bases = bases().trusting(|peer| peer.is_loopback());
        let headers = [
            ("host", "own:8080"),
            ("x-forwarded-host", "public.example.com, inner"),
            ("x-forwarded-proto", "http"),
        ];
        let near = [127, 0, 0, 1];
        assert_eq!(base(&bases, near, &headers), "http://public.example.com");
        assert_eq!(base(&bases, [10, 0, 0, 1], &headers), "https://own:8080");
        let odd = [
            ("host", "a/b"),
            ("x-forwarded-host", "c d"),
            ("x-forwarded-proto", "ftp"),
        ];
        assert_eq!(base(&bases, near, &odd), "https://10.0.0.9:8080");
        let fixed = bases.always(Some("https://c.example".to_owned()));
        assert_eq!(base(&fixed, near, &headers), "https://c.example");
    }

    #[test]
    fn names_of_others_lead_here_only_if_they_are_mapped() {
        let peer = [10, 0, 0, 1];
        for host in ["api.twilio.com", "mcs.us1.Twilio.com:443", "twilio.com."] {
            let headers = [("host", host)];
            assert_eq!(base(&bases(), peer, &headers), "https://10.0.0.9:8080");
            let mapped = bases().echoing_twilio(true);
            assert_eq!(base(&mapped, peer, &headers), format!("https://{host}"));
        }
    }

    #[test]
    fn media_has_the_name_that_clients_know() {
        for (base, media) in [
            ("https://tsock.us1.twilio.com", "https://mcs.us1.twilio.com"),
            (
                "https://tsock.dublin.ie1.twilio.com:8443",
                "https://mcs.dublin.ie1.twilio.com:8443",
            ),
            ("https://tsock.example.com", "https://tsock.example.com"),
            ("http://127.0.0.1:8080", "http://127.0.0.1:8080"),
        ] {
            assert_eq!(of_media(base), media);
        }
    }
}
