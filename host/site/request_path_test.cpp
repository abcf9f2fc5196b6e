// What becomes of targets: the cases that other servers have got wrong, and random ones.
#include "host/site/request_path.hpp"

#include <gtest/gtest.h>

#include <random>

namespace qip {
namespace {

std::string verdict_text(const RequestPath& request) {
  switch (request.verdict) {
    case TargetVerdict::Clean:
      return "clean " + request.path;
    case TargetVerdict::Redirect:
      return "redirect " + request.location;
    case TargetVerdict::Bad:
      return "bad";
    case TargetVerdict::TooLong:
      return "too long";
  }
  return "";
}

std::string verdict(std::string_view target) {
  return verdict_text(parse_request_target(target));
}

TEST(RequestPath, CleanTargetsAreDecodedOnce) {
  EXPECT_EQ(verdict("/"), "clean /");
  EXPECT_EQ(verdict("/about"), "clean /about");
  EXPECT_EQ(verdict("/docs/"), "clean /docs/");
  EXPECT_EQ(verdict("/%61bout"), "clean /about");
  EXPECT_EQ(verdict("/a%20b%C3%A9"), "clean /a b\xc3\xa9");
  EXPECT_EQ(verdict("/%252e%252e/x"), "clean /%2e%2e/x");
  EXPECT_EQ(verdict("/100%2525"), "clean /100%25");
  EXPECT_EQ(verdict("/a+b"), "clean /a+b");
  EXPECT_EQ(verdict("/a;b=c"), "clean /a;b=c");
}

TEST(RequestPath, DotsThatAreNoSegmentStay) {
  EXPECT_EQ(verdict("/.d"), "clean /.d");
  EXPECT_EQ(verdict("/..d/x"), "clean /..d/x");
  EXPECT_EQ(verdict("/..."), "clean /...");
  EXPECT_EQ(verdict("/a./b../c"), "clean /a./b../c");
  EXPECT_EQ(verdict("/x."), "clean /x.");
}

TEST(RequestPath, BackslashIsAnOrdinaryCharacter) {
  EXPECT_EQ(verdict("/..\\x"), "clean /..\\x");
  EXPECT_EQ(verdict("/..%5c..%5cx"), "clean /..\\..\\x");
}

TEST(RequestPath, QueryAndFragmentAreNoPartOfThePath) {
  EXPECT_EQ(verdict("/about?x=/../y"), "clean /about");
  EXPECT_EQ(verdict("/about?%zz"), "clean /about");
  EXPECT_EQ(verdict("/?"), "clean /");
  EXPECT_EQ(verdict("/a%3Fb"), "clean /a?b");
  EXPECT_EQ(verdict("/about#part?x"), "clean /about");
  EXPECT_EQ(verdict("/a%23b"), "clean /a#b");
}

TEST(RequestPath, DotAndEmptySegmentsAreRedirected) {
  EXPECT_EQ(verdict("/../x"), "redirect /x");
  EXPECT_EQ(verdict("/a/../../x"), "redirect /x");
  EXPECT_EQ(verdict("/../../etc/passwd"), "redirect /etc/passwd");
  EXPECT_EQ(verdict("/a/./b"), "redirect /a/b");
  EXPECT_EQ(verdict("/."), "redirect /");
  EXPECT_EQ(verdict("/.."), "redirect /");
  EXPECT_EQ(verdict("/a/."), "redirect /a/");
  EXPECT_EQ(verdict("/a/b/.."), "redirect /a/");
  EXPECT_EQ(verdict("/a//b"), "redirect /a/b");
  EXPECT_EQ(verdict("/a//"), "redirect /a/");
  EXPECT_EQ(verdict("/a/../"), "redirect /");
}

TEST(RequestPath, EncodedSegmentsAreRedirectedToo) {
  EXPECT_EQ(verdict("/%2e%2e/x"), "redirect /x");
  EXPECT_EQ(verdict("/%2E./x"), "redirect /x");
  EXPECT_EQ(verdict("/a%2f%2fb"), "redirect /a/b");
  EXPECT_EQ(verdict("/a/..%2f..%2fetc/passwd"), "redirect /etc/passwd");
  EXPECT_EQ(verdict("/%2fx"), "redirect /x");
  EXPECT_EQ(verdict("/a%2fb"), "clean /a/b");
}

TEST(RequestPath, ARedirectNeverNamesAHost) {
  EXPECT_EQ(verdict("//evil.example/x"), "redirect /evil.example/x");
  EXPECT_EQ(verdict("///evil.example"), "redirect /evil.example");
  EXPECT_EQ(verdict("/./\\evil.example"), "redirect /%5Cevil.example");
  EXPECT_EQ(verdict("/.//evil.example"), "redirect /evil.example");
}

TEST(RequestPath, ARedirectKeepsTheQueryAndIsEncoded) {
  EXPECT_EQ(verdict("//about?a=1&b=%2f"), "redirect /about?a=1&b=%2f");
  EXPECT_EQ(verdict("/.?"), "redirect /?");
  EXPECT_EQ(verdict("/./a%20b%25%3f%23"), "redirect /a%20b%25%3F%23");
  EXPECT_EQ(verdict("/./\xff"), "redirect /%FF");
  EXPECT_EQ(verdict("//a?\xc3\xa9 \"<>"), "redirect /a?%C3%A9%20%22%3C%3E");
}

TEST(RequestPath, BrokenTargetsAreBad) {
  for (const std::string_view target :
       {"",        "*",         "x",       "about",   "?x",           "/%",
        "/%4",     "/%zz",      "/%4z",    "/a%",     "%2f",          "\\",
        "/%00",    "/a%0a",     "/%7f",    "/%1b[2J", "ftp://host/x", "http:/x",
        "http://", "http:///x", "host:80", "mailto:x"}) {
    EXPECT_EQ(verdict(target), "bad") << target;
  }
  EXPECT_EQ(verdict(std::string_view("/a\0b", 4)), "bad");
  EXPECT_EQ(verdict("/a\tb"), "bad");
  EXPECT_EQ(verdict("/a?b\r\nX: y"), "bad");
}

TEST(RequestPath, AbsoluteFormIsItsPath) {
  EXPECT_EQ(verdict("http://host/about"), "clean /about");
  EXPECT_EQ(verdict("HTTP://host:4000/about?x"), "clean /about");
  EXPECT_EQ(verdict("https://host"), "clean /");
  EXPECT_EQ(verdict("http://host?x"), "clean /");
  EXPECT_EQ(verdict("http://host/../x?y"), "redirect /x?y");
  EXPECT_EQ(verdict("http://host//x"), "redirect /x");
}

TEST(RequestPath, BytesThatAreNotUtf8AreClean) {
  EXPECT_EQ(verdict("/%ff%fe"), "clean /\xff\xfe");
  EXPECT_EQ(verdict("/\x80"), "clean /\x80");
}

TEST(RequestPath, LongTargetsAreTooLong) {
  const std::string longest = "/" + std::string(kMostTargetBytes - 1, 'a');
  EXPECT_EQ(verdict(longest), "clean " + longest);
  EXPECT_EQ(verdict(longest + "a"), "too long");
  EXPECT_EQ(verdict("/?" + std::string(kMostTargetBytes, 'a')), "too long");
  // A redirect leads to what can be asked for.
  EXPECT_EQ(verdict("//" + std::string(kMostTargetBytes / 2, '\xff')), "too long");
}

TEST(RequestPath, ManySegmentsAreCleanedInOrder) {
  std::string target;
  for (int i = 0; i < 1'000; i++) target += "/a/..";
  EXPECT_EQ(verdict(target + "/x"), "redirect /x");
  target.clear();
  for (int i = 0; i < 1'000; i++) target += "/..";
  EXPECT_EQ(verdict(target + "/x"), "redirect /x");
}

TEST(RequestPath, EncodePathKeepsWhatAUrlMayHold) {
  const std::string kept = "/AZaz09-._~!$&'()*+,;=:@";
  EXPECT_EQ(encode_path(kept), kept);
  EXPECT_EQ(encode_path("/a b?c#d%\"<>[\\]^`{|}\x7f\xc3\xa9"),
            "/a%20b%3Fc%23d%25%22%3C%3E%5B%5C%5D%5E%60%7B%7C%7D%7F%C3%A9");
}

void expect_clean(std::string_view path, std::string_view target) {
  ASSERT_FALSE(path.empty());
  ASSERT_EQ(path[0], '/') << target;
  for (size_t begin = 1; begin <= path.size();) {
    const size_t end = std::min(path.find('/', begin), path.size());
    const std::string_view segment = path.substr(begin, end - begin);
    EXPECT_TRUE(!segment.empty() || end == path.size()) << target;
    EXPECT_NE(segment, ".") << target;
    EXPECT_NE(segment, "..") << target;
    begin = end + 1;
  }
  for (const char c : path) EXPECT_FALSE(static_cast<uint8_t>(c) < 0x20 || c == 0x7f) << target;
}

// Every path that comes of a target survives encoding, and every redirect ends after one step.
TEST(RequestPath, RandomTargetsKeepTheRules) {
  std::mt19937 random(20260101);
  constexpr std::string_view kParts[] = {"/",   ".", "..",       "%2e", "%2F",  "%",   "%25", "a",
                                         "?",   "#", "\\",       "%5c", "\xff", "%00", "b",   "//",
                                         "%c3", " ", "http://h", "%2",  ":",    "*"};
  int clean = 0;
  int redirected = 0;
  for (int i = 0; i < 200'000; i++) {
    std::string target = random() % 8 == 0 ? "" : "/";
    const unsigned length = random() % 12;
    for (unsigned part = 0; part < length; part++) {
      if (random() % 16 == 0) {
        target += static_cast<char>(random());
      } else {
        target += kParts[random() % std::size(kParts)];
      }
    }
    const RequestPath request = parse_request_target(target);
    if (request.verdict == TargetVerdict::Bad) continue;
    expect_clean(request.path, target);
    EXPECT_EQ(verdict(encode_path(request.path)), "clean " + request.path) << target;
    if (request.verdict == TargetVerdict::Clean) {
      clean++;
      continue;
    }
    redirected++;
    ASSERT_EQ(request.verdict, TargetVerdict::Redirect) << target;
    EXPECT_FALSE(request.location.starts_with("//")) << target;
    for (const char c : request.location) EXPECT_TRUE(c > 0x20 && c < 0x7f) << target;
    EXPECT_EQ(verdict(request.location), "clean " + request.path) << target;
    if (HasFailure()) return;
  }
  EXPECT_GT(clean, 1'000);
  EXPECT_GT(redirected, 1'000);
}

}  // namespace
}  // namespace qip
