// What policy says of an act and what the gate's core decides under the receipts
// that policy lets be issued: the same, for random canons and every act of their
// universe. Rows are written by Grants, as the daemon writes them; the walk to
// them is bpf/judge.h's, written again; reach and decision are bpf/gate.h itself.

#include <gtest/gtest.h>
#include <netinet/in.h>

#include <cstring>
#include <map>

#include "agent/grants.h"
#include "agent/resolve.h"
#include "policy/authority.h"
#include "policy/pdp.h"
#include "tests/fake/fake_pep.h"
#include "tests/policy/random_canon.h"

extern "C" {
#include "bpf/gate.h"
}

namespace proofgate::agent {
namespace {

using policy::Form;
using policy::Kind;
using policy::Object;

constexpr std::uint32_t kDomain = 7;
constexpr std::uint64_t kNow = 1000;
#ifndef __has_feature
#define __has_feature(feature) 0
#endif
#if defined(__SANITIZE_ADDRESS__) || __has_feature(address_sanitizer)
constexpr std::uint64_t kPairs = 200'000;
#else
constexpr std::uint64_t kPairs = 1'000'000;
#endif

act_kind KernelKind(Kind kind) {
  switch (kind) {
    case Kind::kExec: return KIND_EXEC;
    case Kind::kConnect: return KIND_CONNECT;
    case Kind::kRead: return KIND_READ;
    default: return KIND_WRITE;
  }
}

class Host {
 public:
  // The number that the inode at a path is marked with; each has one.
  std::uint64_t Mark(const std::string& path) {
    return marks_.try_emplace(path, FIRST_OBJECT + marks_.size()).first->second;
  }
  // A receipt as Receipts::Install makes it of these objects. Names of files stand
  // for files that are not there yet.
  void Issue(Kind kind, const std::vector<Object>& objects, const std::vector<std::string>& except, bool is_standing) {
    for (const Object& object : objects) {
      receipt_slot& slot = kernel_.slots[next_slot_];
      slot = {};
      slot.state = SLOT_LIVE;
      slot.gen = next_slot_ + 100;
      slot.domain = kDomain;
      slot.kind = KernelKind(kind);
      slot.expires_boot_ns = kNow + 1;
      slot.max_uses = 1;
      slot.flags = is_standing ? RECEIPT_STANDING : 0;
      std::vector<GrantPlace> places;
      GrantPlace place;
      place.key.domain = kDomain;
      place.key.kind = slot.kind;
      const auto put = [&](const std::string& path, grant_form form) {
        place.key.object = Mark(path);
        place.form = form;
        places.push_back(place);
      };
      if (object.form == Form::kNet) {
        place.is_address = true;
        place.form = FORM_ADDRESS;
        const auto resolved = ResolveObject(kind, object, {}, Missing::kRefuse);
        ASSERT_TRUE(resolved) << resolved.error().message;
        for (address_key key : resolved->front().addresses) {
          key.domain = kDomain;
          place.address = key;
          places.push_back(place);
        }
      } else if (object.form == Form::kTree) {
        put(object.path, FORM_TREE);
      } else if (object.form == Form::kDir && !except.empty()) {
        // Programs are granted one by one.
        for (const char* name : {"a", "b", "c", "sudo"})
          if (std::find(except.begin(), except.end(), name) == except.end()) put(Below(object.path, name), FORM_FILE);
      } else if (object.form == Form::kDir) {
        put(object.path, FORM_DIR);
      } else if (object.path != "/" && next_slot_ % 2 == 0) {
        const std::size_t slash = object.path.rfind('/');
        const std::string name = object.path.substr(slash + 1);
        std::memcpy(slot.name, name.data(), name.size());
        slot.name_len = static_cast<__u32>(name.size());
        put(slash == 0 ? "/" : object.path.substr(0, slash), FORM_NAMED);
      } else {
        put(object.path, FORM_FILE);
      }
      const Status placed = grants_.Place(next_slot_, slot.gen, places);
      ASSERT_TRUE(placed) << placed.error().message;
      ++next_slot_;
    }
  }

