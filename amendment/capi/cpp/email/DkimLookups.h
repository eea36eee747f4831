// Look-ups of keys in DNS: questions out, answers in.
//
// Port: one object in the application, and threads of its own that run `work` with the operator's resolver, since one
// name whose servers are silent must not hold up the others; no job of the server's queue waits for DNS. Nothing that
// is answered here decides anything alone: it is what this validator says in its next vote (DkimVotes.h), and
// validators that saw otherwise outvote it.
//
// Strangers ask for look-ups by writing mails, so all of it is bounded (spec 7.5): names known, names asked at a time
// for a domain and in all, and the time between two questions for a name.
#pragma once

#include "EmailServer.h"
#include "KeptMails.h"

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <exception>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace ripple {
namespace email {

/// What DNS holds: the TXT records of the name, the strings of each joined. None: NXDOMAIN or NODATA.
using TxtRecords = std::vector<Blob>;

/// The operator's own recursive resolver. Nothing where it failed: SERVFAIL, a timeout, a bad DNSSEC signature. That is
/// no answer, and must not look like "no records". May block; every thread that runs DkimLookups::work calls it.
class Resolver
{
public:
    virtual ~Resolver() = default;
    virtual std::optional<TxtRecords>
    resolve(KeyName const& name) = 0;
};

/// Why a name is looked up. Renewals of keys in use have room of their own: no mail can keep them waiting.
enum class Asking { mail, renewal };

struct KeyAnswer
{
    KeyName name;
    TxtRecords records;
    /// Seconds since 2000 by this server's clock.
    std::uint32_t observedAt = 0;
};

class DkimLookups
{
public:
    using Clock = std::chrono::steady_clock;

    /// Spec 7.5.
    static constexpr std::size_t namesMax = 1024;
    static constexpr std::size_t perDomainMax = 2;
    static constexpr std::size_t mailsMax = 28;
    static constexpr std::size_t renewalsMax = 4;
    static constexpr std::size_t triesMax = 8;
    static constexpr Clock::duration pauseMin = std::chrono::seconds(5);
    static constexpr Clock::duration pauseMax = std::chrono::minutes(10);
    /// Spec 7.2: what is older says nothing about now.
    static constexpr std::uint32_t answerSecondsMax = 600;

    /// Whether the name is, or will be, looked up. False where there is no room, or where it was asked too lately.
    bool
    ask(KeyName const& name, Asking why, Clock::time_point now = Clock::now())
    {
        std::lock_guard const lock(mutex_);
        auto known = names_.find(name);
        if (known != names_.end() && known->second.waits)
            return true;
        if (known != names_.end() && now < known->second.notBefore)
            return false;
        if (!hasRoom(name.domain, why))
            return false;
        if (known == names_.end())
        {
            if (names_.size() >= namesMax && !forgetOldest(now))
                return false;
            known = names_.emplace(name, State{}).first;
            known->second.notBefore = now;
        }
        known->second.waits = true;
        known->second.why = why;
        waiting_.notify_one();
        return true;
    }

    /// Answers that are young enough to be voted about, by name.
    std::vector<KeyAnswer>
    answers(std::uint32_t now) const
    {
        std::lock_guard const lock(mutex_);
        std::vector<KeyAnswer> young;
        for (auto const& [name, state] : names_)
            if (state.answer && state.answer->observedAt + answerSecondsMax >= now)
                young.push_back(*state.answer);
        return young;
    }

    /// The body of each thread: looks names up until `stop`. `seconds` tells the time since 2000.
    template <class Seconds>
    void
    work(Resolver& resolver, Seconds const& seconds)
    {
        while (auto const name = next())
        {
            std::optional<TxtRecords> records;
            try
            {
                records = resolver.resolve(*name);
            }
            catch (std::exception const&)
            {
                // As where DNS is silent.
            }
            answered(*name, std::move(records), seconds(), Clock::now());
        }
    }

    void
    stop()
    {
        std::lock_guard const lock(mutex_);
        stopped_ = true;
        waiting_.notify_all();
    }

    /// What a resolver said; `work` calls it.
    void
    answered(
        KeyName const& name,
        std::optional<TxtRecords> records,
        std::uint32_t seconds,
        Clock::time_point now)
    {
        std::lock_guard const lock(mutex_);
        auto const at = names_.find(name);
        if (at == names_.end())
            return;
        auto& state = at->second;
        state.waits = false;
        state.isAsked = false;
        if (records)
        {
            bool const isAbsent = records->empty();
            state.answer = KeyAnswer{name, std::move(*records), seconds};
            state.tries = 0;
            state.notBefore = now + (isAbsent ? pauseMax : pauseMin);
        }
        else
        {
            // 5 s, 10 s, 20 s, ... 10 minutes; after so many tries the longest pause each time.
            state.tries = std::min(state.tries + 1, triesMax);
            auto const pause = pauseMin * (std::uint32_t{1} << (state.tries - 1));
            state.notBefore = now + (state.tries == triesMax ? pauseMax : std::min(pause, pauseMax));
        }
    }

private:
    struct State
    {
        Clock::time_point notBefore{};
        std::optional<KeyAnswer> answer;
        Asking why = Asking::mail;
        /// Asked for, and not answered yet.
        bool waits = false;
        /// A thread has it.
        bool isAsked = false;
        /// Times that DNS was silent, one after another.
        std::size_t tries = 0;
    };

    mutable std::mutex mutex_;
    std::condition_variable waiting_;
    std::map<KeyName, State> names_;
    bool stopped_ = false;

    bool
    hasRoom(std::string const& domain, Asking why) const
    {
        std::size_t ofDomain = 0, ofKind = 0;
        for (auto const& [name, state] : names_)
        {
            ofDomain += state.waits && name.domain == domain ? 1 : 0;
            ofKind += state.waits && state.why == why ? 1 : 0;
        }
        return ofDomain < perDomainMax && ofKind < (why == Asking::mail ? mailsMax : renewalsMax);
    }

    /// Makes room for a name: of those that could be asked again the one that could be first.
    bool
    forgetOldest(Clock::time_point now)
    {
        auto oldest = names_.end();
        for (auto at = names_.begin(); at != names_.end(); ++at)
            if (!at->second.waits && at->second.notBefore <= now &&
                (oldest == names_.end() || at->second.notBefore < oldest->second.notBefore))
                oldest = at;
        if (oldest == names_.end())
            return false;
        names_.erase(oldest);
        return true;
    }

    /// The next name for a thread; waits for one. Nothing once it is to stop.
    std::optional<KeyName>
    next()
    {
        std::unique_lock lock(mutex_);
        for (;;)
        {
            if (stopped_)
                return std::nullopt;
            auto first = names_.end();
            for (auto at = names_.begin(); at != names_.end(); ++at)
                if (at->second.waits && !at->second.isAsked &&
                    (first == names_.end() || at->second.notBefore < first->second.notBefore))
                    first = at;
            if (first != names_.end())
            {
                first->second.isAsked = true;
                return first->first;
            }
            waiting_.wait(lock);
        }
    }
};

}  // namespace email
}  // namespace ripple
