// Generated from the definitions of crate codec by ../../tests/tables.rs, which compares it; do not edit.
//
// Everything that the amendment adds to the server's tables (docs/spec.md, sections 1 and 10). Each table is
// a macro that calls X for each row: README.md says with which X it goes into which file of a port.
#pragma once

// A field named NAME is sfNAME in the server.

// X(type, name, number within the type, where metadata shows it)
#define XAHAU_EMAIL_FIELDS(X) \
    X(UINT32, ActiveAfter, 60, Default) \
    X(UINT32, LastAttested, 61, Default) \
    X(UINT32, RevokedAt, 62, Default) \
    X(UINT32, SignedDate, 63, Default) \
    X(UINT32, ObservedAt, 64, Default) \
    X(UINT32, FirstSeen, 65, Default) \
    X(UINT32, NextAfter, 66, Default) \
    X(UINT32, LastRekey, 67, Default) \
    X(UINT256, EmailID, 60, Default) \
    X(UINT256, SignatureHash, 61, Default) \
    X(UINT256, LastRekeyID, 62, Default) \
    X(UINT256, RekeyMark, 63, Default) \
    X(VL, Selector, 60, Default) \
    X(VL, DKIMRecord, 61, Default) \
    X(VL, NextKey, 62, Default) \
    X(VL, KeySignature, 63, Default) \
    X(VL, DKIMAnswers, 64, Default) \
    X(UINT8, DKIMKeyType, 60, Default) \
    X(UINT8, NextKeyType, 61, Default)

// X(type, name, number within the type, where metadata shows it)
#define XAHAU_EMAIL_NESTED_FIELDS(X) \
    X(OBJECT, EmailReplayEntry, 60, Default) \
    X(OBJECT, DKIMAttestation, 61, Default) \
    X(ARRAY, EmailReplayEntries, 60, Never) \
    X(ARRAY, DKIMAttestations, 61, Default)

// X(constant, number, name)
#define XAHAU_EMAIL_LEDGER_ENTRIES(X) \
    X(ltDKIM_KEY, 0x4B, DKIMKey) \
    X(ltEMAIL_REPLAY, 0x65, EmailReplay) \
    X(ltDKIM_LEAK, 0x6D, DKIMLeak) \
    X(ltDKIM_FREEZE, 0x6A, DKIMFreeze)

// X(constant, number, name)
#define XAHAU_EMAIL_TRANSACTIONS(X) \
    X(ttDKIM_KEY_SET, 110, DKIMKeySet) \
    X(ttDKIM_KEY_LEAK, 111, DKIMKeyLeak)

// X(field, need)
#define XAHAU_EMAIL_DKIM_KEY_FIELDS(X) \
    X(Domain, REQUIRED) \
    X(Selector, REQUIRED) \
    X(DKIMKeyType, OPTIONAL) \
    X(PublicKey, OPTIONAL) \
    X(ActiveAfter, OPTIONAL) \
    X(NextKeyType, OPTIONAL) \
    X(NextKey, OPTIONAL) \
    X(NextAfter, OPTIONAL) \
    X(FirstSeen, REQUIRED) \
    X(LastAttested, REQUIRED) \
    X(RevokedAt, OPTIONAL) \
    X(PreviousTxnID, REQUIRED) \
    X(PreviousTxnLgrSeq, REQUIRED)

// X(field, need)
#define XAHAU_EMAIL_EMAIL_REPLAY_FIELDS(X) \
    X(Account, REQUIRED) \
    X(EmailReplayEntries, OPTIONAL) \
    X(LastRekey, OPTIONAL) \
    X(LastRekeyID, OPTIONAL) \
    X(SignatureHash, OPTIONAL) \
    X(RekeyMark, OPTIONAL) \
    X(ActiveAfter, OPTIONAL) \
    X(PreviousTxnID, REQUIRED) \
    X(PreviousTxnLgrSeq, REQUIRED)

// X(field, need)
#define XAHAU_EMAIL_DKIM_LEAK_FIELDS(X) \
    X(PreviousTxnID, REQUIRED) \
    X(PreviousTxnLgrSeq, REQUIRED)

// X(field, need)
#define XAHAU_EMAIL_DKIM_FREEZE_FIELDS(X) \
    X(Domain, REQUIRED) \
    X(FirstSeen, REQUIRED) \
    X(LastAttested, REQUIRED) \
    X(ActiveAfter, OPTIONAL) \
    X(PreviousTxnID, REQUIRED) \
    X(PreviousTxnLgrSeq, REQUIRED)

// X(field, need)
#define XAHAU_EMAIL_DKIM_KEY_SET_FIELDS(X) \
    X(LedgerSequence, REQUIRED) \
    X(Domain, REQUIRED) \
    X(Selector, REQUIRED) \
    X(DKIMRecord, OPTIONAL) \
    X(DKIMAttestations, REQUIRED)

// X(field, need)
#define XAHAU_EMAIL_DKIM_KEY_LEAK_FIELDS(X) \
    X(Domain, REQUIRED) \
    X(Selector, REQUIRED) \
    X(KeySignature, REQUIRED) \
    X(TicketSequence, OPTIONAL)

// X(field, need)
#define XAHAU_EMAIL_EMAIL_REPLAY_ENTRY_FIELDS(X) \
    X(EmailID, REQUIRED) \
    X(SignatureHash, REQUIRED) \
    X(SignedDate, REQUIRED)

// X(field, need)
#define XAHAU_EMAIL_DKIM_ATTESTATION_FIELDS(X) \
    X(PublicKey, REQUIRED) \
    X(Signature, REQUIRED) \
    X(ObservedAt, REQUIRED)

// X(token, number, sentence)
#define XAHAU_EMAIL_RESULTS(X) \
    X(tefEMAIL_EXPIRED, -160, "The mail is older than five days, or older than the last REKEY of its account.") \
    X(tefEMAIL_REPLAY, -159, "This mail was executed already.") \
    X(tefEMAIL_FULL, -158, "The account paid by 64 mails within five days; the next payment must wait.") \
    X(tefDKIM_REVOKED, -157, "The provider withdrew the DKIM key that signed this mail.") \
    X(tefEMAIL_DISABLED, -156, "This account takes no such instruction by mail: its key signs.") \
    X(tefBAD_EMAIL_FEE, -155, "The fee is not within what this mail costs and 100 base fees more.") \
    X(tefEMAIL_AFTER, -154, "The REKEY does not name the mark of the last REKEY of its account.") \
    X(tefDKIM_FROZEN, -153, "The validators stopped the mails of this domain, of which this is one.") \
    X(terNO_DKIM_KEY, -80, "The DKIM key of this mail is not on the ledger yet.") \
    X(terEMAIL_EARLY, -79, "The mail is dated in the future.")

// X(name, bits or number)
#define XAHAU_EMAIL_FLAGS(X) \
    X(tfEmailSig, 0x20000000u) \
    X(tfDKIMUnusable, 0x00000001u) \
    X(tfDKIMFreeze, 0x00000002u) \
    X(tfDKIMLift, 0x00000004u) \
    X(tfDKIMCounted, 0x00000008u) \
    X(asfDisableEmail, 0x0000003Cu) \
    X(lsfDisableEmail, 0x00000001u)

// X(name, letter of the space)
#define XAHAU_EMAIL_KEYLETS(X) \
    X(DKIM_KEY, 'k') \
    X(EMAIL_REPLAY, 'y') \
    X(DKIM_LEAK, 'z') \
    X(DKIM_FREEZE, 'j')
