// Where the server meets the library: objects as bytes, ledgers as numbers and entries, codes as TER.
//
// Port: a new file beside the transactors (app/tx). Nothing here knows a rule of the amendment.
#pragma once

#include <xahau_email.h>

#include "EmailServer.h"

#include <cstring>
#include <deque>
#include <memory>
#include <vector>

namespace ripple {
namespace email {

/// A handle of the library, freed with its function.
template <class T, void (*free)(T*)>
struct Free
{
    void
    operator()(T* handle) const
    {
        free(handle);
    }
};
using Parsed = std::unique_ptr<xe_parsed, Free<xe_parsed, xe_parsed_free>>;
using Ready = std::unique_ptr<xe_ready, Free<xe_ready, xe_ready_free>>;
using Bytes = std::unique_ptr<xe_bytes, Free<xe_bytes, xe_bytes_free>>;
using List = std::unique_ptr<xe_list, Free<xe_list, xe_list_free>>;

/// Lends a place for a handle to one call of the library.
template <class Handle>
class Out
{
    Handle& handle_;
    typename Handle::pointer raw_ = nullptr;

public:
    explicit Out(Handle& handle) : handle_(handle)
    {
    }
    Out(Out const&) = delete;
    Out&
    operator=(Out const&) = delete;
    ~Out()
    {
        handle_.reset(raw_);
    }
    operator typename Handle::pointer*()
    {
        return &raw_;
    }
};

inline xe_slice
sliceOf(Blob const& bytes)
{
    return {bytes.data(), bytes.size()};
}

inline Blob
blobOf(xe_slice bytes)
{
    return bytes.len == 0 ? Blob{} : Blob(bytes.data, bytes.data + bytes.len);
}

inline Blob
blobOf(Bytes const& bytes)
{
    return blobOf(xe_bytes_slice(bytes.get()));
}

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
    Application& app_;
    ReadView const& view_;
    xe_ledger numbers_;
    /// Whether the view is the parent itself.
    bool isParent_ = false;

public:
    LedgerReader(Application& app, ReadView const& view)
        : app_(app), view_(view), numbers_(numbersOf(app, view))
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

    /// An entry as the parent ledger has it (spec 7.3, 16). One that this ledger has not written stands there as it does
    /// here, which its PreviousTxnLgrSeq tells; the parent itself is read only where one is new, changed or gone. Where
    /// the parent is not at hand, the library is shown what there is here, and takes it for nobody's key.
    Blob
    parentEntry(uint256 const& index) const
    {
        if (isParent_)
            return entry(index);
        auto const sle = view_.read(keylet::unchecked(index));
        if (sle && sle->isFieldPresent(sfPreviousTxnLgrSeq) &&
            sle->getFieldU32(sfPreviousTxnLgrSeq) < view_.info().seq)
            return serialized(*sle);
        auto const parent =
            app_.getLedgerMaster().getLedgerByHash(view_.info().parentHash);
        if (!parent)
            return sle ? serialized(*sle) : Blob{};
        auto const before = parent->read(keylet::unchecked(index));
        return before ? serialized(*before) : Blob{};
    }

    /// Calls the library with what it has asked for so far, until it asks for nothing more.
    /// `call(entries, count, more)` answers a code.
    template <class Call>
    int
    ask(Call const& call) const
    {
        // A deque keeps its elements where they are.
        std::deque<Blob> bytes;
        std::vector<xe_entry> entries;
        for (;;)
        {
            List more;
            int const code = call(entries.data(), entries.size(), Out(more));
            if (code != XE_READ_MORE || xe_list_count(more.get()) == 0)
                return code;
            for (std::size_t at = 0; at < xe_list_count(more.get()); ++at)
            {
                xe_entry entry;
                if (int const bad = xe_list_entry(more.get(), at, &entry))
                    return bad;
                auto const index = uint256::fromVoid(entry.index);
                bytes.push_back(
                    entry.ledger == XE_PARENT_LEDGER ? parentEntry(index) : this->entry(index));
                entry.bytes = sliceOf(bytes.back());
                entries.push_back(entry);
            }
        }
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

/// Writes an entry as the library made it; no bytes remove it. An entry that is there keeps the PreviousTxn pair that it
/// has: the server compares it as it threads the entry, and writes the new one.
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
inline TER
put(ApplyView& view, List const& writes)
{
    for (std::size_t at = 0; at < xe_list_count(writes.get()); ++at)
    {
        xe_entry entry;
        if (int const bad = xe_list_entry(writes.get(), at, &entry))
            return ter(bad);
        put(view, uint256::fromVoid(entry.index), blobOf(entry.bytes));
    }
    return tesSUCCESS;
}

}  // namespace email
}  // namespace ripple
