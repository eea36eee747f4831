// Runs every suite. Says how much held, and ends with 1 where anything did not.
#include "Suite.h"

#include <exception>

int
main()
{
    int failed = 0;
    for (auto const& [name, run] : beast::unit_test::suites())
    {
        try
        {
            auto const [held, broken] = run();
            std::cout << name << ": " << held << " held, " << broken << " did not\n";
            failed += broken + (held == 0 ? 1 : 0);
        }
        catch (std::exception const& error)
        {
            std::cout << name << ": ended by " << error.what() << "\n";
            ++failed;
        }
    }
    return failed == 0 && !beast::unit_test::suites().empty() ? 0 : 1;
}
