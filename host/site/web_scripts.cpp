// The scripts for browsers, as they are in host/web/: their bytes become part of this object file.
//
// Assumes: the assembler runs in the root of the repository, or has it among its include folders.
#include "host/site/elements.hpp"

// Between the labels lies the file; there is no zero byte behind it.
#define QIP_EMBED(symbol, path)                                     \
  asm(".pushsection .rodata.web_scripts." #symbol                   \
      ",\"a\"\n"                                                    \
      ".hidden " #symbol "_begin\n.hidden " #symbol                 \
      "_end\n"                                                      \
      ".globl " #symbol "_begin\n.globl " #symbol "_end\n" #symbol  \
      "_begin:\n"                                                   \
      ".incbin \"" path "\"\n" #symbol                              \
      "_end:\n"                                                     \
      ".popsection\n");                                             \
  extern "C" {                                                      \
  [[gnu::visibility("hidden")]] extern const char symbol##_begin[]; \
  [[gnu::visibility("hidden")]] extern const char symbol##_end[];   \
  }

QIP_EMBED(qip_component_js, "host/web/qip-component.js")
QIP_EMBED(qip_worker_js, "host/web/qip-worker.js")
QIP_EMBED(qip_form_js, "host/web/qip-form.js")
QIP_EMBED(qip_play_js, "host/web/qip-play.js")
QIP_EMBED(qip_edit_js, "host/web/qip-edit.js")

#undef QIP_EMBED

namespace qip {
namespace {

constexpr uint8_t kAnyElement = kFormElement | kPlayElement | kEditElement;

std::string_view text_between(const char* begin, const char* end) {
  return {begin, static_cast<size_t>(end - begin)};
}

}  // namespace

std::span<const BuiltInScript> built_in_scripts() {
  static const BuiltInScript kScripts[] = {
      {"qip-component.js", text_between(qip_component_js_begin, qip_component_js_end), kAnyElement},
      {"qip-edit.js", text_between(qip_edit_js_begin, qip_edit_js_end), kEditElement},
      {"qip-form.js", text_between(qip_form_js_begin, qip_form_js_end), kFormElement},
      {"qip-play.js", text_between(qip_play_js_begin, qip_play_js_end), kPlayElement},
      {"qip-worker.js", text_between(qip_worker_js_begin, qip_worker_js_end), kAnyElement},
  };
  return kScripts;
}

}  // namespace qip
