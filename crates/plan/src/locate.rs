//! Where words stand in the text, and which known name is nearest.

use datafusion::sql::sqlparser::dialect::GenericDialect;
use datafusion::sql::sqlparser::tokenizer::{Token, TokenWithSpan, Tokenizer};

use crate::error::{Nearest, Place};

/// The tokens of a text, without spaces and comments.
pub(crate) struct Locator {
    tokens: Vec<TokenWithSpan>,
}

impl Locator {
    /// The tokens of `sql`; none if it has no tokens.
    pub(crate) fn new(sql: &str) -> Locator {
        let tokens = Tokenizer::new(&GenericDialect {}, sql).tokenize_with_location().unwrap_or_default();
        let keep = |token: &TokenWithSpan| !matches!(token.token, Token::Whitespace(_));
        Locator { tokens: tokens.into_iter().filter(keep).collect() }
    }

    /// The first place of a word or symbol.
    pub(crate) fn word(&self, word: &str) -> Option<Place> {
        self.tokens.iter().find(|token| is(token, word)).map(place)
    }

    /// The first place of words that follow one another, or of the first of
    /// them if they never do.
    pub(crate) fn phrase(&self, words: &str) -> Option<Place> {
        let words: Vec<&str> = words.split_whitespace().collect();
        let whole = self
            .tokens
            .windows(words.len().max(1))
            .find(|window| window.iter().zip(&words).all(|(token, word)| is(token, word)));
        whole.map(|window| place(&window[0])).or_else(|| self.word(words.first()?))
    }

    /// The first place of a function's name before its parenthesis.
    pub(crate) fn call(&self, name: &str) -> Option<Place> {
        let pairs = self.tokens.windows(2);
        let mut calls = pairs.filter(|pair| pair[1].token == Token::LParen && is(&pair[0], name));
        calls.next().map(|pair| place(&pair[0])).or_else(|| self.word(name))
    }

    /// The first place of a name with dots, quoted or not.
    pub(crate) fn name(&self, name: &str) -> Option<Place> {
        let parts: Vec<&str> = name.split('.').collect();
        self.parts(&parts).map(place)
    }

    /// Whether there is a name with dots that has these parts.
    pub(crate) fn names(&self, parts: &[&str]) -> bool {
        self.parts(parts).is_some()
    }

    fn parts(&self, parts: &[&str]) -> Option<&TokenWithSpan> {
        let width = 2 * parts.len() - 1;
        let fits = |window: &&[TokenWithSpan]| {
            window.iter().enumerate().all(|(index, token)| match index % 2 {
                0 => is(token, parts[index / 2]),
                _ => token.token == Token::Period,
            })
        };
        self.tokens.windows(width).find(fits).map(|window| &window[0])
    }

    /// The first place after a semicolon.
    pub(crate) fn after_semicolon(&self) -> Option<Place> {
        let semicolon = self.tokens.iter().position(|token| token.token == Token::SemiColon)?;
        self.tokens[semicolon..].iter().find(|token| token.token != Token::SemiColon).map(place)
    }
}

fn is(token: &TokenWithSpan, text: &str) -> bool {
    match &token.token {
        Token::Word(word) => word.value.to_lowercase() == text.to_lowercase(),
        other => other.to_string() == text,
    }
}

fn place(token: &TokenWithSpan) -> Place {
    Place { line: token.span.start.line, column: token.span.start.column }
}

/// The candidate nearest to `name`, unless all are far.
pub fn nearest<'a>(name: &str, candidates: impl IntoIterator<Item = &'a str>) -> Nearest {
    let name = name.to_lowercase();
    let allowed = (name.chars().count() / 3).max(1);
    let scored =
        candidates.into_iter().map(|candidate| (distance(&name, &candidate.to_lowercase()), candidate));
    let best = scored.min_by(|a, b| a.cmp(b));
    Nearest(best.filter(|(score, _)| *score <= allowed).map(|(_, candidate)| candidate.to_owned()))
}

/// How many characters to insert, delete, replace or swap with a neighbour.
fn distance(a: &str, b: &str) -> usize {
    let (a, b): (Vec<char>, Vec<char>) = (a.chars().collect(), b.chars().collect());
    let mut rows = vec![vec![0usize; b.len() + 1]; a.len() + 1];
    for i in 0..=a.len() {
        for j in 0..=b.len() {
            rows[i][j] = match (i, j) {
                (0, _) => j,
                (_, 0) => i,
                _ => {
                    let replace = rows[i - 1][j - 1] + usize::from(a[i - 1] != b[j - 1]);
                    let step = replace.min(rows[i - 1][j] + 1).min(rows[i][j - 1] + 1);
                    let swapped = i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1];
                    if swapped { step.min(rows[i - 2][j - 2] + 1) } else { step }
                }
            };
        }
    }
    rows[a.len()][b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_words_calls_and_names() {
        let locator = Locator::new("SELECT a, upper(b)\n  FROM bank.\"acc\" FULL JOIN x; SELECT 2");
        let at = |line, column| Some(Place { line, column });
        assert_eq!(locator.word("from"), at(2, 3));
        assert_eq!(locator.phrase("FULL JOIN"), at(2, 19));
        assert_eq!(locator.call("upper"), at(1, 11));
        assert_eq!(locator.name("bank.acc"), at(2, 8));
        assert!(locator.names(&["BANK", "acc"]) && !locator.names(&["bank", "x"]));
        assert_eq!(locator.after_semicolon(), at(2, 32));
        assert_eq!(locator.word("missing"), None);
    }

    #[test]
    fn near_names_are_found_and_far_ones_are_not() {
        let names = ["balance", "customer_id", "segment"];
        assert_eq!(nearest("balanec", names).0.as_deref(), Some("balance"));
        assert_eq!(nearest("custmer_id", names).0.as_deref(), Some("customer_id"));
        assert_eq!(nearest("Segment", names).0.as_deref(), Some("segment"));
        assert_eq!(nearest("zzz", names).0, None);
    }
}
