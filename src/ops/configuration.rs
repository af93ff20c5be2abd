//! The configuration of accounts and services.
