// C++17 over xahau_email.h: handles that free themselves, and the loop that reads what a function asks for. Header only;
// nothing here computes. Nothing throws but what the caller's own functions throw, and std::bad_alloc.

#ifndef XAHAU_EMAIL_HPP
#define XAHAU_EMAIL_HPP

#include "xahau_email.h"

#include <array>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace xahau_email {

using Blob = std::vector<std::uint8_t>;
using Hash = std::array<std::uint8_t, 32>;
using AccountId = std::array<std::uint8_t, 20>;

// True where library and header fit: ask once, before all else.
inline bool fits() noexcept { return xe_abi_version() == XE_ABI_VERSION && xe_rules_version() == XE_RULES_VERSION; }

template <auto Free>
struct Freed {
  template <class T>
  void operator()(T* handle) const noexcept {
    Free(handle);
  }
};

using Bytes = std::unique_ptr<xe_bytes, Freed<xe_bytes_free>>;
using List = std::unique_ptr<xe_list, Freed<xe_list_free>>;
using Parsed = std::unique_ptr<xe_parsed, Freed<xe_parsed_free>>;
using Ready = std::unique_ptr<xe_ready, Freed<xe_ready_free>>;

// A code, and what came with it where it is tesSUCCESS.
template <class T>
struct Result {
  std::int32_t code = XE_INTERNAL;
  T value{};

  explicit operator bool() const noexcept { return code == XE_OK; }
};

// Takes a handle from a function of the border: the place is good for one call, and the handle is kept when it goes.
template <class Owner>
class Place {
 public:
  explicit Place(Owner& owner) noexcept : owner_(owner) {}
  Place(Place const&) = delete;
  Place& operator=(Place const&) = delete;
  ~Place() { owner_.reset(raw_); }
  operator typename Owner::pointer*() noexcept { return &raw_; }

 private:
  Owner& owner_;
  typename Owner::pointer raw_ = nullptr;
};

inline xe_slice slice(void const* data, std::size_t size) noexcept {
  return {static_cast<std::uint8_t const*>(data), size};
}
inline xe_slice slice(Blob const& blob) noexcept { return slice(blob.data(), blob.size()); }
inline xe_slice slice(std::string_view text) noexcept { return slice(text.data(), text.size()); }
inline xe_slice slice(Bytes const& bytes) noexcept { return xe_bytes_slice(bytes.get()); }

inline Blob blob(xe_slice bytes) { return bytes.len == 0 ? Blob{} : Blob(bytes.data, bytes.data + bytes.len); }
inline Blob blob(Bytes const& bytes) { return blob(slice(bytes)); }
inline std::string text(Bytes const& bytes) {
  xe_slice const all = slice(bytes);
  return all.len == 0 ? std::string{} : std::string(reinterpret_cast<char const*>(all.data), all.len);
}

// Entries that were read, with their bytes.
class Entries {
 public:
  // `bytes` is empty where the ledger has no such entry.
  void add(Hash const& index, std::uint32_t ledger, Blob bytes) {
    bytes_.push_back(std::move(bytes));
    xe_entry entry{};
    std::copy(index.begin(), index.end(), entry.index);
    entry.ledger = ledger;
    entry.bytes = slice(bytes_.back());
    entries_.push_back(entry);
  }
  xe_entry const* data() const noexcept { return entries_.data(); }
  std::size_t size() const noexcept { return entries_.size(); }

 private:
  std::deque<Blob> bytes_;  // does not move what it holds
  std::vector<xe_entry> entries_;
};

// What is written: an index, and the entry from now on; no bytes where it goes.
struct Write {
  Hash index{};
  std::optional<Blob> bytes;
};

inline std::vector<xe_entry> entries_of(List const& list) {
  std::vector<xe_entry> all(xe_list_count(list.get()));
  for (std::size_t i = 0; i < all.size(); ++i) xe_list_entry(list.get(), i, &all[i]);
  return all;
}

inline Hash hash_of(std::uint8_t const (&bytes)[32]) noexcept {
  Hash hash;
  std::copy(std::begin(bytes), std::end(bytes), hash.begin());
  return hash;
}

inline std::vector<Write> writes_of(List const& list) {
  std::vector<Write> writes;
  for (xe_entry const& entry : entries_of(list)) {
    Write write{hash_of(entry.index), std::nullopt};
    if (entry.bytes.len != 0) write.bytes = blob(entry.bytes);
    writes.push_back(std::move(write));
  }
  return writes;
}

