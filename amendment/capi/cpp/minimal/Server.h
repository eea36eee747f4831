// A server that is just enough of one: the names, and so much of what they do, that the files of ../email use of
// xahaud.
//
// For tests without any server. Written against the interfaces of xahaud, from what they promise; nothing of its code
// is here. Objects are real (the binary format, fields by the tables of ../email), ledgers are maps, and a hash of a
// transaction is only a name for it. Where the server would throw, this throws std::runtime_error.
#pragma once

#include "../email/EmailTables.h"
#include "Json.h"

#include <array>
#include <chrono>
#include <cstdint>
#include <cstring>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

namespace ripple {

// Bytes.

using Blob = std::vector<std::uint8_t>;

class Slice
{
    std::uint8_t const* data_;
    std::size_t size_;

public:
    Slice(void const* data, std::size_t size) : data_(static_cast<std::uint8_t const*>(data)), size_(size)
    {
    }
    std::uint8_t const*
    data() const
    {
        return data_;
    }
    std::size_t
    size() const
    {
        return size_;
    }
};

inline Slice
makeSlice(Blob const& bytes)
{
    return {bytes.data(), bytes.size()};
}

template <std::size_t N, class Tag = void>
class base_uint
{
    std::array<std::uint8_t, N> bytes_{};

public:
    static base_uint
    fromVoid(void const* bytes)
    {
        base_uint made;
        std::memcpy(made.bytes_.data(), bytes, N);
        return made;
    }
    std::uint8_t*
    data()
    {
        return bytes_.data();
    }
    std::uint8_t const*
    data() const
    {
        return bytes_.data();
    }
    static constexpr std::size_t
    size()
    {
        return N;
    }
    friend auto
    operator<=>(base_uint const&, base_uint const&) = default;
};

struct AccountIDTag;
using uint256 = base_uint<32>;
using AccountID = base_uint<20, AccountIDTag>;

inline std::string
strHex(Blob const& bytes)
{
    static char const digits[] = "0123456789ABCDEF";
    std::string text;
    for (auto const byte : bytes)
        text += {digits[byte >> 4], digits[byte & 15]};
    return text;
}

inline std::string
to_string(uint256 const& value)
{
    return strHex(Blob(value.data(), value.data() + value.size()));
}

inline std::optional<Blob>
strUnHex(std::string const& text)
{
    auto const digit = [](char letter) {
        auto const at = std::string("0123456789ABCDEFabcdef").find(letter);
        return at == std::string::npos ? -1 : static_cast<int>(at > 15 ? at - 6 : at);
    };
    if (text.size() % 2 != 0)
        return std::nullopt;
    Blob bytes;
    for (std::size_t at = 0; at < text.size(); at += 2)
    {
        int const high = digit(text[at]), low = digit(text[at + 1]);
        if (high < 0 || low < 0)
            return std::nullopt;
        bytes.push_back(static_cast<std::uint8_t>(high * 16 + low));
    }
    return bytes;
}

/// As the server's: what is no digit of base64 ends it.
inline std::string
base64_decode(std::string const& text)
{
    std::string const digits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    std::string bytes;
    std::uint32_t held = 0;
    int bits = 0;
    for (auto const letter : text)
    {
        auto const digit = digits.find(letter);
        if (digit == std::string::npos)
            break;
        held = held << 6 | static_cast<std::uint32_t>(digit);
        bits += 6;
        if (bits >= 8)
            bytes += static_cast<char>(held >> (bits -= 8));
    }
    return bytes;
}

// Time and money.

struct NetClock
{
    using duration = std::chrono::duration<std::uint32_t>;
    using time_point = std::chrono::time_point<NetClock, duration>;
};

class XRPAmount
{
    std::int64_t drops_ = 0;

public:
    XRPAmount() = default;
    explicit XRPAmount(std::int64_t drops) : drops_(drops)
    {
    }
    std::int64_t
    drops() const
    {
        return drops_;
    }
    friend auto
    operator<=>(XRPAmount const&, XRPAmount const&) = default;
};

// Results.

enum Code : int {
    telLOCAL_ERROR = -399,
    temMALFORMED = -299,
    temINVALID_FLAG = -276,
    temINVALID = -277,
    temDISABLED = -273,
    tefFAILURE = -199,
    tefALREADY = -198,
    tefINTERNAL = -192,
    tefPAST_SEQ = -190,
    tefMAX_LEDGER = -187,
    terRETRY = -99,
    tesSUCCESS = 0,
    tecPATH_DRY = 128,
    tecNO_ENTRY = 140,
    tecHAS_OBLIGATIONS = 151,
    tecTOO_SOON = 152,
#define X(token, number, sentence) token = number,
    XAHAU_EMAIL_RESULTS(X)
#undef X
};

class TER
{
    int code_ = tesSUCCESS;

public:
    TER(Code code = tesSUCCESS) : code_(code)
    {
    }
    static TER
    fromInt(int code)
    {
        TER made;
        made.code_ = code;
        return made;
    }
    friend int
    TERtoInt(TER ter)
    {
        return ter.code_;
    }
    friend bool
    operator==(TER const&, TER const&) = default;
};
using NotTEC = TER;

inline bool
isTesSuccess(TER ter)
{
    return TERtoInt(ter) == tesSUCCESS;
}

inline bool
isTemMalformed(TER ter)
{
    return TERtoInt(ter) >= temMALFORMED && TERtoInt(ter) < tefFAILURE;
}

inline bool
isTefFailure(TER ter)
{
    return TERtoInt(ter) >= tefFAILURE && TERtoInt(ter) < terRETRY;
}

// Fields, formats, flags: what the port adds, and the server's own that a test needs.

enum SerializedTypeID {
    STI_UINT16 = 1,
    STI_UINT32 = 2,
    STI_UINT64 = 3,
    STI_UINT256 = 5,
    STI_AMOUNT = 6,
    STI_VL = 7,
    STI_ACCOUNT = 8,
    STI_OBJECT = 14,
    STI_ARRAY = 15,
    STI_UINT8 = 16,
    STI_VECTOR256 = 19,
    STI_LEDGERENTRY = 10002,
};

struct SField
{
    SerializedTypeID type;
    int number;

