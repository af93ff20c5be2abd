//! Media: up, down, on a message, and gone.

mod attaching;
mod leaving;
mod serving;
mod tokens;

use reqwest::{Method, RequestBuilder};
use serde_json::Value;

use crate::support::rest::Answer;
use crate::support::{TestServer, text};

/// Media of the default service.
struct Media<'a> {
    server: &'a TestServer,
    /// `/v1/Services/IS…/Media`.
    path: String,
}

impl<'a> Media<'a> {
    async fn of(server: &'a TestServer) -> Self {
        let sid = server.default_service().await;
        Self::of_service(server, &sid)
    }

    fn of_service(server: &'a TestServer, sid: &str) -> Self {
        let path = format!("/v1/Services/{sid}/Media");
        Self { server, path }
    }

    /// Uploads bytes as they are.
    async fn upload(&self, query: &str, kind: &str, bytes: &'static [u8]) -> Value {
        let request = self
            .server
            .request(Method::POST, &format!("{}{query}", self.path))
            .header("content-type", kind)
            .body(bytes);
        answer(request).await.with(201)
    }

    /// Uploads a short text; answers its SID.
    async fn note(&self) -> String {
        text(
            &self.upload("?Filename=a.txt", "text/plain", b"note").await,
            "sid",
        )
    }

    fn one(&self, sid: &str) -> String {
        format!("{}/{sid}", self.path)
    }

    /// How the caller fares who wants the bytes.
    async fn content(&self, sid: &str) -> (u16, Vec<u8>) {
        let path = format!("{}/Content", self.one(sid));
        bytes(self.server.request(Method::GET, &path)).await
    }
}

async fn answer(request: RequestBuilder) -> Answer {
    let answer = request.send().await.expect("an answer");
    let status = answer.status();
    let body = answer.text().await.expect("a body");
    let body = serde_json::from_str(&body).unwrap_or(Value::Null);
    Answer { status, body }
}

async fn bytes(request: RequestBuilder) -> (u16, Vec<u8>) {
    let answer = request.send().await.expect("an answer");
    let status = answer.status().as_u16();
    (status, answer.bytes().await.expect("the bytes").to_vec())
}

/// The names of what is in a folder.
pub(super) fn files(folder: &std::path::Path) -> Vec<String> {
    std::fs::read_dir(folder)
        .expect("the folder")
        .map(|entry| {
            entry
                .expect("an entry")
                .file_name()
                .to_string_lossy()
                .into_owned()
        })
        .collect()
}
