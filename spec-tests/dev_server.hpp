// `qip dev` for tests: a site in a temporary folder, and a server that serves it on a free port.
//
// Promises: a server that was started is stopped at the end, by SIGTERM, and must then end with
// exit code 0 and without a sanitizer's report; one that hangs is killed. Its standard error is a
// file, so it never waits for the test. Waits end at a time limit that guards against hanging and
// measures nothing.
// Assumes: the command is $QIP, else build/qip, with qip-dev beside it; curl in PATH; Linux.
#pragma once

#include <fcntl.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <filesystem>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include "host/digest.hpp"
#include "spec-tests/component_folder.hpp"
#include "spec-tests/http_client.hpp"

namespace qip {

inline constexpr std::chrono::seconds kServerTimeLimit{30};

// True as soon as `holds` is; false: it never was.
inline bool eventually(const std::function<bool()>& holds) {
  const auto end = std::chrono::steady_clock::now() + kServerTimeLimit;
  while (!holds()) {
    if (std::chrono::steady_clock::now() > end) return false;
    std::this_thread::sleep_for(std::chrono::milliseconds(2));
  }
  return true;
}

inline size_t occurrences(std::string_view text, std::string_view part) {
  size_t count = 0;
  for (size_t at = text.find(part); at != std::string_view::npos; at = text.find(part, at + 1)) {
    count++;
  }
  return count;
}

inline bool contains(std::string_view text, std::string_view part) {
  return text.find(part) != std::string_view::npos;
}

class DevServer {
 public:
  // Starts `qip dev ARGUMENTS -p auto` inside the folder and waits until it listens. `error`: what
  // its standard error is; -1: a file that log() reads.
  DevServer(const ComponentFolder& folder, Strings arguments, int error = -1)
      : log_path_(folder.path("server.log." + std::to_string(next_number()))) {
    arguments.insert(arguments.begin(), {std::filesystem::absolute(qip_path()).string(), "dev"});
    arguments.insert(arguments.end(), {"-p", "auto"});
    start(folder.path(), arguments, error);
    if (error < 0) wait_until_it_listens();
  }
  ~DevServer() {
    if (pid_ <= 0) return;
    EXPECT_EQ(stop(), 0) << log();
    EXPECT_FALSE(contains(log(), "Sanitizer") || contains(log(), "runtime error:")) << log();
  }
  DevServer(const DevServer&) = delete;
  DevServer& operator=(const DevServer&) = delete;

  pid_t pid() const { return pid_; }
  uint16_t port() const { return port_; }
  std::string url(const std::string& path = "") const {
    return "http://127.0.0.1:" + std::to_string(port_) + path;
  }
  void set_port(uint16_t port) { port_ = port; }

  // Everything on standard error so far.
  std::string log() const {
    std::ifstream file(log_path_, std::ios::binary);
    return {std::istreambuf_iterator<char>(file), {}};
  }
  testing::AssertionResult has_logged(const std::string& text, size_t times = 1) const {
    if (eventually([&] { return occurrences(log(), text) >= times; })) {
      return testing::AssertionSuccess();
    }
    return testing::AssertionFailure() << "never logged " << times << " times: " << text << "\n"
                                       << log();
  }

  void signal(int number) const { kill(pid_, number); }
  // Asks for a reload and waits until it has succeeded or failed.
  void reload() const {
    const size_t before = reloads();
    signal(SIGHUP);
    EXPECT_TRUE(eventually([&] { return reloads() > before; })) << log();
  }
  // Ends it. Returns its exit code; -1: it had to be killed, or a signal ended it.
  int stop(int signal_number = SIGTERM) {
    kill(pid_, signal_number);
    return wait_for_end();
  }
  int wait_for_end() {
    int status = 0;
    const bool ended = eventually([&] { return waitpid(pid_, &status, WNOHANG) == pid_; });
    if (!ended) {
      kill(pid_, SIGKILL);
      waitpid(pid_, &status, 0);
    }
    pid_ = 0;
    return ended && WIFEXITED(status) ? WEXITSTATUS(status) : -1;
  }
  bool is_running() const { return pid_ > 0 && waitpid(pid_, nullptr, WNOHANG) == 0; }

  size_t descriptors() const {
    size_t count = 0;
    const std::string folder = "/proc/" + std::to_string(pid_) + "/fd";
    for ([[maybe_unused]] const auto& item : std::filesystem::directory_iterator(folder)) count++;
    return count;
  }
  // Bytes that are in memory now.
  uint64_t resident_bytes() const {
    std::ifstream file("/proc/" + std::to_string(pid_) + "/statm");
    uint64_t all = 0;
    uint64_t resident = 0;
    file >> all >> resident;
    return resident * static_cast<uint64_t>(sysconf(_SC_PAGESIZE));
  }

  // --- Requests ---

