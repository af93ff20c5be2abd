//! `…/Users/{user}/Conversations`.
