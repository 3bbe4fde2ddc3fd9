//! The text of a question: one SELECT, perhaps behind EXPLAIN.

use datafusion::sql::sqlparser::ast::{Expr, Statement, UnaryOperator, Value};
use datafusion::sql::sqlparser::dialect::GenericDialect;
use datafusion::sql::sqlparser::parser::{Parser, ParserError};
use datafusion::sql::sqlparser::tokenizer::{Token, Tokenizer, Whitespace};

use crate::allow::{fetch_as_limit, refuse_ignored};
use crate::error::{At, Place, PlanError};
use crate::locate::Locator;
use crate::written::refuse_copies;

/// The most bytes of SQL; a text as long as this still plans within the stack.
pub const MAX_SQL_BYTES: usize = 64 * 1024;
/// How deep parentheses, CASEs and subqueries may nest.
const MAX_DEPTH: usize = 100;

/// How deep calls with a syntax of their own may nest: the parser reads each of them twice if it finds
/// an error in it, and the one inside of it four times. IFNULL is one of DataFusion's, which writes its
/// value twice while it reads.
const MAX_CALLS: usize = 16;
/// Words before a parenthesis that the parser takes for such a call, and then for a function.
const CALLS: [&str; 22] = [
    "ARRAY",
    "CASE",
    "CAST",
    "CEIL",
    "CONVERT",
    "EXISTS",
    "EXTRACT",
    "FLOOR",
    "IFNULL",
    "INTERVAL",
    "MATCH",
    "NOT",
    "OVERLAY",
    "POSITION",
    "PRIOR",
    "SAFE_CAST",
    "STRUCT",
    "SUBSTR",
    "SUBSTRING",
    "TRIM",
    "TRY_CAST",
    "TRY_CONVERT",
];

/// Whether to run a question or to show its plan.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Explain {
    /// Run it.
    No,
    /// Show the plan.
    Plan,
    /// Run it and show the plan with what was measured.
    Analyze,
}

/// One question.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Question {
    /// The SELECT alone; what stood before it is blank, so that places hold.
    pub sql: String,
    /// What to do with it.
    pub explain: Explain,
}

impl Question {
    /// Takes EXPLAIN and EXPLAIN ANALYZE off the text.
    ///
    /// # Errors
    /// `Syntax` if the text is too long or no sequence of SQL words.
    pub fn parse(text: &str) -> Result<Question, PlanError> {
        if text.len() > MAX_SQL_BYTES {
            let reason = format!("the question has {} bytes, more than {MAX_SQL_BYTES}", text.len());
            return Err(PlanError::Syntax { reason, at: At(None) });
        }
        let tokens = Tokenizer::new(&GenericDialect {}, text).tokenize_with_location().map_err(|error| {
            let (line, column) = (error.location.line, error.location.column);
            PlanError::Syntax { reason: error.message, at: At(Some(Place { line, column })) }
        })?;
        let mut words = tokens.iter().filter(|token| !matches!(token.token, Token::Whitespace(_)));
        let is = |token: Option<&&_>, word: &str| {
            token.is_some_and(|token: &&datafusion::sql::sqlparser::tokenizer::TokenWithSpan| {
                matches!(&token.token, Token::Word(w) if w.quote_style.is_none() && w.value.eq_ignore_ascii_case(word))
            })
        };
        let (first, second, third) = (words.next(), words.next(), words.next());
        let (explain, start) = match () {
            _ if is(first.as_ref(), "explain") && is(second.as_ref(), "analyze") => (Explain::Analyze, third),
            _ if is(first.as_ref(), "explain") => (Explain::Plan, second),
            _ => return Ok(Question { sql: text.to_owned(), explain: Explain::No }),
        };
        let start = start.map(|token| Place { line: token.span.start.line, column: token.span.start.column });
        Ok(Question { sql: blank_before(text, start), explain })
    }

