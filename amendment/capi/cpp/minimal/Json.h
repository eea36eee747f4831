// JSON values with so much of the server's interface as the RPC handler uses, for Server.h.
#pragma once

#include <cctype>
#include <cstdint>
#include <map>
#include <stdexcept>
#include <string>
#include <variant>
#include <vector>

namespace Json {

enum ValueType { nullValue, intValue, stringValue, booleanValue, arrayValue, objectValue };

class Value
{
    using Object = std::map<std::string, Value>;
    std::variant<std::monostate, std::int64_t, std::string, bool, std::vector<Value>, Object> held_;

public:
    Value(ValueType type = nullValue)
    {
        if (type == objectValue)
            held_ = Object{};
        if (type == arrayValue)
            held_ = std::vector<Value>{};
    }
    Value(int value) : held_(std::int64_t{value})
    {
    }
    Value(std::uint32_t value) : held_(std::int64_t{value})
    {
    }
    Value(std::int64_t value) : held_(value)
    {
    }
    Value(bool value) : held_(value)
    {
    }
    Value(char const* value) : held_(std::string(value))
    {
    }
    Value(std::string const& value) : held_(value)
    {
    }

    bool
    isString() const
    {
        return std::holds_alternative<std::string>(held_);
    }
    bool
    isBool() const
    {
        return std::holds_alternative<bool>(held_);
    }
    bool
    isObject() const
    {
        return std::holds_alternative<Object>(held_);
    }
    bool
    isArray() const
    {
        return std::holds_alternative<std::vector<Value>>(held_);
    }
    bool
    isMember(std::string const& name) const
    {
        auto const object = std::get_if<Object>(&held_);
        return object && object->count(name) != 0;
    }
    std::string
    asString() const
    {
        return std::get<std::string>(held_);
    }
    bool
    asBool() const
    {
        return std::get<bool>(held_);
    }
    std::int64_t
    asInt() const
    {
        return std::get<std::int64_t>(held_);
    }
    std::vector<std::string>
    getMemberNames() const
    {
        std::vector<std::string> names;
        if (auto const object = std::get_if<Object>(&held_))
            for (auto const& [name, value] : *object)
                names.push_back(name);
        return names;
    }
    /// A member; makes the value an object where it was nothing.
    Value&
    operator[](std::string const& name)
    {
        if (std::holds_alternative<std::monostate>(held_))
            held_ = Object{};
        return std::get<Object>(held_)[name];
    }
    Value const&
    operator[](std::string const& name) const
    {
        static Value const null;
        auto const object = std::get_if<Object>(&held_);
        if (!object)
            return null;
        auto const at = object->find(name);
        return at == object->end() ? null : at->second;
    }
    void
    append(Value const& value)
    {
        std::get<std::vector<Value>>(held_).push_back(value);
    }
};

/// Reads what the library writes: JSON with whole numbers, and with \u of no more than one UTF-16 unit as a question
/// mark.
class Reader
{
    std::string text_;
    std::size_t at_ = 0;

public:
    bool
    parse(std::string const& text, Value& value)
    {
        text_ = text;
        at_ = 0;
        try
        {
            value = read();
            skip();
            return at_ == text_.size();
        }
        catch (std::exception const&)
        {
            return false;
        }
    }

private:
    void
    skip()
    {
        while (at_ < text_.size() && std::isspace(static_cast<unsigned char>(text_[at_])))
            ++at_;
    }
    char
    next()
    {
        return text_.at(at_++);
    }
    bool
    takes(char letter)
    {
        skip();
        bool const is = at_ < text_.size() && text_[at_] == letter;
        at_ += is ? 1 : 0;
        return is;
    }
    void
    expect(std::string const& word)
    {
        if (text_.compare(at_, word.size(), word) != 0)
            throw std::runtime_error("no JSON");
        at_ += word.size();
    }
    Value
    read()
    {
        skip();
        switch (text_.at(at_))
        {
            case '{': {
                ++at_;
                Value object(objectValue);
                if (takes('}'))
                    return object;
                do
                {
                    skip();
                    auto const name = string();
                    if (!takes(':'))
                        throw std::runtime_error("no JSON");
                    object[name] = read();
                } while (takes(','));
                if (!takes('}'))
                    throw std::runtime_error("no JSON");
                return object;
            }
            case '[': {
                ++at_;
                Value list(arrayValue);
                if (takes(']'))
                    return list;
                do
                    list.append(read());
                while (takes(','));
                if (!takes(']'))
                    throw std::runtime_error("no JSON");
                return list;
            }
            case '"':
                return string();
            case 't':
                expect("true");
                return true;
            case 'f':
                expect("false");
                return false;
            case 'n':
                expect("null");
                return {};
            default: {
                std::size_t used = 0;
                auto const number = std::stoll(text_.substr(at_, 24), &used);
                at_ += used;
                return std::int64_t{number};
            }
        }
    }
    std::string
    string()
    {
        expect("\"");
        std::string text;
        for (char letter = next(); letter != '"'; letter = next())
        {
            if (letter != '\\')
            {
                text += letter;
                continue;
            }
            letter = next();
            if (letter == 'u')
            {
                at_ += 4;
                text += '?';
            }
            else
                text += letter == 'n' ? '\n' : letter == 't' ? '\t' : letter == 'r' ? '\r' : letter;
        }
        return text;
    }
};

}  // namespace Json
