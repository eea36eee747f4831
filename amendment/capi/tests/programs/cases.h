// The cases that tests/programs.rs writes for these programs: numbers of 32 and 64 bits as the machine has them, bytes with
// their length before them.

#ifndef CASES_H
#define CASES_H

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "xahau_email.h"

enum { ANSWERS_MAX = 16, ENTRIES_MAX = 16 };

enum kind { KIND_EXPLAIN = 1, KIND_TRANSACTION = 2, KIND_KEY_SET = 3, KIND_SUBMISSION = 4 };

// Of a mail: what DNS said. Of a transaction or a mail that is submitted: the ledger.
typedef struct {
  uint32_t kind;
  xe_slice name;
  xe_slice input;
  xe_ledger ledger;
  xe_key_answer answers[ANSWERS_MAX];
  size_t answer_count;
  xe_entry entries[ENTRIES_MAX];
  size_t entry_count;
} a_case;

typedef struct {
  uint8_t *bytes;
  size_t len;
  size_t at;
} a_file;

static inline void give_up(const char *why) {
  fprintf(stderr, "%s\n", why);
  exit(2);
}

static inline a_file load(const char *path) {
  a_file file = {NULL, 0, 0};
  FILE *stream = fopen(path, "rb");
  if (stream == NULL) give_up("no file of cases");
  fseek(stream, 0, SEEK_END);
  long size = ftell(stream);
  if (size < 0) give_up("no size");
  rewind(stream);
  file.len = (size_t)size;
  file.bytes = (uint8_t *)malloc(file.len + 1);
  if (file.bytes == NULL || fread(file.bytes, 1, file.len, stream) != file.len) give_up("no bytes");
  fclose(stream);
  return file;
}

static inline void take(a_file *file, void *to, size_t len) {
  if (file->len - file->at < len) give_up("the cases end early");
  memcpy(to, file->bytes + file->at, len);
  file->at += len;
}

static inline uint32_t take_u32(a_file *file) {
  uint32_t number = 0;
  take(file, &number, sizeof number);
  return number;
}

static inline xe_slice take_slice(a_file *file) {
  xe_slice bytes = {NULL, take_u32(file)};
  if (file->len - file->at < bytes.len) give_up("the cases end early");
  bytes.data = file->bytes + file->at;
  file->at += bytes.len;
  return bytes;
}

// 1 where there was one more case.
static inline int next_case(a_file *file, a_case *one) {
  if (file->at == file->len) return 0;
  memset(one, 0, sizeof *one);
  one->kind = take_u32(file);
  one->name = take_slice(file);
  one->input = take_slice(file);
  one->ledger.abi = XE_ABI_VERSION;
  one->ledger.network_id = take_u32(file);
  one->ledger.ledger_index = take_u32(file);
  one->ledger.parent_close_time = take_u32(file);
  one->ledger.email_enabled = take_u32(file);
  take(file, one->ledger.parent_hash, 32);
  take(file, &one->ledger.base_fee, 8);
  take(file, &one->ledger.reserve_base, 8);
  take(file, &one->ledger.reserve_increment, 8);
  one->answer_count = take_u32(file);
  one->entry_count = take_u32(file);
  if (one->answer_count > ANSWERS_MAX || one->entry_count > ENTRIES_MAX) give_up("too many rows");
  for (size_t i = 0; i < one->answer_count; ++i) {
    one->answers[i].name = take_slice(file);
    one->answers[i].answer = take_u32(file);
    one->answers[i].record = take_slice(file);
  }
  for (size_t i = 0; i < one->entry_count; ++i) {
    take(file, one->entries[i].index, 32);
    one->entries[i].ledger = take_u32(file);
    one->entries[i].bytes = take_slice(file);
  }
  return 1;
}

// What the case says of an entry: no bytes where it says nothing.
static inline xe_slice look_up(const a_case *one, const xe_entry *wanted) {
  xe_slice none = {NULL, 0};
  for (size_t i = 0; i < one->entry_count; ++i) {
    const xe_entry *entry = &one->entries[i];
    if (entry->ledger == wanted->ledger && memcmp(entry->index, wanted->index, 32) == 0) return entry->bytes;
  }
  return none;
}

static inline void print_hex(const uint8_t *bytes, size_t len) {
  for (size_t i = 0; i < len; ++i) printf("%02X", bytes[i]);
}

static inline void print_slice(xe_slice bytes) {
  fwrite(bytes.data, 1, bytes.len, stdout);
}

#endif
