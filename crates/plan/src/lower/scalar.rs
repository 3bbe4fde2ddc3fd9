//! DataFusion's scalar expressions to typed ones.

use datafusion::arrow::datatypes::{DataType, TimeUnit};
use datafusion::common::{DFSchema, ScalarValue};
use datafusion::logical_expr::expr::{Between, Case, InList, ScalarFunction};
use datafusion::logical_expr::{BinaryExpr, Expr as LogicalExpr, Operator};

use super::typed::{self, ArithOp};
use super::{calendar, float, textual};
use crate::checked::{self, ArithKind, CheckedArith};
use crate::error::PlanError;
use crate::locate::Locator;
use crate::secure::{Arith, Comparison, Expr, ExprKind, Field};
use crate::types::{Range, Type, Value};

/// Translates expressions over one relation.
pub(super) struct Scalars<'a> {
    pub(super) schema: &'a DFSchema,
    pub(super) fields: &'a [Field],
    pub(super) locator: &'a Locator,
    /// The most bytes of a character: on shares those of several fail where they are told apart.
    pub(super) character_bytes: u32,
}

impl Scalars<'_> {
    /// The typed expression.
    ///
    /// # Errors
    /// `Unsupported` for what shares cannot compute; it stands where the text
    /// says so, or else at the first column that it concerns.
    pub(super) fn lower(&self, expr: &LogicalExpr) -> Result<Expr, PlanError> {
        self.lower_here(expr).map_err(|error| {
            let mut columns: Vec<_> = expr.column_refs().into_iter().collect();
            columns.sort();
            let place = |column: &&datafusion::common::Column| {
                let full = self.locator.name(&column.flat_name());
                full.or_else(|| self.locator.name(&column.name))
            };
            error.placed(columns.iter().find_map(place))
        })
    }

    fn lower_here(&self, expr: &LogicalExpr) -> Result<Expr, PlanError> {
        match expr {
            LogicalExpr::Alias(alias) => self.lower(&alias.expr),
            LogicalExpr::Column(column) => {
                let index = self
                    .schema
                    .index_of_column(column)
                    .map_err(|error| PlanError::Planner { reason: error.strip_backtrace() })?;
                Ok(typed::column(index, &self.fields[index]))
            }
            LogicalExpr::Literal(value, _) => lower_literal(value),
            LogicalExpr::BinaryExpr(binary) => self.lower_binary(expr, binary),
            LogicalExpr::Not(operand) => Ok(typed::not(self.lower(operand)?)),
            LogicalExpr::IsNull(operand) | LogicalExpr::IsUnknown(operand) => {
                Ok(typed::is_null(self.lower(operand)?))
            }
            LogicalExpr::IsNotNull(operand) | LogicalExpr::IsNotUnknown(operand) => {
                Ok(typed::not(typed::is_null(self.lower(operand)?)))
            }
            LogicalExpr::IsTrue(operand) => Ok(typed::is_true(self.lower(operand)?)),
            LogicalExpr::IsNotTrue(operand) => Ok(typed::not(typed::is_true(self.lower(operand)?))),
            LogicalExpr::IsFalse(operand) => Ok(typed::is_true(typed::not(self.lower(operand)?))),
            LogicalExpr::IsNotFalse(operand) => {
                Ok(typed::not(typed::is_true(typed::not(self.lower(operand)?))))
            }
            LogicalExpr::Negative(operand) => self.lower_neg(operand),
            LogicalExpr::Between(between) => self.lower_between(between),
            LogicalExpr::Case(case) => self.lower_case(case),
            LogicalExpr::InList(list) => self.lower_in_list(list),
            LogicalExpr::Cast(cast) => {
                let operand = self.lower(&cast.expr)?;
                let Some(ty) = Type::from_arrow(cast.field.data_type()) else {
                    return Err(
                        self.refuse(format!("a cast to {} on shares", cast.field.data_type()), "CAST")
                    );
                };
                let cast = cut_to_unit(typed::cast(operand, ty), cast.field.data_type());
                cast.map_err(|error| error.placed(self.locator.word("CAST")))
            }
            LogicalExpr::ScalarFunction(function) => self.lower_call(expr, function),
            LogicalExpr::Like(like) => self.lower_like(like),
            LogicalExpr::SimilarTo(_) => Err(self.refuse("SIMILAR TO on shares", "SIMILAR TO")),
            LogicalExpr::TryCast(cast) => {
                let arrow = cast.field.data_type();
                let Some(ty) = Type::from_arrow(arrow) else {
                    return Err(self.refuse(format!("TRY_CAST to {arrow} on shares"), "TRY_CAST"));
                };
                let place = || self.locator.word("TRY_CAST");
                let cast = cut_to_unit(typed::try_cast(self.lower(&cast.expr)?, ty), arrow);
                cast.map_err(|error| error.placed(place()))
            }
            LogicalExpr::ScalarSubquery(_) => Err(self.refuse("a subquery as a value", "( SELECT")),
            LogicalExpr::InSubquery(_) => Err(self.refuse("IN (SELECT …) in this place", "IN ( SELECT")),
            LogicalExpr::Exists(_) => Err(self.refuse("EXISTS in this place", "EXISTS")),
            LogicalExpr::SetComparison(_) => Err(self.refuse("ANY and ALL", "ANY")),
            LogicalExpr::WindowFunction(window) => {
                let name = window.fun.name().to_owned();
                Err(self.refuse(format!("the window function {name}() OVER"), "OVER"))
            }
            other => Err(PlanError::unsupported(
                format!("{} ({})", other.variant_name(), other.human_display()),
                "",
            )),
        }
    }

    fn refuse(&self, construct: impl Into<String>, phrase: &str) -> PlanError {
        let place = self.locator.phrase(phrase);
        PlanError::unsupported(construct, OWNER_ONLY).placed(place)
    }

    pub(super) fn type_of(&self, expr: &LogicalExpr) -> Result<Type, PlanError> {
        let ty = checked::type_of(expr, self.schema);
        let ty = ty.map_err(|error| PlanError::Planner { reason: error.strip_backtrace() })?;
        Type::from_arrow(&ty)
            .ok_or_else(|| PlanError::unsupported(format!("a value of type {ty}"), "cast it to another"))
    }

    fn lower_binary(&self, whole: &LogicalExpr, binary: &BinaryExpr) -> Result<Expr, PlanError> {
        let BinaryExpr { left, op, right } = binary;
        let comparison = match op {
            Operator::Eq => Some(Comparison::Eq),
            Operator::NotEq => Some(Comparison::Ne),
            Operator::Lt => Some(Comparison::Lt),
            Operator::LtEq => Some(Comparison::Le),
            Operator::Gt => Some(Comparison::Gt),
            Operator::GtEq => Some(Comparison::Ge),
            _ => None,
        };
        let placed = |error: PlanError| error.placed(self.locator.word(&op.to_string()));
        if let Some(comparison) = comparison {
            return typed::compare(comparison, self.lower(left)?, self.lower(right)?).map_err(placed);
        }
        match op {
            // Long chains lean left: walk down them in a loop, not on the stack.
            Operator::And | Operator::Or => {
                let (mut operands, mut rest) = (vec![self.lower(right)?], left.as_ref());
                while let LogicalExpr::BinaryExpr(BinaryExpr { left, op: inner, right }) = rest {
                    if inner != op {
                        break;
                    }
                    operands.push(self.lower(right)?);
                    rest = left;
                }
                operands.push(self.lower(rest)?);
                operands.reverse();
                Ok(if *op == Operator::And { typed::and(operands) } else { typed::or(operands) })
            }
            Operator::IsNotDistinctFrom => typed::same(self.lower(left)?, self.lower(right)?).map_err(placed),
            Operator::IsDistinctFrom => {
                Ok(typed::not(typed::same(self.lower(left)?, self.lower(right)?).map_err(placed)?))
            }
            Operator::Plus => self.lower_arith(ArithOp::Add, whole, left, right),
            Operator::Minus => self.lower_arith(ArithOp::Sub, whole, left, right),
            Operator::Multiply => self.lower_arith(ArithOp::Mul, whole, left, right),
            Operator::Divide => self.lower_arith(ArithOp::Div, whole, left, right),
            Operator::Modulo => self.lower_arith(ArithOp::Rem, whole, left, right),
            Operator::StringConcat => Ok(textual::concat(vec![self.text(left)?, self.text(right)?], false)),
            Operator::BitwiseAnd
            | Operator::BitwiseOr
            | Operator::BitwiseXor
            | Operator::BitwiseShiftLeft
            | Operator::BitwiseShiftRight => self.lower_bits(*op, whole, left, right),
            other => Err(self.refuse(format!("the operator {other} on shares"), &other.to_string())),
        }
    }

    fn lower_arith(
        &self,
        op: ArithOp,
        whole: &LogicalExpr,
        left: &LogicalExpr,
        right: &LogicalExpr,
    ) -> Result<Expr, PlanError> {
        let symbol = match op {
            ArithOp::Add => "+",
            ArithOp::Sub => "-",
            ArithOp::Mul => "*",
            ArithOp::Div => "/",
            ArithOp::Rem => "%",
        };
        let kind = |expr: &LogicalExpr| {
            let ty = checked::type_of(expr, self.schema);
            ty.map_err(|error| PlanError::Planner { reason: error.strip_backtrace() })
        };
        let (left_kind, right_kind) = (kind(left)?, kind(right)?);
        let placed = |error: PlanError| error.placed(self.locator.word(symbol));
        if let Some(sum) = self.date_arith(op, whole, left, right)? {
            return Ok(sum);
        }
        match (Type::from_arrow(&left_kind), Type::from_arrow(&right_kind)) {
            (Some(a), Some(b)) if a.is_exact_number() && b.is_exact_number() => {
                typed::arith(op, self.lower(left)?, self.lower(right)?, self.type_of(whole)?)
            }
            (Some(Type::Float64), Some(Type::Float64)) => {
                let op = match op {
                    ArithOp::Add => Arith::Add,
                    ArithOp::Sub => Arith::Sub,
                    ArithOp::Mul => Arith::Mul,
                    ArithOp::Div => Arith::Ratio { up: 0, down: 0 },
                    ArithOp::Rem => Arith::Rem,
                };
                float::arith(op, self.lower(left)?, self.lower(right)?).map_err(placed)
            }
            _ => {
                let construct = format!("`{symbol}` on {left_kind} and {right_kind} values on shares");
                Err(self.refuse(construct, symbol))
            }
        }
    }

    /// Dates and timestamps: with intervals, with days, and their difference.
    fn date_arith(
        &self,
        op: ArithOp,
        whole: &LogicalExpr,
        left: &LogicalExpr,
        right: &LogicalExpr,
    ) -> Result<Option<Expr>, PlanError> {
        let sign = match op {
            ArithOp::Add => 1,
            ArithOp::Sub => -1,
            _ => return Ok(None),
        };
        let is_time = |expr: &LogicalExpr| match self.type_of(expr) {
            Ok(ty @ (Type::Date | Type::Timestamp)) => Some(ty),
            _ => None,
        };
        let interval = |expr: &LogicalExpr| match expr {
            LogicalExpr::Literal(value, _) => calendar::interval(value),
            _ => None,
        };
        Ok(match (is_time(left), is_time(right)) {
            (Some(_), None) if interval(right).is_some() => {
                let more = interval(right).unwrap_or_default();
                Some(calendar::plus(self.lower(left)?, more, sign)?)
            }
            (None, Some(_)) if sign > 0 && interval(left).is_some() => {
                let more = interval(left).unwrap_or_default();
                Some(calendar::plus(self.lower(right)?, more, sign)?)
            }
            (Some(Type::Date), Some(Type::Date)) if self.type_of(whole)?.is_integer() => {
                let [left, right] = [self.lower(left)?, self.lower(right)?].map(|day| {
                    let range = day.range.or(Type::Date.range()).unwrap_or(Range::point(0));
                    float::assumed(day, Type::Int64, range)
                });
                Some(typed::arith(op, left, right, self.type_of(whole)?)?)
            }
            _ => None,
        })
    }

    /// Bits of a number of few values and of a constant: a table.
    fn lower_bits(
        &self,
        op: Operator,
        whole: &LogicalExpr,
        left: &LogicalExpr,
        right: &LogicalExpr,
    ) -> Result<Expr, PlanError> {
        let (left, right, ty) = (self.lower(left)?, self.lower(right)?, self.type_of(whole)?);
        let value = |expr: &Expr| match expr.kind {
            ExprKind::Literal(Value::Int(value)) => Some(value),
            _ => None,
        };
        // Shifts go round by the width of the type, and what they shift out is lost.
        let range = ty.range().unwrap_or(Range::point(0));
        let n_values = range.n_values().cast_signed();
        let bits = i128::from(range.n_values().checked_ilog2().unwrap_or(0).max(1));
        let fitted = |x: i128| (x - range.low).rem_euclid(n_values) + range.low;
        let function = |x: i128, y: i128| match op {
            Operator::BitwiseAnd => x & y,
            Operator::BitwiseOr => x | y,
            Operator::BitwiseXor => x ^ y,
            Operator::BitwiseShiftLeft => fitted(x << y.rem_euclid(bits)),
            _ => x >> y.rem_euclid(bits),
        };
        let table = match (value(&left), value(&right)) {
            (None, Some(y)) => calendar::table(left, ty, |x| function(x, y)),
            (Some(x), None) => calendar::table(right, ty, |y| function(x, y)),
            _ => None,
        };
        table.ok_or_else(|| {
            let reason = "one side has to be a constant, and the other of few values";
            PlanError::unsupported(format!("the operator {op} on shares"), reason)
        })
    }

    fn lower_neg(&self, operand: &LogicalExpr) -> Result<Expr, PlanError> {
        let operand = self.lower(operand)?;
        if operand.ty == Type::Float64 && !float::is_stored(&operand) {
            return float::arith(Arith::Sub, typed::literal(Value::Float(0.0), Type::Float64), operand);
        }
        if !operand.ty.is_exact_number() {
            return Err(self.refuse(format!("minus on {} values on shares", operand.ty), "-"));
        }
        Ok(typed::neg(operand))
    }

    fn lower_between(&self, between: &Between) -> Result<Expr, PlanError> {
        let operand = self.lower(&between.expr)?;
        let (low, high) = (self.lower(&between.low)?, self.lower(&between.high)?);
        let placed = |error: PlanError| error.placed(self.locator.word("BETWEEN"));
        let within = typed::shared([operand], |[operand]| {
            Ok(typed::and(vec![
                typed::compare(Comparison::Ge, operand.clone(), low).map_err(placed)?,
                typed::compare(Comparison::Le, operand, high).map_err(placed)?,
            ]))
        })?;
        Ok(if between.negated { typed::not(within) } else { within })
    }

    fn lower_case(&self, case: &Case) -> Result<Expr, PlanError> {
        let placed = |error: PlanError| error.placed(self.locator.word("CASE"));
        let operand = case.expr.as_deref().map(|operand| self.lower(operand)).transpose()?;
        let mut branches = Vec::new();
        for (when, then) in &case.when_then_expr {
            branches.push((self.lower(when)?, self.lower(then)?));
        }
        let otherwise = match &case.else_expr {
            Some(otherwise) => self.lower(otherwise)?,
            None => typed::literal(Value::Null, branches.first().map_or(Type::Bool, |(_, value)| value.ty)),
        };
        let Some(operand) = operand else { return typed::case(branches, otherwise).map_err(placed) };
        let case = typed::shared([operand], |[operand]| {
            for (when, _) in &mut branches {
                *when = typed::compare(Comparison::Eq, operand.clone(), when.clone())?;
            }
            typed::case(branches, otherwise)
        });
        case.map_err(placed)
    }

    fn lower_in_list(&self, list: &InList) -> Result<Expr, PlanError> {
        let placed = |error: PlanError| error.placed(self.locator.word("IN"));
        let operand = self.lower(&list.expr)?;
        let (mut constants, mut alternatives, mut others) = (Vec::new(), Vec::new(), Vec::new());
        for item in &list.list {
            let item = self.lower(item)?;
            match item.kind {
                ExprKind::Literal(Value::Null) => alternatives.push(typed::literal(Value::Null, Type::Bool)),
                ExprKind::Literal(value) if item.ty == operand.ty => {
                    if !constants.contains(&value) {
                        constants.push(value);
                    }
                }
                _ => others.push(item),
            }
        }
        let any = typed::shared([operand], |[operand]| {
            for item in others {
                let equal = typed::compare(Comparison::Eq, operand.clone(), item);
                alternatives.push(equal.map_err(placed)?);
            }
            if !constants.is_empty() {
                alternatives.insert(0, typed::in_list(operand, constants).map_err(placed)?);
            }
            Ok(match alternatives.is_empty() {
                true => typed::literal(Value::Bool(false), Type::Bool),
                false => typed::or(alternatives),
            })
        })?;
        Ok(if list.negated { typed::not(any) } else { any })
    }

    /// A checked operator, or the function that it is.
    fn lower_call(&self, whole: &LogicalExpr, function: &ScalarFunction) -> Result<Expr, PlanError> {
        let Some(checked) = function.func.inner().downcast_ref::<CheckedArith>() else {
            return self.lower_function(whole, function);
        };
        let op = match checked.kind() {
            ArithKind::Add => ArithOp::Add,
            ArithKind::Sub => ArithOp::Sub,
            ArithKind::Mul => ArithOp::Mul,
            ArithKind::Div => ArithOp::Div,
            ArithKind::Neg => return self.lower_neg(&function.args[0]),
        };
        self.lower_arith(op, whole, &function.args[0], &function.args[1])
    }
}

