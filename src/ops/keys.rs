//! API keys, managed over the API.