    /// Whether the text has the name `party.table`, quoted or not: what it does not name, it
    /// does not read. A column of the table's name behind an alias of the party's counts too.
    pub fn names(&self, party: &str, table: &str) -> bool {
        Locator::new(&self.sql).names(&[party, table])
    }
}

/// The question with values in place of its parameters: `$1` is the first.
///
/// A value is one SQL constant: a number, a quoted text, TRUE, FALSE, NULL, or a typed one such as
/// `DATE '2024-02-29'`. So what is asked, compared among the parties and hashed is one text.
///
/// # Errors
/// `Syntax` if a value is no constant, if a parameter has no value or a value no parameter.
pub fn bind(sql: &str, values: &[String]) -> Result<String, PlanError> {
    let wrong = |reason: String, at: Option<Place>| PlanError::Syntax { reason, at: At(at) };
    for (index, value) in values.iter().enumerate() {
        if !is_constant(value) {
            let reason = format!("the value of ${} is no constant: {value}", index + 1);
            return Err(wrong(reason, None));
        }
    }
    let tokens = Tokenizer::new(&GenericDialect {}, sql).tokenize_with_location().map_err(|error| {
        let (line, column) = (error.location.line, error.location.column);
        wrong(error.message, Some(Place { line, column }))
    })?;
    let mut used = vec![false; values.len()];
    let mut bound = String::with_capacity(sql.len());
    for token in &tokens {
        let Token::Placeholder(name) = &token.token else {
            bound.push_str(&token.token.to_string());
            continue;
        };
        let place = Place { line: token.span.start.line, column: token.span.start.column };
        let index = name.strip_prefix('$').and_then(|number| number.parse::<usize>().ok());
        let Some(index) = index.and_then(|number| number.checked_sub(1)).filter(|at| *at < values.len())
        else {
            return Err(wrong(format!("the parameter {name} has no value"), Some(place)));
        };
        used[index] = true;
        bound.push_str(&values[index]);
    }
    match used.iter().position(|used| !used) {
        Some(index) => {
            Err(wrong(format!("there is a value for ${}, which nothing asks for", index + 1), None))
        }
        None => Ok(bound),
    }
}

/// Whether a text is one constant and nothing else.
fn is_constant(text: &str) -> bool {
    fn constant(expr: &Expr) -> bool {
        match expr {
            Expr::Value(value) => !matches!(value.value, Value::Placeholder(_)),
            Expr::TypedString(_) => true,
            Expr::Interval(interval) => constant(&interval.value),
            Expr::UnaryOp { op: UnaryOperator::Minus, expr } => {
                matches!(expr.as_ref(), Expr::Value(value) if matches!(value.value, Value::Number(..)))
            }
            _ => false,
        }
    }
    // A comment would swallow what follows in the question.
    let tokens = Tokenizer::new(&GenericDialect {}, text).tokenize();
    let harmless = |token: &Token| !matches!(token, Token::Whitespace(space) if *space != Whitespace::Space);
    if !tokens.is_ok_and(|tokens| tokens.iter().all(harmless)) {
        return false;
    }
    let parsed = Parser::new(&GenericDialect {}).try_with_sql(text);
    let Ok(mut parser) = parsed else { return false };
    let is_one = parser.parse_expr().is_ok_and(|expr| constant(&expr));
    is_one && parser.peek_token().token == Token::EOF
}

/// The text with spaces in place of all that stands before `start`.
fn blank_before(text: &str, start: Option<Place>) -> String {
    let (mut line, mut column) = (1, 1);
    let blank = |c: char| {
        let before = start.is_none_or(|start| (line, column) < (start.line, start.column));
        (line, column) = if c == '\n' { (line + 1, 1) } else { (line, column + 1) };
        if before && c != '\n' { ' ' } else { c }
    };
    text.chars().map(blank).collect()
}

