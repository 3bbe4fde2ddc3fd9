//! mpc
