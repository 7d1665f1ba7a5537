//! What people write by habit, and what they see: on the command line ([`words`]), on a terminal ([`terminal`]), in the
//! completions of their shells ([`completions`]), and as users who are not root ([`ordinary`]).

mod completions;
mod ordinary;
mod terminal;
mod words;
