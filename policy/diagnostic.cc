#include "policy/diagnostic.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>

namespace proofgate::policy {
namespace {

constexpr std::size_t kMaxShownColumns = 160;

std::string_view LineOf(std::string_view text, int line) {
  for (int at = 1; at < line; ++at) {
    const std::size_t end = text.find('\n');
    if (end == std::string_view::npos) return "";
    text.remove_prefix(end + 1);
  }
  std::string_view found = text.substr(0, text.find('\n'));
  if (found.ends_with('\r')) found.remove_suffix(1);
  return found;
}

// How many bytes the token at `column` (from 1) of `line` has: at least one.
std::size_t TokenLength(std::string_view line, int column) {
  const auto at = static_cast<std::size_t>(std::max(column, 1) - 1);
  if (at >= line.size()) return 1;
  const std::string_view rest = line.substr(at);
  if (rest[0] == '"' || rest[0] == '\'') {
    const std::size_t close = rest.find(rest[0], 1);
    return close == std::string_view::npos ? rest.size() : close + 1;
  }
  if (rest[0] == '{' || rest[0] == '[') return 1;
  std::size_t end = 0;
  while (end < rest.size()) {
    const char c = rest[end];
    if (c == ',' || c == '}' || c == ']') break;
    if (c == ':' && (end + 1 == rest.size() || rest[end + 1] == ' ')) break;
    if (c == ' ' && end + 1 < rest.size() && rest[end + 1] == '#') break;
    ++end;
  }
  while (end > 1 && rest[end - 1] == ' ') --end;
  return std::max<std::size_t>(end, 1);
}

std::size_t Distance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> row(b.size() + 1);
  for (std::size_t j = 0; j <= b.size(); ++j) row[j] = j;
  for (std::size_t i = 1; i <= a.size(); ++i) {
    std::size_t corner = row[0];
    row[0] = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const std::size_t above = row[j];
      row[j] = std::min({above + 1, row[j - 1] + 1, corner + (a[i - 1] == b[j - 1] ? 0u : 1u)});
      corner = above;
    }
  }
  return row[b.size()];
}

std::string_view SeverityName(Severity severity) {
  return severity == Severity::kError ? "error" : "warning";
}

std::string Message(const Diagnostic& diagnostic) {
  if (diagnostic.expected.empty()) return diagnostic.message;
  return diagnostic.message + " (expected " + diagnostic.expected + ")";
}

}  // namespace

bool HasErrors(const std::vector<Diagnostic>& diagnostics) {
  return std::any_of(diagnostics.begin(), diagnostics.end(),
                     [](const Diagnostic& one) { return one.severity == Severity::kError; });
}

std::string Render(const Diagnostic& diagnostic) {
  std::string out =
      fmt::format("{}:{}:{}: {}: {}", diagnostic.file, diagnostic.where.line, diagnostic.where.column,
                  SeverityName(diagnostic.severity), Message(diagnostic));
  if (diagnostic.severity == Severity::kWarning) out += " [" + diagnostic.code + "]";
  return out;
}

std::string RenderWithSource(const Diagnostic& diagnostic, std::string_view text) {
  std::string out = EscapeForPeople(Render(diagnostic));
  const std::string_view line = LineOf(text, diagnostic.where.line);
  const auto column = static_cast<std::size_t>(std::max(diagnostic.where.column, 1) - 1);
  if (line.empty() || column >= line.size() || column > kMaxShownColumns) return out;
  const std::size_t length = TokenLength(line, diagnostic.where.column);
  const auto expanded = [](std::string_view part) {
    std::string spaces(part);
    std::replace(spaces.begin(), spaces.end(), '\t', ' ');
    return EscapeForPeople(spaces);
  };
  const std::string before = expanded(line.substr(0, column));
  const std::string token = expanded(line.substr(column, length));
  const std::string after = expanded(line.substr(column + length).substr(0, kMaxShownColumns));
  out += fmt::format("\n  {:>5} | {}{}{}", diagnostic.where.line, before, token, after);
  out += fmt::format("\n        | {}^{}", std::string(before.size(), ' '),
                     std::string(token.empty() ? 0 : token.size() - 1, '~'));
  return out;
}

json::Value DiagnosticsJson(const std::vector<Diagnostic>& diagnostics, std::string_view text) {
  json::Array list;
  for (const Diagnostic& diagnostic : diagnostics) {
    const std::size_t length =
        TokenLength(LineOf(text, diagnostic.where.line), diagnostic.where.column);
    list.push_back(json::Object{
        {"file", json::Bytes(diagnostic.file)},
        {"line", diagnostic.where.line},
        {"column", diagnostic.where.column},
        {"end_column", diagnostic.where.column + static_cast<int>(length)},
        {"severity", SeverityName(diagnostic.severity)},
        {"code", diagnostic.code},
        {"message", json::Bytes(diagnostic.message)},
        {"expected", json::Bytes(diagnostic.expected)}});
  }
  return list;
}

json::Value DiagnosticsSarif(const std::vector<Diagnostic>& diagnostics, std::string_view text) {
  json::Array results;
  std::map<std::string, Severity> codes;
  for (const Diagnostic& diagnostic : diagnostics) {
    codes.emplace(diagnostic.code, diagnostic.severity);
    const std::size_t length =
        TokenLength(LineOf(text, diagnostic.where.line), diagnostic.where.column);
    json::Object region{
        {"startLine", std::max(diagnostic.where.line, 1)},
        {"startColumn", std::max(diagnostic.where.column, 1)},
        {"endColumn", std::max(diagnostic.where.column, 1) + static_cast<int>(length)}};
    json::Object physical{
        {"artifactLocation", json::Object{{"uri", EscapeForPeople(diagnostic.file)}}},
        {"region", std::move(region)}};
    json::Array locations;
    locations.push_back(json::Object{{"physicalLocation", std::move(physical)}});
    results.push_back(json::Object{
        {"ruleId", diagnostic.code},
        {"level", SeverityName(diagnostic.severity)},
        {"message", json::Object{{"text", EscapeForPeople(Message(diagnostic))}}},
        {"locations", std::move(locations)}});
  }
  json::Array rules;
  for (const auto& [code, severity] : codes)
    rules.push_back(json::Object{
        {"id", code},
        {"defaultConfiguration", json::Object{{"level", SeverityName(severity)}}}});
  json::Object driver{{"name", "proofgate canon check"}, {"rules", std::move(rules)}};
  json::Array runs;
  runs.push_back(json::Object{{"tool", json::Object{{"driver", std::move(driver)}}},
                              {"columnKind", "utf16CodeUnits"},
                              {"results", std::move(results)}});
  return json::Object{{"version", "2.1.0"},
                      {"$schema", "https://json.schemastore.org/sarif-2.1.0.json"},
                      {"runs", std::move(runs)}};
}

std::string Nearest(std::string_view word, const std::vector<std::string_view>& names) {
  if (word.size() > 64) return "";
  std::string_view best;
  std::size_t least = 3;
  for (const std::string_view name : names) {
    const std::size_t distance = Distance(word, name);
    // Of a short word most letters must be right.
    if (distance < least && distance < std::max(word.size(), name.size())) {
      least = distance;
      best = name;
    }
  }
  return std::string(best);
}

std::string Quote(std::string_view text) {
  return "'" + EscapeForPeople(text.substr(0, 80)) + (text.size() > 80 ? "…'" : "'");
}

}  // namespace proofgate::policy
