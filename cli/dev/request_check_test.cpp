// What is found out about the head of a request. The heads are cut up here as the library does it:
// lines end at LF, texts at zeros, and nothing is moved.
#include "cli/dev/request_check.hpp"

#include <gtest/gtest.h>

#include <cstring>
#include <string>
#include <vector>

namespace qip {
namespace {

struct Checked {
  RequestVerdict verdict;
  std::string problem;
  std::string none_match;
  std::string host;
};

// Like the library: the fields up to the first empty line, values without leading white space.
Checked check(std::string head, bool check_layout = true) {
  std::vector<char> buffer(head.begin(), head.end());
  buffer.push_back('\0');
  char* at = buffer.data();
  char* const end = at + head.size();
  const auto next_line = [&]() -> char* {
    char* line = at;
    while (at < end && *at != '\n') at++;
    if (at < end) {
      *at = '\0';
      if (at > line && at[-1] == '\r') at[-1] = '\0';
      at++;
    }
    return line;
  };
  char* method = next_line();
  const size_t line_size = static_cast<size_t>(at - method) - (head.find("\r\n") == 0 ? 1 : 2);
  char* target = static_cast<char*>(memchr(method, ' ', line_size));
  *target++ = '\0';
  while (*target == ' ') target++;
  char* version = method + line_size;
  while (*--version != ' ') {
  }
  *version++ = '\0';
  RequestCheck its({method, target, version}, check_layout);
  for (char* line = next_line(); *line != '\0'; line = next_line()) {
    char* colon = strchr(line, ':');
    *colon++ = '\0';
    while (*colon == ' ' || *colon == '\t') colon++;
    its.add_field(line, colon);
  }
  Checked result;
  result.verdict = its.finish(static_cast<size_t>(at - method));
  if (its.problem() != nullptr) result.problem = its.problem();
  result.none_match = its.none_match();
  result.host = std::string(its.host());
  return result;
}

RequestVerdict verdict(const std::string& head) {
  return check(head).verdict;
}

TEST(RequestCheck, PlainRequestsAreClean) {
  EXPECT_EQ(verdict("GET / HTTP/1.1\r\nHost: localhost\r\n\r\n"), RequestVerdict::Clean);
  EXPECT_EQ(verdict("GET / HTTP/1.1\r\nHost:localhost\r\nA:\r\nB:  \t x \r\n\r\n"),
            RequestVerdict::Clean);
  EXPECT_EQ(verdict("HEAD /a?b HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n"),
            RequestVerdict::Clean);
  EXPECT_EQ(verdict("GET / HTTP/1.0\r\n\r\n"), RequestVerdict::Clean);
}

TEST(RequestCheck, HostIsThereOnce) {
  EXPECT_EQ(check("GET / HTTP/1.1\r\nA: b\r\n\r\n").problem, "no Host field");
  EXPECT_EQ(check("GET / HTTP/1.1\r\nHost: a\r\nhOST: a\r\n\r\n").problem,
            "more than one Host field");
  EXPECT_EQ(check("GET / HTTP/1.0\r\nHost: a\r\nHost: a\r\n\r\n").problem,
            "more than one Host field");
  EXPECT_EQ(check("GET / HTTP/1.1\r\nHost: a b\r\n\r\n").problem, "the Host field is malformed");
  EXPECT_EQ(check("GET / HTTP/1.1\r\nHost: a/b\r\n\r\n").problem, "the Host field is malformed");
  EXPECT_EQ(check("GET / HTTP/1.1\r\nHost: \t a:80 \r\n\r\n").host, "a:80");
}

TEST(RequestCheck, AnythingButOnePlainZeroIsABody) {
  const std::string start = "GET / HTTP/1.1\r\nHost: a\r\n";
  for (const char* field :
       {"Content-Length: 5", "Content-Length: +0", "Content-Length: 00", "Content-Length: 0,0",
        "Content-Length: 0x0", "Content-Length:", "content-length: 18446744073709551616",
        "Content-Length: 0\r\nContent-Length: 0", "Transfer-Encoding: chunked",
        "Transfer-Encoding: identity",
        "Transfer-Encoding:", "Content-Length: 0\r\nTransfer-Encoding: xchunked"}) {
    EXPECT_EQ(verdict(start + field + "\r\n\r\n"), RequestVerdict::HasBody) << field;
  }
}

TEST(RequestCheck, NamesAreTokensAndValuesHaveNoControls) {
  const std::string start = "GET / HTTP/1.1\r\nHost: a\r\n";
  for (const char* field : {"Content-Length : 0", "Transfer-Encoding\t: chunked", " A: b", "A b: c",
                            ": x", "A\x01: b", "A: b\x01", "A: b\rc", "A: \x7f", "\xc3\xa4: b"}) {
    EXPECT_EQ(verdict(start + field + "\r\n\r\n"), RequestVerdict::Doubtful) << field;
  }
  EXPECT_EQ(verdict(start + "A: \xc3\xa4\tb\r\n\r\n"), RequestVerdict::Clean);
}

TEST(RequestCheck, LinesEndInCrLf) {
  EXPECT_EQ(verdict("GET / HTTP/1.1\nHost: a\r\n\r\n"), RequestVerdict::Doubtful);
  EXPECT_EQ(verdict("GET / HTTP/1.1\r\nHost: a\n\r\n"), RequestVerdict::Doubtful);
  EXPECT_EQ(verdict("GET / HTTP/1.1\r\nHost: a\nB: c\r\n\r\n"), RequestVerdict::Doubtful);
  EXPECT_EQ(verdict("GET / HTTP/1.1\r\nHost: a\r\n\n"), RequestVerdict::Doubtful);
}

TEST(RequestCheck, AHiddenZeroIsFoundInEveryPlace) {
  const std::string clean = "GET /abc HTTP/1.1\r\nHost: localhost\r\nAccept: text/html\r\n\r\n";
  ASSERT_EQ(verdict(clean), RequestVerdict::Clean);
  for (const char* place : {"ET", "bc", "calhost", "xt/html"}) {
    std::string head = clean;
    head[head.find(place)] = '\0';
    EXPECT_EQ(verdict(head), RequestVerdict::Doubtful) << place;
  }
}

TEST(RequestCheck, ALineThatBeginsWithAZeroDoesNotEndTheHead) {
  std::string head = "GET / HTTP/1.1\r\nHost: a\r\nXB: c\r\n\r\n";
  head[head.find('X')] = '\0';
  EXPECT_EQ(verdict(head), RequestVerdict::Doubtful);
}

TEST(RequestCheck, TheRequestLineHasTwoSpaces) {
  EXPECT_EQ(verdict("GET  / HTTP/1.1\r\nHost: a\r\n\r\n"), RequestVerdict::Doubtful);
  EXPECT_EQ(verdict("G[T / HTTP/1.1\r\nHost: a\r\n\r\n"), RequestVerdict::Doubtful);
}

TEST(RequestCheck, SeveralIfNoneMatchFieldsAreOneList) {
  EXPECT_EQ(check("GET / HTTP/1.1\r\nHost: a\r\nIf-None-Match: \"a\" \r\nX: y\r\n"
                  "if-none-match: W/\"b\"\r\n\r\n")
                .none_match,
            "\"a\", W/\"b\"");
}

TEST(OwnHost, NamesOfThisMachineOnly) {
  for (const char* host : {"localhost", "LOCALHOST:4000", "a.localhost", "a.b.localhost:1",
                           "127.0.0.1", "127.0.0.1:65535", "[::1]", "[::1]:80", "127.0.0.5:80"}) {
    EXPECT_TRUE(is_own_host(host, "127.0.0.5")) << host;
  }
  for (const char* host :
       {"", ":80", "evil.example", "localhost.evil.example", "notlocalhost",
        "127.0.0.1.evil.example", "127.0.0.2", "[::2]", "::1", "localhost:80:80", "0.0.0.0"}) {
    EXPECT_FALSE(is_own_host(host, "127.0.0.5")) << host;
  }
}

}  // namespace
}  // namespace qip
