//! Idempotency keys: a creation that is repeated happens once.
