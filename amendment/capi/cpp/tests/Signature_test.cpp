#include "../email/EmailLeaving.h"
#include "../email/EmailSignature.h"
#include "Recorded.h"
#include "Suite.h"

namespace ripple {
namespace test {

class EmailSignature_test : public beast::unit_test::suite
{
    /// Three payments by mail of one account, in the order of their sequences.
    RecordedCase const recorded_ = recordedCase("17_three_mails_one_account");

    static int
    proven(Application& app, ReadView const& view, STTx const& tx)
    {
        return TERtoInt(email::Proof::of(app, view, tx).first);
    }

    void
    testFlag()
    {
        testcase("the flag counts on two types alone, and with the amendment alone");
        Application app;
        auto tx = recordedTx(recorded_, 0);
        BEAST_EXPECT(email::isSignedByMail(tx));
        BEAST_EXPECT(isTesSuccess(email::preflight({app, tx, Rules({featureEmail})})));
        BEAST_EXPECT(TERtoInt(email::preflight({app, tx, Rules({})})) == temINVALID_FLAG);
        app.config().NETWORK_ID = 21338;
        BEAST_EXPECT(TERtoInt(email::preflight({app, tx, Rules({featureEmail})})) == temMALFORMED);
        tx.setFieldU16(sfTransactionType, ttPAYMENT);
        BEAST_EXPECT(!email::isSignedByMail(tx));
        auto signedByKey = recordedTx(recorded_, 0);
        signedByKey.setFieldU32(sfFlags, tfFullyCanonicalSig);
        BEAST_EXPECT(!email::isSignedByMail(signedByKey));
        BEAST_EXPECT(isTesSuccess(email::preflight({app, signedByKey, Rules({featureEmail})})));
    }

    void
    testReplay()
    {
        testcase("a mail is executed once");
        Application app;
        auto const ledger = open(app, recorded_);
        auto const tx = recordedTx(recorded_, 0);
        auto const [code, proof] = email::Proof::of(app, *ledger, tx);
        BEAST_EXPECT(isTesSuccess(code) && proof);
        BEAST_EXPECT(isTesSuccess(proof->writeReplay(*ledger, XE_APPLIED)));
        ledger->thread(recorded_.txs[0].hash);
        BEAST_EXPECT(proven(app, *ledger, tx) == tefEMAIL_REPLAY);
    }

    void
    testReset()
    {
        testcase("what reset throws away is written again, from the same proof");
        Application app;
        auto const kept = open(app, recorded_), thrown = open(app, recorded_);
        auto const proof = email::Proof::of(app, *kept, recordedTx(recorded_, 0)).second;
        BEAST_EXPECT(isTesSuccess(proof->writeReplay(*thrown, XE_APPLIED)));
        auto const again = open(app, recorded_);
        BEAST_EXPECT(isTesSuccess(proof->writeReplay(*again, XE_FEE_ONLY)));
        BEAST_EXPECT(isTesSuccess(proof->writeReplay(*kept, XE_FEE_ONLY)));
        auto const account = recordedTx(recorded_, 0).getAccountID(sfAccount);
        BEAST_EXPECT(!email::replayOf(*again, account).empty());
        BEAST_EXPECT(email::replayOf(*again, account) == email::replayOf(*kept, account));
    }

    void
    testFee()
    {
        testcase("a base fee for each entry that lives, and for each payment that waits");
        Application app;
        auto const ledger = open(app, recorded_);
        auto const tx = recordedTx(recorded_, 1);
        auto const before = email::extraFee(*ledger, tx).drops();
        auto const proof = email::Proof::of(app, *ledger, recordedTx(recorded_, 0)).second;
        proof->writeReplay(*ledger, XE_APPLIED);
        BEAST_EXPECT(email::extraFee(*ledger, tx).drops() == before + 10);
        BEAST_EXPECT(email::extraFee(*ledger, tx, 3).drops() == before + 40);
        ledger->setRules(Rules({}));
        BEAST_EXPECT(email::extraFee(*ledger, tx).drops() == 0);
    }

