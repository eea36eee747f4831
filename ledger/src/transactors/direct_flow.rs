//! The payment engine for one strand of direct steps: money of one currency that ripples along trust lines.
//!
//! Xahau's rules (paths/impl/DirectStep.cpp, PaySteps.cpp, StrandFlow.h) without order books and paths. First
//! the steps are asked backwards what they need, then forwards from the one that gives least.

use std::cmp::Ordering;
use std::collections::BTreeSet;

use codec::{AccountId, Currency, IssuedAmount, Ter, keylet};

use super::Apply;
use super::strand_checks::{check_line, check_step};
use crate::issued::{self, Overflow, Rounding};
use crate::limits::{FLOW_PASSES_MAX, TRANSFER_RATE_ONE};
use crate::lines::{self, Side, balance_of, issued_in};
use crate::quality::Quality;
use crate::sandbox::Sandbox;

/// Issued money to be moved.
pub(super) struct Transfer {
    pub(super) sender: AccountId,
    pub(super) receiver: AccountId,
    pub(super) amount: IssuedAmount,
    /// At most this much leaves the sender.
    pub(super) send_max: IssuedAmount,
    pub(super) completeness: Completeness,
    /// The worst quality that is taken.
    pub(super) limit: Option<Quality>,
}

/// Whether less than the whole amount will do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Completeness {
    Whole,
    Partial,
}

/// Why nothing was delivered.
enum Failure {
    Code(Ter),
    /// An amount too large to be written.
    Overflow,
}

impl From<Ter> for Failure {
    fn from(code: Ter) -> Failure {
        Failure::Code(code)
    }
}

impl From<Overflow> for Failure {
    fn from(_: Overflow) -> Failure {
        Failure::Overflow
    }
}

type FlowResult<T> = Result<T, Failure>;

/// Delivers, and says how much.
pub(super) fn deliver(apply: &mut Apply<'_>, transfer: &Transfer) -> Result<IssuedAmount, Ter> {
    run(apply, transfer).map_err(|failure| match failure {
        Failure::Code(code) if code.class() == codec::TerClass::Ter => Ter::TEC_PATH_DRY,
        // xahaud's engine catches what it throws.
        Failure::Code(code) if code == Ter::TEF_EXCEPTION => Ter::TEC_INTERNAL,
        Failure::Code(code) => code,
        Failure::Overflow => Ter::TEC_INTERNAL,
    })
}

fn run(apply: &mut Apply<'_>, transfer: &Transfer) -> FlowResult<IssuedAmount> {
    let mut strand = Strand::new(apply, transfer)?;
    let zero = strand.zero;
    let (mut ins, mut outs) = (Vec::new(), Vec::new());
    let (mut in_left, mut out_left) = (transfer.send_max, transfer.amount);
    let before = apply.sandbox.clone();
    let mut passes: u32 = 0;
    while out_left.mantissa() > 0 && in_left.mantissa() > 0 {
        passes = passes.saturating_add(1);
        if passes >= FLOW_PASSES_MAX {
            apply.sandbox = before;
            return Err(Ter::TEL_FAILED_PROCESSING.into());
        }
        let Some((used, given)) = strand.pass(apply, &in_left, &out_left)? else {
            break;
        };
        ins.push(used);
        outs.push(given);
        in_left = issued::subtract(&transfer.send_max, &sum(&mut ins, zero)?)?;
        out_left = issued::subtract(&transfer.amount, &sum(&mut outs, zero)?)?;
    }
    let given = sum(&mut outs, zero)?;
    let missing = match issued::compare(&given, &transfer.amount) {
        Ordering::Equal => None,
        Ordering::Greater => Some(Ter::TEF_EXCEPTION),
        Ordering::Less if transfer.completeness == Completeness::Whole => Some(Ter::TEC_PATH_PARTIAL),
        Ordering::Less if given.mantissa() == 0 => Some(Ter::TEC_PATH_DRY),
        Ordering::Less => None,
    };
    match missing {
        None => Ok(given),
        Some(code) => {
            apply.sandbox = before;
            Err(code.into())
        }
    }
}

/// The sum, the smallest first.
fn sum(parts: &mut [IssuedAmount], zero: IssuedAmount) -> Result<IssuedAmount, Overflow> {
    parts.sort_by(issued::compare);
    parts.iter().try_fold(zero, |sum, part| issued::add(&sum, part))
}

