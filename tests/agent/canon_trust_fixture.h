// A host with its ledger, over a gate that is a map, and people with keys.

#ifndef PROOFGATE_TESTS_AGENT_CANON_TRUST_FIXTURE_H_
#define PROOFGATE_TESTS_AGENT_CANON_TRUST_FIXTURE_H_

#include <gtest/gtest.h>

#include <filesystem>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "agent/agent.h"
#include "base/bytes.h"
#include "tests/fake/entries.h"
#include "tests/fake/fake_clock.h"
#include "tests/fake/fake_pep.h"
#include "tests/fake/fake_units.h"
#include "tests/fake/memory_store.h"

namespace proofgate::agent {

class CanonTrustTest : public ::testing::Test {
 protected:
  void SetUp() override {
    std::string pattern = ::testing::TempDir() + "trust.XXXXXX";
    dir_ = std::filesystem::canonical(mkdtemp(pattern.data()));
    std::filesystem::create_directory(dir_ + "/a");
    std::filesystem::create_directory(dir_ + "/b");
    signer_ = std::move(*CreateSigner(dir_ + "/key", "host"));
    for (const char* who : {"root1", "alice", "bob"}) keys_[who] = std::move(*CreateSigner(dir_ + "/" + who, who));
    auto ledger = ledger::Ledger::Create(dir_, "host.example/log", std::make_unique<ledger::MemoryStore>(disk_), *signer_, clock_);
    ASSERT_TRUE(ledger) << ledger.error().message;
    ledger_ = std::move(*ledger);
    Start();
  }
  void TearDown() override {
    agent_.reset();
    ledger_.reset();
    std::filesystem::remove_all(dir_);
  }
  void Start() {
    agent_.reset();
    auto agent = Agent::Start(pep_, *ledger_, *signer_, clock_, Host{"host", "boot-1"}, units_);
    ASSERT_TRUE(agent) << agent.error().message;
    agent_ = std::move(*agent);
  }
  std::string Canon(const std::string& granted) const {
    return "format: 1\ntenant: acme\ndomain: d\nmode: enforce\nstanding:\n"
           "  - { id: s, write: [{ dir: " + dir_ + "/b }] }\nrules:\n"
           "  - { id: w, permit: write, in: [{ dir: " + dir_ + "/" + granted + ", depth: all }], limits: { ttl: \"1h\", uses: 100 } }\n";
  }
  std::string Refusal(const Result<json::Object>& result) const {
    return result ? "" : result.error().message.substr(0, result.error().message.find(':'));
  }
  std::string ApplyPlain(const std::string& text) {
    std::vector<policy::Diagnostic> diagnostics;
    return Refusal(agent_->ApplyCanon(text, "c.yaml", diagnostics));
  }
  std::string RootText(int version, const char* root_key = "root1") const {
    const auto key = [&](const char* who) {
      return std::string("{\"owner\":\"") + who + "\",\"key\":\"" + keys_.at(who)->public_key().OpenSsh() + "\"}";
    };
    return "{\"format\":1,\"version\":" + std::to_string(version) + ",\"tenant\":\"acme\",\"roles\":{\"root\":{\"threshold\":1,\"keys\":[" +
           key(root_key) + "]},\"canon\":{\"threshold\":2,\"keys\":[" + key("alice") + "," + key("bob") + "]}}}";
  }
  std::string Pin(const std::string& root, std::initializer_list<const char*> who) {
    policy::Bundle envelope;
    envelope.manifest = root;
    for (const char* one : who) envelope.signatures.push_back(SshSign(*keys_[one], policy::kRootNamespace, root));
    return Refusal(agent_->ChangeTrustRoot(policy::EncodeBundle(envelope), "uid:0"));
  }
  // Follows what is in force.
  policy::Manifest Next() {
    const json::Object now = *agent_->ShowTrust();
    policy::Manifest manifest;
    manifest.version = agent_->canon_version() + 1;
    manifest.previous = *json::GetString(now, "manifest_digest");
    manifest.tenant = "acme";
    return manifest;
  }
  std::string ApplyBundle(const policy::Manifest& manifest, const std::string& text,
                          std::initializer_list<const char*> who = {"alice", "bob"}) {
    policy::Bundle bundle = policy::BuildBundle(manifest, {{"d.yaml", text}});
    for (const char* one : who) bundle.signatures.push_back(SshSign(*keys_[one], policy::kCanonNamespace, bundle.manifest));
    return Refusal(agent_->ApplyBundle(policy::EncodeBundle(bundle), "uid:0"));
  }
  std::string Issue() {
    std::optional<Receipts::Refusal> refusal;
    return Refusal(agent_->Issue({"d", "w", "", "", {}, {}, "uid:0"}, refusal));
  }
  int Live() const {
    int live = 0;
    for (const receipt_slot& slot : kernel_.slots) live += slot.state == SLOT_LIVE;
    return live;
  }
  std::vector<json::Value> Entries(const std::string& kind) const { return BodiesOf(*ledger_, kind); }

  std::string dir_;
  FakeClock clock_;
  FakeKernel kernel_;
  FakePep pep_{kernel_};
  FakeUnits units_;
  std::shared_ptr<ledger::MemoryDisk> disk_ = std::make_shared<ledger::MemoryDisk>();
  std::unique_ptr<Signer> signer_;
  std::map<std::string, std::unique_ptr<Signer>> keys_;
  std::unique_ptr<ledger::Ledger> ledger_;
  std::unique_ptr<Agent> agent_;
};

}  // namespace proofgate::agent

#endif  // PROOFGATE_TESTS_AGENT_CANON_TRUST_FIXTURE_H_
