// Judges each case through the C interface and prints a line of tab-separated words: name, code, and what came out.
//
//   judge CASES

#include "cases.h"

enum { READ_MAX = 64 };

// What was read so far.
typedef struct {
  xe_entry entries[READ_MAX];
  size_t count;
} a_reading;

// Reads what a function asked for. 0 where it asked for nothing.
static int read_more(a_reading *reading, const a_case *one, xe_list *more) {
  size_t wanted = xe_list_count(more);
  for (size_t i = 0; i < wanted && reading->count < READ_MAX; ++i) {
    xe_entry *entry = &reading->entries[reading->count];
    xe_list_entry(more, i, entry);
    entry->bytes = look_up(one, entry);
    ++reading->count;
  }
  xe_list_free(more);
  return wanted != 0 && reading->count < READ_MAX;
}

static void judge_mail(const a_case *one) {
  int32_t verdict = 0;
  xe_bytes *json = NULL;
  int32_t code = xe_explain(one->input, one->ledger.network_id, one->ledger.parent_close_time, one->answers,
                            one->answer_count, &verdict, &json);
  printf("%d\t%d\t", (int)code, (int)verdict);
  print_slice(xe_bytes_slice(json));
  xe_bytes_free(json);
}

static void judge_transaction(const a_case *one) {
  xe_parsed *parsed = NULL;
  int32_t code = xe_preflight(one->input, one->ledger.network_id, one->ledger.email_enabled, &parsed);
  printf("%d", (int)code);
  if (code != XE_OK) return;
  xe_facts facts;
  xe_parsed_facts(parsed, &facts);
  a_reading reading = {.count = 0};
  xe_list *more = NULL;
  xe_ready *ready = NULL;
  do {
    code = xe_prove(parsed, &one->ledger, reading.entries, reading.count, &more, &ready);
  } while (code == XE_READ_MORE && read_more(&reading, one, more));
  printf("\t%d\t", (int)code);
  print_hex(facts.email_id, 32);
  printf("\t%s\t", (const char *)facts.domain);
  if (code == XE_OK) {
    xe_bytes *next = NULL;
    xe_slice none = {NULL, 0};
    xe_next_replay(ready, none, XE_APPLIED, &next);
    xe_slice bytes = xe_bytes_slice(next);
    print_hex(bytes.data, bytes.len);
    xe_bytes_free(next);
  }
  xe_ready_free(ready);
  xe_parsed_free(parsed);
}

static void judge_key_set(const a_case *one) {
  a_reading reading = {.count = 0};
  xe_list *list = NULL;
  int32_t code = XE_INTERNAL;
  do {
    code = xe_key_set(one->input, &one->ledger, reading.entries, reading.count, &list);
  } while (code == XE_READ_MORE && read_more(&reading, one, list));
  printf("%d", (int)code);
  if (code != XE_OK) return;
  for (size_t i = 0; i < xe_list_count(list); ++i) {
    xe_entry entry;
    xe_list_entry(list, i, &entry);
    printf("\t");
    print_hex(entry.index, 32);
    printf("=");
    print_hex(entry.bytes.data, entry.bytes.len);
  }
  xe_list_free(list);
}

static void judge_submission(const a_case *one) {
  a_reading reading = {.count = 0};
  xe_list *more = NULL;
  xe_bytes *json = NULL;
  xe_bytes *transaction = NULL;
  int32_t verdict = 0;
  int32_t code = XE_INTERNAL;
  do {
    code = xe_submission(one->input, &one->ledger, reading.entries, reading.count, &more, &verdict, &json, &transaction);
  } while (code == XE_READ_MORE && read_more(&reading, one, more));
  printf("%d\t%d\t", (int)code, (int)verdict);
  xe_slice bytes = xe_bytes_slice(transaction);
  print_hex(bytes.data, bytes.len);
  xe_bytes_free(json);
  xe_bytes_free(transaction);
}

int main(int count, char **arguments) {
  if (count != 2) give_up("usage: judge CASES");
  if (xe_abi_version() != XE_ABI_VERSION || xe_rules_version() != XE_RULES_VERSION) give_up("another library");
  a_file file = load(arguments[1]);
  a_case one;
  while (next_case(&file, &one)) {
    print_slice(one.name);
    printf("\t");
    switch (one.kind) {
      case KIND_EXPLAIN: judge_mail(&one); break;
      case KIND_TRANSACTION: judge_transaction(&one); break;
      case KIND_KEY_SET: judge_key_set(&one); break;
      case KIND_SUBMISSION: judge_submission(&one); break;
      default: give_up("unknown kind");
    }
    printf("\n");
  }
  free(file.bytes);
  return 0;
}
