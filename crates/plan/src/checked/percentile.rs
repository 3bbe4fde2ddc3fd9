//! PERCENTILE_DISC, which DataFusion lacks: the first value in the order that as many rows as the
//! share says do not exceed.

use std::mem::size_of_val;
use std::sync::Arc;

use datafusion::arrow::array::{Array, ArrayRef, AsArray};
use datafusion::arrow::datatypes::{DataType, Field, FieldRef};
use datafusion::common::{Result, ScalarValue, exec_err, not_impl_err, plan_err};
use datafusion::logical_expr::function::{AccumulatorArgs, StateFieldsArgs};
use datafusion::logical_expr::utils::format_state_name;
use datafusion::logical_expr::{Accumulator, AggregateUDFImpl, Signature, Volatility};
use datafusion::physical_expr::expressions::Literal;

/// `PERCENTILE_DISC(share) WITHIN GROUP (ORDER BY value)`, of values of any type that has an order.
#[derive(Debug, PartialEq, Eq, Hash)]
pub struct PercentileDisc {
    signature: Signature,
}

impl PercentileDisc {
    /// The aggregate.
    pub fn new() -> PercentileDisc {
        PercentileDisc { signature: Signature::user_defined(Volatility::Immutable) }
    }
}

impl Default for PercentileDisc {
    fn default() -> Self {
        Self::new()
    }
}

/// A share between 0 and 1 as a fraction, from the digits that it is written with.
pub(crate) fn fraction(share: &ScalarValue) -> Option<(i128, i128)> {
    let text = match share {
        ScalarValue::Float64(Some(share)) => format!("{share}"),
        ScalarValue::Decimal128(Some(value), _, scale) if (0..=18).contains(scale) => {
            let whole = 10i128.pow(*scale as u32);
            return (0..=whole).contains(value).then_some((*value, whole));
        }
        ScalarValue::Int64(Some(share)) => format!("{share}"),
        _ => return None,
    };
    let (digits, fraction) = text.split_once('.').unwrap_or((&text, ""));
    let whole = if fraction.len() <= 9 { 10i128.pow(fraction.len() as u32) } else { return None };
    let part: i128 = format!("{digits}{fraction}").parse().ok()?;
    (0..=whole).contains(&part).then_some((part, whole))
}

impl AggregateUDFImpl for PercentileDisc {
    fn name(&self) -> &str {
        "percentile_disc"
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn coerce_types(&self, types: &[DataType]) -> Result<Vec<DataType>> {
        match types {
            [value, share] if share.is_numeric() => Ok(vec![value.clone(), DataType::Float64]),
            _ => plan_err!("percentile_disc takes a value and a share between 0 and 1"),
        }
    }

    fn return_type(&self, types: &[DataType]) -> Result<DataType> {
        Ok(types[0].clone())
    }

    fn state_fields(&self, args: StateFieldsArgs) -> Result<Vec<FieldRef>> {
        let item = Field::new_list_field(args.input_fields[0].data_type().clone(), true);
        let name = format_state_name(args.name, "values");
        Ok(vec![Arc::new(Field::new(name, DataType::List(Arc::new(item)), true))])
    }

    fn accumulator(&self, args: AccumulatorArgs) -> Result<Box<dyn Accumulator>> {
        if args.is_distinct {
            return not_impl_err!("percentile_disc(DISTINCT)");
        }
        let share = args.exprs.get(1).and_then(|expr| expr.downcast_ref::<Literal>());
        let Some((part, whole)) = share.and_then(|share| fraction(share.value())) else {
            return exec_err!("the share of percentile_disc is no constant between 0 and 1");
        };
        let descending = args.order_bys.first().is_some_and(|key| key.options.descending);
        let ty = args.expr_fields[0].data_type().clone();
        Ok(Box::new(Values { ty, part, whole, descending, values: Vec::new() }))
    }

    fn supports_within_group_clause(&self) -> bool {
        true
    }
}

/// All values so far.
#[derive(Debug)]
struct Values {
    ty: DataType,
    part: i128,
    whole: i128,
    descending: bool,
    values: Vec<ScalarValue>,
}

impl Values {
    fn take(&mut self, array: &ArrayRef) -> Result<()> {
        for row in (0..array.len()).filter(|row| array.is_valid(*row)) {
            self.values.push(ScalarValue::try_from_array(array, row)?);
        }
        Ok(())
    }
}

impl Accumulator for Values {
    fn update_batch(&mut self, values: &[ArrayRef]) -> Result<()> {
        self.take(&values[0])
    }

    fn merge_batch(&mut self, states: &[ArrayRef]) -> Result<()> {
        let lists = states[0].as_list::<i32>();
        lists.iter().flatten().try_for_each(|list| self.take(&list))
    }

    fn state(&mut self) -> Result<Vec<ScalarValue>> {
        Ok(vec![ScalarValue::List(ScalarValue::new_list_nullable(&self.values, &self.ty))])
    }

    fn evaluate(&mut self) -> Result<ScalarValue> {
        if self.values.is_empty() {
            return ScalarValue::try_from(&self.ty);
        }
        let mut sorted = self.values.clone();
        sorted.sort_by(|a, b| a.partial_cmp(b).unwrap_or(std::cmp::Ordering::Equal));
        if self.descending {
            sorted.reverse();
        }
        let place = (sorted.len() as i128 * self.part + self.whole - 1) / self.whole;
        Ok(sorted.swap_remove(usize::try_from(place.max(1) - 1).unwrap_or(0)))
    }

    fn size(&self) -> usize {
        size_of_val(self) + self.values.iter().map(ScalarValue::size).sum::<usize>()
    }
}
