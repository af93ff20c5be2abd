//! Requests to the REST API and what they answer.

use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use super::TestServer;
use super::server::{ACCOUNT_SID, AUTH_TOKEN};

/// An answer of the REST API.
#[derive(Debug)]
pub struct Answer {
    /// The HTTP status.
    pub status: StatusCode,
    /// The body; null when it is empty.
    pub body: Value,
}

impl Answer {
    async fn read(answer: reqwest::Response) -> Self {
        let status = answer.status();
        let text = answer.text().await.expect("a body");
        let body = if text.is_empty() {
            Value::Null
        } else {
            serde_json::from_str(&text).unwrap_or_else(|_| panic!("JSON, not {text}"))
        };
        Self { status, body }
    }

    /// The body of an answer that must have this status.
    #[track_caller]
    pub fn with(self, status: u16) -> Value {
        assert_eq!(self.status.as_u16(), status, "{}", self.body);
        self.body
    }

    /// The code of a refusal that must have this status.
    #[track_caller]
    pub fn refused(self, status: u16) -> i64 {
        let body = self.with(status);
        body["code"]
            .as_i64()
            .unwrap_or_else(|| panic!("a code in {body}"))
    }
}

/// The text of a field.
#[track_caller]
pub fn text(body: &Value, field: &str) -> String {
    body[field]
        .as_str()
        .unwrap_or_else(|| panic!("{field} in {body}"))
        .to_owned()
}

impl TestServer {
    /// `GET` with the account's credentials.
    pub async fn get(&self, path: &str) -> Answer {
        self.send(Method::GET, path, &[]).await
    }

    /// `POST` of a form with the account's credentials.
    pub async fn post(&self, path: &str, form: &[(&str, &str)]) -> Answer {
        self.send(Method::POST, path, form).await
    }

    /// `DELETE` with the account's credentials.
    pub async fn delete(&self, path: &str) -> Answer {
        self.send(Method::DELETE, path, &[]).await
    }

    /// Any request with the account's credentials.
    pub async fn send(&self, method: Method, path: &str, form: &[(&str, &str)]) -> Answer {
        self.send_as((ACCOUNT_SID, AUTH_TOKEN), method, path, form)
            .await
    }

    /// Any request with these credentials.
    pub async fn send_as(
        &self,
        (user, password): (&str, &str),
        method: Method,
        path: &str,
        form: &[(&str, &str)],
    ) -> Answer {
        let request = self.http.request(method.clone(), self.url(path));
        let mut request = request.basic_auth(user, Some(password));
        if method == Method::POST {
            request = request.form(form);
        }
        Answer::read(request.send().await.expect("an answer")).await
    }

    /// `POST` of a JSON text with the account's credentials.
    pub async fn post_json(&self, path: &str, json: &str) -> Answer {
        let request = self
            .request(Method::POST, path)
            .header("content-type", "application/json; charset=utf-8")
            .body(json.to_owned());
        Answer::read(request.send().await.expect("an answer")).await
    }

    /// Creates a conversation; answers its path.
    pub async fn conversation(&self, form: &[(&str, &str)]) -> String {
        let body = self.post("/v1/Conversations", form).await.with(201);
        format!("/v1/Conversations/{}", text(&body, "sid"))
    }

    /// Adds a person on a phone to a conversation.
    pub async fn add_phone(&self, conversation: &str, address: &str, proxy: &str) -> Value {
        let form = [
            ("MessagingBinding.Address", address),
            ("MessagingBinding.ProxyAddress", proxy),
        ];
        self.post(&format!("{conversation}/Participants"), &form)
            .await
            .with(201)
    }

    /// Has the handset at `address` send a text to one of our addresses.
    pub async fn send_from_phone(&self, address: &str, proxy: &str, words: &str) {
        let address = address.replace('+', "%2B");
        let path = format!("/v1/simulator/handsets/{address}/messages");
        let sent = self
            .request(Method::POST, &path)
            .json(&json!({ "to": proxy, "text": words }))
            .send()
            .await
            .expect("an answer");
        assert_eq!(sent.status(), 201);
    }
}
