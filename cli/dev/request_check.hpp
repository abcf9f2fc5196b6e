// RequestCheck: whether the head of a request says one thing only.
//
// Promises: a request that two readers could take for two different things (its end, its host, its
// target) is found out: then it is refused and its connection closed, so nothing that follows is
// ever taken for another request.
// Assumes: texts as the HTTP library cut them out of one buffer, terminated by zeros. The library
// takes a bare LF for the end of a line, joins folded lines and stops at a zero; all of that shows
// in where the texts lie, which is why pointers are compared here. Nothing is read beside them.
// Sources: RFC 9112, sections 2.2, 3.2, 5 and 6; RFC 9110, section 5.6.2; RFC 3986, section 3.2.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace qip {

enum class RequestVerdict : uint8_t {
  Clean,
  HasBody,  // or may have one
  Doubtful,
};

class RequestCheck {
 public:
  struct Line {
    const char* method;
    std::string_view target;  // as it was received; only its place is looked at
    const char* version;
  };
  // `check_layout`: the texts lie where the library of that version leaves them.
  RequestCheck(const Line& line, bool check_layout);

  // In the order of the request.
  void add_field(std::string_view name, std::string_view value);
  // After the last one. `head_bytes`: from the method to the end of the empty line.
  RequestVerdict finish(size_t head_bytes);

  // Why the verdict is not Clean, for people.
  const char* problem() const { return problem_; }
  bool has_host() const { return hosts_ == 1; }
  std::string_view host() const { return host_; }
  // All If-None-Match fields, as one list; empty: there is none.
  const std::string& none_match() const { return none_match_; }

 private:
  void doubt(const char* problem);
  void add_content_length(std::string_view value);
  void expect_at(const char* place);

  const char* method_;
  const char* next_;  // where the next field lies
  bool check_layout_;
  bool is_1_0_;
  bool has_body_ = false;
  const char* problem_ = nullptr;
  unsigned hosts_ = 0;
  unsigned lengths_ = 0;
  std::string_view host_;
  std::string none_match_;
};

// `host` or `host:port`, as in a Host field. Does not look anything up.
bool is_well_formed_host(std::string_view host);
// True if it names this machine: localhost, *.localhost, 127.0.0.1, [::1], or `own`, the address
// that the server listens on; with any port. Anything else is the name of a stranger whose address
// was made to be ours ("DNS rebinding").
bool is_own_host(std::string_view host, std::string_view own);

}  // namespace qip
