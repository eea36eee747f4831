#include "../email/KeptMails.h"
#include "Suite.h"

namespace ripple {
namespace test {

class KeptMails_test : public beast::unit_test::suite
{
    static email::KeptMail
    mail(std::uint32_t number, std::uint32_t account, std::string const& selector, std::uint64_t source = 0)
    {
        email::KeptMail made;
        made.form = Blob(100, 'x');
        std::memcpy(made.form.data(), &number, sizeof number);
        std::memcpy(made.account.data(), &account, sizeof account);
        made.key = {"a.example", selector};
        made.executableUntil = 1000;
        made.source = source;
        return made;
    }

    /// Numbers of the mails that are kept, oldest first.
    static std::vector<std::uint32_t>
    kept(email::KeptMails& mails)
    {
        std::vector<std::uint32_t> numbers;
        for (auto const& one : mails.due(0xFFFFFFFF, 0))
            std::memcpy(&numbers.emplace_back(), one.form.data(), sizeof(std::uint32_t));
        return numbers;
    }

    void
    testOnce()
    {
        testcase("a form is kept once, until its time is over");
        email::KeptMails mails;
        BEAST_EXPECT(mails.keep(mail(1, 1, "k")) == email::Keeping::kept);
        BEAST_EXPECT(mails.keep(mail(1, 1, "k")) == email::Keeping::keptBefore);
        BEAST_EXPECT(mails.due(1, 1000).size() == 1);
        BEAST_EXPECT(mails.due(1, 1001).empty());
        BEAST_EXPECT(mails.size() == 0);
    }

    void
    testBounds()
    {
        testcase("four for a key, four for an account: the oldest goes");
        email::KeptMails mails;
        for (std::uint32_t at = 1; at <= 5; ++at)
            mails.keep(mail(at, at, "k"));
        BEAST_EXPECT(kept(mails) == std::vector<std::uint32_t>({2, 3, 4, 5}));
        for (std::uint32_t at = 11; at <= 15; ++at)
            mails.keep(mail(at, 9, "k" + std::to_string(at)));
        BEAST_EXPECT(kept(mails) == std::vector<std::uint32_t>({2, 3, 4, 5, 12, 13, 14, 15}));
        auto huge = mail(20, 20, "h");
        huge.form.resize(email::KeptMails::bytesMax + 1);
        BEAST_EXPECT(mails.keep(huge) == email::Keeping::refused);
        BEAST_EXPECT(mails.size() == 8);
        huge.form.resize(email::KeptMails::bytesMax);
        BEAST_EXPECT(mails.keep(huge) == email::Keeping::kept);
        BEAST_EXPECT(kept(mails) == std::vector<std::uint32_t>({20}));
    }

    void
    testFair()
    {
        testcase("who has most gives way");
        email::KeptMails mails;
        mails.keep(mail(0, 0, "k0", 1));
        for (std::uint32_t at = 1; at < 2000; ++at)
            mails.keep(mail(at, at, "k" + std::to_string(at), 2));
        auto const numbers = kept(mails);
        BEAST_EXPECT(numbers.size() == email::KeptMails::mailsMax);
        BEAST_EXPECT(numbers[0] == 0 && numbers[1] == 1001 && numbers.back() == 1999);
    }

    void
    testWork()
    {
        testcase("what is handed on rests, what is decided goes");
        email::KeptMails mails;
        mails.keep(mail(1, 1, "a"));
        mails.keep(mail(2, 2, "b"));
        auto const first = mails.due(10, 0).at(0);
        mails.rest(first.id, 30);
        BEAST_EXPECT(mails.due(29, 0).size() == 1);
        BEAST_EXPECT(mails.due(30, 0).size() == 2);
        BEAST_EXPECT(mails.waitingFor({"a.example", "b"}).size() == 1);
        BEAST_EXPECT(mails.waitingFor({"b.example", "b"}).empty());
        mails.drop(first.id);
        mails.drop(99);
        BEAST_EXPECT(kept(mails) == std::vector<std::uint32_t>({2}));
    }

public:
    void
    run() override
    {
        testOnce();
        testBounds();
        testFair();
        testWork();
    }
};

BEAST_DEFINE_TESTSUITE(KeptMails, app, ripple);

}  // namespace test
}  // namespace ripple
