#include "../email/KeptMails.h"
#include "Suite.h"

namespace ripple {
namespace test {

class KeptMails_test : public beast::unit_test::suite
{
    static email::KeptMail
    mail(std::uint8_t id, std::uint8_t account, std::string const& key, std::uint64_t source = 0)
    {
        email::KeptMail made;
        made.emailID.data()[0] = id;
        made.account.data()[0] = account;
        made.key = key;
        made.executableUntil = 1000;
        made.source = source;
        made.form = Blob(100, id);
        return made;
    }

    static uint256
    id(std::uint8_t number)
    {
        return mail(number, 0, "").emailID;
    }

    void
    testOnce()
    {
        testcase("a mail is kept once, until its time is over");
        email::KeptMails mails;
        BEAST_EXPECT(mails.keep(mail(1, 1, "k")) == email::Keeping::kept);
        auto other = mail(1, 1, "k");
        other.form = {7};
        BEAST_EXPECT(mails.keep(other) == email::Keeping::keptBefore);
        auto const due = mails.due(1000);
        BEAST_EXPECT(due.size() == 1 && due[0].form == Blob(100, 1));
        BEAST_EXPECT(mails.due(1001).empty());
        BEAST_EXPECT(mails.size() == 0);
    }

    void
    testBounds()
    {
        testcase("four for a key, four for an account: the oldest goes");
        email::KeptMails mails;
        for (std::uint8_t at = 1; at <= 5; ++at)
            mails.keep(mail(at, at, "k"));
        BEAST_EXPECT(mails.size() == 4 && !mails.contains(id(1)) && mails.contains(id(5)));
        for (std::uint8_t at = 11; at <= 15; ++at)
            mails.keep(mail(at, 9, "k" + std::to_string(at)));
        BEAST_EXPECT(mails.size() == 8 && !mails.contains(id(11)) && mails.contains(id(12)));
        auto huge = mail(20, 20, "h");
        huge.form.resize(email::KeptMails::bytesMax + 1);
        BEAST_EXPECT(mails.keep(huge) == email::Keeping::refused);
        BEAST_EXPECT(mails.size() == 8);
        huge.form.resize(email::KeptMails::bytesMax);
        BEAST_EXPECT(mails.keep(huge) == email::Keeping::kept);
        BEAST_EXPECT(mails.size() == 1);
    }

    void
    testFair()
    {
        testcase("who has most gives way");
        email::KeptMails mails;
        auto numbered = [](std::uint32_t number, std::uint64_t source) {
            auto made = mail(0, 0, "k" + std::to_string(number), source);
            std::memcpy(made.emailID.data(), &number, 4);
            std::memcpy(made.account.data(), &number, 4);
            return made;
        };
        mails.keep(numbered(0, 1));
        for (std::uint32_t at = 1; at < 2000; ++at)
            mails.keep(numbered(at, 2));
        BEAST_EXPECT(mails.size() == email::KeptMails::mailsMax);
        BEAST_EXPECT(mails.contains(numbered(0, 1).emailID));
        BEAST_EXPECT(!mails.contains(numbered(1, 2).emailID));
        BEAST_EXPECT(mails.contains(numbered(1999, 2).emailID));
    }

    void
    testDrop()
    {
        testcase("what is decided goes");
        email::KeptMails mails;
        mails.keep(mail(1, 1, "a"));
        mails.keep(mail(2, 2, "a"));
        mails.keep(mail(3, 3, "b"));
        mails.drop(id(1));
        mails.drop(id(99));
        BEAST_EXPECT(mails.size() == 2);
        mails.dropKey("a");
        BEAST_EXPECT(mails.size() == 1 && mails.contains(id(3)));
    }

public:
    void
    run() override
    {
        testOnce();
        testBounds();
        testFair();
        testDrop();
    }
};

BEAST_DEFINE_TESTSUITE(KeptMails, app, ripple);

}  // namespace test
}  // namespace ripple
