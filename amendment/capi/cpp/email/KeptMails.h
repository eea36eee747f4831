// Mails that wait for their key, or for their date (terNO_DKIM_KEY, terEMAIL_EARLY).
//
// Port: one pool beside LocalTxs, asked at each close. The server's own held transactions are gone after six closes,
// and a transaction is only good for some twenty ledgers; a key may take hours (KEY_DELAY_FIRST). So what is kept is
// the mail in its normal form, which is a mail itself, and SubmitEmail wraps it anew at each try.
//
// Whoever can write a mail can have it kept, whatever it claims to be: nothing of it is proven yet. So two forms are
// one mail only where their bytes are equal (a forgery must not take the place of the true mail), and the pool is
// bounded (spec 7.5): for each key, for each account, in all. Beyond that the oldest goes, of the source that has
// most; so nobody can push out the mails of others.
#pragma once

#include "EmailServer.h"

#include <algorithm>
#include <cstdint>
#include <list>
#include <map>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

namespace ripple {
namespace email {

/// A key: lower case, as the library says it.
struct KeyName
{
    std::string domain;
    std::string selector;

    friend auto
    operator<=>(KeyName const&, KeyName const&) = default;
};

struct KeptMail
{
    /// The normal form under one signature.
    Blob form;
    /// Whom it names as sender.
    AccountID account;
    /// The key that has to prove it.
    KeyName key;
    /// Seconds since 2000 until which it can be executed.
    std::uint32_t executableUntil = 0;
    /// Who handed it in: a number for each peer, 0 for clients of this server.
    std::uint64_t source = 0;
    /// Not tried again before this ledger.
    LedgerIndex notBefore = 0;
    /// The pool's name for it.
    std::uint64_t id = 0;
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

    Keeping
    keep(KeptMail mail)
    {
        std::lock_guard const lock(mutex_);
        auto const same = [&](KeptMail const& one) { return one.form == mail.form; };
        if (std::any_of(mails_.begin(), mails_.end(), same))
            return Keeping::keptBefore;
        if (mail.form.size() > bytesMax)
            return Keeping::refused;
        auto const any = [](KeptMail const&) { return true; };
        makeRoom([&](KeptMail const& one) { return one.key == mail.key; }, perKeyMax);
        makeRoom([&](KeptMail const& one) { return one.account == mail.account; }, perAccountMax);
        makeRoom(any, mailsMax);
        while (bytes_ + mail.form.size() > bytesMax)
            dropOldest(any);
        bytes_ += mail.form.size();
        mail.id = ++lastId_;
        mails_.push_back(std::move(mail));
        return Keeping::kept;
    }

    /// What is to be tried in a ledger, oldest first. What can no longer be executed goes.
    std::vector<KeptMail>
    due(LedgerIndex ledger, std::uint32_t parentCloseTime)
    {
        std::lock_guard const lock(mutex_);
        mails_.remove_if([&](KeptMail const& one) {
            bool const isOver = one.executableUntil < parentCloseTime;
            bytes_ -= isOver ? one.form.size() : 0;
            return isOver;
        });
        std::vector<KeptMail> found;
        std::copy_if(mails_.begin(), mails_.end(), std::back_inserter(found), [&](KeptMail const& one) {
            return one.notBefore <= ledger;
        });
        return found;
    }

    /// All that waits for a key.
    std::vector<KeptMail>
    waitingFor(KeyName const& key) const
    {
        std::lock_guard const lock(mutex_);
        std::vector<KeptMail> found;
        std::copy_if(mails_.begin(), mails_.end(), std::back_inserter(found), [&](KeptMail const& one) {
            return one.key == key;
        });
        return found;
    }

    /// Handed on: not tried again before a later ledger, when its transaction is in a ledger or dead.
    void
    rest(std::uint64_t id, LedgerIndex until)
    {
        std::lock_guard const lock(mutex_);
        for (auto& one : mails_)
            if (one.id == id)
                one.notBefore = until;
    }

    /// Executed, or refused for good.
    void
    drop(std::uint64_t id)
    {
        std::lock_guard const lock(mutex_);
        auto const at =
            std::find_if(mails_.begin(), mails_.end(), [&](KeptMail const& one) { return one.id == id; });
        if (at != mails_.end())
            dropAt(at);
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
    std::uint64_t lastId_ = 0;

    void
    dropAt(Mails::iterator at)
    {
        bytes_ -= at->form.size();
        mails_.erase(at);
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
        dropAt(std::find_if(mails_.begin(), mails_.end(), [&](KeptMail const& one) {
            return among(one) && one.source == most->first;
        }));
    }
};

}  // namespace email
}  // namespace ripple
