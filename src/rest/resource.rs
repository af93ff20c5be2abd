//! Answers whose type names the status, and what resources are printed with.

use std::borrow::Cow;

use axum::Json;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Serialize, Serializer};

use crate::domain::Timestamp;
use crate::domain::time;

/// 201 with the new resource.
#[derive(Debug)]
pub struct Created<T>(pub T);

impl<T: Serialize> IntoResponse for Created<T> {
    fn into_response(self) -> Response {
        (StatusCode::CREATED, Json(self.0)).into_response()
    }
}

/// 204 without a body.
#[derive(Debug, Clone, Copy)]
pub struct NoContent;

impl IntoResponse for NoContent {
    fn into_response(self) -> Response {
        StatusCode::NO_CONTENT.into_response()
    }
}

/// A moment as resources print it: UTC, whole seconds.
#[derive(Debug, Clone, Copy)]
pub struct Moment(Timestamp);

impl From<Timestamp> for Moment {
    fn from(moment: Timestamp) -> Self {
        Self(moment)
    }
}

impl Serialize for Moment {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        time::whole_seconds::serialize(&self.0, to)
    }
}

impl JsonSchema for Moment {
    fn schema_name() -> Cow<'static, str> {
        "moment".into()
    }

    fn inline_schema() -> bool {
        true
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "string", "format": "date-time" })
    }
}

/// A moment as the API of 2010 prints it: RFC 2822.
#[derive(Debug, Clone, Copy)]
pub struct OldMoment(Timestamp);

impl From<Timestamp> for OldMoment {
    fn from(moment: Timestamp) -> Self {
        Self(moment)
    }
}

impl Serialize for OldMoment {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.collect_str(&self.0.format("%a, %d %b %Y %H:%M:%S +0000"))
    }
}

impl JsonSchema for OldMoment {
    fn schema_name() -> Cow<'static, str> {
        "old_moment".into()
    }

    fn inline_schema() -> bool {
        true
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "string" })
    }
}
