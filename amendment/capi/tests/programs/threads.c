// 64 threads on one transaction: all at one handle, each with handles of its own beside it. All come to the same.
//
//   threads CASES

#include <pthread.h>

#include "cases.h"

enum { THREADS = 64, ROUNDS = 20, READ_MAX = 64 };

static a_case the_case;
static xe_parsed *shared_handle;

typedef struct {
  int32_t preflight;
  int32_t prove;
  uint64_t sum;
} an_outcome;

static void *work(void *to) {
  an_outcome *outcome = (an_outcome *)to;
  for (int round = 0; round < ROUNDS; ++round) {
    xe_parsed *own = NULL;
    outcome->preflight = xe_preflight(the_case.input, the_case.ledger.network_id, 1, &own);
    const xe_parsed *handle = round % 2 == 0 ? shared_handle : own;
    xe_entry known[READ_MAX];
    size_t count = 0;
    xe_list *more = NULL;
    xe_ready *ready = NULL;
    while ((outcome->prove = xe_prove(handle, &the_case.ledger, known, count, &more, &ready)) == XE_READ_MORE) {
      for (size_t i = 0; i < xe_list_count(more) && count < READ_MAX; ++i, ++count) {
        xe_list_entry(more, i, &known[count]);
        known[count].bytes = look_up(&the_case, &known[count]);
      }
      xe_list_free(more);
    }
    xe_slice none = {NULL, 0};
    xe_bytes *next = NULL;
    xe_next_replay(ready, none, XE_APPLIED, &next);
    xe_slice bytes = xe_bytes_slice(next);
    for (size_t i = 0; i < bytes.len; ++i) outcome->sum = outcome->sum * 31 + bytes.data[i];
    xe_bytes_free(next);
    xe_ready_free(ready);
    xe_parsed_free(own);
  }
  return NULL;
}

int main(int count, char **arguments) {
  if (count != 2) give_up("usage: threads CASES");
  a_file file = load(arguments[1]);
  while (next_case(&file, &the_case) && the_case.kind != KIND_TRANSACTION) {
  }
  if (the_case.kind != KIND_TRANSACTION) give_up("no transaction");
  xe_preflight(the_case.input, the_case.ledger.network_id, 1, &shared_handle);
  static pthread_t threads[THREADS];
  static an_outcome outcomes[THREADS];
  for (int i = 0; i < THREADS; ++i)
    if (pthread_create(&threads[i], NULL, work, &outcomes[i]) != 0) give_up("no thread");
  for (int i = 0; i < THREADS; ++i) pthread_join(threads[i], NULL);
  for (int i = 0; i < THREADS; ++i)
    if (outcomes[i].preflight != XE_OK || outcomes[i].prove != XE_OK || outcomes[i].sum != outcomes[0].sum)
      give_up("a thread came to something else");
  xe_parsed_free(shared_handle);
  free(file.bytes);
  printf("%d threads\n", THREADS);
  return 0;
}
