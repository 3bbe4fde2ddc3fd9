//! `+ - * /` and minus as functions that check their results.

use std::sync::Arc;

use datafusion::arrow::array::{Array, ArrayRef, AsArray, Datum, Scalar};
use datafusion::arrow::compute::kernels::numeric;
use datafusion::arrow::datatypes::{DataType, Decimal128Type};
use datafusion::arrow::error::ArrowError;
use datafusion::common::{ExprSchema, Result, ScalarValue, exec_err};
use datafusion::logical_expr::binary::BinaryTypeCoercer;
use datafusion::logical_expr::{
    ColumnarValue, Expr, ExprSchemable, Operator, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature,
    Volatility,
};

/// Which operator.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ArithKind {
    /// `left + right`
    Add,
    /// `left - right`
    Sub,
    /// `left * right`
    Mul,
    /// `left / right`
    Div,
    /// `-value`
    Neg,
}

impl ArithKind {
    /// The kind that checks this operator.
    pub fn of(operator: Operator) -> Option<ArithKind> {
        Some(match operator {
            Operator::Plus => ArithKind::Add,
            Operator::Minus => ArithKind::Sub,
            Operator::Multiply => ArithKind::Mul,
            Operator::Divide => ArithKind::Div,
            _ => return None,
        })
    }

    /// The operator that it checks; `None` for minus.
    pub fn operator(self) -> Option<Operator> {
        Some(match self {
            ArithKind::Add => Operator::Plus,
            ArithKind::Sub => Operator::Minus,
            ArithKind::Mul => Operator::Multiply,
            ArithKind::Div => Operator::Divide,
            ArithKind::Neg => return None,
        })
    }
}

/// A checked operator as a scalar function.
#[derive(Debug, PartialEq, Eq, Hash)]
pub struct CheckedArith {
    kind: ArithKind,
    signature: Signature,
}

impl CheckedArith {
    /// The function for one operator.
    pub fn new(kind: ArithKind) -> CheckedArith {
        let n_args = if kind == ArithKind::Neg { 1 } else { 2 };
        CheckedArith { kind, signature: Signature::any(n_args, Volatility::Immutable) }
    }

    /// The expression `kind(args)`.
    pub fn call(kind: ArithKind, args: Vec<Expr>) -> Expr {
        ScalarUDF::from(CheckedArith::new(kind)).call(args)
    }

    /// Which operator.
    pub fn kind(&self) -> ArithKind {
        self.kind
    }
}

/// The type of an expression. DataFusion writes the name of each function in it on the way, which takes
/// a long chain of operators a time that grows by the square; this does not name checked ones.
pub(crate) fn type_of(expr: &Expr, schema: &dyn ExprSchema) -> Result<DataType> {
    if let Expr::ScalarFunction(function) = expr
        && let Some(checked) = function.func.inner().downcast_ref::<CheckedArith>()
    {
        let types = function.args.iter().map(|arg| type_of(arg, schema)).collect::<Result<Vec<_>>>()?;
        return checked.return_type(&types);
    }
    expr.get_type(schema)
}

impl ScalarUDFImpl for CheckedArith {
    fn name(&self) -> &str {
        match self.kind {
            ArithKind::Add => "checked_add",
            ArithKind::Sub => "checked_sub",
            ArithKind::Mul => "checked_mul",
            ArithKind::Div => "checked_div",
            ArithKind::Neg => "checked_neg",
        }
    }

    // Columns keep the names that the plain operators give them.
    fn schema_name(&self, args: &[Expr]) -> Result<String> {
        Ok(match (self.kind.operator(), args) {
            (Some(operator), [left, right]) => {
                // Long chains lean left: each name is written once, not again for every operator.
                let mut parts = vec![format!("{operator} {}", right.schema_name())];
                let mut rest = left;
                while let Expr::ScalarFunction(function) = rest
                    && let Some(inner) = function.func.inner().downcast_ref::<CheckedArith>()
                    && let (Some(operator), [left, right]) = (inner.kind.operator(), function.args.as_slice())
                {
                    parts.push(format!("{operator} {}", right.schema_name()));
                    rest = left;
                }
                parts.push(rest.schema_name().to_string());
                parts.reverse();
                parts.join(" ")
            }
            (None, [value]) => format!("(- {})", value.schema_name()),
            _ => return exec_err!("{} takes another number of operands", self.name()),
        })
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, types: &[DataType]) -> Result<DataType> {
        match (self.kind.operator(), types) {
            (Some(operator), [left, right]) => {
                BinaryTypeCoercer::new(left, &operator, right).get_result_type()
            }
            (None, [value]) => Ok(value.clone()),
            _ => exec_err!("{} takes another number of operands", self.name()),
        }
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let all_scalar = args.args.iter().all(|arg| matches!(arg, ColumnarValue::Scalar(_)));
        let result = match args.args.as_slice() {
            [value] => numeric::neg(as_datum(value)?.get().0)?,
            [left, right] => {
                let (left, right) = (as_datum(left)?, as_datum(right)?);
                match self.kind {
                    ArithKind::Add => numeric::add(left.as_ref(), right.as_ref()),
                    ArithKind::Sub => numeric::sub(left.as_ref(), right.as_ref()),
                    ArithKind::Mul => numeric::mul(left.as_ref(), right.as_ref()),
                    ArithKind::Div | ArithKind::Neg => numeric::div(left.as_ref(), right.as_ref()),
                }?
            }
            _ => return exec_err!("{} takes another number of operands", self.name()),
        };
        fits_its_precision(&result)?;
        if all_scalar && result.len() == 1 {
            return Ok(ColumnarValue::Scalar(ScalarValue::try_from_array(&result, 0)?));
        }
        Ok(ColumnarValue::Array(result))
    }
}

fn as_datum(value: &ColumnarValue) -> Result<Box<dyn Datum>> {
    Ok(match value {
        ColumnarValue::Array(array) => Box::new(Arc::clone(array)),
        ColumnarValue::Scalar(scalar) => Box::new(Scalar::new(scalar.to_array()?)),
    })
}

/// Only 38 digits can be outgrown: narrower results have room by their type.
fn fits_its_precision(array: &ArrayRef) -> Result<(), ArrowError> {
    match array.data_type() {
        DataType::Decimal128(precision, _) => {
            array.as_primitive::<Decimal128Type>().validate_decimal_precision(*precision)
        }
        _ => Ok(()),
    }
}
