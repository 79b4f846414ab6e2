//! Ids that cannot be guessed from one another.

use jiff::Timestamp;

/// A numeric id: nineteen digits, as real ones have.
pub(crate) fn id() -> u64 {
    rand::random_range(1_000_000_000_000_000_000..9_000_000_000_000_000_000)
}

/// The name of an operation; names sort by time.
pub(crate) fn operation_name(now: Timestamp) -> String {
    let first: u64 = rand::random_range(0..1 << 52);
    let second: u32 = rand::random();
    let third: u32 = rand::random();
    format!("operation-{}-{first:013x}-{second:08x}-{third:08x}", now.as_millisecond())
}
