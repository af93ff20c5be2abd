//! Rules of settings beyond the types of single values: what belongs together, what is too small to work with, which
//! texts nothing could be done with.
//!
//! What is refused here would otherwise be found out by a server that ends at its start, or does its work badly.

use async_nats::ServerAddr;
use sqlx::postgres::PgConnectOptions;
use tracing_subscriber::EnvFilter;
use tracing_subscriber::filter::LevelFilter;
use url::Url;

use super::{Secret, Settings};

/// Fewer characters than these are no random text. It is checked leniently: a key can never be changed.
const SHORTEST_KEY: usize = 12;
/// A client's frames bring new tokens too, each of which takes a kibibyte or two.
const SMALLEST_FRAME: usize = 4096;
/// Older events than the calendar has days would be.
const LONGEST_LOG_DAYS: u32 = 36_500;

impl Settings {
    /// Adds what is wrong with settings whose types are right.
    pub(super) fn check_rules(&self, complaints: &mut Vec<String>) {
        self.check_together(complaints);
        self.check_numbers(complaints);
        self.check_texts(complaints);
        self.check_files(complaints);
    }

    /// What no single value can tell.
    fn check_together(&self, complaints: &mut Vec<String>) {
        if self.api_key.sid.is_some() != self.api_key.secret.is_some() {
            complaints.push("api_key: sid and secret belong together".to_owned());
        }
        if self.tls.cert.is_some() != self.tls.key.is_some() {
            complaints.push("tls: cert and key belong together".to_owned());
        }
        if self.account.sid.is_some() != self.auth_token.is_some() {
            complaints.push("account.sid and auth_token belong together".to_owned());
        }
        if self.database.url.is_some() && self.secret_key.is_none() {
            complaints.push(
                "secret_key: an external database needs one, for example from `openssl rand -hex 32`".to_owned(),
            );
        }
        if self.media.access_key_id.is_some() != self.media.secret_access_key.is_some() {
            complaints
                .push("media: access_key_id and secret_access_key belong together".to_owned());
        }
        if self.parts.is_empty() {
            complaints.push("parts: at least one of rest, gateway, worker".to_owned());
        }
        for (name, value) in [
            ("auth_token", &self.auth_token),
            ("api_key.secret", &self.api_key.secret),
        ] {
            let fits = |secret: &Secret| {
                secret.expose().len() >= 16
                    && secret
                        .expose()
                        .bytes()
                        .all(|byte| byte.is_ascii_alphanumeric())
            };
            if value.as_ref().is_some_and(|secret| !fits(secret)) {
                complaints.push(format!(
                    "{name}: at least 16 letters and digits (some client libraries refuse other characters)"
                ));
            }
        }
    }

    /// Zeros that mean nothing, and what would not be enough.
    fn check_numbers(&self, complaints: &mut Vec<String>) {
        let (gateway, seconds) = (&self.gateway, |seconds: u32| seconds as usize);
        let wanted = [
            ("header_seconds", seconds(self.header_seconds), 1),
            ("body_seconds", seconds(self.body_seconds), 1),
            ("stall_seconds", seconds(self.stall_seconds), 1),
            (
                "database.max_connections",
                self.database.max_connections.into(),
                1,
            ),
            ("worker.concurrency", self.worker.concurrency, 1),
            (
                "gateway.max_frame_bytes",
                gateway.max_frame_bytes,
                SMALLEST_FRAME,
            ),
            ("gateway.max_requests", gateway.max_requests, 1),
            ("gateway.max_queue_bytes", gateway.max_queue_bytes, 1),
            ("gateway.max_subscriptions", gateway.max_subscriptions, 1),
            (
                "gateway.sign_in_seconds",
                seconds(gateway.sign_in_seconds),
                1,
            ),
            ("gateway.ping_seconds", seconds(gateway.ping_seconds), 1),
            ("gateway.sweep_seconds", seconds(gateway.sweep_seconds), 1),
            ("handsets.retain", self.handsets.retain as usize, 1),
            (
                "media.unattached_seconds",
                seconds(self.media.keeping.unattached_seconds),
                1,
            ),
            ("events.keep_days", self.events.keep_days as usize, 1),
        ];
        for (name, value, least) in wanted {
            if value < least {
                complaints.push(format!("{name}: must be at least {least}"));
            }
        }
        if self.events.keep_days > LONGEST_LOG_DAYS {
            complaints.push(format!(
                "events.keep_days: must be at most {LONGEST_LOG_DAYS}"
            ));
        }
    }

