// qip form: a form component filled in by a person at a terminal, by lines from a pipe, or from a
// file of answers.
//
// Promises: what the form makes of the values is written only when the form is complete. Prompts go
// to stdout, to stderr when stdout is for the result alone (--json); with --answers there are none.
#include <unistd.h>

#include <cstdlib>
#include <cstring>
#include <map>
#include <string>
#include <vector>

#include "cli/commands.hpp"
#include "cli/json_text.hpp"
#include "cli/line_reader.hpp"
#include "cli/modules.hpp"
#include "cli/output.hpp"
#include "host/files.hpp"
#include "host/form.hpp"
#include "host/text.hpp"
#include "host/uniforms.hpp"
#include "loader/reader.hpp"

namespace qip {
namespace {

struct Answer {
  std::string key;
  std::string label;
  std::string value;
};

// Where values come from.
class AnswerSource {
 public:
  virtual ~AnswerSource() = default;
  // The value for a prompt, of which at most capacity + 1 bytes are kept.
  virtual Result<InputLine, HostError> next(const FormPrompt& prompt, uint32_t capacity) = 0;
  // Shows an error that no value follows any more.
  virtual void show_error(const std::string& error) = 0;
};

// --- From stdin ----------------------------------------------------------------------------------

class Conversation : public AnswerSource {
 public:
  explicit Conversation(int prompt_fd)
      : reader_(make_line_reader(prompt_fd)), prompt_fd_(prompt_fd) {
    const char* no_color = getenv("NO_COLOR");
    in_color_ = isatty(prompt_fd) == 1 && (no_color == nullptr || *no_color == '\0');
  }

  Result<InputLine, HostError> next(const FormPrompt& prompt, uint32_t capacity) override {
    if (!prompt.error.empty()) show_error(prompt.error);
    std::optional<InputLine> line = reader_->read(prompt.label + ": ", capacity);
    if (!line) return file_error("form input aborted");
    return std::move(*line);
  }

  void show_error(const std::string& error) override {
    std::string line = "Error: " + error;
    if (in_color_) line = "\x1b[31m" + line + "\x1b[0m";
    write_fully(prompt_fd_, {reinterpret_cast<const uint8_t*>(line.data()), line.size()}, "\n");
  }

 private:
  std::unique_ptr<LineReader> reader_;
  int prompt_fd_;
  bool in_color_ = false;
};

// --- From a file ---------------------------------------------------------------------------------

// Lines `key=value`; a key that is asked for several times has several lines. Empty lines and
// those that begin with `#` are skipped.
class AnswerFile : public AnswerSource {
 public:
  static Result<AnswerFile, HostError> read(const char* path, const std::string& component);

  Result<InputLine, HostError> next(const FormPrompt& prompt, uint32_t) override {
    const std::string key = escape_controls(prompt.key, kNameLimit);
    if (!prompt.error.empty()) {
      return file_error(component_ + ": answer for \"" + last_key_ +
                        "\" was refused: " + prompt.error);
    }
    last_key_ = key;
    const auto found = values_.find(prompt.key);
    if (found == values_.end() || found->second.taken == found->second.values.size()) {
      return file_error(component_ + ": " + path_ + " has no answer for \"" + key + "\"");
    }
    const std::string& value = found->second.values[found->second.taken++];
    return InputLine{value, value.size()};
  }

  void show_error(const std::string& error) override { fail_with("Error: " + error); }

  // Keys that nobody asked for, in words, or nothing.
  std::string unused() const {
    std::string text;
    for (const auto& [key, entry] : values_) {
      if (entry.taken == entry.values.size()) continue;
      text += (text.empty() ? "" : ", ") + escape_controls(key, kNameLimit);
    }
    return text;
  }

 private:
  struct Entry {
    std::vector<std::string> values;
    size_t taken = 0;
  };
  bool add(std::string_view line);

