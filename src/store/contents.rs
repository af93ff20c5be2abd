//! Content templates.
