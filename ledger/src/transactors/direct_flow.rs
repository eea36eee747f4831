//! The payment engine for one strand of direct steps: money of one currency that ripples along trust lines.
//!
//! Xahau's rules (paths/impl/DirectStep.cpp, PaySteps.cpp, StrandFlow.h, StepChecks.h) without order books, paths and
//! quality limits. First the steps are asked backwards what they need, then forwards from the one that gives least.

use std::cmp::Ordering;
use std::collections::BTreeSet;

use codec::{AccountId, Currency, IssuedAmount, Ter, flags, keylet};

use super::{Apply, flags_of};
use crate::issued::{self, Overflow, Rounding};
use crate::limits::{FLOW_PASSES_MAX, TRANSFER_RATE_ONE};
use crate::lines::{self, Side, balance_of, issued_in};
use crate::sandbox::Sandbox;

/// What is asked of the engine.
pub(super) struct Order {
    pub(super) sender: AccountId,
    pub(super) receiver: AccountId,
    pub(super) amount: IssuedAmount,
    /// At most this much leaves the sender.
    pub(super) send_max: IssuedAmount,
    pub(super) completeness: Completeness,
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

type Flow<T> = Result<T, Failure>;

/// Delivers, and says how much.
pub(super) fn deliver(apply: &mut Apply<'_>, order: &Order) -> Result<IssuedAmount, Ter> {
    run(apply, order).map_err(|failure| match failure {
        Failure::Code(code) if code.class() == codec::TerClass::Ter => Ter::TEC_PATH_DRY,
        // What throws within the engine is caught there.
        Failure::Code(code) if code == Ter::TEF_EXCEPTION => Ter::TEC_INTERNAL,
        Failure::Code(code) => code,
        Failure::Overflow => Ter::TEC_INTERNAL,
    })
}

fn run(apply: &mut Apply<'_>, order: &Order) -> Flow<IssuedAmount> {
    let mut strand = Strand::new(apply, order)?;
    let zero = strand.zero;
    let (mut ins, mut outs) = (Vec::new(), Vec::new());
    let (mut in_left, mut out_left) = (order.send_max, order.amount);
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
        in_left = issued::subtract(&order.send_max, &sum(&mut ins, zero)?)?;
        out_left = issued::subtract(&order.amount, &sum(&mut outs, zero)?)?;
    }
    let given = sum(&mut outs, zero)?;
    let missing = match issued::compare(&given, &order.amount) {
        Ordering::Equal => None,
        Ordering::Greater => Some(Ter::TEF_EXCEPTION),
        Ordering::Less if order.completeness == Completeness::Whole => Some(Ter::TEC_PATH_PARTIAL),
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

/// What one step was asked for and gave.
#[derive(Clone, Copy)]
struct Cache {
    input: IssuedAmount,
    moved: IssuedAmount,
    output: IssuedAmount,
    direction: Direction,
}

/// Whether the giver of a step gives back what he holds of the taker's, or promises of his own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Direction {
    Redeems,
    Issues,
}

struct Step {
    giver: AccountId,
    taker: AccountId,
    cache: Option<Cache>,
}

struct Strand {
    steps: Vec<Step>,
    currency: Currency,
    zero: IssuedAmount,
}

impl Strand {
    /// The default path: over the issuer of the limit and the issuer of the amount, where they are not parties.
    fn new(apply: &Apply<'_>, order: &Order) -> Flow<Strand> {
        let (sender, receiver) = (order.sender, order.receiver);
        let (first, last) = (order.send_max.issuer(), order.amount.issuer());
        let nobody = [sender, receiver, first, last].contains(&AccountId::ONE);
        if nobody || [sender, receiver].contains(&AccountId::ZERO) {
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
        let currency = order.amount.currency();
        let mut strand = Strand {
            steps: Vec::new(),
            currency,
            zero: issued::zero(currency, last)?,
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
                cache: None,
            });
        }
        Ok(strand)
    }

