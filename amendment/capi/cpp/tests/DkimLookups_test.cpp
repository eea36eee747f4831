#include "../email/DkimLookups.h"
#include "Suite.h"

#include <atomic>
#include <stdexcept>
#include <thread>

namespace ripple {
namespace test {

class DkimLookups_test : public beast::unit_test::suite
{
    using Lookups = email::DkimLookups;
    using Asking = email::Asking;

    static email::KeyName
    name(int domain, int selector = 1)
    {
        return {"d" + std::to_string(domain) + ".example", "s" + std::to_string(selector)};
    }

    void
    testRoom()
    {
        testcase("two names of a domain, 28 for mails, 4 more for renewals");
        Lookups lookups;
        Lookups::Clock::time_point const now{};
        BEAST_EXPECT(lookups.ask(name(1, 1), Asking::mail, now));
        BEAST_EXPECT(lookups.ask(name(1, 1), Asking::mail, now));
        BEAST_EXPECT(lookups.ask(name(1, 2), Asking::mail, now));
        BEAST_EXPECT(!lookups.ask(name(1, 3), Asking::mail, now));
        for (int domain = 2; domain <= 27; ++domain)
            BEAST_EXPECT(lookups.ask(name(domain), Asking::mail, now));
        BEAST_EXPECT(!lookups.ask(name(28), Asking::mail, now));
        for (int domain = 31; domain <= 34; ++domain)
            BEAST_EXPECT(lookups.ask(name(domain), Asking::renewal, now));
        BEAST_EXPECT(!lookups.ask(name(35), Asking::renewal, now));
        lookups.answered(name(1, 1), email::TxtRecords{{1}}, 100, now);
        BEAST_EXPECT(lookups.ask(name(28), Asking::mail, now));
    }

    void
    testPauses()
    {
        testcase("silence is no answer, and makes the pause longer");
        Lookups lookups;
        Lookups::Clock::time_point now{};
        std::vector<long> pauses;
        for (int at = 0; at < 10; ++at)
        {
            BEAST_EXPECT(lookups.ask(name(1), Asking::mail, now));
            lookups.answered(name(1), std::nullopt, 100, now);
            long pause = 0;
            while (!lookups.ask(name(1), Asking::mail, now + std::chrono::seconds(pause)))
                ++pause;
            pauses.push_back(pause);
            now += std::chrono::seconds(pause);
            lookups.answered(name(1), std::nullopt, 100, now);
            now += Lookups::pauseMax;
        }
        BEAST_EXPECT(pauses[0] == 5 && pauses[1] == 20 && pauses[2] == 80 && pauses[9] == 600);
        BEAST_EXPECT(lookups.answers(100).empty());
    }

    void
    testAnswers()
    {
        testcase("answers count for ten minutes, absent ones rest for as long");
        Lookups lookups;
        Lookups::Clock::time_point const now{};
        lookups.ask(name(1), Asking::mail, now);
        lookups.answered(name(1), email::TxtRecords{}, 1000, now);
        auto const answers = lookups.answers(1600);
        BEAST_EXPECT(answers.size() == 1 && answers[0].records.empty() && answers[0].observedAt == 1000);
        BEAST_EXPECT(lookups.answers(1601).empty());
        BEAST_EXPECT(!lookups.ask(name(1), Asking::mail, now + std::chrono::seconds(599)));
        BEAST_EXPECT(lookups.ask(name(1), Asking::mail, now + std::chrono::seconds(600)));
        // Nobody asked: nothing is learned.
        lookups.answered(name(2), email::TxtRecords{{1}}, 1600, now);
        BEAST_EXPECT(lookups.answers(1601).empty());
    }

    void
    testThreads()
    {
        testcase("threads work until they are stopped");
        struct Dns : email::Resolver
        {
            std::atomic<int> asked = 0;

            std::optional<email::TxtRecords>
            resolve(email::KeyName const& name) override
            {
                ++asked;
                if (name.domain == "d1.example")
                    throw std::runtime_error("no network");
                return email::TxtRecords{{name.domain.begin(), name.domain.end()}};
            }
        } dns;
        Lookups lookups;
        auto const work = [&] { lookups.work(dns, [] { return std::uint32_t{500}; }); };
        std::thread one(work), two(work);
        for (int domain = 1; domain <= 20; ++domain)
            BEAST_EXPECT(lookups.ask(name(domain), Asking::mail));
        // Ends: every name is asked once.
        while (lookups.answers(500).size() < 19 || dns.asked < 20)
            std::this_thread::yield();
        lookups.stop();
        one.join();
        two.join();
        BEAST_EXPECT(dns.asked == 20 && lookups.answers(500).size() == 19);
    }

public:
    void
    run() override
    {
        testRoom();
        testPauses();
        testAnswers();
        testThreads();
    }
};

BEAST_DEFINE_TESTSUITE(DkimLookups, app, ripple);

}  // namespace test
}  // namespace ripple
