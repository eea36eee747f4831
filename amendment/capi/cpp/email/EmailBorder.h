// Where the server meets the library: objects as bytes, ledgers as numbers and entries, codes as TER.
//
// Port: a new file beside the transactors (app/tx). Nothing here knows a rule of the amendment.
#pragma once

#include <xahau_email.hpp>

#include "EmailServer.h"

#include <cstring>
#include <memory>
#include <utility>
#include <vector>

namespace ripple {
namespace email {

using xahau_email::blob;
using xahau_email::Bytes;
using xahau_email::List;
using xahau_email::Parsed;
using xahau_email::Place;
using xahau_email::Ready;
using xahau_email::slice;

inline Blob
serialized(STObject const& object)
{
    Serializer out;
    object.add(out);
    return out.peekData();
}

/// The code of a call as the server's result. The library's own codes lie below all of the server's: what they stand
/// for (a bug on either side) proves nothing and takes no fee.
inline NotTEC
notTec(int code)
{
    return code < telLOCAL_ERROR ? NotTEC{tefINTERNAL} : NotTEC::fromInt(code);
}

inline TER
ter(int code)
{
    return code < telLOCAL_ERROR ? TER{tefINTERNAL} : TER::fromInt(code);
}

inline std::uint32_t
secondsOf(NetClock::time_point time)
{
    return static_cast<std::uint32_t>(time.time_since_epoch().count());
}

/// The ledger that a transaction is tried or applied in: numbers once, entries as the library asks for them.
class LedgerReader
{
    ReadView const& view_;
    xe_ledger numbers_;
    /// Whether the view is the parent itself.
    bool isParent_ = false;

public:
    LedgerReader(Application& app, ReadView const& view)
        : view_(view), numbers_(numbersOf(app, view))
    {
    }

    /// The ledger that comes after a closed one: what stands there now is its parent.
    static LedgerReader
    after(Application& app, ReadView const& closed)
    {
        LedgerReader next(app, closed);
        next.isParent_ = true;
        next.numbers_.ledger_index = closed.info().seq + 1;
        next.numbers_.parent_close_time = secondsOf(closed.info().closeTime);
        std::memcpy(next.numbers_.parent_hash, closed.info().hash.data(), sizeof numbers_.parent_hash);
        return next;
    }

    xe_ledger const&
    numbers() const
    {
        return numbers_;
    }

    Blob
    entry(uint256 const& index) const
    {
        auto const sle = view_.read(keylet::unchecked(index));
        return sle ? serialized(*sle) : Blob{};
    }

    /// An entry as the parent ledger has it (spec 7.3, 16): read at the bottom of the view, by a function that the
    /// port gives ReadView. A store of old ledgers (LedgerMaster) need not have the parent, and a server that misses
    /// it there would judge otherwise than the rest.
    Blob
    parentEntry(uint256 const& index) const
    {
        if (isParent_)
            return entry(index);
        auto const sle = view_.readParent(keylet::unchecked(index));
        return sle ? serialized(*sle) : Blob{};
    }

    /// Calls the library with what it has asked for so far, until it asks for nothing more. `call(entries, count,
    /// list)` answers a code. Gives the last code, and the list that came with it.
    template <class Call>
    std::pair<int, List>
    ask(Call const& call) const
    {
        xahau_email::Entries entries;
        List list;
        auto const read = [&](xahau_email::Hash const& index, std::uint32_t ledger) {
            auto const key = uint256::fromVoid(index.data());
            return ledger == XE_PARENT_LEDGER ? parentEntry(key) : entry(key);
        };
        auto const asked = [&](xahau_email::Entries const& known, List& out) {
            return call(known.data(), known.size(), Place(out));
        };
        int const code = xahau_email::reading(entries, list, read, asked);
        return {code, std::move(list)};
    }

private:
    static xe_ledger
    numbersOf(Application& app, ReadView const& view)
    {
        xe_ledger numbers{};
        numbers.abi = XE_ABI_VERSION;
        numbers.network_id = app.config().NETWORK_ID;
        numbers.ledger_index = view.info().seq;
        numbers.parent_close_time = secondsOf(view.info().parentCloseTime);
        std::memcpy(numbers.parent_hash, view.info().parentHash.data(), sizeof numbers.parent_hash);
        numbers.base_fee = static_cast<std::uint64_t>(view.fees().base.drops());
        numbers.reserve_base = static_cast<std::uint64_t>(view.fees().reserve.drops());
        numbers.reserve_increment = static_cast<std::uint64_t>(view.fees().increment.drops());
        numbers.email_enabled = view.rules().enabled(featureEmail) ? 1 : 0;
        return numbers;
    }
};

/// Writes an entry as the library made it; no bytes remove it. An entry that is there keeps the PreviousTxn pair that
/// it has: the server compares it as it threads the entry, and writes the new one.
inline void
put(ApplyView& view, uint256 const& index, Blob const& bytes)
{
    auto const known = view.peek(keylet::unchecked(index));
    if (bytes.empty())
    {
        if (known)
            view.erase(known);
        return;
    }
    SerialIter reader(bytes.data(), bytes.size());
    STObject object(reader, sfLedgerEntry);
    auto const type = static_cast<LedgerEntryType>(object.getFieldU16(sfLedgerEntryType));
    auto const format = LedgerFormats::getInstance().findByType(type);
    auto const threaded = [&](SOTemplate const& fields) {
        return fields.getIndex(sfPreviousTxnID) != -1 &&
            fields.style(sfPreviousTxnID) == soeREQUIRED;
    };
    if (format && threaded(format->getSOTemplate()))
    {
        object.setFieldH256(sfPreviousTxnID, known ? known->getFieldH256(sfPreviousTxnID) : uint256{});
        object.setFieldU32(
            sfPreviousTxnLgrSeq, known ? known->getFieldU32(sfPreviousTxnLgrSeq) : 0);
    }
    STLedgerEntry entry(object, index);
    if (known)
    {
        *known = entry;
        view.update(known);
    }
    else
    {
        view.insert(std::make_shared<STLedgerEntry>(entry));
    }
}

/// Writes all entries of a list.
inline void
put(ApplyView& view, List const& writes)
{
    for (auto const& write : xahau_email::writes_of(writes))
        put(view, uint256::fromVoid(write.index.data()), write.bytes.value_or(Blob{}));
}

/// Index of an account's EmailReplay; zero where the library has none, under which nothing stands.
inline uint256
replayIndex(AccountID const& account)
{
    std::uint8_t bytes[20], index[32] = {};
    std::memcpy(bytes, account.data(), sizeof bytes);
    xe_email_replay_index(&bytes, &index);
    return uint256::fromVoid(index);
}

/// An account's EmailReplay as it stands in a view; no bytes: there is none.
inline Blob
replayOf(ReadView const& view, AccountID const& account)
{
    auto const sle = view.read(keylet::unchecked(replayIndex(account)));
    return sle ? serialized(*sle) : Blob{};
}

}  // namespace email
}  // namespace ripple