/// A time in the unit that it is cast to: ours has microseconds.
fn cut_to_unit(cast: Result<Expr, PlanError>, to: &DataType) -> Result<Expr, PlanError> {
    match to {
        DataType::Timestamp(TimeUnit::Second, _) => calendar::in_units(cast?, 1_000_000),
        DataType::Timestamp(TimeUnit::Millisecond, _) => calendar::in_units(cast?, 1000),
        _ => cast,
    }
}

pub(super) const OWNER_ONLY: &str = "its owner can compute it, in an expression over one party's columns";

/// A constant in unscaled form.
pub(super) fn lower_literal(value: &ScalarValue) -> Result<Expr, PlanError> {
    let arrow = value.data_type();
    if arrow.is_null() {
        return Ok(typed::literal(Value::Null, Type::Bool));
    }
    let Some(ty) = Type::from_arrow(&arrow) else {
        return Err(PlanError::unsupported(format!("a constant of type {arrow}"), "cast it to another type"));
    };
    if value.is_null() {
        return Ok(typed::literal(Value::Null, ty));
    }
    let value = match value {
        ScalarValue::Boolean(Some(v)) => Value::Bool(*v),
        ScalarValue::Int8(Some(v)) => Value::Int((*v).into()),
        ScalarValue::Int16(Some(v)) => Value::Int((*v).into()),
        ScalarValue::Int32(Some(v)) | ScalarValue::Date32(Some(v)) => Value::Int((*v).into()),
        ScalarValue::Int64(Some(v)) | ScalarValue::TimestampMicrosecond(Some(v), _) => {
            Value::Int((*v).into())
        }
        ScalarValue::TimestampSecond(Some(v), _) => Value::Int(i128::from(*v) * 1_000_000),
        ScalarValue::TimestampMillisecond(Some(v), _) => Value::Int(i128::from(*v) * 1000),
        ScalarValue::TimestampNanosecond(Some(v), _) if v % 1000 == 0 => Value::Int((v / 1000).into()),
        ScalarValue::UInt8(Some(v)) => Value::Int((*v).into()),
        ScalarValue::UInt16(Some(v)) => Value::Int((*v).into()),
        ScalarValue::UInt32(Some(v)) => Value::Int((*v).into()),
        ScalarValue::UInt64(Some(v)) => Value::Int((*v).into()),
        ScalarValue::Decimal32(Some(v), _, _) => Value::Int((*v).into()),
        ScalarValue::Decimal64(Some(v), _, _) => Value::Int((*v).into()),
        ScalarValue::Decimal128(Some(v), _, _) => Value::Int(*v),
        ScalarValue::Float64(Some(v)) => Value::Float(*v),
        ScalarValue::Utf8(Some(v)) | ScalarValue::LargeUtf8(Some(v)) | ScalarValue::Utf8View(Some(v)) => {
            if v.contains('\0') {
                let reason = "text on shares cannot have one";
                return Err(PlanError::unsupported("a constant with a NUL character", reason));
            }
            Value::Utf8(v.clone())
        }
        other => return Err(PlanError::unsupported(format!("the constant {other}"), "")),
    };
    Ok(typed::literal(value, ty))
}
