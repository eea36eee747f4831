// submit_email: a raw mail becomes a transaction, or waits for its key (spec 12).
//
// Port: one object in the application, beside KeptMails and DkimLookups.
//   rpc/handlers  doSubmitEmail calls `submit` with the request's parameters and the open ledger; Handler.cpp has it as
//                 submit_email and as submitEmail, for users, with the load of a transaction.
//   onClose       `retry` where the server tries its held transactions.
//   DkimVotes     `words` is what this validator says at a voting ledger.
//
// A `door` hands a transaction to the server as `submit` does: door(tx, answer) fills what `submit` answers
// (engine_result, tx_json, ...) and gives the code.
#pragma once

#include "DkimVotes.h"
#include "EmailBorder.h"
#include "KeptMails.h"

#include <set>

namespace ripple {
namespace email {

class SubmitEmail
{
    Application& app_;
    KeptMails& kept_;
    DkimLookups& lookups_;

    /// A transaction of a mail is dead after so many ledgers (spec 6.3): then the mail is tried again.
    static constexpr LedgerIndex ledgersAhead = 20;

    struct Made
    {
        TER verdict = tefINTERNAL;
        Json::Value explanation;
        std::optional<STTx> tx;
    };

public:
    SubmitEmail(Application& app, KeptMails& kept, DkimLookups& lookups)
        : app_(app), kept_(kept), lookups_(lookups)
    {
    }

    /// The answer to a request: {email | email_hex | email_base64, dry_run?}. `source` names who asks, for the pool.
    template <class Door>
    Json::Value
    submit(Json::Value const& params, ReadView const& ledger, std::uint64_t source, Door const& door)
    {
        auto const mail = mailOf(params);
        if (!mail)
            return invalid("email, email_hex or email_base64 has to hold the mail");
        if (params.isMember("dry_run") && !params["dry_run"].isBool())
            return invalid("dry_run is true or false");
        auto made = make(*mail, ledger);
        auto answer = std::move(made.explanation);
        if (!answer.isObject())
            return invalid("the mail cannot be read");
        if (params.isMember("dry_run") && params["dry_run"].asBool())
            return answer;
        answer["kept"] = false;
        if (made.tx)
            made.verdict = door(*made.tx, answer);
        if (waits(made.verdict))
            answer["kept"] = keep(*mail, untilOf(answer), source);
        return answer;
    }

    /// Tries what waits, in the open ledger after a close.
    template <class Door>
    void
    retry(ReadView const& ledger, Door const& door)
    {
        for (auto const& mail : kept_.due(ledger.info().seq, secondsOf(ledger.info().parentCloseTime)))
        {
            auto const made = make(mail.form, ledger);
            Json::Value answer;
            auto const code = made.tx ? door(*made.tx, answer) : made.verdict;
            if (waits(code))
                lookups_.ask(mail.key, Asking::mail);
            else if (isFinal(code))
                kept_.drop(mail.id);
            else
                kept_.rest(mail.id, ledger.info().seq + ledgersAhead);
        }
    }

    /// What this validator says at a voting ledger: of keys in use, and of keys under which a mail that waits is
    /// proven. A mail that the answer of DNS does not prove goes; so nobody fills a vote with names that prove
    /// nothing (spec 7.5).
    std::vector<Word>
    words(std::uint32_t now, std::set<KeyName> const& inUse)
    {
        std::vector<Word> said;
        for (auto const& seen : lookups_.answers(now))
        {
            auto const word = wordOf(seen);
            bool proves = false;
            for (auto const& mail : kept_.waitingFor(seen.name))
            {
                auto const verdict = verdictUnder(mail.form, word, now);
                proves = proves || verdict == tesSUCCESS;
                if (verdict != tesSUCCESS && !waits(verdict))
                    kept_.drop(mail.id);
            }
            if (proves || inUse.count(seen.name) != 0)
                said.push_back(word);
        }
        return said;
    }

private:
    static Json::Value
    invalid(char const* why)
    {
        Json::Value answer(Json::objectValue);
        answer["error"] = "invalidParams";
        answer["error_message"] = why;
        return answer;
    }

