// Archive headers, read back by what the standards say about them, field by field.
#include "host/site/archive.hpp"

#include <gtest/gtest.h>

#include <map>
#include <string>

#include "host/text.hpp"

namespace qip {
namespace {

// --- tar -----------------------------------------------------------------------------------------

struct TarEntry {
  char type = 0;
  std::string name;  // with the prefix
  uint64_t size = 0;
  std::string block;
};

std::string text_at(const std::string& block, size_t begin, size_t size) {
  const std::string field = block.substr(begin, size);
  return field.substr(0, field.find('\0'));
}

TarEntry read_block(const std::string& block) {
  EXPECT_EQ(block.size(), 512u);
  unsigned sum = 0;
  for (size_t i = 0; i < block.size(); i++) {
    sum += i >= 148 && i < 156 ? ' ' : static_cast<unsigned char>(block[i]);
  }
  EXPECT_EQ(std::stoul(text_at(block, 148, 8), nullptr, 8), sum);
  EXPECT_EQ(block.substr(257, 8), std::string("ustar\0"
                                              "00",
                                              8));
  TarEntry entry;
  entry.type = block[156];
  const std::string prefix = text_at(block, 345, 155);
  entry.name = (prefix.empty() ? "" : prefix + "/") + text_at(block, 0, 100);
  entry.size = std::stoull(text_at(block, 124, 12), nullptr, 8);
  entry.block = block;
  return entry;
}

// What a reader takes a header for: the last block, and what an extended header says before it.
struct TarHeader {
  TarEntry entry;
  std::map<std::string, std::string> extended;
};

TarHeader read_header(const std::string& header) {
  EXPECT_EQ(header.size() % 512, 0u);
  TarHeader read;
  size_t at = 0;
  if (header[156] == 'x') {
    const TarEntry first = read_block(header.substr(0, 512));
    std::string records = header.substr(512, first.size);
    while (!records.empty()) {
      const size_t length = std::stoul(records);
      EXPECT_LE(length, records.size());
      EXPECT_EQ(records[length - 1], '\n');
      const size_t key = records.find(' ') + 1;
      const size_t equals = records.find('=');
      read.extended[records.substr(key, equals - key)] =
          records.substr(equals + 1, length - equals - 2);
      records.erase(0, length);
    }
    at = 512 + (first.size + 511) / 512 * 512;
  }
  read.entry = read_block(header.substr(at));
  return read;
}

std::string repeated(const std::string& part, size_t count) {
  std::string text;
  for (size_t i = 0; i < count; i++) text += part;
  return text;
}

TEST(Archive, TarHeaderOfAShortNameIsOneBlock) {
  const TarHeader read = read_header(tar_header("docs/index.html", 1234));
  EXPECT_EQ(read.entry.type, '0');
  EXPECT_EQ(read.entry.name, "docs/index.html");
  EXPECT_EQ(read.entry.size, 1234u);
  EXPECT_TRUE(read.extended.empty());
}

TEST(Archive, TarHeaderTellsNoTimeAndNoUser) {
  const std::string block = tar_header("a", 0);
  EXPECT_EQ(text_at(block, 100, 8), "0000644");
  EXPECT_EQ(text_at(block, 108, 8), "0000000");
  EXPECT_EQ(text_at(block, 116, 8), "0000000");
  EXPECT_EQ(text_at(block, 136, 12), "00000000000");
  EXPECT_EQ(text_at(block, 265, 32), "");
  EXPECT_EQ(text_at(block, 297, 32), "");
}

// Every length around the widths of both fields, with and without a '/' to cut at.
TEST(Archive, TarNameOfAnyLengthIsKept) {
  for (size_t length = 1; length <= 600; length++) {
    const std::string flat(length, 'n');
    std::string nested = repeated("folder/", length / 7) + std::string(length % 7, 'n');
    if (nested.back() == '/') nested.back() = 'n';
    for (const std::string& name : {flat, nested}) {
      const TarHeader read = read_header(tar_header(name, 7));
      const auto path = read.extended.find("path");
      EXPECT_EQ(path != read.extended.end() ? path->second : read.entry.name, name);
      EXPECT_EQ(read.entry.size, 7u);
      if (length <= 100) {
        EXPECT_TRUE(read.extended.empty()) << name;
      }
    }
  }
}

TEST(Archive, TarNameThatFitsBothFieldsNeedsNoExtension) {
  const std::string name = std::string(155, 'p') + "/" + std::string(100, 'n');
  const TarHeader read = read_header(tar_header(name, 0));
  EXPECT_TRUE(read.extended.empty());
  EXPECT_EQ(read.entry.name, name);
  EXPECT_EQ(read_header(tar_header("p" + name, 0)).extended.at("path"), "p" + name);
  EXPECT_EQ(read_header(tar_header(name + "n", 0)).extended.at("path"), name + "n");
}

TEST(Archive, TarNameThatIsNotAsciiIsExtended) {
  const std::string name =
      "\xC3\xBC"
      "ber/\xE6\x97\xA5.html";
  EXPECT_EQ(read_header(tar_header(name, 0)).extended.at("path"), name);
}

// The length of a record counts its own digits: the edges at 9, 99 and 999.
TEST(Archive, TarExtendedRecordCountsItself) {
  for (size_t length = 101; length < 1100; length++) {
    const std::string name(length, 'n');
    EXPECT_EQ(read_header(tar_header(name, 0)).extended.at("path"), name);
  }
}

TEST(Archive, TarSizeBeyondElevenOctalDigitsIsExtended) {
  constexpr uint64_t kEdge = (uint64_t{1} << 33) - 1;
  EXPECT_TRUE(read_header(tar_header("a", kEdge)).extended.empty());
  EXPECT_EQ(read_header(tar_header("a", kEdge)).entry.size, kEdge);
  EXPECT_EQ(read_header(tar_header("a", kEdge + 1)).extended.at("size"), "8589934592");
}

TEST(Archive, TarPaddingFillsABlock) {
  EXPECT_EQ(tar_padding(0).size(), 0u);
  EXPECT_EQ(tar_padding(1).size(), 511u);
  EXPECT_EQ(tar_padding(511).size(), 1u);
  EXPECT_EQ(tar_padding(512).size(), 0u);
  EXPECT_EQ(tar_padding((uint64_t{1} << 40) + 513).size(), 511u);
  EXPECT_EQ(tar_end(), std::string(1024, '\0'));
}

// --- WARC ----------------------------------------------------------------------------------------

struct WarcRecord {
  std::map<std::string, std::string> fields;
  std::string block;
};

WarcRecord read_record(const std::string& text) {
  WarcRecord record;
  EXPECT_EQ(text.substr(0, 10), "WARC/1.1\r\n");
  size_t at = 10;
  for (;;) {
    const size_t end = text.find("\r\n", at);
    const std::string line = text.substr(at, end - at);
    at = end + 2;
    if (line.empty()) break;
    const size_t colon = line.find(": ");
    EXPECT_TRUE(record.fields.emplace(line.substr(0, colon), line.substr(colon + 2)).second);
  }
  record.block = text.substr(at);
  return record;
}

Sha256Digest sha256(const std::string& text) {
  Sha256 hash;
  hash.update({reinterpret_cast<const uint8_t*>(text.data()), text.size()});
  return hash.digest();
}

std::string response_text(const WarcFormat& format, const std::string& uri, const std::string& head,
                          const std::string& body) {
  return format.response_record({uri, head, body.size(), sha256(head + body), sha256(body)}) + body;
}

TEST(Archive, WarcInfoRecordIsComplete) {
  const std::string text = WarcFormat(0).info_record();
  ASSERT_EQ(text.substr(text.size() - 4), WarcFormat::record_end());
  const WarcRecord record = read_record(text.substr(0, text.size() - 4));
  EXPECT_EQ(record.fields.at("WARC-Type"), "warcinfo");
  EXPECT_EQ(record.fields.at("Content-Type"), "application/warc-fields");
  EXPECT_EQ(record.fields.at("Content-Length"), std::to_string(record.block.size()));
  EXPECT_EQ(record.fields.at("WARC-Block-Digest"), "sha256:" + hex_text(sha256(record.block)));
  EXPECT_EQ(record.block.substr(0, 14), "software: qip ");
}

TEST(Archive, WarcResponseRecordIsComplete) {
  const WarcFormat format(0);
  const std::string head = "HTTP/1.1 200 OK\r\n\r\n";
  const std::string text = response_text(format, "http://qip.local/about", head, "<p>");
  const WarcRecord record = read_record(text);
  EXPECT_EQ(record.block, head + "<p>");
  EXPECT_EQ(record.fields.at("WARC-Type"), "response");
  EXPECT_EQ(record.fields.at("WARC-Target-URI"), "http://qip.local/about");
  EXPECT_EQ(record.fields.at("Content-Type"), "application/http; msgtype=response");
  EXPECT_EQ(record.fields.at("Content-Length"), "22");
  EXPECT_EQ(record.fields.at("WARC-Block-Digest"), "sha256:" + hex_text(sha256(head + "<p>")));
  EXPECT_EQ(record.fields.at("WARC-Payload-Digest"), "sha256:" + hex_text(sha256("<p>")));
  EXPECT_EQ(record.fields.at("WARC-Warcinfo-ID"),
            read_record(format.info_record()).fields.at("WARC-Record-ID"));
}

// RFC 9562: the version is 8, the variant 10.
TEST(Archive, WarcRecordIdIsAUuidOfItsContents) {
  const WarcFormat format(0);
  const auto id_of = [&](const std::string& uri, const std::string& body) {
    return read_record(response_text(format, uri, "", body)).fields.at("WARC-Record-ID");
  };
  const std::string id = id_of("http://qip.local/", "a");
  ASSERT_EQ(id.size(), 47u);
  EXPECT_EQ(id.substr(0, 10), "<urn:uuid:");
  EXPECT_EQ(id.back(), '>');
  const std::string uuid = id.substr(10, 36);
  for (size_t i = 0; i < uuid.size(); i++) {
    if (i == 8 || i == 13 || i == 18 || i == 23) {
      EXPECT_EQ(uuid[i], '-');
    } else {
      EXPECT_NE(std::string("0123456789abcdef").find(uuid[i]), std::string::npos);
    }
  }
  EXPECT_EQ(uuid[14], '8');
  EXPECT_NE(std::string("89ab").find(uuid[19]), std::string::npos);
  EXPECT_EQ(id, id_of("http://qip.local/", "a"));
  EXPECT_NE(id, id_of("http://qip.local/", "b"));
  EXPECT_NE(id, id_of("http://qip.local/b", "a"));
}

TEST(Archive, WarcDateIsTheGivenSecond) {
  const auto date_of = [](uint64_t seconds) {
    return read_record(WarcFormat(seconds).info_record()).fields.at("WARC-Date");
  };
  EXPECT_EQ(date_of(0), "1970-01-01T00:00:00Z");
  EXPECT_EQ(date_of(951'782'400), "2000-02-29T00:00:00Z");
  EXPECT_EQ(date_of(1'732'147'199), "2024-11-20T23:59:59Z");
  EXPECT_EQ(date_of(kLastWarcSecond), "9999-12-31T23:59:59Z");
}

}  // namespace
}  // namespace qip