/// The one query that a text consists of.
pub(crate) fn parse_query(sql: &str, locator: &Locator) -> Result<Statement, PlanError> {
    if sql.len() > MAX_SQL_BYTES {
        let reason = format!("the question has {} bytes, more than {MAX_SQL_BYTES}", sql.len());
        return Err(PlanError::Syntax { reason, at: At(None) });
    }
    if n_calls(sql) > MAX_CALLS {
        let reason = format!("CAST, NOT (…), FLOOR and such nest deeper than {MAX_CALLS} levels");
        return Err(PlanError::Syntax { reason, at: At(None) });
    }
    let parsed = Parser::new(&GenericDialect {}).with_recursion_limit(MAX_DEPTH).try_with_sql(sql);
    let mut statements = parsed.and_then(|mut parser| parser.parse_statements()).map_err(syntax)?;
    let mut statement = match statements.len() {
        0 => return Err(PlanError::Syntax { reason: "there is no question".to_owned(), at: At(None) }),
        1 => statements.remove(0),
        _ => {
            let place = locator.after_semicolon();
            let reason = "ask one question at a time";
            return Err(PlanError::unsupported("a second statement", reason).placed(place));
        }
    };
    fetch_as_limit(&mut statement);
    match &statement {
        Statement::Query(_) => {
            refuse_ignored(&statement, locator)?;
            refuse_copies(&statement, locator)?;
        }
        other => {
            let text = other.to_string();
            let verb = text.split_whitespace().next().unwrap_or("this statement").to_uppercase();
            let place = locator.word(&verb);
            let reason = "a question is one SELECT; it changes nothing and sets nothing";
            return Err(PlanError::unsupported(verb, reason).placed(place));
        }
    }
    Ok(statement)
}

/// How deep calls with a syntax of their own nest; of a text without sense, the parser tells.
fn n_calls(sql: &str) -> usize {
    let tokens = Tokenizer::new(&GenericDialect {}, sql).tokenize().unwrap_or_default();
    let is_call = |token: Option<&Token>| match token {
        Some(Token::Word(word)) if word.quote_style.is_none() => {
            CALLS.iter().any(|call| word.value.eq_ignore_ascii_case(call))
        }
        _ => false,
    };
    let (mut open, mut depth, mut deepest, mut last) = (Vec::new(), 0, 0, None);
    for token in tokens.iter().filter(|token| !matches!(token, Token::Whitespace(_))) {
        match token {
            Token::LParen => {
                let call = usize::from(is_call(last));
                open.push(call);
                depth += call;
                deepest = deepest.max(depth);
            }
            Token::RParen => depth -= open.pop().unwrap_or(0),
            _ => {}
        }
        last = Some(token);
    }
    deepest
}

/// The parser ends its messages with the place.
fn syntax(error: ParserError) -> PlanError {
    let message = match error {
        ParserError::TokenizerError(message) | ParserError::ParserError(message) => message,
        ParserError::RecursionLimitExceeded => {
            let reason = format!("the question nests deeper than {MAX_DEPTH} levels");
            return PlanError::Syntax { reason, at: At(None) };
        }
    };
    let place = message.rsplit_once(" at Line: ").and_then(|(reason, place)| {
        let (line, column) = place.split_once(", Column: ")?;
        Some((reason.to_owned(), Place { line: line.parse().ok()?, column: column.parse().ok()? }))
    });
    match place {
        Some((reason, place)) => PlanError::Syntax { reason, at: At(Some(place)) },
        None => PlanError::Syntax { reason: message, at: At(None) },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn explain_comes_off_and_places_stay() {
        let question = Question::parse("explain\n analyze SELECT 'é' FROM x").unwrap();
        assert_eq!(question.explain, Explain::Analyze);
        assert_eq!(question.sql, "       \n         SELECT 'é' FROM x");
        let question = Question::parse("EXPLAIN SELECT 1").unwrap();
        assert_eq!((question.explain, question.sql.trim()), (Explain::Plan, "SELECT 1"));
        let question = Question::parse("SELECT 1").unwrap();
        assert_eq!((question.explain, question.sql.as_str()), (Explain::No, "SELECT 1"));
    }
}
