//! Presence: which nodes users are connected to.
//!
//! A user is online from the first connection to any node until a grace after the last one ended. Nodes say again and
//! again that they live; of one that does not, all connections count as ended. Clocks of nodes may differ by a few
//! seconds, as those of machines do that ask for the time.

use chrono::TimeDelta;

use super::sids::{Kind, Sid};

/// A process that serves sockets, from its start to its end.
#[derive(Debug)]
pub struct Node;

/// The SID of a node; it is never shown.
pub type NodeSid = Sid<Node>;

impl Kind for Node {
    const PREFIX: &'static str = "ND";
}

/// How often a node says that it lives.
pub const SEEN_EVERY: TimeDelta = TimeDelta::seconds(3);
/// For how long a node is believed to live after it last said so (our choice: three times in a row may fail).
pub const BELIEVED_FOR: TimeDelta = TimeDelta::seconds(10);