    /// Texts with a grammar. What may hold a password is not repeated.
    fn check_texts(&self, complaints: &mut Vec<String>) {
        let mut refuse = |name: &str, wants: &str| complaints.push(format!("{name}: {wants}"));
        if self.data_dir.as_os_str().is_empty() {
            refuse("data_dir", "must be a folder");
        }
        if let Some(key) = &self.secret_key
            && key.expose().chars().count() < SHORTEST_KEY
        {
            refuse(
                "secret_key",
                "must be a long random text, for example from `openssl rand -hex 32`",
            );
        }
        if let Some(url) = &self.database.url
            && !is_postgres(url.expose())
        {
            refuse(
                "database.url",
                "must be such as postgres://user:password@host:5432/convoke",
            );
        }
        if let Some(url) = &self.bus.url
            && !url.expose().split(',').all(|url| is_nats(url.trim()))
        {
            refuse(
                "bus.url",
                "must be such as nats://user:password@host:4222 or tls://host:4222, several separated by commas",
            );
        }
        if !is_subject(&self.bus.subject) {
            refuse(
                "bus.subject",
                "must be words of letters, digits, - and _, separated by dots",
            );
        }
        for host in self.hosts.iter().filter(|host| !is_domain(host)) {
            refuse(
                "hosts",
                &format!("must be domains such as convoke.example.com, which {host:?} is not"),
            );
        }
        if let Some(endpoint) = &self.media.endpoint
            && !Url::parse(endpoint).is_ok_and(|url| matches!(url.scheme(), "http" | "https"))
        {
            refuse(
                "media.endpoint",
                "must be such as https://minio.example.com:9000",
            );
        }
        if !is_filter(&self.log.level) {
            refuse(
                "log.level",
                &format!(
                    "must be error, warn, info, debug or trace, or these per module as in info,sqlx=warn; it is {:?}",
                    self.log.level
                ),
            );
        }
    }

    /// Files that are not there. Whether a process may read them, it finds out when it does.
    fn check_files(&self, complaints: &mut Vec<String>) {
        for (name, file) in [("tls.cert", &self.tls.cert), ("tls.key", &self.tls.key)] {
            if let Some(file) = file
                && matches!(file.try_exists(), Ok(false))
            {
                complaints.push(format!("{name}: there is no file {}", file.display()));
            }
        }
    }
}

fn is_postgres(url: &str) -> bool {
    Url::parse(url).is_ok_and(|url| matches!(url.scheme(), "postgres" | "postgresql"))
        && url.parse::<PgConnectOptions>().is_ok()
}

/// Whether it names a NATS server. The client takes any word for a host's name, and then waits for it for ever.
fn is_nats(url: &str) -> bool {
    let named = url.starts_with("nats://") || url.starts_with("tls://");
    named && url.parse::<ServerAddr>().is_ok()
}

/// Whether subjects may begin with it. Other characters mean something to NATS, or may one day.
fn is_subject(text: &str) -> bool {
    let fits = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
    let is_word = |word: &str| !word.is_empty() && word.bytes().all(fits);
    text.split('.').all(is_word)
}

fn is_domain(text: &str) -> bool {
    let fits = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-';
    let is_label = |label: &str| !label.is_empty() && label.bytes().all(fits);
    text.split('.').all(is_label)
}

