#include "policy/lint.h"

#include <algorithm>
#include <array>

#include "policy/authority.h"

namespace proofgate::policy {
namespace {

// Programs that do whatever their arguments or input say.
constexpr std::array<std::string_view, 30> kInterpreters = {
    "ash",  "awk",  "bash", "busybox", "csh",  "dash", "ed",   "emacs", "env",   "expect",
    "find", "fish", "gdb",  "git",     "ksh",  "lua",  "make", "node",  "perl",  "php",
    "ruby", "sed",  "sh",   "ssh",     "tclsh", "vi",  "vim",  "xargs", "zsh",   "python"};
constexpr std::array<std::string_view, 5> kWorldWritable = {"/tmp", "/var/tmp", "/dev/shm", "/run/lock", "/var/lock"};
constexpr std::array<std::string_view, 6> kProgramDirs = {"/usr/bin", "/usr/sbin", "/bin", "/sbin", "/usr/local/bin", "/"};
constexpr int kWalkSteps = 48;  // as far as the gate looks: bpf/wire.h

bool IsInterpreter(std::string_view name) {
  while (!name.empty() && ((name.back() >= '0' && name.back() <= '9') || name.back() == '.')) name.remove_suffix(1);
  return std::find(kInterpreters.begin(), kInterpreters.end(), name) != kInterpreters.end();
}

bool AllContained(const std::vector<Object>& inner, const std::vector<Object>& outer) {
  return std::all_of(inner.begin(), inner.end(), [&](const Object& one) {
    return std::any_of(outer.begin(), outer.end(), [&](const Object& other) { return Contains(other, one); });
  });
}

bool HasTerms(const Rule& rule) {
  json::Object terms;
  AddTerms(rule.terms, terms);
  AddBinding(rule.binding, terms);
  return !terms.empty();
}

class Linter {
 public:
  Linter(const Canon& canon, const std::string& file, std::vector<Diagnostic>& out)
      : canon_(canon), authority_(canon), file_(file), out_(out) {}

  void Run() {
    for (const Standing& standing : canon_.standing) {
      // A profile's objects all stand where the profile does: it is known.
      const bool is_profile = standing.object_where.size() > 1 && !standing.object_where.empty() &&
                              std::all_of(standing.object_where.begin(), standing.object_where.end(),
                                          [&](const Where& where) { return where == standing.object_where[0]; });
      if (is_profile || !standing.except.empty()) continue;
      for (std::size_t i = 0; i < standing.objects.size(); ++i)
        Object(standing.kind, standing.objects[i], standing.object_where[i], false);
    }
    for (const Rule& rule : canon_.rules) {
      for (std::size_t i = 0; i < rule.objects.size(); ++i) {
        if (rule.effect == Effect::kPermit) Object(rule.kind, rule.objects[i], rule.object_where[i], rule.binding.argv_form != Binding::Argv::kFree);
        NonAscii(rule.objects[i], rule.object_where[i]);
      }
      Siblings(rule);
    }
  }

 private:
  void Warn(Where where, std::string message, const char* code) {
    if (out_.size() < kMaxDiagnostics)
      out_.push_back({file_, where, std::move(message), "", code, Severity::kWarning});
  }

  void NonAscii(const policy::Object& object, Where where) {
    if (std::any_of(object.path.begin(), object.path.end(), [](char c) { return static_cast<unsigned char>(c) >= 0x80; }))
      Warn(where, "'" + Describe(object) + "' has characters beyond ASCII, which may look like others", "non-ascii");
  }

  void Object(Kind kind, const policy::Object& object, Where where, bool binds_arguments) {
    const std::string text = "'" + Describe(object) + "'";
    if (HasPath(object.form) && std::count(object.path.begin(), object.path.end(), '/') > kWalkSteps)
      Warn(where, text + " is deeper than the gate looks; it can never match", "never-matches");
    if (kind == Kind::kExec || kind == Kind::kLoad || kind == Kind::kWrite || kind == Kind::kRead)
      for (const std::string_view dir : kWorldWritable)
        if (HasPath(object.form) && (object.path == dir || IsBelow(object.path, dir)))
          Warn(where, text + " lies in " + std::string(dir) + ", where anyone can put files", "world-writable");
    if (kind == Kind::kExec && !binds_arguments) {
      const bool is_one = object.form == Form::kFile && IsInterpreter(object.path.substr(object.path.rfind('/') + 1));
      const bool has_some = object.form != Form::kFile &&
                            std::find(kProgramDirs.begin(), kProgramDirs.end(), object.path) != kProgramDirs.end();
      if (is_one || has_some)
        Warn(where, text + (is_one ? " is an interpreter" : " holds interpreters") +
                        ", which does what its arguments say; its effects are governed, its arguments are not (argv binds them)",
             "interpreter-arguments");
    }
    if ((object.form == Form::kTree && object.path == "/") || (object.form == Form::kNet && object.net.prefix_bits == 0))
      Warn(where, text + " is everything", "everything");
  }

  void Siblings(const Rule& rule) {
    for (const Standing& standing : canon_.standing)
      if (rule.effect == Effect::kPermit && standing.kind == rule.kind && standing.except.empty() &&
          AllContained(rule.objects, standing.objects))
        Warn(rule.where, "rule '" + rule.id + "' is void: standing grant '" + standing.id +
                             "' gives all of it without a receipt", "void-by-standing");
    if (rule.objects.empty()) return;
    for (const Rule* const around : authority_.RulesAround(rule.kind, rule.objects.front())) {
      const Rule& other = *around;
      if (&other == &rule || other.effect != rule.effect) continue;
      const bool is_inside = AllContained(rule.objects, other.objects);
      const bool is_same = is_inside && AllContained(other.objects, rule.objects);
      if (!is_inside || (is_same && rule.id < other.id)) continue;
      if (rule.effect == Effect::kForbid)
        Warn(rule.where, "rule '" + rule.id + "' adds nothing to '" + other.id + "', which forbids all of it", "covered");
      else if (other.limits.ttl_ns >= rule.limits.ttl_ns && other.limits.uses >= rule.limits.uses && !HasTerms(other))
        Warn(rule.where, "rule '" + rule.id + "' is narrower than its sibling '" + other.id +
                             "', which permits all of it for as long and as often", "covered");
    }
  }

  const Canon& canon_;
  const Authority authority_;
  const std::string& file_;
  std::vector<Diagnostic>& out_;
};

}  // namespace

std::vector<Diagnostic> Lint(const std::vector<Canon>& canons, const std::string& file) {
  std::vector<Diagnostic> out;
  for (const Canon& canon : canons) Linter(canon, file, out).Run();
  std::stable_sort(out.begin(), out.end(), [](const Diagnostic& a, const Diagnostic& b) {
    return std::pair(a.where.line, a.where.column) < std::pair(b.where.line, b.where.column);
  });
  return out;
}

}  // namespace proofgate::policy
