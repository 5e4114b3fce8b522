// Random small canons and all acts of the universe they speak about, for
// comparison with brute force.

#ifndef PROOFGATE_TESTS_POLICY_RANDOM_CANON_H_
#define PROOFGATE_TESTS_POLICY_RANDOM_CANON_H_

#include <algorithm>
#include <random>
#include <string>
#include <vector>

#include "policy/canon.h"

namespace proofgate::policy {

class RandomCanon {
 public:
  explicit RandomCanon(unsigned seed) : random_(seed) {}

  unsigned Below(unsigned bound) { return static_cast<unsigned>(random_() % bound); }

  std::string Path() {
    std::string path;
    for (unsigned i = 0, depth = 1 + Below(2); i < depth; ++i) path += Below(2) == 0 ? "/a" : "/b";
    return path;
  }
  Object PathObject() {
    Object object;
    constexpr Form kForms[] = {Form::kFile, Form::kDir, Form::kTree};
    object.form = kForms[Below(3)];
    object.path = object.form != Form::kFile && Below(8) == 0 ? "/" : Path();
    return object;
  }
  Object NetObject() {
    Object object;
    object.form = Form::kNet;
    object.net.bytes = {10, 0, 0, static_cast<std::uint8_t>(Below(8))};
    object.net.prefix_bits = Below(6) == 0 ? 0 : 29 + static_cast<int>(Below(4));
    for (int bit = object.net.prefix_bits; bit < 32; ++bit) {
      auto& byte = object.net.bytes[static_cast<std::size_t>(bit / 8)];
      byte = static_cast<std::uint8_t>(byte & ~(0x80 >> (bit % 8)));
    }
    constexpr std::uint16_t kPorts[] = {0, 1, 80};
    object.net.port = kPorts[Below(3)];
    constexpr Proto kProtos[] = {Proto::kAny, Proto::kTcp, Proto::kUdp};
    object.net.proto = kProtos[Below(3)];
    return object;
  }
  std::vector<Object> Objects(Kind kind) {
    std::vector<Object> objects;
    for (unsigned i = 0, count = 1 + Below(2); i < count; ++i)
      objects.push_back(kind == Kind::kConnect ? NetObject() : PathObject());
    return objects;
  }

  // Without the check: forbids may overlap permits.
  Canon Make(unsigned rules = 4) {
    Canon canon;
    canon.tenant = "t";
    canon.domain = "d";
    constexpr Kind kKinds[] = {Kind::kWrite, Kind::kExec, Kind::kConnect, Kind::kRead};
    for (unsigned i = 0, count = Below(3); i < count; ++i) {
      Standing standing;
      standing.id = "s" + std::to_string(i);
      standing.kind = kKinds[Below(4)];
      standing.objects = Objects(standing.kind);
      if (standing.kind == Kind::kExec) standing.except = {Below(2) == 0 ? "a" : "sudo"};
      standing.object_where.resize(standing.objects.size());
      canon.standing.push_back(std::move(standing));
    }
    for (unsigned i = 0, count = Below(rules); i < count; ++i) {
      Rule rule;
      rule.id = "r" + std::to_string(i);
      rule.kind = kKinds[Below(4)];
      rule.effect = Below(4) == 0 ? Effect::kForbid : Effect::kPermit;
      rule.objects = Objects(rule.kind);
      rule.object_where.resize(rule.objects.size());
      if (rule.effect == Effect::kPermit) {
        rule.limits = {(1 + Below(2)) * 1'000'000'000ull, 1 + Below(2)};
        if (Below(4) == 0) rule.terms.budget = "money";
      }
      canon.rules.push_back(std::move(rule));
    }
    return canon;
  }

  // Every act over a universe that holds more than canons name.
  static std::vector<Object> Universe(Kind kind) {
    std::vector<Object> acts;
    if (kind == Kind::kConnect) {
      constexpr std::uint8_t kLast[] = {0, 1, 2, 3, 4, 5, 6, 7, 8, 200};
      constexpr std::uint16_t kPorts[] = {1, 2, 80};
      for (const std::uint8_t last : kLast)
        for (const std::uint16_t port : kPorts)
          for (const Proto proto : {Proto::kTcp, Proto::kUdp}) {
            Object act;
            act.form = Form::kNet;
            act.net.bytes = {10, 0, 0, last};
            act.net.prefix_bits = 32;
            act.net.port = port;
            act.net.proto = proto;
            acts.push_back(act);
          }
      return acts;
    }
    std::vector<std::string> level = {""};
    Object root;
    root.path = "/";
    acts.push_back(root);
    for (int depth = 0; depth < 4; ++depth) {
      std::vector<std::string> next;
      for (const std::string& path : level)
        for (const char* name : {"/a", "/b", "/c", "/sudo"}) {
          next.push_back(path + name);
          Object act;
          act.path = next.back();
          acts.push_back(act);
        }
      level = std::move(next);
    }
    return acts;
  }

 private:
  std::mt19937 random_;
};

}  // namespace proofgate::policy

#endif  // PROOFGATE_TESTS_POLICY_RANDOM_CANON_H_
