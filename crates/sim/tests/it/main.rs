//! The simulator holds what it checks, notices what is planted, and is one and the same for a seed.

mod fold;
mod plants;
mod seeds;
mod shrink;
mod story;
