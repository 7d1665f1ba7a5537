//! The attack battery. Compiles to nothing without the `host` feature: the hostile agent is a
//! program of its own (`src/hostile`).
