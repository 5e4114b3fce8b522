#include "policy/binding.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <map>

#include "base/bytes.h"
#include "bpf/wire.h"
#include "policy/object.h"

namespace proofgate::policy {
namespace {

// The dynamic linker and C library, then shells, then interpreters and what they
// start, then what common tools run or load. A change here is a change of what
// "clean" means in canons to come; canons in force and receipts have it written out.
constexpr std::array<std::string_view, 62> kClean = {
    "LD_*", "GCONV_PATH", "GETCONF_DIR", "GLIBC_TUNABLES", "HOSTALIASES", "LOCALDOMAIN", "LOCPATH",
    "MALLOC_*", "NLSPATH", "RESOLV_*", "RES_OPTIONS", "TZDIR",
    "BASHOPTS", "BASH_ENV", "BASH_FUNC_*", "CDPATH", "ENV", "FPATH", "GLOBIGNORE", "IFS",
    "PROMPT_COMMAND", "PS4", "SHELLOPTS", "ZDOTDIR",
    "BUNDLE_*", "CLASSPATH", "CORECLR_*", "COR_*", "DOTNET_*", "ERL_*", "GEM_*", "GUILE_*",
    "JAVA_*", "JDK_*", "LUA_*", "MONO_*", "NODE_*", "NPM_CONFIG_*", "PERL*", "PHPRC",
    "PHP_INI_SCAN_DIR", "PYTHON*", "RUBY*", "TCLLIBPATH", "_JAVA_OPTIONS", "npm_config_*",
    "AWKLIBPATH", "AWKPATH", "BROWSER", "EDITOR", "GIO_*", "GIT_*", "GTK_*", "LESSCLOSE", "LESSOPEN",
    "MAKEFLAGS", "MANPAGER", "OPENSSL_*", "PAGER", "QT_*", "SSLKEYLOGFILE", "VISUAL"};

constexpr std::string_view kContentScheme = "sha256:";

bool IsVariableName(std::string_view name) {
  const auto is_letter = [](char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_'; };
  return !name.empty() && is_letter(name.front()) && std::all_of(name.begin(), name.end(), [&](char c) {
    return is_letter(c) || (c >= '0' && c <= '9');
  });
}

// "NAME=", or "PREFIX" of "PREFIX*".
std::string StartOf(std::string_view word) {
  if (const std::size_t equals = word.find('='); equals != std::string_view::npos)
    return std::string(word.substr(0, equals + 1));
  if (word.ends_with('*')) return std::string(word.substr(0, word.size() - 1));
  return std::string(word) + "=";
}

bool IsRequired(std::string_view word) { return word.find('=') != std::string_view::npos; }

Result<std::vector<std::string>> ReadTexts(const json::Value& from, const char* key, const char* what) {
  const json::Value* const list = from.Find(key);
  if (list == nullptr || !list->is_array() || list->array().empty())
    return Fail(Code::kInvalid, std::string(what) + ": a list of texts expected");
  std::vector<std::string> texts;
  for (const json::Value& item : list->array()) {
    const json::Value wrapped(json::Object{{"text", item}});
    auto text = json::GetBytes(wrapped, "text");
    if (!text) return Fail(Code::kInvalid, std::string(what) + ": a list of texts expected");
    texts.push_back(std::move(*text));
  }
  return texts;
}

json::Value TextsJson(const std::vector<std::string>& texts) {
  json::Array out;
  for (const std::string& text : texts) out.push_back(json::Bytes(text));
  return out;
}

std::string Listed(const std::vector<std::string>& texts) {
  std::string out;
  for (const std::string& text : texts) out += (out.empty() ? "" : ", ") + EscapeForPeople(text);
  return out;
}

}  // namespace

bool IsBound(const Binding& binding) { return binding != Binding{}; }

Status AddEnvWord(std::string_view word, Binding& binding) {
  const auto insert = [&](std::string_view one) {
    const auto at = std::lower_bound(binding.env.begin(), binding.env.end(), one);
    if (at == binding.env.end() || *at != one) binding.env.emplace(at, one);
  };
  if (word == kCleanEnv) {
    for (const std::string_view one : kClean) insert(one);
    return {};
  }
  const std::size_t equals = word.find('=');
  std::string_view name = word.substr(0, equals);
  if (equals == std::string_view::npos && name.ends_with('*')) name.remove_suffix(1);
  if (!IsVariableName(name))
    return Fail(Code::kInvalid, "'" + EscapeForPeople(word) + "': clean, NAME, PREFIX* or NAME=value expected");
  insert(word);
  return {};
}

Status SetContent(std::string_view text, Binding& binding) {
  const bool is_digest = text.starts_with(kContentScheme) &&
                         ParseDigest(std::string(text.substr(kContentScheme.size()))).has_value();
  if (!is_digest) return Fail(Code::kInvalid, "sha256: and 64 hexadecimal digits expected");
  binding.content = text.substr(kContentScheme.size());
  return {};
}

std::vector<std::string> RefusedStarts(const Binding& binding) {
  std::vector<std::string> starts;
  for (const std::string& word : binding.env) starts.push_back(StartOf(word));
  std::sort(starts.begin(), starts.end());
  starts.erase(std::unique(starts.begin(), starts.end()), starts.end());
  return starts;
}

std::vector<std::string> RequiredVariables(const Binding& binding) {
  std::vector<std::string> required;
  for (const std::string& word : binding.env)
    if (IsRequired(word)) required.push_back(word);
  return required;
}

Status CheckBinding(const Binding& binding) {
  if ((binding.argv_form == Binding::Argv::kFree) != binding.argv.empty())
    return Fail(Code::kInvalid, "argv: at least the program's own name expected");
  std::size_t bytes = 0;
  for (const std::string& argument : binding.argv) {
    if (argument.find('\0') != std::string::npos) return Fail(Code::kInvalid, "argv: no argument can hold a zero byte");
    bytes += argument.size() + 1;
  }
  if (bytes > ARGV_BYTES)
    return Fail(Code::kInvalid, fmt::format("argv: at most {} bytes expected, a final zero for each argument among them",
                                            static_cast<int>(ARGV_BYTES)));
  const std::vector<std::string> starts = RefusedStarts(binding);
  if (starts.size() > MAX_ENV_NAMES)
    return Fail(Code::kInvalid, fmt::format("env: at most {} names expected", static_cast<int>(MAX_ENV_NAMES)));
  for (const std::string& start : starts)
    if (start.size() > ENV_NAME_BYTES)
      return Fail(Code::kInvalid, fmt::format("env: {}: a name of at most {} bytes expected", EscapeForPeople(start),
                                              ENV_NAME_BYTES - 1));
  const std::vector<std::string> required = RequiredVariables(binding);
  if (required.size() > MAX_ENV_VALUES)
    return Fail(Code::kInvalid, fmt::format("env: at most {} variables with a value expected", static_cast<int>(MAX_ENV_VALUES)));
  std::map<std::string, std::string> values;
  for (const std::string& variable : required) {
    const std::string name = StartOf(variable);
    if (variable.find('\0') != std::string::npos) return Fail(Code::kInvalid, "env: no value can hold a zero byte");
    if (variable.size() + 1 > ENV_VALUE_BYTES)
      return Fail(Code::kInvalid, fmt::format("env: {}…: at most {} bytes with its name expected", EscapeForPeople(name),
                                              ENV_VALUE_BYTES - 1));
    if (!values.emplace(name, variable).second)
      return Fail(Code::kInvalid, fmt::format("env: {}: one value expected, not two", EscapeForPeople(name)));
  }
  return {};
}

Result<Binding> Narrowed(const Binding& rule, const Binding& asked) {
  TRY(CheckBinding(asked));
  Binding both = rule;
  if (asked.argv_form != Binding::Argv::kFree) {
    const bool begins = asked.argv.size() >= rule.argv.size() &&
                        std::equal(rule.argv.begin(), rule.argv.end(), asked.argv.begin());
    const bool inside = rule.argv_form == Binding::Argv::kFree ||
                        (rule.argv_form == Binding::Argv::kPrefix && begins) ||
                        (asked.argv_form == rule.argv_form && asked.argv == rule.argv);
    if (!inside) return Fail(Code::kDenied, "arguments [" + Listed(asked.argv) + "]");
    both.argv_form = asked.argv_form;
    both.argv = asked.argv;
  }
  const std::vector<std::string> refused = RefusedStarts(rule);
  for (const std::string& word : asked.env) {
    // A variable with a value is let in: not one that the rule keeps out.
    const bool is_rules = std::find(rule.env.begin(), rule.env.end(), word) != rule.env.end();
    if (IsRequired(word) && !is_rules)
      for (const std::string& start : refused)
        if (word.starts_with(start)) return Fail(Code::kDenied, "variable " + EscapeForPeople(word));
    TRY(AddEnvWord(word, both));
  }
  if (!asked.content.empty() && !rule.content.empty() && asked.content != rule.content)
    return Fail(Code::kDenied, "content " + asked.content);
  if (!asked.content.empty()) both.content = asked.content;
  TRY(CheckBinding(both));
  return both;
}

void AddBinding(const Binding& binding, json::Object& to) {
  if (binding.argv_form != Binding::Argv::kFree)
    to["argv"] = json::Object{{binding.argv_form == Binding::Argv::kExact ? "exact" : "prefix", TextsJson(binding.argv)}};
  if (!binding.env.empty()) to["env"] = TextsJson(binding.env);
  if (!binding.content.empty()) to["content"] = std::string(kContentScheme) + binding.content;
}

Result<Binding> ReadBinding(const json::Value& from) {
  Binding binding;
  if (const json::Value* const argv = from.Find("argv")) {
    const bool is_exact = argv->is_object() && argv->Find("exact") != nullptr;
    if (!argv->is_object() || argv->object().size() != 1 || (!is_exact && argv->Find("prefix") == nullptr))
      return Fail(Code::kInvalid, "argv: one of exact and prefix expected");
    binding.argv_form = is_exact ? Binding::Argv::kExact : Binding::Argv::kPrefix;
    binding.argv = TRY(ReadTexts(*argv, is_exact ? "exact" : "prefix", "argv"));
  }
  if (from.Find("env") != nullptr) {
    for (const std::string& word : TRY(ReadTexts(from, "env", "env"))) {
      const Status added = AddEnvWord(word, binding);
      if (!added) return Fail(Code::kInvalid, "env: " + added.error().message);
    }
  }
  if (from.Find("content") != nullptr) {
    const auto text = json::GetString(from, "content");
    const Status set = text ? SetContent(*text, binding) : Status(Fail(Code::kInvalid, "text expected"));
    if (!set) return Fail(Code::kInvalid, "content: " + set.error().message);
  }
  TRY(CheckBinding(binding));
  return binding;
}

std::string DescribeBinding(const Binding& binding) {
  std::string out;
  const auto add = [&](const std::string& part) { out += (out.empty() ? "" : "; ") + part; };
  if (binding.argv_form != Binding::Argv::kFree)
    add(std::string(binding.argv_form == Binding::Argv::kExact ? "arguments exactly [" : "arguments beginning with [") +
        Listed(binding.argv) + "]");
  const std::vector<std::string> required = RequiredVariables(binding);
  if (binding.env.size() > required.size())
    add(fmt::format("none of {} listed variables", binding.env.size() - required.size()));
  if (!required.empty()) add("with " + Listed(required));
  if (!binding.content.empty()) add("content sha256:" + binding.content);
  return out;
}

}  // namespace proofgate::policy
