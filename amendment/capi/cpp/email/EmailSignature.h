// A transaction whose signature is a mail: what Transactor does with it.
//
// Port, in the order in which a transaction meets them:
//   STTx            isSignedByMail answers before the branch for an empty SigningPubKey: checkSign is then good (it
//                   knows no ledger and no NetworkID), and the memo rule asks isSignedByMail too.
//   preflight1      preflight, before the branch for emitted transactions.
//   invoke_preclaim Proof::of takes the place of the four common checks (sequence, ledger, fee, signature).
//   Transactor      a member std::shared_ptr<email::Proof const>, with email::Proof declared before the class: its
//                   header cannot include this one. operator() makes it before any hook runs, whatever preclaim said, and ends
//                   with its code where it is none; apply calls writeReplay next to sequence and fee; reset calls it
//                   again, behind its own sequence and fee, since reset throws the first entry away.
//   calculateBaseFee adds extraFee.
#pragma once

#include "EmailBorder.h"
#include "EmailTables.h"

#include <optional>
#include <utility>

namespace ripple {
namespace email {

/// Whether a mail is its signature, and all else about its signature is not asked. Types other than these two refuse
/// the flag by their own masks.
inline bool
isSignedByMail(STTx const& tx)
{
    auto const type = tx.getTxnType();
    return (tx.getFlags() & tfEmailSig) != 0 && (type == ttREMIT || type == ttREGULAR_KEY_SET);
}

/// What a mail and its transaction say, no ledger asked (spec 2 to 6).
inline std::pair<NotTEC, Parsed>
parse(STTx const& tx, std::uint32_t networkID, bool enabled)
{
    auto const bytes = serialized(tx);
    Parsed parsed;
    int const code = xe_preflight(slice(bytes), networkID, enabled ? 1 : 0, Place(parsed));
    return {notTec(code), std::move(parsed)};
}

/// The stateless half, for preflight1.
inline NotTEC
preflight(PreflightContext const& ctx)
{
    if (!isSignedByMail(ctx.tx))
        return tesSUCCESS;
    return parse(ctx.tx, ctx.app.config().NETWORK_ID, ctx.rules.enabled(featureEmail)).first;
}

/// A proven transaction, in one ledger. Only `of` makes one: what can be executed without it cannot be compiled.
class Proof
{
    Ready ready_;
    uint256 replayIndex_;

    Proof(Ready ready, uint256 const& replayIndex) : ready_(std::move(ready)), replayIndex_(replayIndex)
    {
    }

public:
    /// tesSUCCESS and a proof, or the code that ends the transaction. No such code takes a fee (spec 10).
    static std::pair<NotTEC, std::optional<Proof>>
    of(Application& app, ReadView const& view, STTx const& tx)
    {
        LedgerReader const ledger(app, view);
        auto [parsable, parsed] =
            parse(tx, ledger.numbers().network_id, ledger.numbers().email_enabled != 0);
        if (!isTesSuccess(parsable))
            return {parsable, std::nullopt};
        xe_facts facts;
        if (int const bad = xe_parsed_facts(parsed.get(), &facts))
            return {notTec(bad), std::nullopt};
        Ready ready;
        auto const asked = ledger.ask([&](xe_entry const* entries, std::size_t count, xe_list** more) {
            return xe_prove(parsed.get(), &ledger.numbers(), entries, count, more, Place(ready));
        });
        int const code = asked.first;
        if (code != XE_OK)
            return {notTec(code), std::nullopt};
        return {tesSUCCESS, Proof(std::move(ready), uint256::fromVoid(facts.email_replay_index))};
    }

    /// Enters the mail, so that it is never executed again: XE_APPLIED in apply, XE_FEE_ONLY in reset.
    TER
    writeReplay(ApplyView& view, std::uint32_t effect) const
    {
        auto const known = view.read(keylet::unchecked(replayIndex_));
        auto const current = known ? serialized(*known) : Blob{};
        Bytes next;
        int const code = xe_next_replay(ready_.get(), slice(current), effect, Place(next));
        if (code == XE_OK)
            put(view, replayIndex_, blob(next));
        return ter(code);
    }
};

/// What a REMIT pays beyond an ordinary transaction of its bytes: a base fee for each live entry of its account, and
/// for each of `queued` REMITs that wait before it in the queue (spec 9, 16). 0 for everything else.
inline XRPAmount
extraFee(ReadView const& view, STTx const& tx, std::uint32_t queued = 0)
{
    if (!isSignedByMail(tx) || !view.rules().enabled(featureEmail))
        return XRPAmount{0};
    auto const replay = replayOf(view, tx.getAccountID(sfAccount));
    auto const bytes = serialized(tx);
    auto const now = secondsOf(view.info().parentCloseTime);
    auto const base = static_cast<std::uint64_t>(view.fees().base.drops());
    std::uint64_t with = 0, without = 0, ceiling = 0;
    if (xe_required_fee(slice(bytes), slice(replay), now, base, queued, &with, &ceiling) != XE_OK ||
        xe_required_fee(slice(bytes), {nullptr, 0}, now, base, 0, &without, &ceiling) != XE_OK)
        return XRPAmount{0};
    return XRPAmount{static_cast<std::int64_t>(with - without)};
}

}  // namespace email
}  // namespace ripple
