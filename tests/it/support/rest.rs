//! Requests to the REST API and what they answer.

use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use super::TestServer;
use super::server::{ACCOUNT_SID, AUTH_TOKEN};

/// Who asks: an account or an API key, with its secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Credentials {
    /// The SID.
    pub user: String,
    /// The secret.
    pub password: String,
}

impl Credentials {
    /// Those of the account that every test server has.
    pub fn owner() -> Self {
        Self {
            user: ACCOUNT_SID.to_owned(),
            password: AUTH_TOKEN.to_owned(),
        }
    }
}

/// What a request carries.
#[derive(Debug, Clone)]
pub enum Carries {
    /// Nothing.
    Nothing,
    /// Parameters: in the query of a GET, else as a form.
    Fields(Vec<(String, String)>),
    /// A JSON text.
    Json(String),
    /// The bytes of a file.
    Bytes(&'static [u8]),
}

/// An answer of the REST API.
#[derive(Debug)]
pub struct Answer {
    /// The HTTP status.
    pub status: StatusCode,
    /// The body; null when it is empty.
    pub body: Value,
}

impl Answer {
    /// Reads an answer to its end; whatever is not empty must be JSON.
    async fn read(answer: reqwest::Response) -> Self {
        let status = answer.status();
        let bytes = answer.bytes().await.expect("a body");
        let body = if bytes.is_empty() {
            Value::Null
        } else {
            serde_json::from_slice(&bytes)
                .unwrap_or_else(|_| panic!("JSON, not {}", String::from_utf8_lossy(&bytes)))
        };
        Self { status, body }
    }

    /// The code of a refusal in the shape that all official libraries survive.
    #[track_caller]
    pub fn code(&self) -> i64 {
        let Self { status, body } = self;
        assert!(status.is_client_error(), "{status} {body}");
        assert_eq!(
            body["status"].as_u64(),
            Some(status.as_u16().into()),
            "{body}"
        );
        let code = body["code"]
            .as_i64()
            .unwrap_or_else(|| panic!("a code in {body}"));
        let more = text(body, "more_info");
        assert!(more.ends_with(&format!("/{code}")), "{body}");
        assert!(!text(body, "message").is_empty(), "{body}");
        assert!(body.get("details").is_none_or(Value::is_object), "{body}");
        assert!(
            body.get("type").is_none() || body.get("title").is_none(),
            "{body}"
        );
        code
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

    /// Any request with any credentials, or none.
    pub async fn ask(
        &self,
        who: Option<&Credentials>,
        method: &Method,
        path: &str,
        what: &Carries,
    ) -> Answer {
        let mut url = self.url(path);
        if let (Carries::Fields(fields), &Method::GET) = (what, method) {
            let mut query = form_urlencoded::Serializer::new(String::new());
            url = format!("{url}?{}", query.extend_pairs(fields).finish());
        }
        let mut request = self.http.request(method.clone(), url);
        if let Some(who) = who {
            request = request.basic_auth(&who.user, Some(&who.password));
        }
        request = match what {
            Carries::Fields(fields) if *method == Method::POST => request.form(fields),
            Carries::Nothing | Carries::Fields(_) => request,
            Carries::Json(text) => request
                .header("content-type", "application/json")
                .body(text.clone()),
            Carries::Bytes(bytes) => request.header("content-type", "text/plain").body(*bytes),
        };
        Answer::read(request.send().await.expect("an answer")).await
    }

    /// The SID of the default service.
    pub async fn default_service(&self) -> String {
        let services = self.get("/v1/Services").await.with(200);
        text(&services["services"][0], "sid")
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