    constexpr std::uint32_t
    code() const
    {
        return static_cast<std::uint32_t>(type) << 16 | static_cast<std::uint32_t>(number);
    }
};

inline constexpr SField sfLedgerEntry{STI_LEDGERENTRY, 257};
inline constexpr SField sfLedgerEntryType{STI_UINT16, 1};
inline constexpr SField sfTransactionType{STI_UINT16, 2};
inline constexpr SField sfFlags{STI_UINT32, 2};
inline constexpr SField sfSequence{STI_UINT32, 4};
inline constexpr SField sfPreviousTxnLgrSeq{STI_UINT32, 5};
inline constexpr SField sfLedgerSequence{STI_UINT32, 6};
inline constexpr SField sfOwnerCount{STI_UINT32, 13};
inline constexpr SField sfTicketSequence{STI_UINT32, 41};
inline constexpr SField sfPreviousTxnID{STI_UINT256, 5};
inline constexpr SField sfBalance{STI_AMOUNT, 2};
inline constexpr SField sfFee{STI_AMOUNT, 8};
inline constexpr SField sfPublicKey{STI_VL, 1};
inline constexpr SField sfSigningPubKey{STI_VL, 3};
inline constexpr SField sfSignature{STI_VL, 6};
inline constexpr SField sfDomain{STI_VL, 7};
inline constexpr SField sfAccount{STI_ACCOUNT, 1};
inline constexpr SField sfOwner{STI_ACCOUNT, 2};
#define X(type, name, number, meta) inline constexpr SField sf##name{STI_##type, number};
XAHAU_EMAIL_FIELDS(X)
XAHAU_EMAIL_NESTED_FIELDS(X)
#undef X

enum LedgerEntryType : std::uint16_t {
    ltANY = 0,
    ltACCOUNT_ROOT = 0x61,
    ltDIR_NODE = 0x64,
    ltUNL_REPORT = 0x52,
#define X(constant, number, name) constant = number,
    XAHAU_EMAIL_LEDGER_ENTRIES(X)
#undef X
};

enum TxType : std::uint16_t {
    ttPAYMENT = 0,
    ttREGULAR_KEY_SET = 5,
    ttREMIT = 95,
#define X(constant, number, name) constant = number,
    XAHAU_EMAIL_TRANSACTIONS(X)
#undef X
};

#define X(name, bits) inline constexpr std::uint32_t name = bits;
XAHAU_EMAIL_FLAGS(X)
#undef X

inline constexpr std::uint32_t tfFullyCanonicalSig = 0x80000000u;
inline constexpr std::uint32_t tfUniversalMask = ~tfFullyCanonicalSig;

enum SOEStyle { soeREQUIRED, soeOPTIONAL, soeDEFAULT };

class SOTemplate
{
    std::vector<std::pair<SField, SOEStyle>> fields_;

public:
    SOTemplate(std::vector<std::pair<SField, SOEStyle>> fields) : fields_(std::move(fields))
    {
    }
    int
    getIndex(SField const& field) const
    {
        for (std::size_t at = 0; at < fields_.size(); ++at)
            if (fields_[at].first.code() == field.code())
                return static_cast<int>(at);
        return -1;
    }
    SOEStyle
    style(SField const& field) const
    {
        return fields_.at(static_cast<std::size_t>(getIndex(field))).second;
    }
    auto
    begin() const
    {
        return fields_.begin();
    }
    auto
    end() const
    {
        return fields_.end();
    }
};

class LedgerFormats
{
public:
    struct Item
    {
        SOTemplate fields;

        SOTemplate const&
        getSOTemplate() const
        {
            return fields;
        }
    };
    static LedgerFormats const&
    getInstance()
    {
        static LedgerFormats const formats;
        return formats;
    }
    /// Formats of the server's own entries are not needed here: they have none, and are taken as they come.
    Item const*
    findByType(LedgerEntryType type) const
    {
        auto const at = items_.find(type);
        return at == items_.end() ? nullptr : &at->second;
    }

private:
#define X(name, need) {sf##name, soe##need},
    std::map<LedgerEntryType, Item> const items_{
        {ltDKIM_KEY, {SOTemplate({XAHAU_EMAIL_DKIM_KEY_FIELDS(X)})}},
        {ltEMAIL_REPLAY, {SOTemplate({XAHAU_EMAIL_EMAIL_REPLAY_FIELDS(X)})}},
        {ltDKIM_LEAK, {SOTemplate({XAHAU_EMAIL_DKIM_LEAK_FIELDS(X)})}},
        {ltDKIM_FREEZE, {SOTemplate({XAHAU_EMAIL_DKIM_FREEZE_FIELDS(X)})}},
    };
#undef X
};

}  // namespace ripple

#include "Objects.h"
#include "Views.h"