  std::string component_;
  std::string path_;
  std::string last_key_;
  std::map<std::string, Entry, std::less<>> values_;
};

bool AnswerFile::add(std::string_view line) {
  while (!line.empty() && line.back() == '\r') line.remove_suffix(1);
  if (line.empty() || line.front() == '#') return true;
  const size_t equals = line.find('=');
  if (equals == std::string_view::npos || equals == 0) return false;
  values_[std::string(line.substr(0, equals))].values.emplace_back(line.substr(equals + 1));
  return true;
}

Result<AnswerFile, HostError> AnswerFile::read(const char* path, const std::string& component) {
  constexpr size_t kMaxAnswerBytes = size_t{64} << 20;
  Result<FileDescriptor, std::string> file = open_for_reading(path);
  if (!file.ok()) return file_error("Error reading answers: " + file.error());
  std::vector<uint8_t> bytes;
  for (;;) {
    constexpr size_t kStep = 64 << 10;
    const size_t size = bytes.size();
    if (size > kMaxAnswerBytes) {
      return file_error(std::string("Error reading answers: ") + path + " is too large");
    }
    bytes.resize(size + kStep);
    const int64_t count = read_fully(file.value().number(), std::span(bytes).subspan(size));
    if (count < 0) {
      return file_error(std::string("Error reading answers: read ") + path + ": " +
                        system_error_text(errno));
    }
    bytes.resize(size + static_cast<size_t>(count));
    if (static_cast<size_t>(count) < kStep) break;
  }
  AnswerFile answers;
  answers.component_ = component;
  answers.path_ = path;
  std::string_view rest(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  for (size_t number = 1; !rest.empty(); number++) {
    const size_t end = rest.find('\n');
    if (!answers.add(rest.substr(0, end))) {
      return file_error(std::string("Error reading answers: ") + path + " line " +
                        number_text(number) + ": want key=value");
    }
    if (end == std::string_view::npos) break;
    rest.remove_prefix(end + 1);
  }
  return answers;
}

// --- The form ------------------------------------------------------------------------------------

struct FilledForm {
  std::vector<Answer> answers;
  std::string output;
};

// Ends when the form is complete or an answer is missing; the guest's time is bounded as a whole.
Result<FilledForm, HostError> fill(FormSession& session, AnswerSource& source,
                                   TimedBudget& budget) {
  FilledForm filled;
  for (;;) {
    Result<FormPrompt, HostError> prompt = session.prompt();
    if (!prompt.ok()) return std::move(prompt.error());
    if (prompt.value().is_complete()) {
      if (!prompt.value().error.empty()) source.show_error(prompt.value().error);
      break;
    }
    const Result<uint32_t, HostError> capacity = session.capacity();
    if (!capacity.ok()) return capacity.error();
    budget.pause();
    Result<InputLine, HostError> line = source.next(prompt.value(), capacity.value());
    budget.resume();
    if (!line.ok()) return std::move(line.error());
    if (line.value().size > capacity.value()) {
      return session.too_long(line.value().size, capacity.value());
    }
    if (MaybeError failure = session.answer(line.value().text)) return std::move(*failure);
    if (!prompt.value().error.empty() && !filled.answers.empty()) {
      filled.answers.pop_back();  // it was refused, and this one stands in its place
    }
    filled.answers.push_back(
        {prompt.value().key, prompt.value().label, std::move(line.value().text)});
  }
  Result<std::string, HostError> output = session.output();
  if (!output.ok()) return std::move(output.error());
  filled.output = std::move(output.value());
  return filled;
}

// JSON is UTF-8, a value is what was typed: bytes that are not are shown as escapes.
std::string json_of(const FilledForm& filled) {
  JsonText json;
  json.begin_object();
  json.key("answers").begin_array();
  for (const Answer& answer : filled.answers) {
    json.begin_object();
    json.key("key").text(answer.key);
    json.key("label").text(answer.label);
    json.key("value").text(is_valid_utf8(answer.value) ? answer.value
                                                       : escape_controls(answer.value));
    json.end_object();
  }
  json.end_array();
  json.key("output").text(filled.output);
  json.end_object();
  return json.take();
}

int write_result(const Options& options, const FilledForm& filled) {
  std::string text = options.json ? json_of(filled) : filled.output;
  const char* path = options.output_path;
  if (path != nullptr && strcmp(path, "-") != 0) {
    const std::string failure =
        write_file(path, {reinterpret_cast<const uint8_t*>(text.data()), text.size()});
    return failure.empty() ? kSuccess : fail_with("Error writing output file: " + failure);
  }
  if (!text.empty() && text.back() != '\n') text += '\n';
  return print(text);
}

Result<FilledForm, HostError> run_form(const Stage& stage, const Options& options) {
  if (MaybeError failure = check_uniforms(stage.component, stage.uniforms)) {
    return std::move(*failure);
  }
  TimedBudget budget(options.limits);
  budget.resume();
  Result<std::unique_ptr<ComponentInstance>, HostError> instance =
      ComponentInstance::create(stage.component, budget);
  if (!instance.ok()) return std::move(instance.error());
  Result<FormSession, HostError> session = FormSession::bind(*instance.value());
  if (!session.ok()) return std::move(session.error());
  if (MaybeError failure = apply_uniforms(*instance.value(), stage.uniforms)) {
    return std::move(*failure);
  }
  if (options.answers_path == nullptr) {
    Conversation conversation(options.json ? STDERR_FILENO : STDOUT_FILENO);
    return fill(session.value(), conversation, budget);
  }
  Result<AnswerFile, HostError> answers =
      AnswerFile::read(options.answers_path, stage.component.path);
  if (!answers.ok()) return std::move(answers.error());
  Result<FilledForm, HostError> filled = fill(session.value(), answers.value(), budget);
  const std::string unused = answers.value().unused();
  if (filled.ok() && !unused.empty()) log_line("answers that were not asked for: " + unused);
  return filled;
}

}  // namespace

int form_command(const Command& command, const Options& options) {
  Result<std::vector<ComponentArgument>, std::string> arguments =
      component_arguments(command, options);
  if (!arguments.ok()) return fail_with(arguments.error());
  if (arguments.value().size() != 1) return fail_with(usage_line(command));
  Result<std::vector<Stage>, HostError> stages = read_stages(std::move(arguments.value()), options);
  if (!stages.ok()) return fail_with(stages.error());
  Result<FilledForm, HostError> filled = run_form(stages.value()[0], options);
  if (!filled.ok()) return fail_with(filled.error());
  return write_result(options, filled.value());
}

}  // namespace qip