  HttpConnection connect() const { return HttpConnection(port_); }

  static std::string request_text(const std::string& target, const Strings& fields = {},
                                  const std::string& method = "GET") {
    std::string text = method + " " + target + " HTTP/1.1\r\nHost: localhost\r\n";
    for (const std::string& field : fields) text += field + "\r\n";
    return text + "\r\n";
  }
  // A request on a connection of its own.
  HttpResponse get(const std::string& target, const Strings& fields = {}) const {
    return exchange(request_text(target, fields));
  }
  HttpResponse head(const std::string& target, const Strings& fields = {}) const {
    return exchange(request_text(target, fields, "HEAD"), false);
  }
  HttpResponse exchange(const std::string& request, bool has_body = true) const {
    HttpConnection connection = connect();
    connection.send(request);
    return connection.receive(has_body);
  }
  // The same by curl, whose own opinions are switched off.
  HttpResponse curl(const std::string& path, const Strings& options = {}) const {
    return parse_response(curl_bytes(url(path), options));
  }
  static std::string curl_bytes(const std::string& url, const Strings& options = {}) {
    Strings command = {"curl", "-q", "-s", "-S", "-i", "--path-as-is", "--noproxy", "*"};
    command.insert(command.end(), options.begin(), options.end());
    command.push_back(url);
    const ProcessResult result = run_process(command, "", kHttpTimeLimitMs);
    EXPECT_EQ(result.exit_code, 0) << result.error;
    return result.output;
  }

 private:
  static int next_number() {
    static int number = 0;
    return ++number;
  }
  size_t reloads() const {
    const std::string text = log();
    return occurrences(text, "dev: reloaded reason=signal_hup") +
           occurrences(text, "dev: reload failed reason=signal_hup");
  }

  void start(const std::string& folder, const Strings& arguments, int error) {
    std::vector<char*> argv;
    for (const std::string& argument : arguments) {
      argv.push_back(const_cast<char*>(argument.c_str()));
    }
    argv.push_back(nullptr);
    const int file = open(log_path_.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_APPEND, 0600);
    const int null = open("/dev/null", O_RDWR);
    const pid_t test = getpid();
    pid_ = fork();
    if (pid_ == 0) {
      prctl(PR_SET_PDEATHSIG, SIGKILL);  // when a test is killed its server is, too
      if (getppid() != test || chdir(folder.c_str()) != 0) _exit(126);
      ::signal(SIGPIPE, SIG_DFL);
      dup2(null, STDIN_FILENO);
      dup2(null, STDOUT_FILENO);
      dup2(error >= 0 ? error : file, STDERR_FILENO);
      for (int fd = STDERR_FILENO + 1; fd < 256; fd++) close(fd);
      execv(argv[0], argv.data());
      _exit(127);
    }
    close(file);
    close(null);
  }
  void wait_until_it_listens() {
    const std::string sign = "dev: listening on http://";
    EXPECT_TRUE(eventually([&] { return contains(log(), "dev: reload with:") || !is_running(); }));
    const std::string text = log();
    const size_t at = text.find(sign);
    if (at == std::string::npos) {
      ADD_FAILURE() << "it does not listen:\n" << text;
      pid_ = 0;
      return;
    }
    const std::string address = text.substr(at, text.find('\n', at) - at);
    port_ = static_cast<uint16_t>(atoi(address.c_str() + address.rfind(':') + 1));
  }

  std::string log_path_;
  pid_t pid_ = 0;
  uint16_t port_ = 0;
};

// A folder with a site in it, and how to fill it.
class DevServerTest : public testing::Test {
 protected:
  void SetUp() override { std::filesystem::create_directories(folder_.path("site")); }

  void put(const std::string& name, std::string_view bytes) const {
    make_folder_of(name);
    folder_.put(name, bytes);
  }
  // Puts the whole file in its place at once.
  void replace(const std::string& name, std::string_view bytes) const {
    put("replacement", bytes);
    make_folder_of(name);
    std::filesystem::rename(folder_.path("replacement"), folder_.path(name));
  }
  void remove(const std::string& name) const {
    EXPECT_TRUE(std::filesystem::remove(folder_.path(name))) << name;
  }
  // NAME.wasm of a module in text format. What was there is replaced.
  void put_component(const std::string& name, const std::string& text) const {
    replace(name + ".wasm", component(text));
  }
  // The bytes of a module; each text is translated once.
  const std::string& component(const std::string& text) const {
    const auto place = components_.find(text);
    if (place != components_.end()) return place->second;
    const std::string name = "component" + std::to_string(components_.size());
    folder_.build(name, text);
    return components_[text] = folder_.get(name + ".wasm");
  }