    /// Sends as much as one pass can; `None` where nothing goes any more. Writes only where it says how much.
    fn pass(
        &mut self,
        apply: &mut Apply<'_>,
        in_max: &IssuedAmount,
        out: &IssuedAmount,
    ) -> Flow<Option<(IssuedAmount, IssuedAmount)>> {
        let before = apply.sandbox.clone();
        let done = self.pass_over(apply, &before, in_max, out);
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
    ) -> Flow<Option<(IssuedAmount, IssuedAmount)>> {
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
        let first = self.steps.first().and_then(|step| step.cache);
        let last = self.steps.last().and_then(|step| step.cache);
        Ok(first
            .zip(last)
            .map(|(first, last)| (first.input, last.output))
            .filter(|(_, output)| output.mantissa() != 0))
    }

    fn step(&self, at: usize) -> Result<&Step, Ter> {
        self.steps.get(at).ok_or(Ter::TEF_INTERNAL)
    }

    fn set_cache(&mut self, at: usize, cache: Cache) {
        if let Some(step) = self.steps.get_mut(at) {
            step.cache = Some(cache);
        }
    }

    /// What the giver of a step can give at most, and how.
    fn max_of(&self, apply: &Apply<'_>, step: &Step) -> Flow<(IssuedAmount, Direction)> {
        let key = keylet::line(step.giver, step.taker, self.currency);
        let line = apply.sandbox.entry(&key).ok_or(Ter::TER_NO_LINE)?;
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
    ) -> Flow<(u32, u32)> {
        let step = self.step(at)?;
        match direction {
            Direction::Redeems => {
                let Some(before) = at.checked_sub(1) else {
                    return Ok((TRANSFER_RATE_ONE, TRANSFER_RATE_ONE));
                };
                let before = self.step(before)?;
                let taken = self.quality(apply, before, Quality::In);
                Ok((
                    self.quality(apply, step, Quality::Out).max(taken),
                    TRANSFER_RATE_ONE,
                ))
            }
            Direction::Issues => {
                let rate = match previous {
                    Some(Direction::Redeems) => lines::transfer_rate(apply, step.giver),
                    Some(Direction::Issues) | None => TRANSFER_RATE_ONE,
                };
                let quality = self.quality(apply, step, Quality::In);
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
    fn quality(&self, apply: &Apply<'_>, step: &Step, which: Quality) -> u32 {
        let side = Side::of(step.giver, step.taker);
        let field = match which {
            Quality::In => side.other().quality_in(),
            Quality::Out => side.quality_out(),
        };
        apply
            .sandbox
            .entry(&keylet::line(step.giver, step.taker, self.currency))
            .and_then(|line| line.u32(field))
            .filter(|quality| *quality != 0)
            .unwrap_or(TRANSFER_RATE_ONE)
    }

    /// Asks a step for an output: what it takes in, and what it gives.
    fn backward(
        &mut self,
        apply: &mut Apply<'_>,
        at: usize,
        out: &IssuedAmount,
    ) -> Flow<(IssuedAmount, IssuedAmount)> {
        let (most, direction) = self.max_of(apply, self.step(at)?)?;
        let previous = match at.checked_sub(1) {
            Some(before) => Some(self.max_of(apply, self.step(before)?)?.1),
            None => None,
        };
        let (rate_in, rate_out) = self.qualities(apply, at, direction, previous)?;
        if most.mantissa() <= 0 {
            self.set_cache(at, self.dry(direction));
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
        let cache = Cache {
            input,
            moved,
            output,
            direction,
        };
        self.set_cache(at, cache);
        self.credit(apply, at, &moved)?;
        Ok((input, output))
    }

    /// Gives a step an input: what it takes of that, and what it gives.
    fn forward(
        &mut self,
        apply: &mut Apply<'_>,
        at: usize,
        input: &IssuedAmount,
    ) -> Flow<(IssuedAmount, IssuedAmount)> {
        let (most, direction) = self.max_of(apply, self.step(at)?)?;
        let previous = match at.checked_sub(1) {
            Some(before) => self.step(before)?.cache.map(|cache| cache.direction),
            None => None,
        };
        let (rate_in, rate_out) = self.qualities(apply, at, direction, previous)?;
        if most.mantissa() <= 0 {
            self.set_cache(at, self.dry(direction));
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
        let now = Cache {
            input,
            moved,
            output,
            direction,
        };
        let asked = self.step(at)?.cache.unwrap_or(now);
        let cache = limited(&asked, now)?;
        self.set_cache(at, cache);
        self.credit(apply, at, &cache.moved)?;
        Ok((cache.input, cache.output))
    }

    fn credit(&self, apply: &mut Apply<'_>, at: usize, amount: &IssuedAmount) -> Result<(), Ter> {
        let step = self.step(at)?;
        lines::credit(apply, step.giver, step.taker, amount)
    }

    fn dry(&self, direction: Direction) -> Cache {
        Cache {
            input: self.zero,
            moved: self.zero,
            output: self.zero,
            direction,
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Quality {
    In,
    Out,
}

/// Going forward, a step never gives more than it was asked for going backward: rounding must not make money.
fn limited(asked: &Cache, now: Cache) -> Result<Cache, Overflow> {
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
    Ok(Cache {
        input: now.input,
        moved: least(now.moved, asked.moved),
        output: least(now.output, asked.output),
        direction: now.direction,
    })
}

/// 10^-9, as an amount is written.
const SMALL_DIFFERENCE_MANTISSA: i64 = 1_000_000_000_000_000;
const SMALL_DIFFERENCE_EXPONENT: i32 = -24;

/// Freezes and NoRipple. A strand of one step is pure issuing or redeeming and cannot be frozen.
fn check_step(
    apply: &Apply<'_>,
    previous: Option<AccountId>,
    giver: AccountId,
    taker: AccountId,
    currency: Currency,
    steps: usize,
) -> Result<(), Ter> {
    if !apply.sandbox.contains(&keylet::account(giver)) {
        return Err(Ter::TER_NO_ACCOUNT);
    }
    let line = apply.sandbox.entry(&keylet::line(giver, taker, currency));
    let frozen_by_taker = Side::of(taker, giver).freeze_flag();
    if steps > 1 {
        let global = apply
            .account(taker)
            .is_some_and(|account| flags_of(&account) & flags::LSF_GLOBAL_FREEZE != 0);
        let frozen = line
            .as_ref()
            .is_some_and(|line| flags_of(line) & frozen_by_taker != 0);
        if global || frozen {
            return Err(Ter::TER_NO_LINE);
        }
    }
    let Some(previous) = previous else { return Ok(()) };
    let line_in = apply.sandbox.entry(&keylet::line(previous, giver, currency));
    let (Some(line_in), Some(line_out)) = (line_in, line) else {
        return Err(Ter::TER_NO_LINE);
    };
    let no_ripple_in = flags_of(&line_in) & Side::of(giver, previous).no_ripple_flag() != 0;
    let no_ripple_out = flags_of(&line_out) & Side::of(giver, taker).no_ripple_flag() != 0;
    if no_ripple_in && no_ripple_out {
        return Err(Ter::TER_NO_RIPPLE);
    }
    Ok(())
}

/// The line must be there, authorised where the giver asks for that, and have room.
fn check_line(
    apply: &Apply<'_>,
    giver: AccountId,
    taker: AccountId,
    currency: Currency,
) -> Result<(), Failure> {
    let line = apply
        .sandbox
        .entry(&keylet::line(giver, taker, currency))
        .ok_or(Ter::TER_NO_LINE)?;
    let side = Side::of(giver, taker);
    let held = balance_of(&line, side)?;
    let asks_auth = apply
        .account(giver)
        .is_some_and(|account| flags_of(&account) & flags::LSF_REQUIRE_AUTH != 0);
    if asks_auth && flags_of(&line) & side.auth_flag() == 0 && held.mantissa() == 0 {
        return Err(Ter::TER_NO_AUTH.into());
    }
    if held.mantissa() <= 0 {
        let limit = issued_in(&line, side.other().limit())?;
        if lines::is_at_least(&issued::negated(&held)?, &limit) {
            return Err(Ter::TEC_PATH_DRY.into());
        }
    }
    Ok(())
}
