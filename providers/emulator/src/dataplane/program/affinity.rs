//! Session affinity: which requests of a backend service belong together.

use std::time::Duration;

use http::HeaderName;

/// `sessionAffinity`.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Affinity {
    /// `NONE`: each request goes its own way.
    #[default]
    None,
    /// `CLIENT_IP`: those of one client address.
    ClientAddress,
    /// `HEADER_FIELD`: those with one value of this header. Without the header, as with `None`.
    Header(HeaderName),
    /// Those that show one cookie.
    Cookie(AffinityCookie),
}

/// The cookie of an affinity.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AffinityCookie {
    /// Its name.
    pub name: String,
    /// The path that clients send it to.
    pub path: String,
    /// How long clients keep it. None: as long as their session lasts.
    pub lifetime: Option<Duration>,
    /// What its value says.
    pub says: CookieSays,
}

/// What the value of an affinity's cookie says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CookieSays {
    /// `GENERATED_COOKIE`, `STRONG_COOKIE_AFFINITY`: which endpoint it is. One that is gone, or is not healthy, is
    /// replaced by another, and so is the cookie.
    Endpoint,
    /// `HTTP_COOKIE`: anything. Equal values go to one endpoint; who has none is given one.
    Key,
}