  // Does a receipt cover it? `rows`: grows by the rows that were looked up.
  bool Covers(Kind kind, const Object& act, bool needs_standing, std::uint64_t* rows) const {
    gate_act asked{};
    asked.domain = kDomain;
    asked.kind = KernelKind(kind);
    asked.needs = NEED_USE;
    if (needs_standing) asked.needs |= NEED_STANDING;
    if (act.form == Form::kNet) return CoversAddress(asked, act, rows);
    const std::string name = act.path.substr(act.path.rfind('/') + 1);
    std::memcpy(asked.name, name.data(), name.size());
    asked.name_len = static_cast<__u32>(name.size());
    std::vector<std::string> walk = {act.path};
    for (std::string& dir : policy::DirectoriesAbove(act.path)) walk.push_back(std::move(dir));
    for (; asked.distance < walk.size(); ++asked.distance) {
      const auto mark = marks_.find(walk[asked.distance]);
      if (mark == marks_.end()) continue;
      grant_key key{};
      key.object = mark->second;
      key.domain = asked.domain;
      key.kind = asked.kind;
      ++*rows;
      if (const auto row = kernel_.grants.find(KeyBytes(key)); row != kernel_.grants.end() && AnyOf(row->second, asked)) return true;
    }
    return false;
  }

 private:
  static std::string Below(const std::string& dir, const std::string& name) { return dir == "/" ? "/" + name : dir + "/" + name; }
  bool AnyOf(const std::vector<grant>& row, const gate_act& act) const {
    return std::any_of(row.begin(), row.end(), [&](const grant& one) {
      const receipt_slot& slot = kernel_.slots[one.slot];
      return slot.gen == one.gen && gate_reaches(one.form, &slot, &act) != 0 && gate_decide(&slot, &act, kNow) == GATE_OK;
    });
  }
  // A trie finds the longest prefix only: with the port, then with none.
  bool CoversAddress(const gate_act& asked, const Object& act, std::uint64_t* rows) const {
    for (const std::uint16_t port : {act.net.port, std::uint16_t{0}}) {
      ++*rows;
      for (int bits = 32; bits >= 0; --bits) {
        address_key key{};
        key.prefix_bits = static_cast<__u32>(64 + bits);
        key.domain = kDomain;
        key.address.family = AF_INET;
        key.address.proto = act.net.proto == policy::Proto::kTcp ? IPPROTO_TCP : IPPROTO_UDP;
        key.address.port = htons(port);
        std::memcpy(key.address.bytes, policy::AddressKey(act.net, bits).data(), 4);
        const auto row = kernel_.addresses.find(KeyBytes(key));
        if (row == kernel_.addresses.end()) continue;
        if (AnyOf(row->second, asked)) return true;
        break;
      }
    }
    return false;
  }

