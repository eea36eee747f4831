// Leaving email behind: what takes an account away from its mailbox has to wait after a REKEY (spec 11).
//
// Port: preclaim of SetAccount (asfDisableEmail), of SetSignerList and of SetHook ask mayLeave; DeleteAccount's
// preclaim asks mayDelete, and its doApply calls deleteReplay. SetAccount sets and clears lsfDisableEmail as the
// other flags, for a transaction that a key signs; a mail signs none.
#pragma once

#include "EmailBorder.h"
#include "EmailTables.h"

namespace ripple {
namespace email {

/// tesSUCCESS, or tecTOO_SOON within 72 hours of the last REKEY.
inline TER
mayLeave(ReadView const& view, AccountID const& account)
{
    if (!view.rules().enabled(featureEmail))
        return tesSUCCESS;
    auto const replay = replayOf(view, account);
    return ter(xe_may_disable_email(slice(replay), secondsOf(view.info().parentCloseTime)));
}

/// tesSUCCESS, tecTOO_SOON, or tecHAS_OBLIGATIONS while entries of mails live: an account that comes back must not
/// execute them again.
inline TER
mayDelete(ReadView const& view, AccountID const& account)
{
    if (!view.rules().enabled(featureEmail))
        return tesSUCCESS;
    auto const replay = replayOf(view, account);
    std::uint32_t stays = 0;
    return ter(
        xe_may_delete_account(slice(replay), secondsOf(view.info().parentCloseTime), &stays));
}

/// Takes the EmailReplay of an account that is being deleted away, unless a REKEY wrote it: that stays.
inline void
deleteReplay(ApplyView& view, AccountID const& account)
{
    auto const replay = replayOf(view, account);
    std::uint32_t stays = 1;
    int const code =
        xe_may_delete_account(slice(replay), secondsOf(view.info().parentCloseTime), &stays);
    if (code == XE_OK && stays == 0 && !replay.empty())
        put(view, replayIndex(account), {});
}

}  // namespace email
}  // namespace ripple
