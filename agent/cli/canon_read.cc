// canon check, schema, fmt, diff, explain, test: no daemon is asked.

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <cstdio>

#include "agent/cli/client.h"
#include "agent/cli/commands.h"
#include "base/durable.h"
#include "policy/diff.h"
#include "policy/explain.h"
#include "policy/fmt.h"
#include "policy/lint.h"
#include "policy/parse.h"

namespace proofgate::cli {
namespace {

// The canons of a file that is right; otherwise what is wrong is printed.
Result<std::vector<policy::Canon>> Load(const std::string& file) {
  const std::string text = TRY(ReadFile(file, policy::kMaxCanonBytes));
  policy::ParsedCanon parsed = policy::ParseCanon(text, file);
  if (parsed.diagnostics.empty()) return std::move(parsed.canons);
  for (const policy::Diagnostic& one : parsed.diagnostics)
    fmt::print(stderr, "{}\n", policy::RenderWithSource(one, text));
  return Fail(Code::kInvalid, file + ": not a canon");
}

// The canon in force, from the daemon.
Result<std::vector<policy::Canon>> LoadInForce() {
  const Reply reply = Call("canon.show");
  if (reply.exit_code != kDone) return Fail(Code::kNotFound, reply.message);
  const std::string source = TRY(json::GetBytes(reply.result, "source"));
  policy::ParsedCanon parsed = policy::ParseCanon(source, "the canon in force");
  if (!parsed.diagnostics.empty()) return Fail(Code::kCorrupt, policy::Render(parsed.diagnostics[0]));
  return std::move(parsed.canons);
}

Result<std::vector<policy::Canon>> LoadOrInForce(const std::string& file) {
  return file.empty() ? LoadInForce() : Load(file);
}

}  // namespace

int CheckCanon(const Options& options) {
  std::vector<std::string> texts;
  std::vector<std::string> names = {options.file};
  names.insert(names.end(), options.libraries.begin(), options.libraries.end());
  for (const std::string& name : names) {
    auto read = ReadFile(name, policy::kMaxCanonBytes);
    if (!read) return Complain(read.error(), options.json);
    texts.push_back(std::move(*read));
  }
  std::vector<policy::CanonFile> files;
  for (std::size_t i = 0; i < names.size(); ++i) files.push_back({names[i], texts[i]});
  const policy::ParsedCanon parsed = policy::ParseCanonFiles(files);
  const std::string* const text = &texts.front();
  std::vector<policy::Diagnostic> found = parsed.diagnostics;
  if (found.empty()) found = policy::Lint(parsed.canons, options.file);
  if (options.sarif) {
    PrintJson(policy::DiagnosticsSarif(found, *text));
  } else if (options.json) {
    PrintJson(json::Object{{"diagnostics", policy::DiagnosticsJson(found, *text)},
                           {"domains", json::Integer(parsed.canons.size())},
                           {"cost", json::Integer(parsed.cost)}});
  } else {
    for (const policy::Diagnostic& diagnostic : found)
      fmt::print(stderr, "{}\n", diagnostic.file == options.file ? policy::RenderWithSource(diagnostic, *text) : policy::Render(diagnostic));
    if (parsed.diagnostics.empty()) {
      for (const policy::Canon& canon : parsed.canons)
        fmt::print("{}: domain {}: {} standing grants, {} rules\n", options.file, canon.domain,
                   canon.standing.size(), canon.rules.size());
      fmt::print("{}: cost {} of {}\n", options.file, parsed.cost, policy::kMaxCanonCost);
    }
  }
  return parsed.diagnostics.empty() ? kDone : kRefused;
}

int PrintCanonSchema(const Options&) {
  PrintJson(policy::GrammarSchema());
  return kDone;
}

int FormatCanon(const Options& options) {
  const auto text = ReadFile(options.file, policy::kMaxCanonBytes);
  if (!text) return Complain(text.error(), options.json);
  const auto tidy = policy::FormatCanon(*text);
  if (!tidy) return Complain(Error{tidy.error().code, options.file + ":" + tidy.error().message}, options.json);
  if (options.check) {
    if (options.json) PrintJson(json::Object{{"formatted", *tidy == *text}});
    else if (*tidy != *text) fmt::print("{} would change\n", options.file);
    return *tidy == *text ? kDone : kRefused;
  }
  if (options.write) {
    if (*tidy != *text)
      if (const Status written = WriteFileDurably(options.file, *tidy, 0644); !written)
        return Complain(written.error(), options.json);
    return kDone;
  }
  if (options.json) PrintJson(json::Object{{"text", json::Bytes(*tidy)}});
  else fmt::print("{}", *tidy);
  return kDone;
}

int DiffCanons(const Options& options) {
  // One file: against what is in force.
  const auto before = options.file2.empty() ? LoadInForce() : Load(options.file);
  if (!before) return Complain(before.error(), options.json);
  const auto after = Load(options.file2.empty() ? options.file : options.file2);
  if (!after) return Complain(after.error(), options.json);
  const policy::CanonDiff diff = policy::DiffCanons(*before, *after);
  if (options.json) PrintJson(policy::DiffJson(diff));
  else fmt::print("{}", policy::RenderDiff(diff));
  if (!options.no_wider) return kDone;
  const policy::SubsetAnswer answer = policy::IsSubset(*after, *before);
  if (answer.is == policy::SubsetAnswer::Is::kYes) return kDone;
  if (!options.json)
    fmt::print(stderr, "{}: {}\n", answer.is == policy::SubsetAnswer::Is::kNo ? "it permits more" : "it cannot be decided", answer.because);
  return kRefused;
}

int ExplainCanon(const Options& options) {
  const auto canons = LoadOrInForce(options.file2);
  if (!canons) return Complain(canons.error(), options.json);
  const auto kind = policy::ParseKind(options.kind);
  if (!kind) return Complain(kind.error(), options.json);
  const auto object = policy::ReadObjectText(*kind, options.object);
  if (!object) return Complain(object.error(), options.json);
  json::Object out;
  bool is_known = options.domain.empty();
  for (const policy::Canon& canon : *canons) {
    if (!options.domain.empty() && canon.domain != options.domain) continue;
    is_known = true;
    const policy::Explanation explanation = policy::Explain(canon, *kind, *object);
    if (options.json) out[canon.domain] = policy::ExplanationJson(explanation);
    else fmt::print("{}", policy::RenderExplanation(explanation, canon.domain, *kind, *object));
  }
  if (!is_known)
    return Complain(Error{Code::kNotFound, "no domain " + policy::Quote(options.domain)}, options.json);
  if (options.json) PrintJson(out);
  return kDone;
}

int TestCanon(const Options& options) {
  const auto text = ReadFile(options.file, policy::kMaxCanonBytes);
  if (!text) return Complain(text.error(), options.json);
  const policy::ParsedCanon parsed = policy::ParseCanon(*text, options.file);
  const bool is_right = parsed.diagnostics.empty();
  if (!options.json)
    for (const policy::Diagnostic& one : parsed.diagnostics)
      fmt::print(stderr, "{}\n", policy::RenderWithSource(one, *text));
  json::Array domains;
  for (const policy::Canon& canon : parsed.canons) {
    std::size_t cases = canon.tests.size();
    for (const policy::Rule& rule : canon.rules) cases += rule.examples.size();
    const std::vector<std::string> untested = policy::UntestedRules(canon);
    json::Array names;
    for (const std::string& id : untested) names.emplace_back(id);
    domains.push_back(json::Object{{"domain", canon.domain}, {"cases", json::Integer(cases)},
                                   {"not_reached", std::move(names)}});
    if (options.json) continue;
    fmt::print("domain {}: {} cases{}", canon.domain, cases, is_right ? ", all hold" : "");
    if (untested.empty()) fmt::print("; they reach every rule\n");
    else fmt::print("; they do not reach {}\n", fmt::join(untested, ", "));
  }
  if (options.json)
    PrintJson(json::Object{{"domains", std::move(domains)},
                           {"diagnostics", policy::DiagnosticsJson(parsed.diagnostics, *text)}});
  return is_right ? kDone : kRefused;
}

}  // namespace proofgate::cli
