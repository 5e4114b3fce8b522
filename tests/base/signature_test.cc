#include "base/signature.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>

#include "base/bytes.h"
#include "base/durable.h"

namespace proofgate {
namespace {

class SignatureTest : public ::testing::Test {
 protected:
  void SetUp() override {
    std::string pattern = ::testing::TempDir() + "signature.XXXXXX";
    dir_ = mkdtemp(pattern.data());
    auto signer = CreateSigner(Path("key"), "test");
    ASSERT_TRUE(signer) << signer.error().message;
    signer_ = std::move(*signer);
  }
  void TearDown() override { std::filesystem::remove_all(dir_); }
  std::string Path(const std::string& name) const { return dir_ + "/" + name; }
  void Write(const std::string& name, const std::string& bytes) const {
    std::ofstream(Path(name), std::ios::binary) << bytes;
  }
  int Run(const std::string& command) const {
    return std::system(("cd " + dir_ + " && (" + command + ") >out 2>&1").c_str());
  }
  std::string dir_;
  std::unique_ptr<Signer> signer_;
};

TEST_F(SignatureTest, SshKeygenReadsOurKey) {
  ASSERT_EQ(Run("ssh-keygen -y -f key | cut -d' ' -f1,2 > derived"), 0);
  EXPECT_EQ(*ReadFile(Path("derived"), 4096), signer_->public_key().OpenSsh() + "\n");
}

TEST_F(SignatureTest, SshKeygenVerifiesWhatWeSigned) {
  const std::string message = "the message\n";
  Write("message", message);
  Write("message.sig", SshSign(*signer_, "receipt@proofgate", message));
  Write("allowed", "host " + signer_->public_key().OpenSsh() + "\n");
  const std::string verify =
      "ssh-keygen -Y verify -f allowed -I host -n receipt@proofgate -s message.sig < message";
  EXPECT_EQ(Run(verify), 0);
  Write("message", "The message\n");
  EXPECT_NE(Run(verify), 0);
}

TEST_F(SignatureTest, WeVerifyWhatSshKeygenSigned) {
  Write("message", "approve\n");
  ASSERT_EQ(Run("ssh-keygen -q -t ed25519 -N '' -C other -f theirs && "
                "ssh-keygen -Y sign -f theirs -n canon@proofgate message"),
            0);
  const auto key = ParseOpenSshPublicKey(*ReadFile(Path("theirs.pub"), 4096));
  ASSERT_TRUE(key);
  const std::string signature = *ReadFile(Path("message.sig"), 4096);
  EXPECT_TRUE(SshVerify(*key, "canon@proofgate", "approve\n", signature));
  EXPECT_EQ(SshVerify(*key, "canon@proofgate", "approve", signature).error().code, Code::kDenied);
  EXPECT_EQ(SshVerify(*key, "receipt@proofgate", "approve\n", signature).error().code,
            Code::kInvalid);
  EXPECT_EQ(SshVerify(signer_->public_key(), "canon@proofgate", "approve\n", signature)
                .error().code,
            Code::kDenied);
  EXPECT_TRUE(LoadSigner(Path("theirs")));
}

TEST_F(SignatureTest, RefusesOtherKeyTypesByName) {
  ASSERT_EQ(Run("ssh-keygen -q -t ecdsa -N '' -f ec"), 0);
  const auto key = ParseOpenSshPublicKey(*ReadFile(Path("ec.pub"), 4096));
  ASSERT_FALSE(key);
  EXPECT_NE(key.error().message.find("ecdsa-sha2-nistp256"), std::string::npos);
}

TEST_F(SignatureTest, NoByteOfASignatureMayChange) {
  const std::string message = "m";
  const std::string signature = SshSign(*signer_, "n", message);
  for (std::size_t i = 0; i < signature.size(); ++i) {
    std::string changed = signature;
    changed[i] = static_cast<char>(changed[i] == 'A' ? 'B' : 'A');
    if (changed == signature) continue;
    EXPECT_FALSE(SshVerify(signer_->public_key(), "n", message, changed)) << i;
  }
}

TEST_F(SignatureTest, ArmourEndsAfterItBegins) {
  const auto verified =
      SshVerify(signer_->public_key(), "n", "m", "-----BEGIN SSH SIGNATURE-----END SSH SIGNATURE-----");
  EXPECT_EQ(verified.error().message, "armour: '-----END SSH SIGNATURE-----' expected");
}

TEST_F(SignatureTest, OpensslVerifiesANote) {
  const std::string text = "origin.example/log\n1\nAAAA\n";
  const std::string note = SignNote(*signer_, "origin.example/log", text);
  ASSERT_TRUE(VerifyNote(signer_->public_key(), "origin.example/log", note));
  Write("text", text);
  Write("note", note);
  Write("key.pem", signer_->public_key().Pem());
  EXPECT_EQ(Run("tail -1 note | cut -d' ' -f3 | base64 -d | tail -c 64 > sig && "
                "openssl pkeyutl -verify -pubin -inkey key.pem -rawin -in text -sigfile sig"),
            0);
  EXPECT_FALSE(VerifyNote(signer_->public_key(), "other.example/log", note));
  std::string changed = note;
  changed[0] = 'O';
  EXPECT_FALSE(VerifyNote(signer_->public_key(), "origin.example/log", changed));
}

TEST_F(SignatureTest, RefusesAKeyThatOthersCanRead) {
  std::filesystem::permissions(Path("key"), std::filesystem::perms(0644));
  EXPECT_EQ(LoadSigner(Path("key")).error().code, Code::kDenied);
}

TEST_F(SignatureTest, NamesTheFileThatHoldsNoKey) {
  Write("key", "rubbish");
  EXPECT_EQ(LoadSigner(Path("key")).error().message,
            Path("key") + ": armour: '-----BEGIN OPENSSH PRIVATE KEY-----' expected");
}

TEST_F(SignatureTest, NeverReplacesAKey) {
  EXPECT_EQ(CreateSigner(Path("key"), "again").error().code, Code::kInvalid);
}

TEST(Ed25519, AgreesWithWycheproof) {
  const std::string path = std::string(SHARED_VECTORS) + "/ed25519_wycheproof.json";
  std::ifstream file(path);
  if (!file) GTEST_SKIP() << path << " is not there";
  const auto vectors = nlohmann::json::parse(file);
  int cases = 0;
  for (const auto& group : vectors["testGroups"]) {
    PublicKey key;
    const std::string bytes = *ParseHex(group["publicKey"]["pk"].get<std::string>());
    ASSERT_EQ(bytes.size(), key.bytes.size());
    std::copy(bytes.begin(), bytes.end(), key.bytes.begin());
    for (const auto& test : group["tests"]) {
      const bool valid = test["result"] == "valid";
      EXPECT_EQ(VerifyEd25519(key, *ParseHex(test["msg"].get<std::string>()),
                              *ParseHex(test["sig"].get<std::string>())),
                valid)
          << "case " << test["tcId"];
      ++cases;
    }
  }
  EXPECT_GT(cases, 100);
}

}  // namespace
}  // namespace proofgate
