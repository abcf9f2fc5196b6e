// The folder: `ab/<30 hexadecimal digits>` is the entry whose key begins with the byte ab; `tmp/`
// holds what is being written. Names of any other form are never opened, counted or removed, and
// symbolic links below the folder are never followed.
//
// An entry: kMagic, the slot, the result's fields and lengths (kHeadBytes in all), its texts and
// bytes, and the XXH3-128 of everything before. All numbers are little-endian. Nothing is synced to
// the disk: after a loss of power an entry may be damaged, and damage is found out.
//
// A writer holds a lock on its temporary file until that has its final name. So a temporary file
// that can be locked has lost its writer, and every writer removes those before it makes its own.
#include "host/result_cache.hpp"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cstring>
#include <mutex>

#include "host/files.hpp"
#include "host/text.hpp"
#include "host/version.hpp"

namespace qip {
namespace {

// The form of keys and of entries; a change of either is a new number here.
constexpr char kMagic[] = "qipkept1";
constexpr size_t kMagicBytes = sizeof kMagic - 1;
constexpr size_t kProofBytes = kMagicBytes + sizeof(Xxh3Digest) + 2 * sizeof(Sha256Digest) + 8;
constexpr size_t kFieldBytes = 8 + 3 * 8;
constexpr size_t kHeadBytes = kProofBytes + kFieldBytes;

constexpr size_t kPrefixDigits = 2;
constexpr size_t kEntryDigits = 30;
constexpr size_t kTemporaryDigits = 16;
constexpr char kTemporaryFolder[] = "tmp";

// --- Bytes ---------------------------------------------------------------------------------------

std::span<const uint8_t> bytes_of(std::string_view text) {
  return {reinterpret_cast<const uint8_t*>(text.data()), text.size()};
}

std::span<uint8_t> writable_bytes_of(std::string& text) {
  return {reinterpret_cast<uint8_t*>(text.data()), text.size()};
}

std::string_view text_of(std::span<const uint8_t> bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

void append(std::string& out, uint64_t number, unsigned bytes = 8) {
  for (unsigned i = 0; i < bytes; i++) out += static_cast<char>(number >> 8 * i);
}

// The number at the front of `bytes`, which moves on. Precondition: it is there.
uint64_t take(std::span<const uint8_t>& bytes, unsigned count = 8) {
  uint64_t number = 0;
  for (unsigned i = 0; i < count; i++) number |= uint64_t{bytes[i]} << 8 * i;
  bytes = bytes.subspan(count);
  return number;
}

// --- Entries -------------------------------------------------------------------------------------

struct Fields {
  bool has_output = false;
  bool has_content_type = false;
  Encoding encoding = Encoding::Raw;
  uint32_t result = 0;
  uint64_t printed = 0;  // bytes, like the next two
  uint64_t content_type = 0;
  uint64_t output = 0;

  // Of the whole entry. Precondition: each length is at most kMaxCacheEntryBytes.
  uint64_t entry_bytes() const {
    return kHeadBytes + printed + content_type + output + sizeof(Xxh3Digest);
  }
  bool are_small() const {
    return std::max({printed, content_type, output}) <= kMaxCacheEntryBytes &&
           entry_bytes() <= kMaxCacheEntryBytes;
  }
};

// What an entry must begin with to be the one of this slot.
std::string proof_of(const CacheSlot& slot) {
  std::string proof = kMagic;
  proof += text_of(slot.key);
  proof += text_of(slot.chain_sha256);
  append(proof, slot.input_length);
  proof += text_of(slot.input_sha256);
  return proof;
}

void append_fields(std::string& out, const Fields& fields) {
  append(out, fields.has_output, 1);
  append(out, fields.has_content_type, 1);
  append(out, static_cast<uint8_t>(fields.encoding), 2);
  append(out, fields.result, 4);
  append(out, fields.printed);
  append(out, fields.content_type);
  append(out, fields.output);
}

// Precondition: kFieldBytes.
std::optional<Fields> parse_fields(std::span<const uint8_t> bytes) {
  Fields fields;
  fields.has_output = take(bytes, 1) != 0;
  fields.has_content_type = take(bytes, 1) != 0;
  const uint64_t encoding = take(bytes, 2);
  if (encoding > static_cast<uint8_t>(Encoding::I32)) return std::nullopt;
  fields.encoding = static_cast<Encoding>(encoding);
  fields.result = static_cast<uint32_t>(take(bytes, 4));
  fields.printed = take(bytes);
  fields.content_type = take(bytes);
  fields.output = take(bytes);
  if (!fields.are_small()) return std::nullopt;
  return fields;
}

// Reads exactly so many bytes into the digest, too.
bool read_part(int fd, std::span<uint8_t> target, Xxh3& digest) {
  if (read_fully(fd, target) != static_cast<int64_t>(target.size())) return false;
  digest.update(target);
  return true;
}

// Memory is taken once the head is right and its lengths are those of the file.
std::optional<CachedResult> read_entry(int fd, const CacheSlot& slot) {
  struct stat status;
  if (fstat(fd, &status) != 0 || !S_ISREG(status.st_mode)) return std::nullopt;
  Xxh3 digest;
  uint8_t head[kHeadBytes];
  if (!read_part(fd, head, digest)) return std::nullopt;
  if (text_of(head).substr(0, kProofBytes) != proof_of(slot)) return std::nullopt;
  const std::optional<Fields> fields = parse_fields(std::span(head).subspan(kProofBytes));
  if (!fields || fields->entry_bytes() != static_cast<uint64_t>(status.st_size)) {
    return std::nullopt;
  }

  CachedResult kept;
  kept.has_output = fields->has_output;
  kept.result = fields->result;
  kept.encoding = fields->encoding;
  kept.printed.resize(fields->printed);
  std::string content_type(fields->content_type, '\0');
  kept.output.resize(fields->output);
  Xxh3Digest written;
  if (!read_part(fd, writable_bytes_of(kept.printed), digest) ||
      !read_part(fd, writable_bytes_of(content_type), digest) ||
      !read_part(fd, kept.output, digest) ||
      read_fully(fd, written) != static_cast<int64_t>(sizeof written) ||
      written != digest.digest()) {
    return std::nullopt;
  }
  if (fields->has_content_type) kept.content_type = std::move(content_type);
  return kept;
}

// `head`: everything before the output. Returns 0 or an errno value.
int write_entry(int fd, std::span<const uint8_t> head, std::span<const uint8_t> output) {
  Xxh3 digest;
  digest.update(head);
  digest.update(output);
  const int error = write_fully(fd, head, text_of(output));
  return error != 0 ? error : write_fully(fd, digest.digest());
}

// --- The folder ----------------------------------------------------------------------------------

// `flags` says how and what to open below `folder`; never a link.
FileDescriptor open_below(int folder, const char* name, int flags, mode_t mode = 0) {
  return FileDescriptor(openat(folder, name, flags | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK, mode));
}

FileDescriptor open_folder(int folder, const char* name) {
  return open_below(folder, name, O_RDONLY | O_DIRECTORY);
}

FileDescriptor make_folder(int folder, const char* name) {
  FileDescriptor made = open_folder(folder, name);
  if (made.is_open() || errno != ENOENT) return made;
  if (mkdirat(folder, name, 0700) != 0 && errno != EEXIST) return made;
  return open_folder(folder, name);
}

// The names in a folder that are so many lower-case hexadecimal digits: ours, but for their kind.
std::vector<std::string> own_names(int folder, size_t digits) {
  std::vector<std::string> names;
  // Opened again, because the place in a list belongs to the open file, which threads share.
  const int again = openat(folder, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  DIR* list = again >= 0 ? fdopendir(again) : nullptr;
  if (list == nullptr) {
    if (again >= 0) close(again);
    return names;
  }
  while (const dirent* item = readdir(list)) {
    const size_t length = strlen(item->d_name);
    if (length == digits && strspn(item->d_name, "0123456789abcdef") == length) {
      names.emplace_back(item->d_name);
    }
  }
  closedir(list);
  return names;
}

// --- Temporary files -----------------------------------------------------------------------------

// Whether the open file is still the regular file of that name.
bool is_file_of_name(int fd, int folder, const char* name) {
  struct stat opened;
  struct stat named;
  return fstat(fd, &opened) == 0 && fstatat(folder, name, &named, AT_SYMLINK_NOFOLLOW) == 0 &&
         S_ISREG(opened.st_mode) && opened.st_dev == named.st_dev && opened.st_ino == named.st_ino;
}

bool lock_at_once(int fd) {
  return flock(fd, LOCK_EX | LOCK_NB) == 0;
}

// While the lock is held nobody else removes or renames the file: its writer, if it lives, is
// between making and locking it, will not get the lock, and starts again.
void remove_abandoned(int folder) {
  for (const std::string& name : own_names(folder, kTemporaryDigits)) {
    const FileDescriptor file = open_below(folder, name.c_str(), O_RDWR);
    if (file.is_open() && lock_at_once(file.number()) &&
        is_file_of_name(file.number(), folder, name.c_str())) {
      unlinkat(folder, name.c_str(), 0);
    }
  }
}

// Unique among living processes of this machine; O_EXCL guards against all others.
std::string temporary_name() {
  static std::atomic<uint32_t> count{0};
  std::string bytes;
  append(bytes, static_cast<uint32_t>(getpid()), 4);
  append(bytes, count.fetch_add(1, std::memory_order_relaxed), 4);
  return hex_text(bytes_of(bytes));
}

struct TemporaryFile {
  std::string name;
  FileDescriptor file;  // locked; not open: errno says why
};

TemporaryFile make_temporary(int folder) {
  constexpr int kAttempts = 100;  // each lost to another process
  for (int attempt = 0; attempt < kAttempts; attempt++) {
    TemporaryFile made{temporary_name(), FileDescriptor()};
    const char* name = made.name.c_str();
    made.file = open_below(folder, name, O_WRONLY | O_CREAT | O_EXCL, 0600);
    if (!made.file.is_open()) {
      if (errno == EEXIST) continue;
      return made;
    }
    if (lock_at_once(made.file.number())) {
      if (is_file_of_name(made.file.number(), folder, name)) return made;
    } else if (errno != EWOULDBLOCK) {
      const int error = errno;
      unlinkat(folder, name, 0);
      made.file.close();
      errno = error;
      return made;
    }
  }
  errno = EBUSY;
  return {"", FileDescriptor()};
}

// --- Eviction ------------------------------------------------------------------------------------

struct Entry {
  timespec used;
  uint64_t size;
  char name[kPrefixDigits + kEntryDigits + 1];  // the digits of its key
};

bool is_newer(const Entry& left, const Entry& right) {
  return left.used.tv_sec != right.used.tv_sec ? left.used.tv_sec > right.used.tv_sec
                                               : left.used.tv_nsec > right.used.tv_nsec;
}

// All entries and the sum of their sizes.
std::vector<Entry> find_entries(int root, uint64_t& total) {
  std::vector<Entry> entries;
  total = 0;
  for (const std::string& prefix : own_names(root, kPrefixDigits)) {
    const FileDescriptor folder = open_folder(root, prefix.c_str());
    if (!folder.is_open()) continue;
    for (const std::string& name : own_names(folder.number(), kEntryDigits)) {
      struct stat status;
      if (fstatat(folder.number(), name.c_str(), &status, AT_SYMLINK_NOFOLLOW) != 0 ||
          !S_ISREG(status.st_mode)) {
        continue;
      }
      Entry entry{status.st_mtim, static_cast<uint64_t>(status.st_size), {}};
      memcpy(entry.name, prefix.data(), kPrefixDigits);
      memcpy(entry.name + kPrefixDigits, name.c_str(), kEntryDigits + 1);
      total += entry.size;
      entries.push_back(entry);
    }
  }
  return entries;
}

bool remove_entry(int root, const Entry& entry) {
  const std::string prefix(entry.name, kPrefixDigits);
  const FileDescriptor folder = open_folder(root, prefix.c_str());
  return unlinkat(folder.number(), entry.name + kPrefixDigits, 0) == 0 || errno == ENOENT;
}

// Removes the oldest entries until they and `added` bytes fill at most nine tenths of `maximum`, if
// they would exceed it. Returns what is left. Ends: each turn takes an entry from the heap.
uint64_t evict(int root, uint64_t maximum, uint64_t added) {
  uint64_t total = 0;
  std::vector<Entry> entries = find_entries(root, total);
  if (total + added <= maximum) return total;
  std::make_heap(entries.begin(), entries.end(), is_newer);
  while (!entries.empty() && total + added > maximum / 10 * 9) {
    std::pop_heap(entries.begin(), entries.end(), is_newer);
    if (remove_entry(root, entries.back())) total -= entries.back().size;
    entries.pop_back();
  }
  return total;
}

}  // namespace

// --- ChainDigest ---------------------------------------------------------------------------------

// Every part of variable length has its length in front, and a letter tells a further component
// from the input: different chains and inputs never give the same stream of bytes.
struct ChainDigest::State {
  Xxh3 key;
  Sha256 sha256;

  void add(std::span<const uint8_t> bytes) {
    key.update(bytes);
    sha256.update(bytes);
  }
  void add_number(uint64_t number) {
    std::string bytes;
    append(bytes, number);
    add(bytes_of(bytes));
  }
  void add_part(std::span<const uint8_t> bytes) {
    add_number(bytes.size());
    add(bytes);
  }
  void add_limit(const std::optional<uint64_t>& limit) {
    add_number(limit.has_value());
    add_number(limit.value_or(0));
  }
};

ChainDigest::ChainDigest(const RunLimits& limits) : state_(std::make_unique<State>()) {
  state_->add_part(bytes_of(kMagic));
  state_->add_part(bytes_of(kVersion));
  state_->add_limit(limits.fuel);
  state_->add_limit(limits.max_output_bytes);
  state_->add_limit(limits.policy.max_memory_bytes);
  state_->add_number(limits.policy.fixed_memory);
  state_->add_number(limits.policy.strict);
}

ChainDigest::~ChainDigest() = default;

void ChainDigest::add_component(std::span<const uint8_t> module_bytes, const Uniforms& uniforms) {
  state_->add_number('C');
  state_->add_part(module_bytes);
  state_->add_number(uniforms.size());
  for (const auto& [name, value] : uniforms) {
    state_->add_part(bytes_of(name));
    state_->add_part(bytes_of(value));
  }
}

// --- ResultCache ---------------------------------------------------------------------------------

struct ResultCache::Contents {
  std::string folder;
  FileDescriptor root;
  std::optional<uint64_t> max_bytes;

  std::mutex mutex;      // of what follows, which is used with a maximum only
  uint64_t room = 0;     // bytes that may be written before the entries are counted again
  uint64_t pending = 0;  // bytes of entries that are being written

  std::string problem(const char* operation, int error) const {
    return "cache " + folder + ": " + operation + ": " + system_error_text(error);
  }

  // Sets `size` bytes aside, evicting if that needs it. False: other writers leave no room now.
  // After a count a tenth of the maximum may be written at most before the next one, which is when
  // the entries of other processes show.
  bool reserve(uint64_t size) {
    const std::lock_guard lock(mutex);
    if (size > room) {
      const uint64_t used = evict(root.number(), *max_bytes, pending + size) + pending;
      const uint64_t left = *max_bytes - std::min(used, *max_bytes);
      if (size > left) return false;
      room = std::min(left, std::max(*max_bytes / 10, size));
    }
    room -= size;
    pending += size;
    return true;
  }
  void end_reservation(uint64_t size) {
    const std::lock_guard lock(mutex);
    pending -= size;
  }

  // `head`: everything before the output.
  std::string replace_entry(const Xxh3Digest& key, std::span<const uint8_t> head,
                            std::span<const uint8_t> output) const {
    const std::string digits = hex_text(key);
    const FileDescriptor folder =
        make_folder(root.number(), digits.substr(0, kPrefixDigits).c_str());
    if (!folder.is_open()) return problem("open folder", errno);
    const FileDescriptor temporaries = make_folder(root.number(), kTemporaryFolder);
    if (!temporaries.is_open()) return problem("open folder tmp", errno);
    remove_abandoned(temporaries.number());
    const TemporaryFile made = make_temporary(temporaries.number());
    if (!made.file.is_open()) return problem("create", errno);

    const char* operation = "write";
    int error = write_entry(made.file.number(), head, output);
    if (error == 0 && renameat(temporaries.number(), made.name.c_str(), folder.number(),
                               digits.c_str() + kPrefixDigits) != 0) {
      operation = "rename";
      error = errno;
    }
    if (error == 0) return "";
    unlinkat(temporaries.number(), made.name.c_str(), 0);
    return problem(operation, error);
  }
};

ResultCache::ResultCache(std::string folder, std::optional<uint64_t> max_bytes)
    : contents_(std::make_unique<Contents>()) {
  contents_->folder = std::move(folder);
  contents_->max_bytes = max_bytes;
}

ResultCache::~ResultCache() = default;

Result<std::unique_ptr<ResultCache>, HostError> ResultCache::open(
    std::string folder, std::optional<uint64_t> max_bytes) {
  std::unique_ptr<ResultCache> cache(new ResultCache(std::move(folder), max_bytes));
  Contents& contents = *cache->contents_;
  const char* path = contents.folder.c_str();
  constexpr int kFlags = O_RDONLY | O_DIRECTORY | O_CLOEXEC;
  contents.root = FileDescriptor(::open(path, kFlags));
  if (!contents.root.is_open() && errno == ENOENT && (mkdir(path, 0700) == 0 || errno == EEXIST)) {
    contents.root = FileDescriptor(::open(path, kFlags));
  }
  if (!contents.root.is_open()) return file_error(contents.problem("open", errno));
  return cache;
}

CacheSlot ResultCache::slot_of(const ChainDigest& chain, std::span<const uint8_t> input) {
  ChainDigest::State whole = *chain.state_;
  CacheSlot slot;
  slot.chain_sha256 = whole.sha256.digest();
  std::string letter_and_length;
  append(letter_and_length, 'I');
  append(letter_and_length, input.size());
  whole.key.update(bytes_of(letter_and_length));
  whole.key.update(input);
  slot.key = whole.key.digest();
  Sha256 of_input;
  of_input.update(input);
  slot.input_sha256 = of_input.digest();
  slot.input_length = input.size();
  return slot;
}

std::optional<CachedResult> ResultCache::find(const CacheSlot& slot) {
  const std::string digits = hex_text(slot.key);
  const FileDescriptor folder =
      open_folder(contents_->root.number(), digits.substr(0, kPrefixDigits).c_str());
  if (!folder.is_open()) return std::nullopt;
  const FileDescriptor file = open_below(folder.number(), digits.c_str() + kPrefixDigits, O_RDONLY);
  if (!file.is_open()) return std::nullopt;
  std::optional<CachedResult> kept = read_entry(file.number(), slot);
  // Refused in a cache that may only be read, which nobody evicts from either.
  if (kept) futimens(file.number(), nullptr);
  return kept;
}

std::string ResultCache::store(const CacheSlot& slot, const std::string& printed, bool has_output,
                               uint32_t result, Encoding encoding, const ContentType& content_type,
                               std::span<const uint8_t> output) {
  const std::string type = content_type.value_or("");
  const Fields fields = {has_output,   content_type.has_value(), encoding,
                         result,       printed.size(),           type.size(),
                         output.size()};
  if (!fields.are_small()) return "";
  std::string head = proof_of(slot);
  append_fields(head, fields);
  head += printed;
  head += type;

  const uint64_t size = fields.entry_bytes();
  const bool is_bounded = contents_->max_bytes.has_value();
  if (is_bounded && (size > *contents_->max_bytes || !contents_->reserve(size))) return "";
  std::string failure = contents_->replace_entry(slot.key, bytes_of(head), output);
  if (is_bounded) contents_->end_reservation(size);
  return failure;
}

}  // namespace qip
