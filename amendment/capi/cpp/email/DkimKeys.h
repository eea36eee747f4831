// The two transactions about keys: DKIMKeySet, which validators make, and DKIMKeyLeak, which whoever holds the secret
// half of a key sends.
//
// Port: two new transactors. applySteps.cpp names both in its four switches; STTx's isPseudoTx names ttDKIM_KEY_SET
// alone; LedgerEntryTypesMatch lists the entry types of EmailTables.h.
//
// The library says which entries it needs and which it writes, so preclaim and doApply ask the same question, and
// doApply writes the answer.
#pragma once

#include "EmailBorder.h"
#include "EmailTables.h"

namespace ripple {
namespace email {

using KeysFunction = std::int32_t (*)(
    xe_slice transaction,
    xe_ledger const* ledger,
    xe_entry const* entries,
    std::size_t count,
    xe_list** list);

/// What a transaction about keys comes to in a ledger: its code and, with tesSUCCESS, its writes.
inline std::pair<TER, List>
keysOf(KeysFunction function, Application& app, ReadView const& view, STTx const& tx)
{
    LedgerReader const ledger(app, view);
    auto const bytes = serialized(tx);
    auto [code, writes] = ledger.ask([&](xe_entry const* entries, std::size_t count, xe_list** list) {
        return function(slice(bytes), &ledger.numbers(), entries, count, list);
    });
    return {ter(code), std::move(writes)};
}

}  // namespace email

class DKIMKeySet : public Transactor
{
public:
    static constexpr ConsequencesFactoryType ConsequencesFactory{Normal};

    explicit DKIMKeySet(ApplyContext& ctx) : Transactor(ctx)
    {
    }

    static NotTEC
    preflight(PreflightContext const& ctx)
    {
        if (!ctx.rules.enabled(featureEmail))
            return temDISABLED;
        return preflight0(ctx);
    }

    /// Its one spelling, its quorum, and what it does to its name. No open ledger takes one, as with the other
    /// transactions that validators make.
    static TER
    preclaim(PreclaimContext const& ctx)
    {
        if (ctx.view.open())
            return temINVALID;
        return email::keysOf(xe_key_set, ctx.app, ctx.view, ctx.tx).first;
    }

    static XRPAmount
    calculateBaseFee(ReadView const&, STTx const&)
    {
        return XRPAmount{0};
    }

    void
    preCompute() override
    {
    }

    TER
    doApply() override
    {
        auto const [code, writes] = email::keysOf(xe_key_set, ctx_.app, view(), ctx_.tx);
        if (isTesSuccess(code))
            email::put(view(), writes);
        return code;
    }
};

class DKIMKeyLeak : public Transactor
{
public:
    static constexpr ConsequencesFactoryType ConsequencesFactory{Normal};

    explicit DKIMKeyLeak(ApplyContext& ctx) : Transactor(ctx)
    {
    }

    static NotTEC
    preflight(PreflightContext const& ctx)
    {
        if (!ctx.rules.enabled(featureEmail))
            return temDISABLED;
        if (auto const common = preflight1(ctx); !isTesSuccess(common))
            return common;
        if ((ctx.tx.getFlags() & tfUniversalMask) != 0)
            return temINVALID_FLAG;
        return preflight2(ctx);
    }

    static TER
    preclaim(PreclaimContext const& ctx)
    {
        return email::keysOf(xe_key_leak, ctx.app, ctx.view, ctx.tx).first;
    }

    TER
    doApply() override
    {
        auto const [code, writes] = email::keysOf(xe_key_leak, ctx_.app, view(), ctx_.tx);
        if (isTesSuccess(code))
            email::put(view(), writes);
        return code;
    }
};

}  // namespace ripple