  FakeKernel kernel_;
  FakePep pep_{kernel_};
  Grants grants_{pep_};
  std::map<std::string, std::uint64_t> marks_;
  std::uint32_t next_slot_ = 1;
};

// As a checked canon: no grant overlaps what is forbidden.
policy::Canon Checked(policy::Canon canon) {
  const policy::Forbids forbids(canon);
  const auto touches = [&](Kind kind, const std::vector<Object>& objects) {
    return std::any_of(objects.begin(), objects.end(), [&](const Object& object) { return !forbids.Overlapping(kind, object).empty(); });
  };
  policy::Canon checked = canon;
  std::erase_if(checked.standing, [&](const policy::Standing& one) { return touches(one.kind, one.objects); });
  std::erase_if(checked.rules, [&](const policy::Rule& one) { return one.effect == policy::Effect::kPermit && touches(one.kind, one.objects); });
  return checked;
}

constexpr Kind kKinds[] = {Kind::kWrite, Kind::kExec, Kind::kConnect, Kind::kRead};

TEST(GateAgrees, AMillionPairsOfCanonAndAct) {
  std::map<Kind, std::vector<Object>> universe;
  for (const Kind kind : kKinds) universe[kind] = policy::RandomCanon::Universe(kind);
  std::uint64_t pairs = 0;
  std::uint64_t covered = 0;
  std::uint64_t standing = 0;
  std::uint64_t rows = 0;
  for (unsigned seed = 0; pairs < kPairs; ++seed) {
    const policy::Canon canon = Checked(policy::RandomCanon(seed).Make(6));
    const policy::Authority authority(canon);
    const policy::Forbids forbids(canon);
    Host host;
    for (const policy::Standing& grant : canon.standing) host.Issue(grant.kind, grant.objects, grant.except, true);
    for (const policy::Rule& rule : canon.rules) {
      policy::Request request;
      request.rule = rule.id;
      request.from_session = true;
      const policy::Decision decision = policy::Decide(canon, forbids, request);
      if (decision.code == policy::DecisionCode::kPermitted) {
        host.Issue(decision.kind, decision.objects, {}, false);
        continue;
      }
      // All of it would hold what is Proofgate's own; act by act it can be had.
      if (rule.effect != policy::Effect::kPermit) continue;
      ASSERT_EQ(decision.code, policy::DecisionCode::kOwn) << seed << " " << decision.reason;
      for (const Object& act : universe[rule.kind]) {
        request.object = act;
        if (policy::Decide(canon, forbids, request).code == policy::DecisionCode::kPermitted) host.Issue(rule.kind, {act}, {}, false);
      }
    }
    for (const Kind kind : kKinds)
      for (const Object& act : universe[kind]) {
        const policy::ActAuthority at = authority.At(kind, act);
        const bool permitted = !at.standing.empty() || !at.permits.empty();
        ASSERT_EQ(host.Covers(kind, act, false, &rows), permitted) << seed << " " << KindName(kind) << " " << Describe(act);
        if (permitted) {
          ASSERT_EQ(host.Covers(kind, act, true, &rows), !at.standing.empty()) << seed << " " << KindName(kind) << " " << Describe(act);
          ASSERT_NE(at.verdict(), policy::Verdict::kForbidden) << seed << " " << Describe(act);
        }
        covered += permitted;
        standing += !at.standing.empty();
        ++pairs;
      }
  }
  EXPECT_GT(covered, pairs / 50);
  EXPECT_GT(standing, pairs / 100);
  EXPECT_LT(covered, pairs);
}

// Ten thousand live receipts are found as few look-ups away as ten.
TEST(GateAgrees, LookUpsDoNotGrowWithTheRules) {
  const auto look_ups = [](int rules, const std::string& text, Kind kind) {
    Host host;
    for (int i = 0; i < rules; ++i) {
      const std::string number = std::to_string(i);
      host.Issue(Kind::kWrite, {*policy::ReadObjectText(Kind::kWrite, "/srv/" + number + "/**")}, {}, false);
      if (i < 1000)  // rows of blocks are compared with each other when they are written
        host.Issue(Kind::kConnect, {*policy::ReadObjectText(Kind::kConnect, "tcp:10.0." + std::to_string(i / 250) + "." + std::to_string(i % 250) + ":80")}, {}, false);
    }
    std::uint64_t rows = 0;
    EXPECT_TRUE(host.Covers(kind, *policy::ReadObjectText(kind, text), false, &rows));
    return rows;
  };
  EXPECT_EQ(look_ups(10, "/srv/7/a/b", Kind::kWrite), look_ups(10'000, "/srv/7/a/b", Kind::kWrite));
  EXPECT_EQ(look_ups(10, "/srv/7/a/b", Kind::kWrite), 1u);
  EXPECT_EQ(look_ups(10, "tcp:10.0.0.7:80", Kind::kConnect), look_ups(1000, "tcp:10.0.0.7:80", Kind::kConnect));
}

}  // namespace
}  // namespace proofgate::agent
