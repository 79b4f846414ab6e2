// Values made by `json!` read best where they are passed.
#![allow(clippy::needless_pass_by_value)]

mod addresses;
mod backends;
mod certificates;
mod frontends;
mod groups;
mod properties;
mod world;
