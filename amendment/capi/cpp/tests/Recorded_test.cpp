// What a real server did with the amendment built in (fixtures/golden/xahaud-email): its results, and its entries after
// each ledger, byte for byte. ../../tests/cpp.rs writes the records as lines and names the file.
#include "../email/EmailSignature.h"
#include "Suite.h"

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
        std::string kind, one, two, three;
        words >> kind >> one >> two >> three;
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
                {index(one), unhex(two), three == "-" ? std::nullopt : std::optional(std::stoi(three))});
        else if (kind == "after")
            last.after[index(one)] = two == "-" ? Blob{} : unhex(two);
        else
            throw std::runtime_error("unknown line: " + kind);
    }
    return cases;
}

class Recorded_test : public beast::unit_test::suite
{
    static std::shared_ptr<Ledger>
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

    /// What the server does around a proven mail: fee, sequence, the entry against replay.
    void
    applied(Application& app, Ledger& ledger, RecordedCase::Tx const& recorded, STTx const& tx)
    {
        auto const [code, proof] = email::Proof::of(app, ledger, tx);
        auto const expected = *recorded.result;
        bool const takesFee = expected == tesSUCCESS || expected >= 100;
        BEAST_EXPECTS(
            TERtoInt(code) == (takesFee ? tesSUCCESS : expected),
            "is " + std::to_string(TERtoInt(code)) + ", recorded " + std::to_string(expected));
        if (!proof)
            return;
        auto const account = tx.getAccountID(sfAccount);
        auto const root = accountRoot(ledger, account);
        root->setFieldU32(sfSequence, root->getFieldU32(sfSequence) + 1);
        root->setDrops(sfBalance, root->drops(sfBalance) - tx.drops(sfFee));
        ledger.update(root);
        auto const effect = expected == tesSUCCESS ? XE_APPLIED : XE_FEE_ONLY;
        BEAST_EXPECT(isTesSuccess(proof->writeReplay(ledger, effect)));
        ledger.thread(recorded.hash);
    }

    static std::shared_ptr<SLE>
    accountRoot(Ledger& ledger, AccountID const& account)
    {
        for (auto const& key : ledger.keys())
            if (auto const sle = ledger.read(keylet::unchecked(key));
                sle->getType() == ltACCOUNT_ROOT && sle->getAccountID(sfAccount) == account)
                return ledger.peek(keylet::unchecked(key));
        throw std::runtime_error("no account");
    }

    static bool
    isOurs(Blob const& entry)
    {
        SerialIter reader(makeSlice(entry));
        auto const type = STLedgerEntry(STObject(reader, sfLedgerEntry), uint256{}).getType();
        return type == ltEMAIL_REPLAY;
    }

    void
    testCase(RecordedCase const& recorded)
    {
        testcase(recorded.name);
        Application app;
        auto const parent = parentOf(recorded);
        auto const closed = NetClock::time_point{NetClock::duration{recorded.parentCloseTime}};
        auto const ledger = parent->next(recorded.parentHash, closed);
        app.getLedgerMaster().add(parent);
        for (auto const& one : recorded.txs)
        {
            SerialIter reader(makeSlice(one.bytes));
            STTx const tx(reader);
            if (email::isSignedByMail(tx) && one.result)
                applied(app, *ledger, one, tx);
        }
        for (auto const& [key, bytes] : recorded.after)
            if (isOurs(bytes.empty() ? recorded.before.at(key) : bytes))
            {
                auto const sle = ledger->read(keylet::unchecked(key));
                BEAST_EXPECTS((sle ? email::serialized(*sle) : Blob{}) == bytes, to_string(key));
            }
    }

public:
    void
    run() override
    {
        for (auto const& recorded : recordedCases())
            testCase(recorded);
    }
};

BEAST_DEFINE_TESTSUITE(Recorded, app, ripple);

}  // namespace test
}  // namespace ripple
