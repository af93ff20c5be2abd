//! Rules of settings that no single value can tell.

use super::{Secret, Settings};

impl Settings {
    /// What no single value can tell.
    pub(super) fn check_together(&self, complaints: &mut Vec<String>) {
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
}