/// Whether it says what is logged. A word that is no level would be taken for a module, and everything else be silent.
fn is_filter(text: &str) -> bool {
    let says_level = |part: &str| {
        let level = part.rsplit('=').next().unwrap_or_default().trim();
        !level.is_empty() && level.parse::<LevelFilter>().is_ok()
    };
    text.split(',').all(says_level) && EnvFilter::builder().parse(text).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    const DATABASE: &str = "postgres://u:hidden@h/d";
    const KEY: &str = "0123456789abcdef";

    fn complaints(environment: &[(&str, &str)]) -> Vec<String> {
        let environment: Vec<_> = environment
            .iter()
            .map(|(name, value)| (format!("CONVOKE_{name}"), (*value).to_owned()))
            .collect();
        match Settings::from(None, &environment) {
            Ok(_) => Vec::new(),
            Err(super::super::Complaints(all)) => all,
        }
    }

    #[test]
    fn what_nothing_can_be_done_with_is_refused() {
        for (name, value, about) in [
            ("DATABASE_MAX_CONNECTIONS", "0", "database.max_connections"),
            ("HEADER_SECONDS", "0", "header_seconds"),
            ("WORKER_CONCURRENCY", "0", "worker.concurrency"),
            ("GATEWAY_PING_SECONDS", "0", "gateway.ping_seconds"),
            ("GATEWAY_SWEEP_SECONDS", "0", "gateway.sweep_seconds"),
            ("GATEWAY_SIGN_IN_SECONDS", "0", "gateway.sign_in_seconds"),
            ("GATEWAY_MAX_REQUESTS", "0", "gateway.max_requests"),
            ("GATEWAY_MAX_FRAME_BYTES", "0", "gateway.max_frame_bytes"),
            ("EVENTS_KEEP_DAYS", "0", "events.keep_days"),
            ("EVENTS_KEEP_DAYS", "4000000000", "events.keep_days"),
            ("HANDSETS_RETAIN", "0", "handsets.retain"),
            ("DATA_DIR", "", "data_dir"),
            ("SECRET_KEY", "x", "secret_key"),
            ("BUS_URL", "foo", "bus.url"),
            ("BUS_URL", "nats://a:4222,foo", "bus.url"),
            ("BUS_SUBJECT", "a b", "bus.subject"),
            ("BUS_SUBJECT", "a..b", "bus.subject"),
            ("BUS_SUBJECT", "", "bus.subject"),
            ("HOSTS", "example.com,http://x", "\"http://x\""),
            ("MEDIA_ENDPOINT", "minio:9000", "media.endpoint"),
            ("LOG_LEVEL", "loud", "\"loud\""),
            ("LOG_LEVEL", "info,sqlx", "log.level"),
            ("LOG_LEVEL", "", "log.level"),
            ("LISTEN", "localhost:8080", "\"localhost:8080\""),
        ] {
            let said = complaints(&[(name, value)]);
            let one = matches!(&said[..], [one] if one.contains(about));
            assert!(one, "{name}={value}: {said:?}");
        }
        for url in ["mysql://u:hidden@h/d", "postgres://u:hidden@h:port/d", "h"] {
            let said = complaints(&[("DATABASE_URL", url), ("SECRET_KEY", KEY)]);
            let one = matches!(&said[..], [one] if one.contains("database.url"));
            assert!(one && !said[0].contains("hidden"), "{url}: {said:?}");
        }
    }

    #[test]
    fn what_works_is_let_through() {
        for (name, value) in [
            ("BUS_URL", "nats://u:p@a:4222, tls://b"),
            ("BUS_SUBJECT", "convoke.test-1"),
            ("HOSTS", "twilio.com,localhost"),
            ("LOG_LEVEL", "off"),
            ("LOG_LEVEL", "info,sqlx=warn,convoke::gateway=debug"),
            ("LOG_LEVEL", "warn,[request{sid=a}]=debug"),
            ("GATEWAY_MAX_SOCKETS", "0"),
            ("GATEWAY_OFFLINE_AFTER_SECONDS", "0"),
            ("POSTING_LANES", "0"),
        ] {
            let said = complaints(&[(name, value)]);
            assert!(said.is_empty(), "{name}={value}: {said:?}");
        }
        for url in [DATABASE, "postgresql:///d?host=/run/postgresql"] {
            assert!(complaints(&[("DATABASE_URL", url), ("SECRET_KEY", KEY)]).is_empty());
        }
    }

    #[test]
    fn files_of_the_certificate_have_to_be_there() {
        let said = complaints(&[("TLS_CERT", "/nope/cert"), ("TLS_KEY", "/nope/key")]);
        let both = matches!(&said[..], [cert, key] if cert.contains("no file /nope/cert") && key.contains("/nope/key"));
        assert!(both, "{said:?}");
    }
}