// Calls `call(entries, list)` until it asks for nothing more; what it asks for, `read(index, ledger)` reads: a Blob, empty
// where there is none. `ledger` is XE_THIS_LEDGER or XE_PARENT_LEDGER.
template <class Read, class Call>
std::int32_t reading(Entries& entries, List& list, Read&& read, Call&& call) {
  for (;;) {
    std::int32_t const code = call(entries, list);
    if (code != XE_READ_MORE) return code;
    std::vector<xe_entry> const wanted = entries_of(list);
    if (wanted.empty()) return XE_INTERNAL;
    for (xe_entry const& entry : wanted) entries.add(hash_of(entry.index), entry.ledger, read(hash_of(entry.index), entry.ledger));
  }
}

inline Result<Parsed> preflight(xe_slice transaction, std::uint32_t network_id, bool email_enabled) {
  Result<Parsed> result;
  result.code = xe_preflight(transaction, network_id, email_enabled ? 1 : 0, Place(result.value));
  return result;
}

inline Result<xe_facts> facts(Parsed const& parsed) {
  Result<xe_facts> result;
  result.code = xe_parsed_facts(parsed.get(), &result.value);
  return result;
}

template <class Read>
Result<Ready> prove(Parsed const& parsed, xe_ledger const& ledger, Read&& read) {
  Result<Ready> result;
  Entries entries;
  List more;
  result.code = reading(entries, more, read, [&](Entries const& known, List& list) {
    return xe_prove(parsed.get(), &ledger, known.data(), known.size(), Place(list), Place(result.value));
  });
  return result;
}

inline Result<Bytes> next_replay(Ready const& ready, xe_slice current, std::uint32_t effect) {
  Result<Bytes> result;
  result.code = xe_next_replay(ready.get(), current, effect, Place(result.value));
  return result;
}

template <class Read>
Result<std::vector<Write>> key_set(xe_slice transaction, xe_ledger const& ledger, Read&& read) {
  Result<std::vector<Write>> result;
  Entries entries;
  List list;
  result.code = reading(entries, list, read, [&](Entries const& known, List& out) {
    return xe_key_set(transaction, &ledger, known.data(), known.size(), Place(out));
  });
  if (result) result.value = writes_of(list);
  return result;
}

template <class Read>
Result<std::vector<Write>> key_leak(xe_slice transaction, xe_ledger const& ledger, Read&& read) {
  Result<std::vector<Write>> result;
  Entries entries;
  List list;
  result.code = reading(entries, list, read, [&](Entries const& known, List& out) {
    return xe_key_leak(transaction, &ledger, known.data(), known.size(), Place(out));
  });
  if (result) result.value = writes_of(list);
  return result;
}

template <class Read>
Result<Bytes> build_key_set(std::vector<xe_attestation> const& attestations, xe_ledger const& ledger, Read&& read) {
  Result<Bytes> result;
  Entries entries;
  List more;
  result.code = reading(entries, more, read, [&](Entries const& known, List& list) {
    return xe_build_key_set(attestations.data(), attestations.size(), &ledger, known.data(), known.size(), Place(list),
                            Place(result.value));
  });
  return result;
}

inline Result<Bytes> attestation_message(std::uint32_t network_id, xe_statement const& statement) {
  Result<Bytes> result;
  result.code = xe_attestation_message(network_id, &statement, Place(result.value));
  return result;
}

inline Result<AccountId> account_of(std::string_view address) {
  Result<AccountId> result;
  std::uint8_t account[20] = {};
  result.code = xe_account_of(slice(address), &account);
  std::copy(std::begin(account), std::end(account), result.value.begin());
  return result;
}

inline Result<Bytes> normal_form(xe_slice mail, std::size_t signature) {
  Result<Bytes> result;
  result.code = xe_normal_form(mail, signature, Place(result.value));
  return result;
}

// What a mail comes to, with its checks as JSON.
struct Explained {
  std::int32_t verdict = XE_INTERNAL;
  Bytes json;
  Bytes transaction;
};

inline Result<Explained> explain(xe_slice mail, std::uint32_t network_id, std::uint32_t now,
                                 std::vector<xe_key_answer> const& answers) {
  Result<Explained> result;
  result.code = xe_explain(mail, network_id, now, answers.data(), answers.size(), &result.value.verdict,
                           Place(result.value.json));
  return result;
}

template <class Read>
Result<Explained> submission(xe_slice mail, xe_ledger const& ledger, Read&& read) {
  Result<Explained> result;
  Entries entries;
  List more;
  result.code = reading(entries, more, read, [&](Entries const& known, List& list) {
    return xe_submission(mail, &ledger, known.data(), known.size(), Place(list), &result.value.verdict,
                         Place(result.value.json), Place(result.value.transaction));
  });
  return result;
}

}  // namespace xahau_email

#endif  // XAHAU_EMAIL_HPP
