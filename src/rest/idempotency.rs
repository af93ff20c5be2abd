//! The `Idempotency-Key` header.
