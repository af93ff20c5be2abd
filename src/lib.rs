//! Convoke: a self-hosted multichannel conversations server, compatible with the Twilio Conversations API v1.
//!
//! # The map
//!
//! Every file has a two-word address: *floor / noun*. `store/messages.rs` is SQL about messages, `rest/messages.rs` is
//! their HTTP face. Imports point down only; a test checks it.
//!
//! ```text
//! app · main · cli · config       know everyone
//! rest · gateway · channels       doors: translate in, translate out
//! ops                             decide
//! bus · worker                    tell others, work off
//! store · blobs                   remember
//! domain                          mean
//! ```
//!
//! # Three flows
//!
//! The same seven steps every time: translate, get hold of, ask before, lock, change, record, answer. The first and the
//! last belong to a door; those in the middle are the same code for all doors.
//!
//! **A program posts a message over REST.** `rest::messages` turns the form into a `Draft`; `ops::messages::post` hands
//! it to its conversation's lane; the lane commits whatever waits in one statement, which locks the conversations,
//! takes indexes and positions, and writes messages and events (`store::messages::insert`); the answer is printed.
//! After the commit the events go to the bus, and from there to the sockets of everybody who listens. Where somebody is
//! reached on a channel, the message is written in a transaction of its own, with a receipt and a job per copy; the
//! worker sends them.
//!
//! **An SDK client sends a message over its socket.** `gateway::connection` reads the frame, `gateway::commands` routes
//! the request inside it to the same `ops::messages::post`, after `ops::access` has seen that the user may.
//!
//! **A text arrives from a phone.** The backend's request is stored as a job and acknowledged; the job finds the open
//! conversation that holds the pair of addresses (`ops::inbound`) and writes the message there in one transaction with
//! the provider's id of it, so that a repeat changes nothing.
//!
//! # Catching up
//!
//! Every change of a conversation takes its next position under the row's lock. A client that was away, a node that
//! missed a publication and a queue that overflowed all ask the same question: what changed *since position N*
//! (`ops::events`).

pub mod app;
pub mod blobs;
pub mod bus;
pub mod channels;
pub mod cli;
pub mod config;
pub mod domain;
pub mod embedded;
pub mod gateway;
pub mod ops;
pub mod rest;
pub mod store;
pub mod worker;