  // Served: `site`, with all that `arguments` say.
  DevServer serve(Strings arguments = {}) const {
    arguments.insert(arguments.begin(), "site");
    return DevServer(folder_, std::move(arguments));
  }
  // A start that fails: `qip dev ARGUMENTS`.
  ProcessResult refuse(Strings arguments) const {
    arguments.insert(arguments.begin(), "dev");
    return folder_.qip(std::move(arguments), "", 10'000);
  }

  ComponentFolder folder_{"qip-dev"};

 private:
  void make_folder_of(const std::string& name) const {
    const std::filesystem::path path(folder_.path(name));
    std::filesystem::create_directories(path.parent_path());
  }
  mutable std::map<std::string, std::string> components_;  // by text
};

// --- What responses must look like ---------------------------------------------------------------

inline constexpr std::string_view kNotFound = "404 page not found\n";

inline Xxh3Digest digest_of(std::string_view bytes) {
  Xxh3 digest;
  digest.update({reinterpret_cast<const uint8_t*>(bytes.data()), bytes.size()});
  return digest.digest();
}

// The tag as the README states it: `parts` are the source, the chain's components in order, and the
// page's forms by name.
inline std::string tag_of(const std::string& mode, const Strings& parts) {
  std::string text = "qip-etag 1 " + mode + "\n";
  for (const std::string& part : parts) {
    const Xxh3Digest digest = digest_of(part);
    text.append(reinterpret_cast<const char*>(digest.data()), digest.size());
  }
  std::string tag = "\"";
  for (const uint8_t byte : digest_of(text)) {
    char digits[3];
    snprintf(digits, sizeof digits, "%02x", byte);
    tag += digits;
  }
  return tag + "\"";
}

// Everything but the moment.
inline std::vector<std::pair<std::string, std::string>> steady_fields(
    const HttpResponse& response) {
  auto fields = response.fields;
  std::erase_if(fields, [](const auto& field) { return field.first == "date"; });
  return fields;
}

inline testing::AssertionResult answers(const HttpResponse& response, int status,
                                        std::string_view body) {
  if (response.status == status && response.is_whole && response.body == body) {
    return testing::AssertionSuccess();
  }
  return testing::AssertionFailure()
         << "status " << response.status << (response.is_whole ? "" : ", cut off") << "\n"
         << response.head << testing::PrintToString(response.body.substr(0, 2000))
         << "\nwanted: " << status << " " << testing::PrintToString(body.substr(0, 2000));
}

inline testing::AssertionResult answers_with(const HttpResponse& response, int status,
                                             const Strings& parts) {
  if (response.status != status || !response.is_whole) {
    return testing::AssertionFailure()
           << "status " << response.status << " instead of " << status << "\n"
           << response.head << response.body.substr(0, 2000);
  }
  return holds(response.body, parts);
}

// --- Components ------------------------------------------------

// UTF-8 in and out: `before`, the input, `after`. An input that begins with '!' traps in a function
// called `trap_name`; one that begins with '~' never ends.
inline std::string stamp_text(const std::string& before, const std::string& after,
                              const std::string& more = "",
                              const std::string& trap_name = "refuse") {
  const auto number = [](size_t value) { return "(i32.const " + std::to_string(value) + ")"; };
  const size_t to = 131072 + before.size();
  return wat::module(
      more + wat::input("utf8", 60000) + wat::output() + wat::data(131072, before) +
      wat::data(197000, after) + "(func $" + trap_name + " (unreachable))" +
      wat::entry("(local $first i32) (local.set $first (i32.load8_u (i32.const 1024)))"
                 "(if (i32.and (i32.eq (local.get $first) (i32.const 33)) "
                 "(i32.gt_u (local.get $size) (i32.const 0))) (then (call $" +
                 trap_name +
                 ")))"
                 "(if (i32.eq (local.get $first) (i32.const 126)) (then (loop $e (br $e))))"
                 "(memory.copy " +
                 number(to) + " (i32.const 1024) (local.get $size))" + "(memory.copy (i32.add " +
                 number(to) + " (local.get $size)) (i32.const 197000) " + number(after.size()) +
                 ")" + "(i32.add " + number(before.size() + after.size()) + " (local.get $size))"));
}

// One prompt, `name`, and then its value.
inline std::string form_text(const std::string& more = "") {
  const auto part = [](const std::string& name, const std::string& size) {
    return wat::value(name + "_ptr", 200000) + "(func (export \"" + name +
           "_size\") (result i32) " + size + ")";
  };
  return wat::module(more + "(global $done (mut i32) (i32.const 0))" + wat::input() +
                     wat::output() + wat::data(200000, "name") +
                     part("input_key", "(select (i32.const 0) (i32.const 4) (global.get $done))") +
                     part("input_label", "(i32.const 4)") + part("error_message", "(i32.const 0)") +
                     wat::entry("(global.set $done (i32.const 1))" + wat::kCopy));
}

}  // namespace qip
