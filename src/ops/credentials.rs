//! Push credentials.
