#include "../email/DkimKeys.h"
#include "../email/DkimVotes.h"
#include "Suite.h"

namespace ripple {
namespace test {

class DkimVotes_test : public beast::unit_test::suite
{
    static constexpr std::uint32_t now = 850000000;

    /// RFC 8032's first public key.
    static Blob
    record()
    {
        std::string const text = "v=DKIM1; k=ed25519; p=11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=";
        return Blob(text.begin(), text.end());
    }

    /// A signing key is the master key with another first byte.
    static Blob
    masterKey(std::uint8_t number)
    {
        Blob key(33, number);
        key[0] = 0xED;
        return key;
    }

    static Blob
    signingKey(std::uint8_t number)
    {
        auto key = masterKey(number);
        key[0] = 2;
        return key;
    }

    static uint256
    index(std::string const& hex)
    {
        return uint256::fromVoid(strUnHex(hex)->data());
    }

    /// A flag ledger whose list names five validators. Index of UNLReport: the server's.
    static std::shared_ptr<Ledger>
    flagLedger()
    {
        auto ledger = std::make_shared<Ledger>();
        ledger->header().seq = 512;
        ledger->header().closeTime = NetClock::time_point{NetClock::duration{now}};
        ledger->header().hash.data()[0] = 1;
        Blob bytes{0x11, 0x00, 0x52, 0x22, 0, 0, 0, 0, 0xF0, 0x5F};
        for (std::uint8_t number = 1; number <= 5; ++number)
        {
            bytes.insert(bytes.end(), {0xE0, 0x5F, 0x71, 33});
            auto const key = masterKey(number);
            bytes.insert(bytes.end(), key.begin(), key.end());
            bytes.push_back(0xE1);
        }
        bytes.push_back(0xF1);
        SerialIter reader(makeSlice(bytes));
        ledger->insert(std::make_shared<SLE>(
            STObject(reader, sfLedgerEntry),
            index("61E32E7A24A238F1C619D5F9DDCC41A94B33B66C0163F7EFCC8A19C9FD6F28DC")));
        return ledger;
    }

    static email::Word
    seen(std::string const& domain, email::TxtRecords records, std::uint32_t observedAt = now)
    {
        return email::wordOf({{domain, "s1"}, std::move(records), observedAt});
    }

    static std::shared_ptr<STValidation>
    validation(std::uint8_t number, std::vector<email::Word> const& words)
    {
        auto made = std::make_shared<STValidation>(signingKey(number));
        email::DkimVote::doValidation(Rules({featureEmail}), words, now, *made);
        return made;
    }

    static std::vector<STTx>
    counted(
        Application& app,
        Ledger const& flag,
        std::vector<std::shared_ptr<STValidation>> const& validations)
    {
        std::vector<STTx> sets;
        auto const master = [](Blob signing) {
            signing[0] = 0xED;
            return signing;
        };
        auto const add = [&](uint256 const& id, Serializer const& bytes) {
            SerialIter reader(bytes.slice());
            sets.emplace_back(reader);
            if (id != sets.back().getTransactionID())
                throw std::logic_error("another id");
        };
        if (email::DkimVote::doVoting(app, flag, validations, master, add) != XE_OK)
            throw std::runtime_error("no count");
        return sets;
    }

    void
    testValidation()
    {
        testcase("a validation holds what the validator saw, with the amendment alone");
        BEAST_EXPECT(validation(1, {seen("a.example", {record()})})->isFieldPresent(sfDKIMAnswers));
        BEAST_EXPECT(!validation(1, {})->isFieldPresent(sfDKIMAnswers));
        BEAST_EXPECT(!validation(1, {seen("a.example", {record()}, now - 601)})->isFieldPresent(sfDKIMAnswers));
        STValidation without(signingKey(1));
        email::DkimVote::doValidation(Rules({}), {seen("a.example", {record()})}, now, without);
        BEAST_EXPECT(!without.isFieldPresent(sfDKIMAnswers));
        // Several records, and one that makes no key, are "unusable" alike.
        auto const several = validation(1, {seen("a.example", {record(), record()})});
        auto const none = validation(1, {seen("a.example", {{'x'}})});
        BEAST_EXPECT(several->getFieldVL(sfDKIMAnswers) == none->getFieldVL(sfDKIMAnswers));
    }

