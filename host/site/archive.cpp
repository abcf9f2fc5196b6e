// tar as every reader since 1988 knows it; what that cannot say goes into an extended header, which
// is a file of its own before the file. WARC records are named after their contents.
#include "host/site/archive.hpp"

#include <algorithm>
#include <cstdio>
#include <cstring>

#include "host/text.hpp"
#include "host/version.hpp"

namespace qip {
namespace {

constexpr size_t kBlock = 512;
constexpr uint64_t kLargestOctalSize = (uint64_t{1} << 33) - 1;  // eleven digits

// A header block. Numbers are octal digits that end with a NUL.
struct TarBlock {
  char name[100];
  char mode[8];
  char user[8];
  char group[8];
  char size[12];
  char modified[12];
  char checksum[8];
  char type;
  char link[100];
  char magic[6];
  char version[2];
  char user_name[32];
  char group_name[32];
  char device_major[8];
  char device_minor[8];
  char prefix[155];
  char rest[12];
};
static_assert(sizeof(TarBlock) == kBlock);

template <size_t N>
void put_octal(char (&field)[N], uint64_t number) {
  field[N - 1] = '\0';
  for (size_t i = N - 1; i-- > 0; number >>= 3) field[i] = static_cast<char>('0' + (number & 7));
}

// The part of a name that goes into the field, not ended if it fills it.
template <size_t N>
void put_text(char (&field)[N], std::string_view text) {
  memcpy(field, text.data(), std::min(text.size(), N));
}

void append_block(std::string& out, char type, std::string_view prefix, std::string_view name,
                  uint64_t size) {
  TarBlock block = {};
  put_text(block.name, name);
  put_octal(block.mode, 0644);
  put_octal(block.user, 0);
  put_octal(block.group, 0);
  put_octal(block.size, std::min(size, kLargestOctalSize));
  put_octal(block.modified, 0);
  block.type = type;
  put_text(block.magic, "ustar");
  put_text(block.version, "00");
  put_octal(block.device_major, 0);
  put_octal(block.device_minor, 0);
  put_text(block.prefix, prefix);

  // The sum of all bytes, the checksum's own being spaces; six digits, a NUL, a space.
  memset(block.checksum, ' ', sizeof block.checksum);
  uint64_t sum = 0;
  for (size_t i = 0; i < kBlock; i++) sum += reinterpret_cast<const uint8_t*>(&block)[i];
  char digits[7];
  put_octal(digits, sum);
  memcpy(block.checksum, digits, sizeof digits);
  out.append(reinterpret_cast<const char*>(&block), sizeof block);
}

// "<length> <key>=<value>\n", where the length counts its own digits too.
std::string pax_record(std::string_view key, std::string_view value) {
  const size_t rest = key.size() + value.size() + 3;
  size_t length = rest + 1;
  while (length != rest + number_text(length).size()) length++;  // at most 20 turns
  std::string text = number_text(length) + " ";
  return text.append(key).append("=").append(value).append("\n");
}

bool is_ascii(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) { return (c & 0x80) == 0; });
}

// Where a name is cut so that both parts fit their fields: the index of a '/', 0 if it need not be
// cut, npos if it cannot be.
size_t cut_of(std::string_view name) {
  if (name.size() <= sizeof(TarBlock::name)) return 0;
  const size_t cut = name.find('/', name.size() - sizeof(TarBlock::name) - 1);
  const bool fits = cut != 0 && cut <= sizeof(TarBlock::prefix) && cut + 1 < name.size();
  return cut != std::string_view::npos && fits ? cut : std::string_view::npos;
}

std::string date_text(uint64_t seconds) {
  return date_time_text(std::min(seconds, kLastWarcSecond));
}

