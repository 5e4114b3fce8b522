// Authority: what a canon lets happen, act by act.
//
// An act is a kind and one object that is not divisible: a file, an address with
// a port and a protocol, a socket's path, a class, a capability. Look-ups do not
// grow with the number of rules.

#ifndef PROOFGATE_POLICY_AUTHORITY_H_
#define PROOFGATE_POLICY_AUTHORITY_H_

#include <array>
#include <map>
#include <string>
#include <unordered_map>
#include <vector>

#include "policy/canon.h"

namespace proofgate::policy {

enum class Verdict {
  kStanding,      // STANDING: while the process is attached
  kPermitted,     // PERMITTED: under a receipt
  kForbidden,     // FORBIDDEN
  kNotPermitted,  // NOT_PERMITTED: nothing speaks about it
};
std::string_view VerdictName(Verdict verdict);
inline constexpr std::array kAllVerdicts = {Verdict::kStanding, Verdict::kPermitted,
                                            Verdict::kForbidden, Verdict::kNotPermitted};

struct ActAuthority {
  bool is_free = false;  // `read` in a canon that says nothing about reading
  std::vector<std::string> standing;   // ids, each once, in order
  std::vector<const Rule*> permits;    // in order of id
  std::vector<std::string> forbids;    // ids

  Verdict verdict() const;
};

class Authority {
 public:
  // The canon must outlive it.
  explicit Authority(const Canon& canon);

  ActAuthority At(Kind kind, const Object& act) const;
  // Rules of the kind with an object that contains this one, divisible or not:
  // each once, in the canon's order.
  std::vector<const Rule*> RulesAround(Kind kind, const Object& object) const;
  // Does the canon say anything about reading? If not, reading is free.
  bool restricts_read() const { return restricts_read_; }

 private:
  struct Source {
    const Rule* rule = nullptr;          // one of the two
    const Standing* standing = nullptr;
    const Object* object = nullptr;
  };
  struct ByKind {
    std::unordered_map<std::string, std::vector<Source>> files, dirs, trees, sockets;
    // Forbids of a directory reach everything below it: Overlaps.
    std::unordered_map<std::string, std::vector<Source>> deep_forbids;
    std::map<int, std::unordered_map<std::string, std::vector<Source>>> nets[2];  // by bits, IPv4 and IPv6
    std::vector<Source> others;
  };
  void Add(Kind kind, const Source& source);

  std::array<ByKind, kAllKinds.size()> kinds_;
  bool restricts_read_ = false;
};

// Of a canon's examples, those that do not hold: what is so instead.
struct FailedExample {
  const Example* example = nullptr;
  std::string text;
};
std::vector<FailedExample> RunExamples(const Canon& canon);
// Rules and standing grants that no example speaks about.
std::vector<std::string> UntestedRules(const Canon& canon);

}  // namespace proofgate::policy

#endif  // PROOFGATE_POLICY_AUTHORITY_H_