/// What last went through a step (xahaud's cache).
#[derive(Clone, Copy)]
struct StepFlow {
    input: IssuedAmount,
    moved: IssuedAmount,
    output: IssuedAmount,
    direction: Direction,
}

/// Whether the giver of a step gives back what it holds of the taker's issue, or issues its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Direction {
    Redeems,
    Issues,
}

struct Step {
    giver: AccountId,
    taker: AccountId,
    flow: Option<StepFlow>,
}

struct Strand {
    steps: Vec<Step>,
    currency: Currency,
    zero: IssuedAmount,
    limit: Option<Quality>,
}

impl Strand {
    /// The default path (xahaud `toStrand`): over the issuer of the limit and the issuer of the amount, where
    /// they are not parties.
    fn new(apply: &Apply<'_>, transfer: &Transfer) -> FlowResult<Strand> {
        let (sender, receiver) = (transfer.sender, transfer.receiver);
        let (first, last) = (transfer.send_max.issuer(), transfer.amount.issuer());
        let names_no_account = [sender, receiver, first, last].contains(&AccountId::ONE)
            || [sender, receiver].contains(&AccountId::ZERO);
        if names_no_account {
            return Err(Ter::TEM_BAD_PATH.into());
        }
        let mut nodes = vec![sender];
        if first != sender {
            nodes.push(first);
        }
        if nodes.last() != Some(&last) && receiver != last {
            nodes.push(last);
        }
        if nodes.last() != Some(&receiver) {
            nodes.push(receiver);
        }
        let currency = transfer.amount.currency();
        let mut strand = Strand {
            steps: Vec::new(),
            currency,
            zero: issued::zero(currency, last)?,
            limit: transfer.limit,
        };
        let (mut givers, mut takers) = (BTreeSet::new(), BTreeSet::new());
        let steps = nodes.len().saturating_sub(1);
        for (giver, taker) in nodes.iter().copied().zip(nodes.iter().copied().skip(1)) {
            if giver == taker {
                return Err(Ter::TEM_BAD_PATH.into());
            }
            let previous = strand.steps.last().map(|step| step.giver);
            check_step(apply, previous, giver, taker, currency, steps)?;
            if !givers.insert(giver) || !takers.insert(taker) {
                return Err(Ter::TEM_BAD_PATH_LOOP.into());
            }
            check_line(apply, giver, taker, currency)?;
            strand.steps.push(Step {
                giver,
                taker,
                flow: None,
            });
        }
        Ok(strand)
    }

    /// Sends as much as one pass can; `None`, with nothing written, where nothing can be sent, or not at the
    /// limit of quality.
    fn pass(
        &mut self,
        apply: &mut Apply<'_>,
        in_max: &IssuedAmount,
        out: &IssuedAmount,
    ) -> FlowResult<Option<(IssuedAmount, IssuedAmount)>> {
        let before = apply.sandbox.clone();
        let done = self.pass_over(apply, &before, in_max, out).map(|moved| {
            moved.filter(|(input, output)| {
                let quality = Quality::of(input, output);
                self.limit.is_none_or(|limit| !quality.is_worse_than(limit))
            })
        });
        if !matches!(done, Ok(Some(_))) {
            apply.sandbox = before;
        }
        done
    }

