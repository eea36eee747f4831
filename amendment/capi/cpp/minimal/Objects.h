// Objects of the binary format, for Server.h, which includes this file.
#pragma once

namespace ripple {

class Serializer
{
    Blob bytes_;

public:
    void
    add(Blob const& bytes)
    {
        bytes_.insert(bytes_.end(), bytes.begin(), bytes.end());
    }
    Blob const&
    peekData() const
    {
        return bytes_;
    }
    Slice
    slice() const
    {
        return makeSlice(bytes_);
    }
};

/// Reads fields: header, then as many bytes as the type takes.
class SerialIter
{
    std::uint8_t const* at_;
    std::uint8_t const* end_;

public:
    SerialIter(void const* data, std::size_t size) : at_(static_cast<std::uint8_t const*>(data)), end_(at_ + size)
    {
    }
    SerialIter(Slice const& slice) : SerialIter(slice.data(), slice.size())
    {
    }
    bool
    empty() const
    {
        return at_ == end_;
    }
    std::uint8_t const*
    position() const
    {
        return at_;
    }
    std::uint8_t
    next()
    {
        if (empty())
            throw std::runtime_error("object ends early");
        return *at_++;
    }
    void
    skip(std::size_t count)
    {
        if (static_cast<std::size_t>(end_ - at_) < count)
            throw std::runtime_error("object ends early");
        at_ += count;
    }
    std::uint32_t
    field()
    {
        std::uint32_t const first = next();
        std::uint32_t type = first >> 4, number = first & 15;
        if (type == 0)
            type = next();
        if (number == 0)
            number = next();
        return type << 16 | number;
    }
    std::size_t
    length()
    {
        std::size_t const first = next();
        if (first <= 192)
            return first;
        std::size_t const second = next();
        if (first <= 240)
            return 193 + (first - 193) * 256 + second;
        return 12481 + (first - 241) * 65536 + second * 256 + next();
    }
    /// Behind the value of a field that was just read.
    void
    skipValue(std::uint32_t code)
    {
        switch (code >> 16)
        {
            case STI_UINT8:
                return skip(1);
            case STI_UINT16:
                return skip(2);
            case STI_UINT32:
                return skip(4);
            case STI_UINT64:
                return skip(8);
            case 4:
                return skip(16);
            case 17:
                return skip(20);
            case STI_UINT256:
                return skip(32);
            case STI_AMOUNT:
                return skip((*at_ & 0x80) != 0 ? 48 : 8);
            case STI_VL:
            case STI_ACCOUNT:
            case STI_VECTOR256:
                return skip(length());
            case STI_OBJECT:
            case STI_ARRAY:
                for (std::uint32_t inner = field(); inner != ((code & 0xFFFF0000u) | 1); inner = field())
                    skipValue(inner);
                return;
            default:
                throw std::runtime_error("type is not known");
        }
    }
};

/// Fields in canonical order, each as its bytes behind the header; blobs and accounts with their length.
class STObject
{
    std::map<std::uint32_t, Blob> fields_;

public:
    STObject() = default;
    explicit STObject(SField const&)
    {
    }
    STObject(SerialIter& reader, SField const&)
    {
        while (!reader.empty())
        {
            auto const code = reader.field();
            auto const from = reader.position();
            reader.skipValue(code);
            if (!fields_.emplace(code, Blob(from, reader.position())).second)
                throw std::runtime_error("field stands twice");
        }
    }
    virtual ~STObject() = default;
    STObject(STObject const&) = default;
    STObject&
    operator=(STObject const&) = default;

