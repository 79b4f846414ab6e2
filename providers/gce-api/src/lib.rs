//! Wire types of the Compute Engine load-balancing API.
