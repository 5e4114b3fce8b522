// What drops, frees or erases a record needs canon's permission and others'
// signatures; each attempt is an entry.

#include "policy/custody.h"

#include <gtest/gtest.h>

#include <filesystem>

#include "agent/agent.h"
#include "agent/control.h"
#include "ledger/retention.h"
#include "tests/fake/entries.h"
#include "tests/fake/fake_clock.h"
#include "tests/fake/fake_pep.h"
#include "tests/fake/fake_units.h"
#include "tests/fake/memory_store.h"

namespace proofgate::agent {
namespace {

constexpr const char* kOrigin = "host.example/log";
constexpr std::uint64_t kDayNs = 24ull * 3600 * 1'000'000'000;

class CustodyTest : public ::testing::Test {
 protected:
  void SetUp() override {
    std::string pattern = ::testing::TempDir() + "custody.XXXXXX";
    dir_ = mkdtemp(pattern.data());
    signer_ = std::move(*CreateSigner(dir_ + "/key", "host"));
    ann_ = std::move(*CreateSigner(dir_ + "/ann", "ann"));
    bob_ = std::move(*CreateSigner(dir_ + "/bob", "bob"));
    cat_ = std::move(*CreateSigner(dir_ + "/cat", "cat"));
    ledger_ = std::move(*ledger::Ledger::Create(dir_, kOrigin, std::make_unique<ledger::MemoryStore>(disk_), *signer_, clock_));
    Start("boot-1");
    Apply(Canon("d", kRecords));
    for (int i = 0; i < 20; ++i) ASSERT_TRUE(ledger_->Append({{"TEST", {{"n", i}}}}));
    old_ = ledger_->head().size;
    // Neither the boot nor the canon in force needs them any more.
    clock_.Advance(400 * kDayNs);
    Start("boot-2");
    Apply(Canon("d", std::string(kRecords) + "# again\n"));
  }
  void TearDown() override {
    agent_.reset();
    ledger_.reset();
    std::filesystem::remove_all(dir_);
  }
  void Start(const std::string& boot) {
    agent_.reset();
    kernel_ = FakeKernel();
    agent_ = std::move(*Agent::Start(pep_, *ledger_, *signer_, clock_, Host{"host", boot}, units_));
  }
  void Apply(const std::string& text) {
    std::vector<policy::Diagnostic> diagnostics;
    const auto applied = agent_->ApplyCanon(text, "c.yaml", diagnostics);
    ASSERT_TRUE(applied) << (diagnostics.empty() ? applied.error().message : policy::Render(diagnostics.front()));
  }
  static constexpr const char* kRecords =
      "records: { retain: { keep_days: 365, count: 2, role: keeper }, release: { count: 1, role: keeper }, erase: { count: 1, role: keeper } }\n";
  std::string Canon(const std::string& domain, const std::string& records) const {
    return "format: 1\ntenant: t\ndomain: " + domain + "\nmode: enforce\n" + records +
           "approvers:\n"
           "  - { person: ann, roles: [keeper], keys: [" + ann_->public_key().OpenSsh() + "] }\n"
           "  - { person: bob, roles: [keeper], keys: [" + bob_->public_key().OpenSsh() + "], uids: [1001] }\n"
           "  - { person: cat, roles: [finance], keys: [" + cat_->public_key().OpenSsh() + "] }\n";
  }
  struct Asked {
    std::string method;
    policy::CustodyAct act;
    json::Object arguments;
  };
  static Asked Retain(std::uint64_t below) { return {"ledger.retain", policy::CustodyAct::kRetain, {{"below", json::Integer(below)}}}; }
  static Asked Release(const std::string& name) { return {"ledger.release", policy::CustodyAct::kRelease, {{"name", name}}}; }
  // The answer's error, or "".
  std::string Ask(const Asked& asked, const std::vector<const Signer*>& signers, const std::string& why = "why",
                  const std::string& principal = "uid:0") {
    const std::string statement = policy::CustodyStatement(kOrigin, asked.act, asked.arguments, why);
    json::Array signatures;
    for (const Signer* const signer : signers) signatures.emplace_back(json::Bytes(SshSign(*signer, policy::kCustodyNamespace, statement)));
    json::Object params = asked.arguments;
    params["why"] = why;
    params["signatures"] = std::move(signatures);
    return Call(asked.method, std::move(params), principal);
  }
  std::string Call(const std::string& method, json::Object params, const std::string& principal = "uid:0") {
    const json::Object message{{"jsonrpc", "2.0"}, {"id", 1}, {"method", method}, {"params", std::move(params)}};
    const auto answer = json::Parse(Answer(*agent_, json::Encode(message), principal));
    const json::Value* const error = answer->Find("error");
    return error == nullptr ? "" : json::GetBytes(*error, "message").value_or("?");
  }
  static bool Says(const std::string& message, const std::string& code) { return message.find(code) != std::string::npos; }
  std::vector<json::Value> Entries(const std::string& kind) const { return BodiesOf(*ledger_, kind, *ledger::ReadMinIndex(ledger_->store())); }
  std::uint64_t MinIndex() const { return *ledger::ReadMinIndex(ledger_->store()); }

