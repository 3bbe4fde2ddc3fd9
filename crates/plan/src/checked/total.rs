//! SUM and AVG that add in 256 bits and check the result against its type.

use std::collections::BTreeSet;
use std::mem::{size_of, size_of_val};
use std::sync::Arc;

use datafusion::arrow::array::{
    Array, ArrayRef, ArrowNativeTypeOp, ArrowPrimitiveType, AsArray, PrimitiveArray, UInt64Array,
};
use datafusion::arrow::compute;
use datafusion::arrow::datatypes::{
    DataType, Decimal128Type, Decimal256Type, Field, FieldRef, Int64Type, UInt64Type, i256,
};
use datafusion::common::{Result, ScalarValue, exec_err, plan_err};
use datafusion::functions_aggregate::average::avg_udaf;
use datafusion::functions_aggregate::sum::sum_udaf;
use datafusion::logical_expr::function::{AccumulatorArgs, StateFieldsArgs};
use datafusion::logical_expr::utils::format_state_name;
use datafusion::logical_expr::{Accumulator, AggregateUDFImpl, Signature, Volatility};

use crate::types::Type;

/// Which aggregate.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum TotalKind {
    /// The sum.
    Sum,
    /// The mean.
    Avg,
}

/// SUM or AVG, exact or an error; on doubles it is DataFusion's own.
#[derive(Debug, PartialEq, Eq, Hash)]
pub struct CheckedTotal {
    kind: TotalKind,
    signature: Signature,
    aliases: Vec<String>,
}

impl CheckedTotal {
    /// The aggregate that stands in for DataFusion's of the same name.
    pub fn new(kind: TotalKind) -> CheckedTotal {
        // Whatever DataFusion also calls so.
        let aliases = match kind {
            TotalKind::Sum => Vec::new(),
            TotalKind::Avg => vec!["mean".to_owned()],
        };
        CheckedTotal { kind, signature: Signature::user_defined(Volatility::Immutable), aliases }
    }

    /// Which aggregate.
    pub fn kind(&self) -> TotalKind {
        self.kind
    }
}

impl AggregateUDFImpl for CheckedTotal {
    fn name(&self) -> &str {
        match self.kind {
            TotalKind::Sum => "sum",
            TotalKind::Avg => "avg",
        }
    }

