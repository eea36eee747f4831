// Ledgers that a real server recorded, as ../../tests/cpp.rs writes them: a line for each thing, words between spaces.
#pragma once

#include "../email/EmailServer.h"

#include <cstdlib>
#include <fstream>
#include <sstream>

namespace ripple {
namespace test {

struct RecordedCase
{
    struct Tx
    {
        uint256 hash;
        Blob bytes;
        /// Nothing where only the state tells it.
        std::optional<int> result;
        /// What its memo holds: a mail in its normal form. No bytes: it has none.
        Blob mail;
    };
    std::string name;
    LedgerIndex seq = 0;
    std::uint32_t parentCloseTime = 0;
    uint256 parentHash;
    std::map<uint256, Blob> before;
    std::vector<Tx> txs;
    /// No bytes: gone.
    std::map<uint256, Blob> after;
};

inline Blob
unhex(std::string const& text)
{
    auto bytes = strUnHex(text);
    if (!bytes)
        throw std::runtime_error("no hex: " + text.substr(0, 40));
    return *bytes;
}

inline uint256
index(std::string const& text)
{
    auto const bytes = unhex(text);
    if (bytes.size() != uint256::size())
        throw std::runtime_error("no index: " + text);
    return uint256::fromVoid(bytes.data());
}

inline std::vector<RecordedCase>
recordedCases()
{
    auto const path = std::getenv("XAHAU_EMAIL_CASES");
    if (!path)
        throw std::runtime_error("XAHAU_EMAIL_CASES names no file");
    std::ifstream file(path);
    std::vector<RecordedCase> cases;
    for (std::string line; std::getline(file, line);)
    {
        std::istringstream words(line);
        std::string kind, one, two, three, four;
        words >> kind >> one >> two >> three >> four;
        if (kind == "case")
        {
            cases.emplace_back().name = one;
            continue;
        }
        auto& last = cases.at(cases.size() - 1);
        if (kind == "ledger")
        {
            last.seq = static_cast<LedgerIndex>(std::stoul(one));
            last.parentCloseTime = static_cast<std::uint32_t>(std::stoul(two));
            last.parentHash = index(three);
        }
        else if (kind == "entry")
            last.before[index(one)] = unhex(two);
        else if (kind == "tx")
            last.txs.push_back(
                {index(one),
                 unhex(two),
                 three == "-" ? std::nullopt : std::optional(std::stoi(three)),
                 four == "-" ? Blob{} : unhex(four)});
        else if (kind == "after")
            last.after[index(one)] = two == "-" ? Blob{} : unhex(two);
        else
            throw std::runtime_error("unknown line: " + kind);
    }
    return cases;
}

/// The parent of a recorded ledger.
inline std::shared_ptr<Ledger>
parentOf(RecordedCase const& recorded)
{
    auto parent = std::make_shared<Ledger>();
    parent->header().seq = recorded.seq - 1;
    for (auto const& [key, bytes] : recorded.before)
    {
        SerialIter reader(makeSlice(bytes));
        parent->insert(std::make_shared<SLE>(STObject(reader, sfLedgerEntry), key));
    }
    return parent;
}

/// One of them, by its name.
inline RecordedCase
recordedCase(std::string const& name)
{
    for (auto const& recorded : recordedCases())
        if (recorded.name == name)
            return recorded;
    throw std::runtime_error("no recorded case " + name);
}

/// A transaction of it.
inline STTx
recordedTx(RecordedCase const& recorded, std::size_t at)
{
    SerialIter reader(makeSlice(recorded.txs.at(at).bytes));
    return STTx(reader);
}

/// The recorded ledger before its transactions, and its parent in the server's memory.
inline std::shared_ptr<Ledger>
open(Application& app, RecordedCase const& recorded)
{
    auto const parent = parentOf(recorded);
    auto const closed = NetClock::time_point{NetClock::duration{recorded.parentCloseTime}};
    auto const ledger = parent->next(recorded.parentHash, closed);
    app.getLedgerMaster().add(parent);
    return ledger;
}

}  // namespace test
}  // namespace ripple
