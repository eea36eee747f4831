#include "../email/EmailSignature.h"
#include "../email/SubmitEmail.h"
#include "Recorded.h"
#include "Suite.h"

namespace ripple {
namespace test {

class SubmitEmail_test : public beast::unit_test::suite
{
    RecordedCase const recorded_ = recordedCase("17_three_mails_one_account");

    /// A server with a recorded ledger, and what came to its door.
    struct Server
    {
        Application app;
        email::KeptMails kept;
        email::DkimLookups lookups;
        email::SubmitEmail submit{app, kept, lookups};
        std::shared_ptr<Ledger> ledger;
        std::vector<STTx> came;
        std::optional<TER> says;

        explicit Server(RecordedCase const& recorded) : ledger(open(app, recorded))
        {
        }

        /// Judges by the amendment itself, unless the test says what it says.
        TER
        door(STTx const& tx, Json::Value& answer)
        {
            came.push_back(tx);
            TER const code = says ? *says : TER(email::Proof::of(app, *ledger, tx).first);
            answer["engine_result_code"] = TERtoInt(code);
            return code;
        }

        Json::Value
        ask(Json::Value const& params)
        {
            return submit.submit(
                params, *ledger, 7, [this](STTx const& tx, Json::Value& answer) { return door(tx, answer); });
        }

        void
        retry()
        {
            submit.retry(*ledger, [this](STTx const& tx, Json::Value& answer) { return door(tx, answer); });
        }
    };

    /// The recorded ledger as it would be had nobody voted about a key.
    RecordedCase
    withoutKeys() const
    {
        auto recorded = recorded_;
        std::erase_if(recorded.before, [](auto const& entry) { return entry.second.at(2) == ltDKIM_KEY; });
        return recorded;
    }

    Json::Value
    request(std::size_t at = 0) const
    {
        Json::Value params(Json::objectValue);
        params["email_hex"] = strHex(recorded_.txs.at(at).mail);
        return params;
    }

    void
    testSubmit()
    {
        testcase("a mail becomes the transaction that its account can send now");
        Server server(recorded_);
        auto const answer = server.ask(request());
        BEAST_EXPECT(server.came.size() == 1);
        BEAST_EXPECT(answer["engine_result_code"].asInt() == tesSUCCESS);
        BEAST_EXPECT(!answer["kept"].asBool());
        BEAST_EXPECT(answer["qualifies"].isBool() || answer["qualifies"].isString());
        BEAST_EXPECT(answer["checks"].isArray());
        auto const recorded = recordedTx(recorded_, 0);
        auto const tx = server.came.at(0);
        BEAST_EXPECT(email::isSignedByMail(tx));
        BEAST_EXPECT(tx.getAccountID(sfAccount) == recorded.getAccountID(sfAccount));
        BEAST_EXPECT(tx.getFieldU32(sfSequence) == recorded.getFieldU32(sfSequence));
        Json::Value text(Json::objectValue);
        auto const& mail = recorded_.txs[0].mail;
        text["email"] = std::string(mail.begin(), mail.end());
        BEAST_EXPECT(server.ask(text)["engine_result_code"].asInt() == tesSUCCESS);
        BEAST_EXPECT(server.came.at(1) == tx);
    }

    void
    testRequests()
    {
        testcase("requests that hold no mail, or two, are refused; a dry run hands nothing on");
        Server server(recorded_);
        auto const refused = [&](auto const& change) {
            auto params = request();
            change(params);
            return server.ask(params)["error"].isString();
        };
        BEAST_EXPECT(server.ask(Json::Value(Json::objectValue))["error"].isString());
        BEAST_EXPECT(refused([](auto& params) { params["email"] = "x"; }));
        BEAST_EXPECT(refused([](auto& params) { params["email_hex"] = "0"; }));
        BEAST_EXPECT(refused([](auto& params) { params["email_hex"] = ""; }));
        BEAST_EXPECT(refused([](auto& params) { params["email_hex"] = 1; }));
        BEAST_EXPECT(refused([](auto& params) { params["dry_run"] = "yes"; }));
        auto dry = request();
        dry["dry_run"] = true;
        BEAST_EXPECT(server.ask(dry)["checks"].isArray());
        BEAST_EXPECT(server.came.empty() && server.kept.size() == 0);
        // What is no mail is told so by its checks.
        Json::Value words(Json::objectValue);
        words["email_base64"] = "aGVsbG8=";
        auto const answer = server.ask(words);
        BEAST_EXPECT(answer["checks"].isArray() && !answer["kept"].asBool());
        BEAST_EXPECT(server.came.empty() && server.kept.size() == 0);
    }

    void
    testKept()
    {
        testcase("a mail without its key waits, is tried at each close, and goes when it is executed");
        Server server(withoutKeys());
        BEAST_EXPECT(server.ask(request())["kept"].asBool());
        BEAST_EXPECT(server.ask(request())["kept"].asBool());
        BEAST_EXPECT(server.kept.size() == 1 && server.came.empty());
        server.retry();
        BEAST_EXPECT(server.kept.size() == 1 && server.came.empty());
        server.ledger = open(server.app, recorded_);
        server.retry();
        BEAST_EXPECT(server.came.size() == 1);
        // It is in the next ledger, or dead after twenty.
        server.retry();
        BEAST_EXPECT(server.came.size() == 1 && server.kept.size() == 1);
        server.ledger->header().seq += 20;
        server.says = TER(tefEMAIL_REPLAY);
        server.retry();
        BEAST_EXPECT(server.came.size() == 2 && server.kept.size() == 0);
    }

    void
    testWords()
    {
        testcase("a validator says what proves a mail that waits, and names of keys in use");
        Server server(withoutKeys());
        BEAST_EXPECT(server.ask(request())["kept"].asBool());
        auto const mail = server.kept.due(1, 0).at(0);
        auto const now = recorded_.parentCloseTime;
        email::DkimLookups::Clock::time_point clock{};
        auto const seen = [&](Blob const& record) {
            server.lookups.answered(mail.key, email::TxtRecords{record}, now, clock);
            return server.submit.words(now, {});
        };
        // An answer under which it is not proven takes the mail away, and is not said; of a key in use it is.
        auto const record = recordOf(mail.key);
        BEAST_EXPECT(!record.empty());
        auto const said = seen(record);
        BEAST_EXPECT(said.size() == 1 && said.at(0).name == mail.key && said.at(0).record == record);
        BEAST_EXPECT(server.kept.size() == 1);
        Blob const other{'x'};
        BEAST_EXPECT(seen(other).empty() && server.kept.size() == 0);
        BEAST_EXPECT(server.submit.words(now, {mail.key}).size() == 1);
        BEAST_EXPECT(server.submit.words(now + 601, {mail.key}).empty());
    }

    /// The record of a key as it was recorded.
    static Blob
    recordOf(email::KeyName const& name)
    {
        auto const recorded = recordedCase("1_keyset_six_names");
        for (std::size_t at = 0; at < recorded.txs.size(); ++at)
        {
            auto const set = recordedTx(recorded, at);
            auto const textOf = [&](SField const& field) {
                auto const bytes = set.getFieldVL(field);
                return std::string(bytes.begin(), bytes.end());
            };
            if (textOf(sfDomain) == name.domain && textOf(sfSelector) == name.selector)
                return set.getFieldVL(sfDKIMRecord);
        }
        return {};
    }

public:
    void
    run() override
    {
        testSubmit();
        testRequests();
        testKept();
        testWords();
    }
};

BEAST_DEFINE_TESTSUITE(SubmitEmail, app, ripple);

}  // namespace test
}  // namespace ripple