    fn aliases(&self) -> &[String] {
        &self.aliases
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn coerce_types(&self, types: &[DataType]) -> Result<Vec<DataType>> {
        let [ty] = types else {
            return plan_err!("{} takes one argument", self.name());
        };
        Ok(vec![match ty {
            DataType::Int8 | DataType::Int16 | DataType::Int32 | DataType::Int64 => DataType::Int64,
            DataType::UInt8 | DataType::UInt16 | DataType::UInt32 | DataType::UInt64 => DataType::UInt64,
            DataType::Decimal32(p, s) | DataType::Decimal64(p, s) | DataType::Decimal128(p, s) => {
                DataType::Decimal128(*p, *s)
            }
            DataType::Float16 | DataType::Float32 | DataType::Float64 => DataType::Float64,
            DataType::Null if self.kind == TotalKind::Sum => DataType::Int64,
            DataType::Null => DataType::Float64,
            other => {
                let name = Type::from_arrow(other).map_or(other.to_string(), |ty| ty.to_string());
                return plan_err!("{} of {name} values is not defined", self.name());
            }
        }])
    }

    fn return_type(&self, types: &[DataType]) -> Result<DataType> {
        Ok(match (self.kind, &types[0]) {
            (TotalKind::Sum, DataType::Decimal128(p, s)) => DataType::Decimal128((p + 10).min(38), *s),
            (TotalKind::Avg, DataType::Decimal128(p, s)) => {
                DataType::Decimal128((p + 4).min(38), (s + 4).min(38))
            }
            (TotalKind::Sum, other) => other.clone(),
            (TotalKind::Avg, _) => DataType::Float64,
        })
    }

    fn state_fields(&self, args: StateFieldsArgs) -> Result<Vec<FieldRef>> {
        if args.input_fields[0].data_type() == &DataType::Float64 {
            return match self.kind {
                TotalKind::Sum => sum_udaf().state_fields(args),
                TotalKind::Avg => avg_udaf().state_fields(args),
            };
        }
        if args.is_distinct {
            let item = Arc::new(Field::new_list_field(VALUE, true));
            let name = format_state_name(args.name, "values");
            return Ok(vec![Arc::new(Field::new(name, DataType::List(item), true))]);
        }
        let sum = Field::new(format_state_name(args.name, "total"), STATE, true);
        let count = Field::new(format_state_name(args.name, "count"), DataType::UInt64, true);
        Ok(vec![Arc::new(sum), Arc::new(count)])
    }

    fn accumulator(&self, args: AccumulatorArgs) -> Result<Box<dyn Accumulator>> {
        let input = args.expr_fields[0].data_type().clone();
        if input == DataType::Float64 {
            return match self.kind {
                TotalKind::Sum => sum_udaf().accumulator(args),
                TotalKind::Avg => avg_udaf().accumulator(args),
            };
        }
        let output = args.return_type().clone();
        let total = Total { kind: self.kind, input, output, sum: i256::ZERO, count: 0 };
        Ok(match args.is_distinct {
            true => Box::new(DistinctTotal { total, values: BTreeSet::new() }),
            false => Box::new(total),
        })
    }
}

const STATE: DataType = DataType::Decimal256(76, 0);
const VALUE: DataType = DataType::Decimal128(38, 0);

/// A running total; 2^64 values of 128 bits fit in it.
#[derive(Debug)]
struct Total {
    kind: TotalKind,
    input: DataType,
    output: DataType,
    sum: i256,
    count: u64,
}

impl Total {
    fn batch_sum(&self, values: &ArrayRef) -> Result<i256> {
        Ok(match &self.input {
            DataType::Int64 => sum_of(values.as_primitive::<Int64Type>(), i128::from),
            DataType::UInt64 => sum_of(values.as_primitive::<UInt64Type>(), i128::from),
            DataType::Decimal128(_, _) => sum_of(values.as_primitive::<Decimal128Type>(), |v| v),
            other => return exec_err!("a total of {other} is not defined"),
        })
    }

    fn decimal(&self, value: i256, precision: u8, scale: i8) -> Result<ScalarValue> {
        let most = Type::Decimal { precision, scale: 0 }.range().expect("decimals have a range").high;
        match value.to_i128() {
            Some(value) if value.unsigned_abs() <= most.unsigned_abs() => {
                Ok(ScalarValue::Decimal128(Some(value), precision, scale))
            }
            _ => self.overflow(),
        }
    }

    fn overflow(&self) -> Result<ScalarValue> {
        let name = if self.kind == TotalKind::Sum { "sum" } else { "avg" };
        exec_err!("overflow: {name} does not fit in {}", self.output)
    }
}

/// Adds in 128 bits for as long as they hold the sum.
fn sum_of<T: ArrowPrimitiveType>(values: &PrimitiveArray<T>, widen: impl Fn(T::Native) -> i128) -> i256 {
    let (mut wide, mut narrow) = (i256::ZERO, 0i128);
    for value in values.iter().flatten() {
        let value = widen(value);
        narrow = narrow.checked_add(value).unwrap_or_else(|| {
            wide = wide.wrapping_add(i256::from_i128(narrow));
            value
        });
    }
    wide.wrapping_add(i256::from_i128(narrow))
}

impl Accumulator for Total {
    fn update_batch(&mut self, values: &[ArrayRef]) -> Result<()> {
        let sum = self.batch_sum(&values[0])?;
        self.sum = self.sum.wrapping_add(sum);
        self.count += (values[0].len() - values[0].null_count()) as u64;
        Ok(())
    }

    fn retract_batch(&mut self, values: &[ArrayRef]) -> Result<()> {
        let sum = self.batch_sum(&values[0])?;
        self.sum = self.sum.wrapping_sub(sum);
        self.count -= (values[0].len() - values[0].null_count()) as u64;
        Ok(())
    }

    fn supports_retract_batch(&self) -> bool {
        true
    }