    void
    testParent()
    {
        testcase("keys are those of the parent, also where this ledger has changed them");
        Application app;
        auto const ledger = open(app, recorded_);
        auto const tx = recordedTx(recorded_, 0);
        std::vector<std::shared_ptr<SLE>> keys;
        for (auto const& index : ledger->keys())
            if (auto const sle = ledger->peek(keylet::unchecked(index)); sle->getType() == ltDKIM_KEY)
                keys.push_back(sle);
        BEAST_EXPECT(!keys.empty());
        for (auto const& key : keys)
        {
            key->setFieldU32(sfRevokedAt, 1);
            key->setFieldU32(sfPreviousTxnLgrSeq, ledger->seq());
        }
        BEAST_EXPECT(proven(app, *ledger, tx) == tesSUCCESS);
        for (auto const& key : keys)
            ledger->erase(key);
        BEAST_EXPECT(proven(app, *ledger, tx) == tesSUCCESS);
        // No store of old ledgers has a say in it.
        app.getLedgerMaster().forget();
        BEAST_EXPECT(proven(app, *ledger, tx) == tesSUCCESS);
    }

    void
    testLeaving()
    {
        testcase("an account with live entries stays, and a REKEY keeps it for 72 hours");
        Application app;
        auto const ledger = open(app, recorded_);
        auto const account = recordedTx(recorded_, 0).getAccountID(sfAccount);
        auto const proof = email::Proof::of(app, *ledger, recordedTx(recorded_, 0)).second;
        proof->writeReplay(*ledger, XE_APPLIED);
        BEAST_EXPECT(TERtoInt(email::mayDelete(*ledger, account)) == tecHAS_OBLIGATIONS);
        BEAST_EXPECT(isTesSuccess(email::mayLeave(*ledger, account)));
        email::deleteReplay(*ledger, account);
        BEAST_EXPECT(!email::replayOf(*ledger, account).empty());
        // All of it is over after five days.
        auto const later = ledger->next(
            uint256{}, NetClock::time_point{NetClock::duration{recorded_.parentCloseTime + 500000}});
        BEAST_EXPECT(isTesSuccess(email::mayDelete(*later, account)));
        auto const rekeyed = later->peek(keylet::unchecked(email::replayIndex(account)));
        auto const without = later->next(
            uint256{}, NetClock::time_point{NetClock::duration{recorded_.parentCloseTime + 500000}});
        email::deleteReplay(*without, account);
        BEAST_EXPECT(email::replayOf(*without, account).empty());
        rekeyed->setFieldU32(sfLastRekey, recorded_.parentCloseTime + 499000);
        BEAST_EXPECT(TERtoInt(email::mayLeave(*later, account)) == tecTOO_SOON);
        BEAST_EXPECT(TERtoInt(email::mayDelete(*later, account)) == tecTOO_SOON);
    }

    void
    testThreading()
    {
        testcase("an entry that is there keeps its PreviousTxn pair until the server threads it");
        Application app;
        auto const ledger = open(app, recorded_);
        auto const account = recordedTx(recorded_, 0).getAccountID(sfAccount);
        auto const proof = email::Proof::of(app, *ledger, recordedTx(recorded_, 0)).second;
        proof->writeReplay(*ledger, XE_APPLIED);
        ledger->thread(recorded_.txs[0].hash);
        auto const index = email::replayIndex(account);
        auto bytes = email::serialized(*ledger->read(keylet::unchecked(index)));
        SerialIter reader(makeSlice(bytes));
        STObject other(reader, sfLedgerEntry);
        other.makeFieldAbsent(sfPreviousTxnID);
        other.makeFieldAbsent(sfPreviousTxnLgrSeq);
        other.setFieldU32(sfLastRekey, 1);
        email::put(*ledger, index, email::serialized(other));
        auto const sle = ledger->read(keylet::unchecked(index));
        BEAST_EXPECT(sle->getFieldH256(sfPreviousTxnID) == recorded_.txs[0].hash);
        BEAST_EXPECT(sle->getFieldU32(sfPreviousTxnLgrSeq) == ledger->seq());
        BEAST_EXPECT(sle->getFieldU32(sfLastRekey) == 1);
        email::put(*ledger, index, {});
        BEAST_EXPECT(!ledger->read(keylet::unchecked(index)));
        email::put(*ledger, index, {});
        email::put(*ledger, index, email::serialized(other));
        BEAST_EXPECT(ledger->read(keylet::unchecked(index))->getFieldU32(sfPreviousTxnLgrSeq) == 0);
    }

public:
    void
    run() override
    {
        testFlag();
        testReplay();
        testReset();
        testFee();
        testParent();
        testLeaving();
        testThreading();
    }
};

BEAST_DEFINE_TESTSUITE(EmailSignature, app, ripple);

}  // namespace test
}  // namespace ripple
