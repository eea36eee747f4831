// How validators agree about keys on xahaud (spec 7.6): each says in its validation of a voting ledger what it saw; who
// proposes after the flag ledger counts the validations, and puts what the count comes to into the transaction set.
//
// Port: a member of RCLConsensus beside feeVote_.
//   STValidation.cpp  the template gets {sfDKIMAnswers, soeOPTIONAL}: set only with the amendment on, since a server
//                     that does not know the field throws the validation away.
//   validate          doValidation, where the ledger is a voting ledger.
//   onClose           doVoting, where the previous ledger is a flag ledger and validations reach the quorum, behind the
//                     other votes. `add` is the server's own way to put a transaction into the initial set.
//
// What comes out is a function of validated data alone: the list in the flag ledger, and the validations. Two proposers
// that hold the same validations make the same transactions; consensus decides about those that differ.
#pragma once

#include "DkimLookups.h"
#include "EmailBorder.h"
#include "EmailTables.h"

#include <deque>

namespace ripple {
namespace email {

/// What this validator says about a key, or its operator about a domain.
struct Word
{
    /// The selector is empty where the word is about a domain.
    KeyName name;
    std::uint32_t answer = XE_ABSENT;
    Blob record;
    /// Seconds since 2000, by this server's clock.
    std::uint32_t observedAt = 0;
};

/// What DNS said, as a word. A record that makes no key becomes "unusable" in the library.
inline Word
wordOf(KeyAnswer const& seen)
{
    switch (seen.records.size())
    {
        case 0:
            return {seen.name, XE_ABSENT, {}, seen.observedAt};
        case 1:
            return {seen.name, XE_RECORD, seen.records.front(), seen.observedAt};
        default:
            return {seen.name, XE_UNUSABLE, {}, seen.observedAt};
    }
}

class DkimVote
{
public:
    /// Adds what this validator says to its validation of a voting ledger. More words than have room are left out,
    /// and those that are too old at `now`, in seconds since 2000 by this server's clock.
    static void
    doValidation(
        Rules const& rules,
        std::vector<Word> const& words,
        std::uint32_t now,
        STValidation& validation)
    {
        if (!rules.enabled(featureEmail) || words.empty())
            return;
        std::vector<xe_statement> statements;
        for (auto const& word : words)
        {
            xe_statement statement{};
            statement.domain = slice(word.name.domain);
            statement.selector = slice(word.name.selector);
            statement.record = slice(word.record);
            statement.answer = word.answer;
            statement.observed_at = word.observedAt;
            statements.push_back(statement);
        }
        Bytes vote;
        if (xe_pack_vote(statements.data(), statements.size(), now, Place(vote)) != XE_OK)
            return;
        if (auto const bytes = blob(vote); !bytes.empty())
            validation.setFieldVL(sfDKIMAnswers, bytes);
    }

    /// Counts the validations of the flag ledger's parent. `masterKey(signing key)` gives the validator's key as the
    /// list in the ledger has it; `add(id, transaction)` puts a transaction into the initial set.
    template <class MasterKey, class Add>
    static int
    doVoting(
        Application& app,
        ReadView const& flagLedger,
        std::vector<std::shared_ptr<STValidation>> const& parentValidations,
        MasterKey const& masterKey,
        Add const& add)
    {
        if (!flagLedger.rules().enabled(featureEmail))
            return XE_OK;
        std::deque<Blob> bytes;
        std::vector<xe_vote> votes;
        for (auto const& validation : parentValidations)
        {
            if (!validation->isTrusted() || !validation->isFieldPresent(sfDKIMAnswers))
                continue;
            auto const key = masterKey(validation->getSignerPublic());
            xe_vote vote{};
            if (key.size() != sizeof vote.validator)
                continue;
            std::memcpy(vote.validator, key.data(), sizeof vote.validator);
            bytes.push_back(validation->getFieldVL(sfDKIMAnswers));
            vote.answers = slice(bytes.back());
            votes.push_back(vote);
        }
        auto const ledger = LedgerReader::after(app, flagLedger);
        auto const [code, sets] =
            ledger.ask([&](xe_entry const* entries, std::size_t count, xe_list** list) {
                return xe_count_votes(
                    votes.data(), votes.size(), &ledger.numbers(), entries, count, list);
            });
        if (code != XE_OK)
            return code;
        for (auto const& set : xahau_email::entries_of(sets))
        {
            SerialIter reader(set.bytes.data, set.bytes.len);
            STTx const tx(reader);
            Serializer out;
            tx.add(out);
            add(tx.getTransactionID(), out);
        }
        return XE_OK;
    }
};

}  // namespace email
}  // namespace ripple
