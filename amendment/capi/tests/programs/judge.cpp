// judge.c through the C++ header: the same lines.
//
//   judge CASES

#include "cases.h"
#include "xahau_email.hpp"

namespace {

using xahau_email::Blob;
using xahau_email::Hash;

auto reader(a_case const& one) {
  return [&one](Hash const& index, std::uint32_t ledger) {
    xe_entry wanted{};
    std::copy(index.begin(), index.end(), wanted.index);
    wanted.ledger = ledger;
    return xahau_email::blob(look_up(&one, &wanted));
  };
}

void judge_mail(a_case const& one) {
  std::vector<xe_key_answer> const answers(one.answers, one.answers + one.answer_count);
  auto const told = xahau_email::explain(one.input, one.ledger.network_id, one.ledger.parent_close_time, answers);
  std::printf("%d\t%d\t%s", told.code, told.value.verdict, xahau_email::text(told.value.json).c_str());
}

void judge_transaction(a_case const& one) {
  auto const parsed = xahau_email::preflight(one.input, one.ledger.network_id, one.ledger.email_enabled == 1);
  std::printf("%d", parsed.code);
  if (!parsed) return;
  auto const facts = xahau_email::facts(parsed.value);
  auto const ready = xahau_email::prove(parsed.value, one.ledger, reader(one));
  std::printf("\t%d\t", ready.code);
  print_hex(facts.value.email_id, 32);
  std::printf("\t%s\t", reinterpret_cast<char const*>(facts.value.domain));
  if (!ready) return;
  Blob const next = xahau_email::blob(xahau_email::next_replay(ready.value, {}, XE_APPLIED).value);
  print_hex(next.data(), next.size());
}

void judge_key_set(a_case const& one) {
  auto const set = xahau_email::key_set(one.input, one.ledger, reader(one));
  std::printf("%d", set.code);
  for (auto const& write : set.value) {
    std::printf("\t");
    print_hex(write.index.data(), write.index.size());
    std::printf("=");
    if (write.bytes) print_hex(write.bytes->data(), write.bytes->size());
  }
}

void judge_submission(a_case const& one) {
  auto const made = xahau_email::submission(one.input, one.ledger, reader(one));
  std::printf("%d\t%d\t", made.code, made.value.verdict);
  Blob const transaction = xahau_email::blob(made.value.transaction);
  print_hex(transaction.data(), transaction.size());
}

}  // namespace

int main(int count, char** arguments) {
  if (count != 2) give_up("usage: judge CASES");
  if (!xahau_email::fits()) give_up("another library");
  a_file file = load(arguments[1]);
  a_case one;
  while (next_case(&file, &one)) {
    print_slice(one.name);
    std::printf("\t");
    switch (one.kind) {
      case KIND_EXPLAIN: judge_mail(one); break;
      case KIND_TRANSACTION: judge_transaction(one); break;
      case KIND_KEY_SET: judge_key_set(one); break;
      case KIND_SUBMISSION: judge_submission(one); break;
      default: give_up("unknown kind");
    }
    std::printf("\n");
  }
  std::free(file.bytes);
  return 0;
}
