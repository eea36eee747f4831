// A runner that is just enough of the server's: suites are written as there, so that they can be moved into its
// src/test/app with no more than the right include.
#pragma once

#include <functional>
#include <iostream>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

namespace beast {
namespace unit_test {

class suite
{
    std::string case_;
    int failed_ = 0;
    int passed_ = 0;

public:
    virtual ~suite() = default;
    virtual void
    run() = 0;

    void
    testcase(std::string const& name)
    {
        case_ = name;
    }
    bool
    expect(bool holds, std::string const& what, char const* file, int line)
    {
        if (holds)
            ++passed_;
        else
        {
            ++failed_;
            std::cerr << file << ":" << line << ": " << case_ << ": " << what << "\n";
        }
        return holds;
    }
    int
    failed() const
    {
        return failed_;
    }
    int
    passed() const
    {
        return passed_;
    }
};

/// All suites that are linked in.
inline std::vector<std::pair<std::string, std::function<std::pair<int, int>()>>>&
suites()
{
    static std::vector<std::pair<std::string, std::function<std::pair<int, int>()>>> all;
    return all;
}

template <class Suite>
struct Register
{
    explicit Register(char const* name)
    {
        suites().emplace_back(name, [] {
            Suite suite;
            suite.run();
            return std::make_pair(suite.passed(), suite.failed());
        });
    }
};

}  // namespace unit_test
}  // namespace beast

#define BEAST_EXPECT(condition) this->expect((condition), #condition, __FILE__, __LINE__)
#define BEAST_EXPECTS(condition, reason) this->expect((condition), reason, __FILE__, __LINE__)
#define BEAST_DEFINE_TESTSUITE(Class, Module, Library) \
    static beast::unit_test::Register<Class##_test> const Class##Registered(#Library "." #Module "." #Class)
