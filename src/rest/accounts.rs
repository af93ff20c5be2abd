//! The API of 2010: accounts and what hangs on them.
