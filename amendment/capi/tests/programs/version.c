// The smallest program: which library is this, and does it fit the header?

#include <stdio.h>

#include "xahau_email.h"

int main(void) {
  printf("ABI %u, rules %u\n", (unsigned)xe_abi_version(), (unsigned)xe_rules_version());
  return xe_abi_version() == XE_ABI_VERSION && xe_rules_version() == XE_RULES_VERSION ? 0 : 1;
}
