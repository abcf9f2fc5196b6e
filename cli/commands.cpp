// The table of commands and everything that is printed from it. A new command is a row here and a
// function; a new option is a row and a setter.
#include "cli/commands.hpp"

#include <cstring>
#include <iterator>

#include "host/numbers.hpp"
#include "host/text.hpp"
#include "loader/error.hpp"

namespace qip {
namespace {

std::string set_input(Options& options, const char* value) {
  options.input_path = value;
  return "";
}

std::string set_output(Options& options, const char* value) {
  options.output_path = value;
  return "";
}

bool is_true(const char* value) {
  return strcmp(value, "true") == 0;
}

std::string set_verbose(Options& options, const char* value) {
  options.verbose = is_true(value);
  options.limits.call_stack = options.verbose;
  return "";
}

// Decimal digits and nothing else, not more than `maximum`.
std::optional<uint64_t> parse_number(const char* text, uint64_t maximum) {
  const std::optional<uint64_t> number = parse_digits(text, 10);
  return number && *number <= maximum ? number : std::nullopt;
}

std::string invalid(const char* name, const char* value) {
  return std::string("Invalid ") + name + ": " + escape_controls(value);
}

std::string set_timeout(Options& options, const char* value) {
  // Nanoseconds have to fit 63 bits: at most 292 years.
  constexpr uint64_t kMaxMilliseconds = 9'000'000'000'000;
  const std::optional<uint64_t> number = parse_number(value, kMaxMilliseconds);
  if (!number || *number == 0) return invalid("timeout-ms", value);
  options.limits.time = std::chrono::milliseconds(*number);
  options.has_time_limit = true;
  return "";
}

std::string set_fuel(Options& options, const char* value) {
  options.limits.fuel = parse_number(value, INT64_MAX);
  return options.limits.fuel ? "" : invalid("fuel", value);
}

std::string set_max_memory(Options& options, const char* value) {
  options.limits.policy.max_memory_bytes = parse_number(value, UINT64_MAX);
  return options.limits.policy.max_memory_bytes ? "" : invalid("max-memory", value);
}

std::string set_max_output(Options& options, const char* value) {
  options.limits.max_output_bytes = parse_number(value, UINT64_MAX);
  return options.limits.max_output_bytes ? "" : invalid("max-output", value);
}

std::string set_fixed_memory(Options& options, const char* value) {
  options.limits.policy.fixed_memory = is_true(value);
  return "";
}

std::string set_strict(Options& options, const char* value) {
  options.limits.policy.strict = is_true(value);
  return "";
}

std::string add_uniform(Options& options, const char* value) {
  options.uniforms.push_back({options.operands.size(), value});
  return "";
}

std::string set_dry_run(Options& options, const char* value) {
  options.dry_run = is_true(value);
  return "";
}

std::string set_each(Options& options, const char* value) {
  options.each = is_true(value);
  return "";
}

std::string set_jobs(Options& options, const char* value) {
  constexpr uint64_t kMaxJobs = 1'024;
  const std::optional<uint64_t> number = parse_number(value, kMaxJobs);
  if (!number || *number == 0) return invalid("jobs", value);
  options.jobs = static_cast<unsigned>(*number);
  return "";
}

std::string set_sequential(Options& options, const char* value) {
  options.sequential = is_true(value);
  return "";
}

std::string set_quality(Options& options, const char* value) {
  const std::optional<uint64_t> number = parse_number(value, 100);
  if (!number || *number == 0) return invalid("quality", value);
  options.quality = static_cast<int>(*number);
  return "";
}

std::string set_extension(Options& options, const char* value) {
  if (*value == '\0' || strchr(value, '/') != nullptr) return invalid("extension", value);
  options.extension = value;
  return "";
}

std::string set_cache(Options& options, const char* value) {
  if (*value == '\0') return invalid("cache", value);
  options.cache_folder = value;
  return "";
}

std::string set_cache_max(Options& options, const char* value) {
  options.cache_max_bytes = parse_number(value, UINT64_MAX);
  return options.cache_max_bytes ? "" : invalid("cache-max", value);
}

std::string set_json(Options& options, const char* value) {
  options.json = is_true(value);
  return "";
}

std::string set_answers(Options& options, const char* value) {
  options.answers_path = value;
  return "";
}

std::string set_events(Options& options, const char* value) {
  options.events_path = value;
  return "";
}

std::string set_frames(Options& options, const char* value) {
  if (*value == '\0') return invalid("frames", value);
  options.frames_folder = value;
  return "";
}

std::string set_record(Options& options, const char* value) {
  if (*value == '\0') return invalid("record", value);
  options.record_path = value;
  return "";
}

std::string set_graphics(Options& options, const char* value) {
  constexpr const char* kNames[] = {"blocks", "kitty", "sixel"};  // in the order of Graphics
  options.graphics.reset();
  for (size_t i = 0; i < std::size(kNames); i++) {
    if (strcmp(value, kNames[i]) == 0) options.graphics = static_cast<Graphics>(i);
  }
  return options.graphics || strcmp(value, "auto") == 0 ? "" : invalid("graphics", value);
}

std::string add_oracle(Options& options, const char* value) {
  options.oracles.push_back(value);
  return "";
}

std::string set_recipes(Options& options, const char* value) {
  options.recipes_path = value;
  return "";
}

std::string set_forms(Options& options, const char* value) {
  options.forms_path = value;
  return "";
}

std::string set_components(Options& options, const char* value) {
  options.components_path = value;
  return "";
}

// Case and surrounding space do not count.
std::string set_mode(Options& options, const char* value) {
  std::string mode(value);
  while (!mode.empty() && mode.back() == ' ') mode.pop_back();
  mode.erase(0, std::min(mode.find_first_not_of(' '), mode.size()));
  for (char& c : mode) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  if (mode == "dev") options.mode = SiteMode::Dev;
  if (mode == "prod") options.mode = SiteMode::Prod;
  if (mode == "dev" || mode == "prod") return "";
  return "invalid mode " + quoted(value) + " (expected dev or prod)";
}

std::string set_port(Options& options, const char* value) {
  const bool is_any = strcmp(value, "auto") == 0;
  const std::optional<uint64_t> number = is_any ? 0 : parse_number(value, UINT16_MAX);
  if (!number || (*number == 0 && !is_any)) return invalid("port", value);
  options.port = static_cast<uint16_t>(*number);
  return "";
}

std::string set_bind(Options& options, const char* value) {
  if (*value == '\0') return invalid("bind", value);
  options.bind_address = value;
  return "";
}

std::string set_tar(Options& options, const char* value) {
  options.tar = is_true(value);
  return "";
}

std::string set_warc(Options& options, const char* value) {
  options.warc = is_true(value);
  return "";
}

std::string set_host(Options& options, const char* value) {
  if (*value == '\0') return invalid("host", value);
  options.host = value;
  return "";
}

constexpr OptionSpec kVerbose = {"v", "verbose", nullptr,
                                 "log digests and durations on standard error, and the call stack "
                                 "of a component that traps",
                                 set_verbose};
constexpr OptionSpec kInput = {"i", nullptr, "file or -",
                               "read the input from this file; - is standard input", set_input};
constexpr OptionSpec kSample = {"i", nullptr, "file",
                                "check with this input instead of a few words", set_input};
constexpr OptionSpec kOutput = {"o", "output", "file or -",
                                "write the output's bytes, and nothing else, to this file; with "
                                "--each the folder for all outputs",
                                set_output};
constexpr OptionSpec kTimeout = {
    "timeout-ms", nullptr, "n",
    "stop after so many milliseconds of instantiation and execution (default 5000)", set_timeout};
constexpr OptionSpec kFuel = {"fuel", nullptr, "n",
                              "stop after so many WebAssembly instructions, the same on every "
                              "machine",
                              set_fuel};
constexpr OptionSpec kMaxMemory = {"max-memory", nullptr, "bytes",
                                   "refuse a module whose memory may become larger",
                                   set_max_memory};
constexpr OptionSpec kFixedMemory = {"fixed-memory", nullptr, nullptr,
                                     "refuse a module that contains memory.grow", set_fixed_memory};
constexpr OptionSpec kMaxOutput = {"max-output", nullptr, "bytes",
                                   "fail if a component gives more output", set_max_output};
constexpr OptionSpec kStrict = {"strict", nullptr, nullptr,
                                "refuse a module without a memory maximum, with imports, with "
                                "memory.grow, or with recursion",
                                set_strict};
constexpr OptionSpec kUniform = {"u", "uniform", "key=value",
                                 "set a uniform of the component named before", add_uniform};
constexpr OptionSpec kDryRun = {"dry-run", nullptr, nullptr,
                                "say what would run and whether it fits together; run nothing",
                                set_dry_run};
constexpr OptionSpec kCache = {"cache", nullptr, "folder",
                               "keep results in this folder, and use those that are there",
                               set_cache};
constexpr OptionSpec kCacheMax = {"cache-max", nullptr, "bytes",
                                  "let the cache grow to this size; the least recently used "
                                  "results go first",
                                  set_cache_max};
constexpr OptionSpec kEach = {"each", nullptr, nullptr,
                              "run the chain on each of the files behind --", set_each};
constexpr OptionSpec kJobs = {"j", "jobs", "n",
                              "threads, for --each and for image filters (default: one per core)",
                              set_jobs};
constexpr OptionSpec kPictureIn = {
    "i", nullptr, "file or -", "read this PNG, JPEG or BMP file; - is standard input", set_input};
constexpr OptionSpec kPictureOut = {"o", "output", "file or -",
                                    "write this file: JPEG or BMP if its name says so, else PNG; - "
                                    "is standard output",
                                    set_output};
constexpr OptionSpec kTileTimeout = {
    "timeout-ms", nullptr, "n",
    "stop if a filter takes longer for one tile, or all of them to get ready (default 10000)",
    set_timeout};
constexpr OptionSpec kQuality = {"quality", nullptr, "n", "of a JPEG file, 1 to 100 (default 95)",
                                 set_quality};
constexpr OptionSpec kSequential = {"sequential", nullptr, nullptr,
                                    "one instance of each filter for the whole picture, tile after "
                                    "tile in one thread",
                                    set_sequential};
constexpr OptionSpec kExtension = {"extension", nullptr, "text",
                                   "with --each: what the outputs' names end with instead",
                                   set_extension};
constexpr OptionSpec kJson = {"json", nullptr, nullptr, "print one JSON object", set_json};
constexpr OptionSpec kFormJson = {"json", nullptr, nullptr,
                                  "print one JSON object: keys, values and output", set_json};
constexpr OptionSpec kFormOutput = {"o", "output", "file or -",
                                    "write what the form makes to this file", set_output};
constexpr OptionSpec kAnswers = {"answers", nullptr, "file",
                                 "take the values from lines key=value of this file", set_answers};
constexpr OptionSpec kEvents = {"events", nullptr, "file or -",
                                "play these events to an interactive component", set_events};
constexpr OptionSpec kFrames = {"frames", nullptr, "folder",
                                "write every frame of an interactive component to this folder",
                                set_frames};
constexpr OptionSpec kRecord = {"record", nullptr, "file",
                                "write what happens to this file, for `qip run --events`",
                                set_record};
constexpr OptionSpec kGraphics = {"graphics", nullptr, "kind",
                                  "auto (what the terminal says that it has), blocks, kitty, or "
                                  "sixel",
                                  set_graphics};
constexpr OptionSpec kCallTimeout = {
    "timeout-ms", nullptr, "n", "stop if one call into the component takes longer (default 5000)",
    set_timeout};
constexpr OptionSpec kDevVerbose = {
    "v", "verbose", nullptr, "log the cache's part in each response, and its tag", set_verbose};
constexpr OptionSpec kRecipes = {
    "recipes", nullptr, "folder",
    "components for each media type: <type>/<subtype>/NN-name.wasm (default: _recipes in the "
    "content)",
    set_recipes};
constexpr OptionSpec kForms = {"forms", nullptr, "folder",
                               "forms for <qip-form> in pages (default: _forms in the content)",
                               set_forms};
constexpr OptionSpec kComponents = {
    "components", nullptr, "folder",
    "components for browsers, at /components/ (default: _components in the content)",
    set_components};
constexpr OptionSpec kDevMode = {"mode", nullptr, "dev or prod",
                                 "dev (default): changes are seen by themselves, errors are shown; "
                                 "prod: neither",
                                 set_mode};
constexpr OptionSpec kRouteMode = {"mode", nullptr, "dev or prod",
                                   "answer as a server in this mode does (default prod)", set_mode};
constexpr OptionSpec kPort = {
    "p", "port", "n", "listen on this port (default 4000); auto: one that is free", set_port};
constexpr OptionSpec kBind = {"bind", nullptr, "address",
                              "listen on this address (default 127.0.0.1)", set_bind};
constexpr OptionSpec kResponseTimeout = {
    "timeout-ms", nullptr, "n",
    "stop the components of one response after so many milliseconds (default 500)", set_timeout};
constexpr OptionSpec kResponseCacheMax = {
    "cache-max", nullptr, "bytes",
    "keep responses of this size together in memory (default 64 MiB)", set_cache_max};
constexpr OptionSpec kWorkers = {
    "j", "jobs", "n", "threads that run components (default: one per core, at least 2)", set_jobs};
constexpr OptionSpec kExportJobs = {"j", "jobs", "n", "threads (default: one per core)", set_jobs};
constexpr OptionSpec kSiteOutput = {"o", "output", "file or folder",
                                    "where the site goes; - is standard output (archives)",
                                    set_output};
constexpr OptionSpec kTar = {"tar", nullptr, nullptr, "write one tar archive", set_tar};
constexpr OptionSpec kWarc = {"warc", nullptr, nullptr, "write one WARC file", set_warc};
constexpr OptionSpec kHost = {"host", nullptr, "name",
                              "of the addresses in a WARC file (default qip.local)", set_host};
constexpr OptionSpec kWith = {"with", nullptr, "oracle",
                              "an oracle to try the module with; may be repeated", add_oracle};

// What every command that runs a component takes.
#define QIP_LIMIT_OPTIONS kTimeout, kFuel, kMaxMemory, kFixedMemory, kMaxOutput, kStrict

constexpr OptionSpec kRunOptions[] = {kVerbose,   kInput,  kOutput,   kUniform, QIP_LIMIT_OPTIONS,
                                      kDryRun,    kCache,  kCacheMax, kEach,    kJobs,
                                      kExtension, kEvents, kFrames};
constexpr OptionSpec kFormOptions[] = {kVerbose, kFormOutput, kUniform,
                                       kAnswers, kFormJson,   QIP_LIMIT_OPTIONS};

constexpr OptionSpec kPlayOptions[] = {kVerbose, kUniform,   kRecord,      kGraphics,  kCallTimeout,
                                       kFuel,    kMaxMemory, kFixedMemory, kMaxOutput, kStrict};

constexpr OptionSpec kImageOptions[] = {kVerbose,     kPictureIn, kPictureOut, kUniform,
                                        kTileTimeout, kFuel,      kMaxMemory,  kFixedMemory,
                                        kStrict,      kQuality,   kJobs,       kSequential};
constexpr OptionSpec kDevOptions[] = {
    kDevVerbose, kRecipes,   kForms,       kComponents,       kDevMode,
    kPort,       kBind,      kWorkers,     kResponseCacheMax, kResponseTimeout,
    kFuel,       kMaxMemory, kFixedMemory, kMaxOutput,        kStrict};
constexpr OptionSpec kRouteOptions[] = {
    kVerbose, kRecipes, kForms, kComponents, kRouteMode,       kSiteOutput,
    kTar,     kWarc,    kHost,  kExportJobs, QIP_LIMIT_OPTIONS};
constexpr OptionSpec kInspectOptions[] = {kJson, QIP_LIMIT_OPTIONS};
constexpr OptionSpec kCallOptions[] = {kVerbose, QIP_LIMIT_OPTIONS};
constexpr OptionSpec kCheckOptions[] = {kVerbose, kSample, QIP_LIMIT_OPTIONS};
constexpr OptionSpec kComplyOptions[] = {kVerbose, kWith, QIP_LIMIT_OPTIONS};

constexpr const char* kRunDetails =
    "Each module gets the output of the one before it; the first one gets the input file, or\n"
    "standard input when that is a pipe or a file, or nothing.\n"
    "\n"
    "Text output is followed by a newline; bytes are written as they are; a list of 32-bit "
    "numbers\n"
    "is written as lines of eight hexadecimal digits. A module without output prints its result "
    "as\n"
    "`Ran: <number>`. With -o the output's bytes are written exactly, without a newline. If "
    "anything\n"
    "fails, no output is written.\n"
    "\n"
    "Image filters may stand anywhere in the chain. Several in a row get the pixels of a BMP and "
    "give\n"
    "a BMP; nothing is rounded between them. --timeout-ms and --fuel count afresh for each of "
    "their\n"
    "tiles. An image that goes to a file is encoded as the file's name says: .png, .jpg or .bmp.\n"
    "\n"
    "A module may be pinned: path.wasm#sha256=<64 hexadecimal digits>. It is verified before\n"
    "anything of it is decoded. A module is followed by its settings: ?key=value&key=value, with\n"
    "the escapes of a URL, or -u key=value, as it stands.\n"
    "\n"
    "With --each the chain stands before -- and the input files behind it. Every file gets fresh\n"
    "instances; its output goes to the folder after -o, under the file's own name. A file that\n"
    "fails does not stop the others; failures are listed at the end.\n"
    "\n"
    "An interactive component that is alone gives its first frame: a BMP image, or what the name\n"
    "after -o says. With --events it is played a script, and gives the last frame, or with -o\n"
    "name.apng an animation of all. --frames writes each as frame-000001.png and so on, and\n"
    "frames.txt, lines of number and milliseconds, when all are there; then only -o gives the "
    "last\n"
    "frame besides. -v tells each frame's digest. --timeout-ms and --fuel count afresh for each\n"
    "call. A script has an event a line, with times in milliseconds that never go back:\n"
    "\n"
    "  120  key Right down            an X11 name, a character or a number (0xff53); down or up;\n"
    "                                 then perhaps repeat shift ctrl alt meta\n"
    "  200  pointer 17 42 primary     pixels; then the buttons held: primary middle secondary\n"
    "  300  tick                      time passes until then, and the component is told\n"
    "  5000 end                       time passes until then; nothing may follow\n"
    "\n"
    "A word that begins with # begins a comment. The component is also told when a time that it\n"
    "asked for has come, unless the script has the line `ticks recorded`: then only at its own.\n"
    "\n"
    "  echo World | qip run hello.wasm\n"
    "  qip run -i photo.bmp -o photo.b64 zlib-compress.wasm base64-encode.wasm\n"
    "  qip run text-to-bmp.wasm '?cols=120' -u leading=2\n"
    "  qip run --events moves.txt -o game.apng snake.wasm ?seed=7\n"
    "  qip run --each -o site --extension .html markdown-basic.wasm -- *.md\n";

constexpr const char* kPlayDetails =
    "Runs an interactive component live. Keys and the mouse go to the component, until Ctrl-C, "
    "which\n"
    "leaves with exit code 130; Ctrl-Z stops as everywhere. The picture is as large as fits: with\n"
    "graphics of the kitty protocol or sixel where the terminal has them, else two pixels in each\n"
    "character cell. Only a terminal that tells when a key is released (kitty's keyboard "
    "protocol)\n"
    "lets the component know; elsewhere each key is released at once.\n"
    "\n"
    "With --record the session becomes a file of events when it ends, however it ends, that\n"
    "qip run --events plays to the same frames. --timeout-ms and --fuel count afresh for each "
    "call.\n"
    "\n"
    "  qip play snake.wasm ?steps_per_second=12 --record game.txt\n"
    "  qip run --events game.txt -o game.apng snake.wasm ?steps_per_second=12\n";

constexpr const char* kImageDetails =
    "Each module is a filter that gets the picture in tiles of 64 x 64 pixels, with 32-bit floats\n"
    "for red, green, blue and alpha; between filters nothing is rounded. EXIF orientation of a "
    "JPEG\n"
    "is honoured. The output file appears only when it is complete.\n"
    "\n"
    "The work is spread over threads in bands: as many rows of tiles as make 16 tiles. Every band\n"
    "starts with filters as they are after preparation, so the pixels are the same for every -j.\n"
    "With --sequential a filter that counts or remembers tiles sees all of them in order.\n"
    "--timeout-ms and --fuel count afresh for each tile.\n"
    "\n"
    "  qip image -i in.jpg -o out.png color-halftone.wasm '?max_radius=2.0&angle_c=0.26'\n";

constexpr const char* kFormDetails =
    "Asks for the values of a form, one a line, and prints what the form makes of them. At a\n"
    "terminal a line can be edited, and earlier lines recalled with the arrow keys; Ctrl-C leaves\n"
    "with exit code 130. From a pipe each line is one value.\n"
    "\n"
    "With --answers the values come from a file: lines key=value, taken as they are; a key that "
    "is\n"
    "asked for more than once has as many lines; empty lines and lines that begin with # are\n"
    "skipped. With --json prompts go to standard error.\n"
    "\n"
    "  qip form vcard-business.wasm -o card.vcf\n"
    "  qip form email-message.wasm --answers ada.txt\n";

constexpr const char* kDevDetails =
    "Serves a folder as a site. A file answers to its own path; index.html and index.md also to\n"
    "their folder's, other .html and .md files also to the path without extension. A file whose\n"
    "media type has recipes goes through these components, in the order of their numbers; a\n"
    "leading - switches a recipe off.\n"
    "\n"
    "In mode dev a change of a file is seen by the next request, open pages reload by "
    "themselves,\n"
    "and errors are shown. SIGHUP loads everything again, in both modes; if that fails, what was\n"
    "served before is served on. In pages, <qip-form name>, <qip-play src> and <qip-edit src> "
    "run\n"
    "components in the browser.\n"
    "\n"
    "  qip dev ./content --recipes ./recipes\n"
    "  qip dev --mode prod --bind :: -p 8080 ./content\n";

constexpr const char* kRouteDetails =
    "Answers as qip dev does, without a server.\n"
    "\n"
    "  get     the body on standard output, the headers on standard error\n"
    "  head    the headers only\n"
    "  list    every path with its media type; runs nothing\n"
    "  export  all pages: files of a folder, or one --tar or --warc\n"
    "\n"
    "  qip route get ./content /about --recipes ./recipes\n"
    "  qip route export ./content -o public --recipes ./recipes\n";

constexpr const char* kInspectDetails =
    "Prints which contract the module keeps and why, its entry, capacities, memory, features of\n"
    "WebAssembly that it needs, exports, name, and SHA-256 digest. Of the module itself, only its\n"
    "start function and the functions that tell capacities and pointers are run.\n";

constexpr const char* kCallDetails =
    "Calls one exported function of a module without imports and prints its results, one a line.\n"
    "\n"
    "  i32, i64   5, -5, 0xff (bits)\n"
    "  f32, f64   1.5, -1e9, 0x1p-2, inf, nan, nan:0x200000 (payload)\n"
    "  v128       i8x16:, i16x8:, i32x4:, i64x2:, f32x4: or f64x2: and the lanes, lowest first,\n"
    "             with commas between them; or 0x and up to 32 digits, lane 0 being the last ones\n"
    "  funcref    null\n"
    "  externref  null, or a number\n"
    "\n"
    "  qip call kernel.wasm bench 7\n"
    "  qip call simd.wasm add i32x4:1,2,3,4 0x00000001000000010000000100000001\n";

constexpr const char* kCheckDetails =
    "Tries whether a component keeps its contract in practice: capacities inside the memory,\n"
    "buffers apart, equal results for repeated renders on one instance and for fresh instances,\n"
    "an empty input, a full one, one byte more. Prints a line per rule; exit code 1 on a breach.\n";

constexpr const char* kComplyDetails =
    "Tries whether a module does what an oracle demands. An oracle is a module that imports "
    "memory\n"
    "and functions of the module under test from `impl`, and exports positive() -> i32 and\n"
    "perhaps negative() -> i32; more than 0 passes. Prints PASS or FAIL for each and a total.\n"
    "\n"
    "  qip comply trim.wasm --with trim-oracle.wasm\n";

constexpr Command kCommands[] = {
    {"run", nullptr, "<module>... [-- <file>...]", "run a chain of components on an input",
     kRunDetails, kRunOptions, false, run_command},
    {"play", nullptr, "<module>", "run an interactive component in the terminal", kPlayDetails,
     kPlayOptions, false, play_command},
    {"image", nullptr, "<module>...", "run a chain of image filters on a picture", kImageDetails,
     kImageOptions, false, image_command},
    {"form", nullptr, "<module>", "fill in a form", kFormDetails, kFormOptions, false,
     form_command},
    {"dev", nullptr, "<content folder>", "serve a folder as a site", kDevDetails, kDevOptions,
     false, dev_command},
    {"route", nullptr, "get|head|list|export <content folder> [<path>]",
     "answer as a site does, without a server", kRouteDetails, kRouteOptions, false, route_command},
    {"inspect", nullptr, "<module>", "say what a module is and what it needs", kInspectDetails,
     kInspectOptions, false, inspect_command},
    {"call", nullptr, "<module> <export> [<argument>...]", "call one exported function",
     kCallDetails, kCallOptions, true, call_command},
    {"check", nullptr, "<module>...", "try whether components keep their contract", kCheckDetails,
     kCheckOptions, false, check_command},
    {"comply", nullptr, "<module> [<oracle>...]", "try a module with oracles", kComplyDetails,
     kComplyOptions, false, comply_command},
    {"help", "doc", "[command]", "explain a command", "", {}, false, help_command},
    {"version", nullptr, "", "print the version", "", {}, false, version_command},
};

std::string flag_text(const OptionSpec& option) {
  std::string text = strlen(option.name) == 1 ? "-" : "--";
  text += option.name;
  if (option.alias != nullptr) text += std::string("|--") + option.alias;
  if (option.argument != nullptr) text += std::string(" <") + option.argument + ">";
  return text;
}

// `text` in a column `width` wide.
std::string padded(const std::string& text, size_t width) {
  return text + std::string(text.size() < width ? width - text.size() : 1, ' ');
}

}  // namespace

std::span<const Command> commands() {
  return kCommands;
}

const Command* find_command(std::string_view name) {
  for (const Command& command : kCommands) {
    if (name == command.name || (command.alias != nullptr && name == command.alias)) {
      return &command;
    }
  }
  return nullptr;
}

std::string usage_line(const Command& command) {
  std::string line = std::string("Usage: qip ") + command.name;
  for (const OptionSpec& option : command.options) line += " [" + flag_text(option) + "]";
  if (*command.operands != '\0') line += std::string(" ") + command.operands;
  return line;
}

std::string main_usage() {
  std::string text = "Usage: qip <command> [args]\n\nCommands:\n";
  for (const Command& command : kCommands) {
    text += "  " + padded(command.name, 10) + command.summary + "\n";
  }
  return text + "\n`qip help <command>` explains one of them.\n";
}

std::string help_text(const Command& command) {
  std::string text = usage_line(command) + "\n\n" + command.name + ": " + command.summary + "\n";
  if (!command.options.empty()) text += "\n";
  for (const OptionSpec& option : command.options) {
    text += "  " + padded(flag_text(option), 28) + option.help + "\n";
  }
  if (*command.details != '\0') text += std::string("\n") + command.details;
  return text;
}

}  // namespace qip