    void
    testCount()
    {
        testcase("four of five listed validators make a set, which any order makes the same");
        Application app;
        auto const flag = flagLedger();
        std::vector<email::Word> const words{seen("b.example", {record()}), seen("a.example", {record()})};
        std::vector<std::shared_ptr<STValidation>> validations;
        for (std::uint8_t number = 1; number <= 3; ++number)
            validations.push_back(validation(number, words));
        BEAST_EXPECT(counted(app, *flag, validations).empty());
        // One that nobody lists, one that this server does not trust, one that says nothing.
        validations.push_back(validation(9, words));
        validations.push_back(validation(4, words));
        validations.back()->setUntrusted();
        validations.push_back(validation(5, {}));
        BEAST_EXPECT(counted(app, *flag, validations).empty());
        validations.push_back(validation(4, {words[1], words[0]}));
        auto const sets = counted(app, *flag, validations);
        BEAST_EXPECT(sets.size() == 2);
        std::reverse(validations.begin(), validations.end());
        BEAST_EXPECT(counted(app, *flag, validations) == sets);
        auto const& first = sets.at(0);
        BEAST_EXPECT(first.getTxnType() == ttDKIM_KEY_SET);
        BEAST_EXPECT(first.getFlags() == tfDKIMCounted);
        BEAST_EXPECT(first.getFieldU32(sfLedgerSequence) == 513);
        BEAST_EXPECT(first.getFieldVL(sfDKIMRecord) == record());
        flag->setRules(Rules({}));
        BEAST_EXPECT(counted(app, *flag, validations).empty());
    }

    void
    testApply()
    {
        testcase("a set that was counted waits for the second one");
        Application app;
        auto const flag = flagLedger();
        std::vector<std::shared_ptr<STValidation>> validations;
        for (std::uint8_t number = 1; number <= 5; ++number)
            validations.push_back(validation(number, {seen("a.example", {record()})}));
        auto const set = counted(app, *flag, validations).at(0);
        auto const ledger = flag->next(flag->info().hash, flag->info().closeTime);
        app.getLedgerMaster().add(flag);
        BEAST_EXPECT(isTesSuccess(DKIMKeySet::preflight({app, set, ledger->rules()})));
        BEAST_EXPECT(TERtoInt(DKIMKeySet::preflight({app, set, Rules({})})) == temDISABLED);
        BEAST_EXPECT(isTesSuccess(DKIMKeySet::preclaim({app, *ledger, set})));
        BEAST_EXPECT(DKIMKeySet::calculateBaseFee(*ledger, set).drops() == 0);
        ApplyContext ctx(app, *ledger, set);
        BEAST_EXPECT(isTesSuccess(DKIMKeySet(ctx).doApply()));
        ledger->thread(set.getTransactionID());
        auto const entry = keyOf(*ledger);
        BEAST_EXPECT(entry && entry->getFieldU32(sfActiveAfter) == now + 3600);
        BEAST_EXPECT(entry && entry->isFieldPresent(sfNextKey) && !entry->isFieldPresent(sfPublicKey));
        // The same name once in a ledger; nobody's open ledger takes a set.
        BEAST_EXPECT(TERtoInt(DKIMKeySet::preclaim({app, *ledger, set})) == tefPAST_SEQ);
        ledger->setOpen();
        BEAST_EXPECT(TERtoInt(DKIMKeySet::preclaim({app, *ledger, set})) == temINVALID);
    }

    static std::shared_ptr<SLE const>
    keyOf(Ledger const& ledger)
    {
        for (auto const& key : ledger.keys())
            if (auto const sle = ledger.read(keylet::unchecked(key)); sle->getType() == ltDKIM_KEY)
                return sle;
        return nullptr;
    }

public:
    void
    run() override
    {
        testValidation();
        testCount();
        testApply();
    }
};

BEAST_DEFINE_TESTSUITE(DkimVotes, app, ripple);

}  // namespace test
}  // namespace ripple
