//! A thin, typed client of the Compute Engine load-balancing API.
