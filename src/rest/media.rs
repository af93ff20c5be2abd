//! The media service.