    fn pass_over<'a>(
        &mut self,
        apply: &mut Apply<'a>,
        before: &Sandbox<'a>,
        in_max: &IssuedAmount,
        out: &IssuedAmount,
    ) -> FlowResult<Option<(IssuedAmount, IssuedAmount)>> {
        let mut wanted = *out;
        let mut limited: Option<(usize, IssuedAmount)> = None;
        for at in (0..self.steps.len()).rev() {
            let (mut input, mut output) = self.backward(apply, at, &wanted)?;
            if output.mantissa() == 0 {
                return Ok(None);
            }
            if at == 0 && issued::compare(in_max, &input) == Ordering::Less {
                apply.sandbox = before.clone();
                (input, output) = self.forward(apply, at, in_max)?;
                limited = Some((at, output));
                if output.mantissa() == 0 || input != *in_max {
                    return Ok(None);
                }
            } else if output != wanted {
                apply.sandbox = before.clone();
                wanted = output;
                (input, output) = self.backward(apply, at, &wanted)?;
                limited = Some((at, output));
                if output.mantissa() == 0 || output != wanted {
                    return Ok(None);
                }
            }
            wanted = input;
        }
        if let Some((limiting, mut given)) = limited {
            for at in limiting.saturating_add(1)..self.steps.len() {
                let (input, output) = self.forward(apply, at, &given)?;
                if output.mantissa() == 0 || input != given {
                    return Ok(None);
                }
                given = output;
            }
        }
        let first = self.steps.first().and_then(|step| step.flow);
        let last = self.steps.last().and_then(|step| step.flow);
        Ok(first
            .zip(last)
            .map(|(first, last)| (first.input, last.output))
            .filter(|(_, output)| output.mantissa() != 0))
    }

    fn step(&self, at: usize) -> Result<&Step, Ter> {
        self.steps.get(at).ok_or(Ter::TEF_INTERNAL)
    }

    fn set_flow(&mut self, at: usize, flow: StepFlow) {
        if let Some(step) = self.steps.get_mut(at) {
            step.flow = Some(flow);
        }
    }

    /// What the giver of a step can give at most, and how (xahaud `maxPaymentFlow`). A line that a pass
    /// emptied may be gone: it holds nothing and has no limit.
    fn max_of(&self, apply: &Apply<'_>, step: &Step) -> FlowResult<(IssuedAmount, Direction)> {
        let key = keylet::line(step.giver, step.taker, self.currency);
        let Some(line) = apply.sandbox.entry(&key) else {
            return Ok((self.zero, Direction::Issues));
        };
        let side = Side::of(step.giver, step.taker);
        let held = issued::with_issuer(&balance_of(&line, side)?, self.zero.issuer())?;
        if held.mantissa() > 0 {
            return Ok((held, Direction::Redeems));
        }
        let limit = issued_in(&line, side.other().limit())?;
        let limit = issued::with_issuer(&limit, self.zero.issuer())?;
        Ok((issued::add(&limit, &held)?, Direction::Issues))
    }

    /// The rates of a step: what it takes in for one, and what it gives out for one, in billionths.
    fn qualities(
        &self,
        apply: &Apply<'_>,
        at: usize,
        direction: Direction,
        previous: Option<Direction>,
    ) -> FlowResult<(u32, u32)> {
        let step = self.step(at)?;
        match direction {
            Direction::Redeems => {
                let Some(before) = at.checked_sub(1) else {
                    return Ok((TRANSFER_RATE_ONE, TRANSFER_RATE_ONE));
                };
                let before = self.step(before)?;
                let taken = self.quality(apply, before, QualityField::In);
                Ok((
                    self.quality(apply, step, QualityField::Out).max(taken),
                    TRANSFER_RATE_ONE,
                ))
            }
            Direction::Issues => {
                let rate = match previous {
                    Some(Direction::Redeems) => lines::transfer_rate(apply, step.giver),
                    Some(Direction::Issues) | None => TRANSFER_RATE_ONE,
                };
                let quality = self.quality(apply, step, QualityField::In);
                let is_last = at.saturating_add(1) == self.steps.len();
                let given = if is_last {
                    quality.min(TRANSFER_RATE_ONE)
                } else {
                    quality
                };
                Ok((rate, given))
            }
        }
    }

    /// The taker's quality in or the giver's quality out, as their line says.
    fn quality(&self, apply: &Apply<'_>, step: &Step, which: QualityField) -> u32 {
        let side = Side::of(step.giver, step.taker);
        let field = match which {
            QualityField::In => side.other().quality_in(),
            QualityField::Out => side.quality_out(),
        };
        apply
            .sandbox
            .entry(&keylet::line(step.giver, step.taker, self.currency))
            .and_then(|line| line.u32(field))
            .filter(|quality| *quality != 0)
            .unwrap_or(TRANSFER_RATE_ONE)
    }

    /// Asks a step for an output (xahaud `revImp`): what it takes in, and what it gives.
    fn backward(
        &mut self,
        apply: &mut Apply<'_>,
        at: usize,
        out: &IssuedAmount,
    ) -> FlowResult<(IssuedAmount, IssuedAmount)> {
        let (most, direction) = self.max_of(apply, self.step(at)?)?;
        let previous = match at.checked_sub(1) {
            Some(before) => Some(self.max_of(apply, self.step(before)?)?.1),
            None => None,
        };
        let (rate_in, rate_out) = self.qualities(apply, at, direction, previous)?;
        if most.mantissa() <= 0 {
            self.set_flow(at, self.dry(direction));
            return Ok((self.zero, self.zero));
        }
        let wanted = issued::times_ratio(out, TRANSFER_RATE_ONE, rate_out, Rounding::Up)?;
        let (moved, output) = if issued::compare(&wanted, &most) == Ordering::Greater {
            let given = issued::times_ratio(&most, rate_out, TRANSFER_RATE_ONE, Rounding::Down)?;
            (most, given)
        } else {
            (wanted, *out)
        };
        let input = issued::times_ratio(&moved, rate_in, TRANSFER_RATE_ONE, Rounding::Up)?;
        let flow = StepFlow {
            input,
            moved,
            output,
            direction,
        };
        self.set_flow(at, flow);
        self.credit(apply, at, &moved)?;
        Ok((input, output))
    }

    /// Gives a step an input (xahaud `fwdImp`): what it takes of that, and what it gives.
    fn forward(
        &mut self,
        apply: &mut Apply<'_>,
        at: usize,
        input: &IssuedAmount,
    ) -> FlowResult<(IssuedAmount, IssuedAmount)> {
        let (most, direction) = self.max_of(apply, self.step(at)?)?;
        let previous = match at.checked_sub(1) {
            Some(before) => self.step(before)?.flow.map(|flow| flow.direction),
            None => None,
        };
        let (rate_in, rate_out) = self.qualities(apply, at, direction, previous)?;
        if most.mantissa() <= 0 {
            self.set_flow(at, self.dry(direction));
            return Ok((self.zero, self.zero));
        }
        let offered = issued::times_ratio(input, TRANSFER_RATE_ONE, rate_in, Rounding::Down)?;
        let (input, moved) = if issued::compare(&offered, &most) == Ordering::Greater {
            let taken = issued::times_ratio(&most, rate_in, TRANSFER_RATE_ONE, Rounding::Up)?;
            (taken, most)
        } else {
            (*input, offered)
        };
        let output = issued::times_ratio(&moved, rate_out, TRANSFER_RATE_ONE, Rounding::Down)?;
        let now = StepFlow {
            input,
            moved,
            output,
            direction,
        };
        let asked = self.step(at)?.flow.unwrap_or(now);
        let flow = limited(&asked, now)?;
        self.set_flow(at, flow);
        self.credit(apply, at, &flow.moved)?;
        Ok((flow.input, flow.output))
    }

    fn credit(&self, apply: &mut Apply<'_>, at: usize, amount: &IssuedAmount) -> Result<(), Ter> {
        let step = self.step(at)?;
        lines::credit(apply, step.giver, step.taker, amount)
    }

    fn dry(&self, direction: Direction) -> StepFlow {
        StepFlow {
            input: self.zero,
            moved: self.zero,
            output: self.zero,
            direction,
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum QualityField {
    In,
    Out,
}

/// Going forward (xahaud `setCacheLimiting`), a step never gives more than it was asked for going backward:
/// rounding must not make money.
fn limited(asked: &StepFlow, now: StepFlow) -> Result<StepFlow, Overflow> {
    let least = |a: IssuedAmount, b: IssuedAmount| match issued::compare(&a, &b) {
        Ordering::Less => a,
        Ordering::Equal | Ordering::Greater => b,
    };
    if issued::compare(&asked.input, &now.input) == Ordering::Less {
        let more = issued::subtract(&now.input, &asked.input)?;
        let hundredfold = i128::from(now.input.mantissa()).saturating_mul(100);
        let is_large = more.exponent() > SMALL_DIFFERENCE_EXPONENT
            || (more.exponent() == SMALL_DIFFERENCE_EXPONENT && more.mantissa() > SMALL_DIFFERENCE_MANTISSA);
        let is_other = now.input.exponent() != asked.input.exponent()
            || asked.input.mantissa() == 0
            || hundredfold > i128::from(asked.input.mantissa()).saturating_mul(101);
        if is_large && is_other {
            return Ok(now);
        }
    }
    Ok(StepFlow {
        input: now.input,
        moved: least(now.moved, asked.moved),
        output: least(now.output, asked.output),
        direction: now.direction,
    })
}

/// 10^-9, as an amount is written.
const SMALL_DIFFERENCE_MANTISSA: i64 = 1_000_000_000_000_000;
const SMALL_DIFFERENCE_EXPONENT: i32 = -24;