    fn state(&mut self) -> Result<Vec<ScalarValue>> {
        Ok(vec![ScalarValue::Decimal256(Some(self.sum), 76, 0), ScalarValue::UInt64(Some(self.count))])
    }

    fn merge_batch(&mut self, states: &[ArrayRef]) -> Result<()> {
        for sum in states[0].as_primitive::<Decimal256Type>().iter().flatten() {
            self.sum = self.sum.wrapping_add(sum);
        }
        let counts: &UInt64Array = states[1].as_primitive();
        self.count += compute::sum(counts).unwrap_or(0);
        Ok(())
    }

    fn evaluate(&mut self) -> Result<ScalarValue> {
        if self.count == 0 {
            return ScalarValue::try_from(&self.output);
        }
        match (self.kind, &self.output) {
            (TotalKind::Sum, DataType::Int64) => match self.sum.to_i128().map(i64::try_from) {
                Some(Ok(sum)) => Ok(ScalarValue::Int64(Some(sum))),
                _ => self.overflow(),
            },
            (TotalKind::Sum, DataType::UInt64) => match self.sum.to_i128().map(u64::try_from) {
                Some(Ok(sum)) => Ok(ScalarValue::UInt64(Some(sum))),
                _ => self.overflow(),
            },
            (TotalKind::Sum, DataType::Decimal128(p, s)) => self.decimal(self.sum, *p, *s),
            (TotalKind::Avg, DataType::Decimal128(p, s)) => {
                let DataType::Decimal128(_, input_scale) = self.input else {
                    return exec_err!("avg of {} is not defined", self.input);
                };
                let unit = i256::from_i128(10).pow_wrapping((s - input_scale) as u32);
                let count = i256::from_i128(self.count.into());
                match self.sum.checked_mul(unit).and_then(|sum| sum.checked_div(count)) {
                    Some(mean) => self.decimal(mean, *p, *s),
                    None => self.overflow(),
                }
            }
            (TotalKind::Avg, DataType::Float64) => {
                let Some(sum) = self.sum.to_i128() else { return self.overflow() };
                Ok(ScalarValue::Float64(Some(sum as f64 / self.count as f64)))
            }
            _ => exec_err!("a total as {} is not defined", self.output),
        }
    }

    fn size(&self) -> usize {
        size_of_val(self)
    }
}

/// A total of different values, which are kept until the end.
#[derive(Debug)]
struct DistinctTotal {
    total: Total,
    values: BTreeSet<i128>,
}

impl Accumulator for DistinctTotal {
    fn update_batch(&mut self, values: &[ArrayRef]) -> Result<()> {
        match &self.total.input {
            DataType::Int64 => {
                let values = values[0].as_primitive::<Int64Type>();
                self.values.extend(values.iter().flatten().map(i128::from));
            }
            DataType::UInt64 => {
                let values = values[0].as_primitive::<UInt64Type>();
                self.values.extend(values.iter().flatten().map(i128::from));
            }
            DataType::Decimal128(_, _) => {
                self.values.extend(values[0].as_primitive::<Decimal128Type>().iter().flatten());
            }
            other => return exec_err!("a total of {other} is not defined"),
        }
        Ok(())
    }

    fn state(&mut self) -> Result<Vec<ScalarValue>> {
        let values = self.values.iter().map(|value| ScalarValue::Decimal128(Some(*value), 38, 0));
        let values: Vec<ScalarValue> = values.collect();
        Ok(vec![ScalarValue::List(ScalarValue::new_list_nullable(&values, &VALUE))])
    }

    fn merge_batch(&mut self, states: &[ArrayRef]) -> Result<()> {
        for list in states[0].as_list::<i32>().iter().flatten() {
            self.values.extend(list.as_primitive::<Decimal128Type>().iter().flatten());
        }
        Ok(())
    }

    fn evaluate(&mut self) -> Result<ScalarValue> {
        let sum = self.values.iter().map(|value| i256::from_i128(*value));
        self.total.sum = sum.fold(i256::ZERO, |sum, value| sum.wrapping_add(value));
        self.total.count = self.values.len() as u64;
        self.total.evaluate()
    }

    fn size(&self) -> usize {
        size_of_val(self) + self.values.len() * size_of::<i128>()
    }
}