    bool
    isFieldPresent(SField const& field) const
    {
        return fields_.count(field.code()) != 0;
    }
    void
    makeFieldAbsent(SField const& field)
    {
        fields_.erase(field.code());
    }
    /// The value; zeros where the field is not there, as the server has it.
    std::uint64_t
    number(SField const& field) const
    {
        std::uint64_t value = 0;
        if (auto const at = fields_.find(field.code()); at != fields_.end())
            for (auto const byte : at->second)
                value = value << 8 | byte;
        return value;
    }
    std::uint16_t
    getFieldU16(SField const& field) const
    {
        return static_cast<std::uint16_t>(number(field));
    }
    std::uint32_t
    getFieldU32(SField const& field) const
    {
        return static_cast<std::uint32_t>(number(field));
    }
    std::uint32_t
    getFlags() const
    {
        return getFieldU32(sfFlags);
    }
    uint256
    getFieldH256(SField const& field) const
    {
        auto const at = fields_.find(field.code());
        return at == fields_.end() ? uint256{} : uint256::fromVoid(at->second.data());
    }
    Blob
    getFieldVL(SField const& field) const
    {
        auto const at = fields_.find(field.code());
        if (at == fields_.end())
            return {};
        SerialIter reader(makeSlice(at->second));
        auto const length = reader.length();
        return Blob(reader.position(), reader.position() + length);
    }
    AccountID
    getAccountID(SField const& field) const
    {
        auto const bytes = getFieldVL(field);
        return bytes.size() == AccountID::size() ? AccountID::fromVoid(bytes.data()) : AccountID{};
    }
    void
    setFieldU16(SField const& field, std::uint16_t value)
    {
        setNumber(field, value, 2);
    }
    void
    setFieldU32(SField const& field, std::uint32_t value)
    {
        setNumber(field, value, 4);
    }
    void
    setFieldH256(SField const& field, uint256 const& value)
    {
        fields_[field.code()] = Blob(value.data(), value.data() + value.size());
    }
    void
    setFieldVL(SField const& field, Blob const& value)
    {
        auto& bytes = fields_[field.code()] = lengthOf(value.size());
        bytes.insert(bytes.end(), value.begin(), value.end());
    }
    void
    setAccountID(SField const& field, AccountID const& value)
    {
        setFieldVL(field, Blob(value.data(), value.data() + value.size()));
    }
    /// XAH alone.
    void
    setDrops(SField const& field, std::uint64_t drops)
    {
        setNumber(field, drops | std::uint64_t{1} << 62, 8);
    }
    std::uint64_t
    drops(SField const& field) const
    {
        return number(field) & ~(std::uint64_t{1} << 62);
    }
    void
    add(Serializer& out) const
    {
        for (auto const& [code, bytes] : fields_)
        {
            out.add(header(code));
            out.add(bytes);
        }
    }
    /// Holds the object against a template.
    void
    applyTemplate(SOTemplate const& fields) const
    {
        std::set<std::uint32_t> known{sfLedgerEntryType.code(), sfFlags.code()};
        for (auto const& [field, need] : fields)
        {
            known.insert(field.code());
            if (need == soeREQUIRED && !isFieldPresent(field))
                throw std::runtime_error("required field is missing");
        }
        for (auto const& [code, bytes] : fields_)
            if (known.count(code) == 0)
                throw std::runtime_error("field does not belong here");
    }
    friend bool
    operator==(STObject const& one, STObject const& two)
    {
        return one.fields_ == two.fields_;
    }

private:
    void
    setNumber(SField const& field, std::uint64_t value, int bytes)
    {
        Blob big;
        for (int at = bytes - 1; at >= 0; --at)
            big.push_back(static_cast<std::uint8_t>(value >> (8 * at)));
        fields_[field.code()] = big;
    }
    static Blob
    lengthOf(std::size_t size)
    {
        auto const byte = [](std::size_t value) { return static_cast<std::uint8_t>(value); };
        if (size <= 192)
            return {byte(size)};
        if (size <= 12480)
            return {byte(193 + (size - 193) / 256), byte((size - 193) % 256)};
        return {byte(241 + (size - 12481) / 65536), byte((size - 12481) / 256), byte(size - 12481)};
    }
    static Blob
    header(std::uint32_t code)
    {
        auto const type = static_cast<std::uint8_t>(code >> 16), number = static_cast<std::uint8_t>(code);
        Blob bytes{static_cast<std::uint8_t>((type < 16 ? type << 4 : 0) | (number < 16 ? number : 0))};
        if (type >= 16)
            bytes.push_back(type);
        if (number >= 16)
            bytes.push_back(number);
        return bytes;
    }
};

struct Keylet
{
    LedgerEntryType type;
    uint256 key;
};

namespace keylet {
inline Keylet
unchecked(uint256 const& key)
{
    return {ltANY, key};
}
}  // namespace keylet

class STLedgerEntry final : public STObject
{
    uint256 key_;

public:
    STLedgerEntry(STObject const& object, uint256 const& key) : STObject(object), key_(key)
    {
        if (auto const format = LedgerFormats::getInstance().findByType(getType()))
            applyTemplate(format->getSOTemplate());
    }
    uint256 const&
    key() const
    {
        return key_;
    }
    LedgerEntryType
    getType() const
    {
        return static_cast<LedgerEntryType>(getFieldU16(sfLedgerEntryType));
    }
};
using SLE = STLedgerEntry;

class STTx final : public STObject
{
public:
    explicit STTx(SerialIter& reader) : STObject(reader, sfLedgerEntry)
    {
    }
    explicit STTx(SerialIter&& reader) : STTx(reader)
    {
    }
    explicit STTx(STObject const& object) : STObject(object)
    {
    }
    TxType
    getTxnType() const
    {
        return static_cast<TxType>(getFieldU16(sfTransactionType));
    }
    /// A name for the transaction: FNV-1a of its bytes, four times over; no hash of any ledger.
    uint256
    getTransactionID() const
    {
        Serializer out;
        add(out);
        uint256 made;
        std::uint64_t state = 14695981039346656037u;
        for (std::size_t at = 0; at < made.size(); at += 8)
        {
            for (auto const byte : out.peekData())
                state = (state ^ byte) * 1099511628211u;
            std::memcpy(made.data() + at, &state, 8);
        }
        return made;
    }
};

/// What a validator says about a ledger. Signed and checked by the server, so no signature is here.
class STValidation final : public STObject
{
    Blob signer_;
    bool trusted_ = true;

public:
    explicit STValidation(Blob signer) : signer_(std::move(signer))
    {
    }
    Blob const&
    getSignerPublic() const
    {
        return signer_;
    }
    bool
    isTrusted() const
    {
        return trusted_;
    }
    void
    setUntrusted()
    {
        trusted_ = false;
    }
};

}  // namespace ripple
