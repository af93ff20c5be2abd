//! What a request may carry: the parameters of each operation, declared once.
//!
//! # Why a declaration
//! A form gives out only what its operation declares, and the published document is printed from the same
//! declarations, so the two cannot tell different stories.

/// A parameter of an operation, apart from those in its path.
#[derive(Debug, Clone, Copy)]
pub struct Param {
    /// Its published name.
    pub name: &'static str,
    /// What it holds.
    pub holds: Holds,
    /// Whether a request without it is refused.
    pub required: bool,
    /// Whether it may come several times, which makes a list.
    pub repeated: bool,
    /// Whether it comes as a header; otherwise in the form, or in the query where there is none.
    pub header: bool,
}

/// What a parameter holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Holds {
    Text,
    /// A text of at most so many characters.
    Short(u32),
    /// The SID of a resource, by its prefix.
    Sid(&'static str),
    Boolean,
    Integer,
    Moment,
    Duration,
    /// A JSON text.
    Json,
    Url,
    /// One of these words, in any case of letters.
    Word(&'static [&'static str]),
}

const fn param(name: &'static str, holds: Holds) -> Param {
    Param {
        name,
        holds,
        required: false,
        repeated: false,
        header: false,
    }
}

/// A text.
pub const fn text(name: &'static str) -> Param {
    param(name, Holds::Text)
}

/// A text of at most `most` characters.
pub const fn short(name: &'static str, most: u32) -> Param {
    param(name, Holds::Short(most))
}

/// The SID of a resource whose prefix is given.
pub const fn sid(name: &'static str, prefix: &'static str) -> Param {
    param(name, Holds::Sid(prefix))
}

/// `true` or `false`.
pub const fn boolean(name: &'static str) -> Param {
    param(name, Holds::Boolean)
}

/// A whole number.
pub const fn integer(name: &'static str) -> Param {
    param(name, Holds::Integer)
}

/// A date and time.
pub const fn moment(name: &'static str) -> Param {
    param(name, Holds::Moment)
}

/// An ISO 8601 duration.
pub const fn duration(name: &'static str) -> Param {
    param(name, Holds::Duration)
}

/// A JSON text.
pub const fn json(name: &'static str) -> Param {
    param(name, Holds::Json)
}

/// An absolute URL.
pub const fn url(name: &'static str) -> Param {
    param(name, Holds::Url)
}

/// One of some words.
pub const fn word(name: &'static str, words: &'static [&'static str]) -> Param {
    param(name, Holds::Word(words))
}

impl Param {
    /// The same, but a request without it is refused.
    pub const fn required(mut self) -> Self {
        self.required = true;
        self
    }

    /// The same, but it may come several times.
    pub const fn repeated(mut self) -> Self {
        self.repeated = true;
        self
    }
}

/// Whether webhooks hear of the change.
pub const WEBHOOKS: Param = Param {
    header: true,
    ..word("X-Twilio-Webhook-Enabled", &["true", "false"])
};

/// A word for this creation: a repeat of it with the same word is answered as the first was.
pub const IDEMPOTENCY_KEY: Param = Param {
    header: true,
    ..short(crate::domain::idempotency::HEADER, 255)
};

/// Declarations and one more; `N` is their number.
pub const fn with<const N: usize>(params: &[Param], one: Param) -> [Param; N] {
    let mut all = [one; N];
    let mut at = 0;
    while at < params.len() {
        all[at] = params[at];
        at += 1;
    }
    all
}

/// The parameters that every list takes.
pub const PAGE: &[Param] = &[integer("PageSize"), integer("Page"), text("PageToken")];

/// Those of an operation without any.
pub const NONE: &[Param] = &[];