// `<urn:uuid:...>` made from a digest: 122 of its bits, the rest says that a program chose them.
std::string record_id(const Sha256Digest& digest) {
  std::array<uint8_t, 16> bytes;
  std::copy_n(digest.begin(), bytes.size(), bytes.begin());
  bytes[6] = static_cast<uint8_t>((bytes[6] & 0x0F) | 0x80);
  bytes[8] = static_cast<uint8_t>((bytes[8] & 0x3F) | 0x80);
  std::string text = hex_text(bytes);
  for (const size_t place : {20, 16, 12, 8}) text.insert(place, "-");
  return "<urn:uuid:" + text + ">";
}

Sha256Digest digest_of(std::string_view text) {
  Sha256 hash;
  hash.update({reinterpret_cast<const uint8_t*>(text.data()), text.size()});
  return hash.digest();
}

void append_field(std::string& out, const char* name, std::string_view value) {
  out.append(name).append(": ").append(value).append("\r\n");
}

}  // namespace

// --- tar -----------------------------------------------------------------------------------------

std::string tar_header(const std::string& name, uint64_t size) {
  std::string out;
  const bool is_plain = is_ascii(name);
  const size_t cut = cut_of(name);
  std::string extended;
  if (!is_plain || cut == std::string::npos) extended += pax_record("path", name);
  if (size > kLargestOctalSize) extended += pax_record("size", number_text(size));
  if (!extended.empty()) {
    append_block(out, 'x', "", "PaxHeaders/page", extended.size());
    out += extended;
    out += tar_padding(extended.size());
  }
  const std::string_view whole = name;
  if (!is_plain || cut == std::string::npos) {
    append_block(out, '0', "", whole.substr(0, sizeof(TarBlock::name)), size);
  } else if (cut == 0) {
    append_block(out, '0', "", whole, size);
  } else {
    append_block(out, '0', whole.substr(0, cut), whole.substr(cut + 1), size);
  }
  return out;
}

std::string_view tar_end() {
  static constexpr char kZeros[2 * kBlock] = {};
  return {kZeros, sizeof kZeros};
}

std::string_view tar_padding(uint64_t size) {
  return tar_end().substr(0, (kBlock - size % kBlock) % kBlock);
}

// --- WARC ----------------------------------------------------------------------------------------

WarcFormat::WarcFormat(uint64_t seconds) : date_(date_text(seconds)) {
  const std::string block =
      std::string("software: qip ") + kVersion +
      "\r\n"
      "format: WARC File Format 1.1\r\n"
      "conformsTo: http://iipc.github.io/warc-specifications/specifications/warc-format/"
      "warc-1.1/\r\n";
  const Sha256Digest digest = digest_of(block);
  info_id_ = record_id(digest_of("warcinfo\n" + date_ + "\n" + block));
  info_record_ = "WARC/1.1\r\n";
  append_field(info_record_, "WARC-Type", "warcinfo");
  append_field(info_record_, "WARC-Record-ID", info_id_);
  append_field(info_record_, "WARC-Date", date_);
  append_field(info_record_, "WARC-Block-Digest", "sha256:" + hex_text(digest));
  append_field(info_record_, "Content-Type", "application/warc-fields");
  append_field(info_record_, "Content-Length", number_text(block.size()));
  info_record_ += "\r\n" + block;
  info_record_ += record_end();
}

std::string WarcFormat::response_record(const WarcPage& page) const {
  const std::string block_digest = hex_text(page.block_digest);
  const std::string id = record_id(
      digest_of("response\n" + date_ + "\n" + std::string(page.uri) + "\n" + block_digest));
  std::string out = "WARC/1.1\r\n";
  append_field(out, "WARC-Type", "response");
  append_field(out, "WARC-Record-ID", id);
  append_field(out, "WARC-Warcinfo-ID", info_id_);
  append_field(out, "WARC-Date", date_);
  append_field(out, "WARC-Target-URI", page.uri);
  append_field(out, "WARC-Block-Digest", "sha256:" + block_digest);
  append_field(out, "WARC-Payload-Digest", "sha256:" + hex_text(page.payload_digest));
  append_field(out, "Content-Type", "application/http; msgtype=response");
  append_field(out, "Content-Length", number_text(page.http_head.size() + page.body_size));
  return out.append("\r\n").append(page.http_head);
}

}  // namespace qip
