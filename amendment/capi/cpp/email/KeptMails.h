// Mails that wait for their key, or for their date (terNO_DKIM_KEY, terEMAIL_EARLY).
//
// Port: one pool beside LocalTxs, asked at each close. The server's own held transactions are gone after six closes, and
// a transaction is only good for some twenty ledgers; a key may take hours (KEY_DELAY_FIRST). So what is kept is the
// mail in its normal form, which is a mail itself, and SubmitEmail wraps it anew at each try.
//
// Whoever can write a mail can have it kept, so the pool is bounded (spec 7.5): for each key, for each account, in all.
// Beyond that the oldest mail goes, of the source that has most; so nobody can push out the mails of others.
#pragma once

#include "EmailServer.h"

#include <algorithm>
#include <cstdint>
#include <list>
#include <map>
#include <mutex>
#include <string>
#include <vector>

namespace ripple {
namespace email {

struct KeptMail
{
    uint256 emailID;
    AccountID account;
    /// selector._domainkey.domain
    std::string key;
    /// Seconds since 2000 until which the mail can be executed.
    std::uint32_t executableUntil = 0;
    /// Who handed it in: a number for each peer, 0 for clients of this server.
    std::uint64_t source = 0;
    /// The normal form.
    Blob form;
};

enum class Keeping { kept, keptBefore, refused };

class KeptMails
{
public:
    /// Spec 7.5.
    static constexpr std::size_t perKeyMax = 4;
    static constexpr std::size_t perAccountMax = 4;
    static constexpr std::size_t mailsMax = 1000;
    static constexpr std::size_t bytesMax = 16 * 1024 * 1024;

    /// Keeps a mail. One with an EmailID that is kept already changes nothing: the first copy stays.
    Keeping
    keep(KeptMail mail)
    {
        std::lock_guard const lock(mutex_);
        if (holds(mail.emailID))
            return Keeping::keptBefore;
        if (mail.form.size() > bytesMax)
            return Keeping::refused;
        auto const sameKey = [&](KeptMail const& one) { return one.key == mail.key; };
        auto const sameAccount = [&](KeptMail const& one) { return one.account == mail.account; };
        makeRoom(sameKey, perKeyMax);
        makeRoom(sameAccount, perAccountMax);
        auto const any = [](KeptMail const&) { return true; };
        makeRoom(any, mailsMax);
        while (bytes_ + mail.form.size() > bytesMax)
            dropOldest(any);
        bytes_ += mail.form.size();
        mails_.push_back(std::move(mail));
        return Keeping::kept;
    }

    /// What is to be tried after a close, oldest first. What can no longer be executed goes.
    std::vector<KeptMail>
    due(std::uint32_t closeTime)
    {
        std::lock_guard const lock(mutex_);
        for (auto at = mails_.begin(); at != mails_.end();)
            at = at->executableUntil < closeTime ? dropAt(at) : std::next(at);
        return {mails_.begin(), mails_.end()};
    }

    /// Executed, or refused for good.
    void
    drop(uint256 const& emailID)
    {
        std::lock_guard const lock(mutex_);
        for (auto at = mails_.begin(); at != mails_.end(); ++at)
            if (at->emailID == emailID)
            {
                dropAt(at);
                return;
            }
    }

    /// All that waits for a key goes with what its look-up said, unless it is the key.
    void
    dropKey(std::string const& key)
    {
        std::lock_guard const lock(mutex_);
        for (auto at = mails_.begin(); at != mails_.end();)
            at = at->key == key ? dropAt(at) : std::next(at);
    }

    bool
    contains(uint256 const& emailID) const
    {
        std::lock_guard const lock(mutex_);
        return holds(emailID);
    }

    std::size_t
    size() const
    {
        std::lock_guard const lock(mutex_);
        return mails_.size();
    }

private:
    using Mails = std::list<KeptMail>;

    mutable std::mutex mutex_;
    /// Oldest first.
    Mails mails_;
    std::size_t bytes_ = 0;

    bool
    holds(uint256 const& emailID) const
    {
        return std::any_of(mails_.begin(), mails_.end(), [&](KeptMail const& one) {
            return one.emailID == emailID;
        });
    }

    Mails::iterator
    dropAt(Mails::iterator at)
    {
        bytes_ -= at->form.size();
        return mails_.erase(at);
    }

    /// Leaves less than `max` of those that `among` names.
    template <class Among>
    void
    makeRoom(Among const& among, std::size_t max)
    {
        auto const count = std::count_if(mails_.begin(), mails_.end(), among);
        for (auto left = static_cast<std::size_t>(count); left >= max; --left)
            dropOldest(among);
    }

    template <class Among>
    void
    dropOldest(Among const& among)
    {
        std::map<std::uint64_t, std::size_t> bySource;
        for (auto const& one : mails_)
            if (among(one))
                ++bySource[one.source];
        auto const most = std::max_element(
            bySource.begin(), bySource.end(), [](auto const& one, auto const& two) {
                return one.second < two.second;
            });
        auto const at = std::find_if(mails_.begin(), mails_.end(), [&](KeptMail const& one) {
            return among(one) && one.source == most->first;
        });
        dropAt(at);
    }
};

}  // namespace email
}  // namespace ripple
