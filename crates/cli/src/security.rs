//! The `--security` option.

use clap::builder::{PossibleValuesParser, TypedValueParser};
use plan::secure::Security;

/// Reads a security as people name it.
pub fn security() -> impl TypedValueParser<Value = Security> {
    PossibleValuesParser::new(Security::ALL.map(Security::name)).try_map(|name| name.parse::<Security>())
}