    /// The mail of a request, in the one form that is there.
    static std::optional<Blob>
    mailOf(Json::Value const& params)
    {
        std::optional<Blob> mail;
        for (char const* const name : {"email", "email_hex", "email_base64"})
        {
            if (!params.isMember(name))
                continue;
            if (mail || !params[name].isString())
                return std::nullopt;
            auto const text = params[name].asString();
            if (name == std::string("email_hex"))
                mail = strUnHex(text);
            else
            {
                auto const raw = name == std::string("email") ? text : base64_decode(text);
                mail = Blob(raw.begin(), raw.end());
            }
            if (!mail || mail->empty())
                return std::nullopt;
        }
        return mail;
    }

    /// The transaction of a mail for a ledger, or why there is none.
    Made
    make(Blob const& mail, ReadView const& view) const
    {
        LedgerReader const ledger(app_, view);
        std::int32_t verdict = XE_INTERNAL;
        Bytes json, transaction;
        auto const asked = ledger.ask([&](xe_entry const* entries, std::size_t count, xe_list** more) {
            return xe_submission(
                slice(mail),
                &ledger.numbers(),
                entries,
                count,
                more,
                &verdict,
                Place(json),
                Place(transaction));
        });
        Made made;
        made.verdict = ter(asked.first == XE_OK ? verdict : asked.first);
        Json::Reader().parse(xahau_email::text(json), made.explanation);
        if (auto const bytes = blob(transaction); !bytes.empty())
        {
            SerialIter reader(bytes.data(), bytes.size());
            made.tx.emplace(reader);
        }
        return made;
    }

    /// What a mail comes to under an answer of DNS, no ledger asked.
    TER
    verdictUnder(Blob const& form, Word const& word, std::uint32_t now) const
    {
        auto const name = word.name.selector + "._domainkey." + word.name.domain;
        xe_key_answer answer{};
        answer.name = xahau_email::slice(name);
        answer.record = slice(word.record);
        answer.answer = word.answer;
        std::int32_t verdict = XE_INTERNAL;
        Bytes json;
        int const code = xe_explain(
            slice(form), app_.config().NETWORK_ID, now, &answer, 1, &verdict, Place(json));
        return ter(code == XE_OK ? verdict : code);
    }

    /// Nothing is wrong with the mail but that it comes before its key or its date.
    static bool
    waits(TER code)
    {
        return code == TER(terNO_DKIM_KEY) || code == TER(terEMAIL_EARLY);
    }

    /// No later ledger says otherwise: malformed, or a failure; but for what only the wrapper has.
    static bool
    isFinal(TER code)
    {
        bool const isWrapper =
            code == TER(tefPAST_SEQ) || code == TER(tefMAX_LEDGER) || code == TER(tefBAD_EMAIL_FEE);
        return isTemMalformed(code) || (isTefFailure(code) && !isWrapper);
    }

    static std::uint32_t
    untilOf(Json::Value const& explanation)
    {
        return explanation.isMember("executable_until")
            ? static_cast<std::uint32_t>(explanation["executable_until"].asInt())
            : 0;
    }

    /// Keeps a mail under each signature whose key it may wait for, and has those looked up.
    bool
    keep(Blob const& mail, std::uint32_t executableUntil, std::uint64_t source)
    {
        bool isKept = false;
        for (std::size_t position = 0;; ++position)
        {
            xe_waiting waiting;
            Bytes form;
            if (xe_waiting_form(slice(mail), position, &waiting, Place(form)) != XE_OK)
                return isKept;
            KeptMail one;
            one.form = blob(form);
            one.account = AccountID::fromVoid(waiting.account);
            one.key = {textOf(waiting.domain), textOf(waiting.selector)};
            one.executableUntil = executableUntil;
            one.source = source;
            lookups_.ask(one.key, Asking::mail);
            isKept = kept_.keep(std::move(one)) != Keeping::refused || isKept;
        }
    }

    /// A name as the library writes it: zeros behind it.
    template <std::size_t N>
    static std::string
    textOf(std::uint8_t const (&name)[N])
    {
        auto const end = std::find(std::begin(name), std::end(name), 0);
        return std::string(std::begin(name), end);
    }
};

}  // namespace email
}  // namespace ripple