  std::string dir_;
  FakeClock clock_;
  FakeKernel kernel_;
  FakePep pep_{kernel_};
  FakeUnits units_;
  std::shared_ptr<ledger::MemoryDisk> disk_ = std::make_shared<ledger::MemoryDisk>();
  std::unique_ptr<Signer> signer_, ann_, bob_, cat_;
  std::unique_ptr<ledger::Ledger> ledger_;
  std::unique_ptr<Agent> agent_;
  std::uint64_t old_ = 0;
};

TEST_F(CustodyTest, EntriesAreDroppedOnlyWhenEnoughOthersHaveSigned) {
  EXPECT_TRUE(Says(Ask(Retain(5), {}), "RECORDS_UNAPPROVED"));
  EXPECT_TRUE(Says(Ask(Retain(5), {ann_.get()}), "RECORDS_UNAPPROVED"));
  EXPECT_TRUE(Says(Ask(Retain(5), {ann_.get(), ann_.get()}), "RECORDS_UNAPPROVED")) << "one person, twice";
  EXPECT_TRUE(Says(Ask(Retain(5), {ann_.get(), cat_.get()}), "RECORDS_UNAPPROVED")) << "a person of another role";
  EXPECT_TRUE(Says(Ask(Retain(5), {ann_.get(), signer_.get()}), "RECORDS_UNAPPROVED")) << "the host itself";
  EXPECT_TRUE(Says(Ask(Retain(5), {ann_.get(), bob_.get()}, "why", "uid:1001"), "RECORDS_UNAPPROVED")) << "bob asks";
  EXPECT_EQ(MinIndex(), 0u);
  EXPECT_TRUE(ledger_->Entry(4));
  EXPECT_EQ(Entries("CUSTODY_REFUSED").size(), 6u);
  EXPECT_EQ(Ask(Retain(5), {ann_.get(), bob_.get()}), "");
  EXPECT_EQ(MinIndex(), 5u);
  EXPECT_FALSE(ledger_->Entry(4));
  const auto taken = Entries("CUSTODY");
  ASSERT_EQ(taken.size(), 1u);
  EXPECT_EQ(json::Encode(*taken[0].Find("persons")), R"(["ann","bob"])");
  EXPECT_EQ(Entries("RETAIN").size(), 1u);
}

TEST_F(CustodyTest, ASignatureIsForOneActAndServesOnce) {
  const std::string statement = policy::CustodyStatement(kOrigin, policy::CustodyAct::kRetain, {{"below", 6}}, "why");
  json::Array signatures{json::Bytes(SshSign(*ann_, policy::kCustodyNamespace, statement)), json::Bytes(SshSign(*bob_, policy::kCustodyNamespace, statement))};
  const auto retain = [&](std::uint64_t below, const std::string& why) {
    return Call("ledger.retain", {{"below", json::Integer(below)}, {"why", why}, {"signatures", signatures}});
  };
  EXPECT_TRUE(Says(retain(7, "why"), "RECORDS_UNAPPROVED"));
  EXPECT_TRUE(Says(retain(6, "another"), "RECORDS_UNAPPROVED"));
  EXPECT_EQ(retain(6, "why"), "");
  ASSERT_EQ(Call("ledger.hold", {{"name", "case"}, {"from", json::Integer(8)}, {"why", "court"}}), "");
  EXPECT_EQ(Ask(Release("case"), {ann_.get()}), "");
  ASSERT_EQ(Call("ledger.hold", {{"name", "case"}, {"from", json::Integer(8)}, {"why", "court"}}), "");
  EXPECT_TRUE(Says(Ask(Release("case"), {ann_.get()}), "RECORDS_SPENT"));
  EXPECT_EQ(ledger::ReadHolds(ledger_->store())->size(), 1u);
  EXPECT_EQ(Ask(Release("case"), {ann_.get()}, "settled"), "");
}

TEST_F(CustodyTest, EveryDomainInForceMustPermitIt) {
  Apply(Canon("d", kRecords) + "---\nformat: 1\ntenant: t\ndomain: e\nmode: enforce\n");
  const std::string refused = Ask(Retain(5), {ann_.get(), bob_.get()});
  EXPECT_TRUE(Says(refused, "RECORDS_NOT_PERMITTED") && Says(refused, "'e'")) << refused;
  Apply(Canon("d", "records: { erase: { count: 1, role: keeper } }\n"));
  EXPECT_TRUE(Says(Ask(Retain(5), {ann_.get(), bob_.get()}), "RECORDS_NOT_PERMITTED"));
  EXPECT_EQ(MinIndex(), 0u);
  Apply(Canon("d", kRecords));
  EXPECT_EQ(Ask(Retain(5), {ann_.get(), bob_.get()}), "");
}

TEST_F(CustodyTest, YoungEntriesStayAndAHoldStaysAboveSignatures) {
  EXPECT_TRUE(Says(Ask(Retain(old_ + 1), {ann_.get(), bob_.get()}), "RECORDS_TOO_YOUNG"));
  ASSERT_EQ(Call("ledger.hold", {{"name", "case"}, {"from", json::Integer(3)}, {"why", "court"}}), "");
  const std::uint64_t before = ledger_->head().size;
  EXPECT_TRUE(Says(Ask(Retain(5), {ann_.get(), bob_.get()}), "hold 'case'"));
  EXPECT_EQ(ledger_->head().size, before) << "the signatures are not spent on it";
  EXPECT_TRUE(Says(Ask(Release("case"), {}), "RECORDS_UNAPPROVED"));
  EXPECT_EQ(Ask(Release("case"), {bob_.get()}), "");
  EXPECT_EQ(Ask(Retain(5), {ann_.get(), bob_.get()}), "");
}

TEST_F(CustodyTest, ABlobIsErasedOnlyWithASignature) {
  const ledger::Blob blob = ledger::MakeBlob("personal");
  ASSERT_TRUE(ledger_->AppendWithState({{"EVIDENCE_BLOB", {{"commitment", Hex(blob.commitment)}}}}, {BlobState(blob)}));
  const Asked erase{"ledger.erase", policy::CustodyAct::kErase, {{"commitment", Hex(blob.commitment)}}};
  EXPECT_TRUE(Says(Ask(erase, {cat_.get()}), "RECORDS_UNAPPROVED"));
  EXPECT_TRUE(ledger::ReadBlob(ledger_->store(), blob.commitment));
  EXPECT_EQ(Ask(erase, {ann_.get()}), "");
  EXPECT_FALSE(ledger::ReadBlob(ledger_->store(), blob.commitment));
  EXPECT_EQ(Entries("ERASED").size(), 1u);
}

}  // namespace
}  // namespace proofgate::agent
