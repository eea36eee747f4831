// What a real server did with the amendment built in (fixtures/golden/xahaud-email): its results, and its entries after
// each ledger, byte for byte. ../../tests/cpp.rs writes the records as lines and names the file.
#include "../email/DkimKeys.h"
#include "../email/EmailSignature.h"
#include "Recorded.h"
#include "Suite.h"

namespace ripple {
namespace test {

class Recorded_test : public beast::unit_test::suite
{
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

    /// A set that validators made. What it comes to is in the state alone.
    void
    keySet(Application& app, Ledger& ledger, RecordedCase::Tx const& recorded, STTx const& tx)
    {
        BEAST_EXPECT(isTesSuccess(DKIMKeySet::preflight({app, tx, ledger.rules()})));
        auto const before = DKIMKeySet::preclaim({app, ledger, tx});
        ApplyContext ctx(app, ledger, tx);
        auto const after = DKIMKeySet(ctx).doApply();
        BEAST_EXPECT(TERtoInt(before) == TERtoInt(after));
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

    /// An entry of the amendment; the directory of a domain is one that nobody owns.
    static bool
    isOurs(Blob const& entry)
    {
        SerialIter reader(makeSlice(entry));
        STLedgerEntry const sle(STObject(reader, sfLedgerEntry), uint256{});
        return LedgerFormats::getInstance().findByType(sle.getType()) != nullptr ||
            (sle.getType() == ltDIR_NODE && !sle.isFieldPresent(sfOwner));
    }

    void
    testCase(RecordedCase const& recorded)
    {
        testcase(recorded.name);
        Application app;
        auto const ledger = open(app, recorded);
        for (auto const& one : recorded.txs)
        {
            SerialIter reader(makeSlice(one.bytes));
            STTx const tx(reader);
            if (email::isSignedByMail(tx) && one.result)
                applied(app, *ledger, one, tx);
            if (tx.getTxnType() == ttDKIM_KEY_SET)
                keySet(app, *ledger, one, tx);
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
