// Keys of people: what OpenSSH signed with a file, a token behind PKCS#11 and a
// FIDO key is taken here, and OpenSSH takes the same.

#include "base/person_key.h"

#include <gtest/gtest.h>
#include <stdlib.h>
#include <sys/stat.h>

#include <filesystem>

#include "base/bytes.h"
#include "base/durable.h"
#include "base/signature.h"
#include "base/ssh_wire.h"

namespace proofgate {
namespace {

constexpr const char* kNamespace = "canon@proofgate";

class PersonKeyTest : public ::testing::Test {
 protected:
  void SetUp() override {
    std::string pattern = ::testing::TempDir() + "person.XXXXXX";
    dir_ = mkdtemp(pattern.data());
    Write("message", "approve\n");
  }
  void TearDown() override { std::filesystem::remove_all(dir_); }

  std::string Path(const std::string& name) const { return dir_ + "/" + name; }
  void Write(const std::string& name, const std::string& text) { ASSERT_TRUE(WriteFileDurably(Path(name), text, 0600)); }
  std::string Read(const std::string& name) const { return ReadFile(Path(name), 1 << 16).value_or(""); }
  int Run(const std::string& command) const { return system(("cd " + dir_ + " && { " + command + "; } >log 2>&1").c_str()); }
  // The signature of `key`, a file of ssh-keygen's, over "message".
  std::string SignWith(const std::string& key) {
    EXPECT_EQ(Run("rm -f message.sig; ssh-keygen -Y sign -n canon@proofgate -f " + key + " message"), 0) << Read("log");
    return Read("message.sig");
  }
  // The judgement of OpenSSH, which is not ours.
  bool OpenSshTakes(const PersonKey& key, const std::string& signature) {
    Write("signers", "who " + key.OpenSsh() + "\n");
    Write("sig", signature);
    return Run("ssh-keygen -Y verify -f signers -I who -n canon@proofgate -s sig < message") == 0;
  }
  // This signature and no other one is by this key over this message.
  void ExpectOnly(const PersonKey& key, const std::string& signature) {
    const Status taken = VerifyPerson(key, kNamespace, "approve\n", signature);
    EXPECT_TRUE(taken) << taken.error().message;
    EXPECT_EQ(*SignerKey(signature), key);
    EXPECT_EQ(VerifyPerson(key, kNamespace, "approve", signature).error().code, Code::kDenied);
    EXPECT_EQ(VerifyPerson(key, "root@proofgate", "approve\n", signature).error().code, Code::kInvalid);
    const std::string bytes = *ssh::Unarmour(ssh::kSigBegin, ssh::kSigEnd, signature);
    for (std::size_t i = 0; i < bytes.size(); ++i) {
      std::string changed = bytes;
      changed[i] = static_cast<char>(changed[i] ^ 1);
      EXPECT_FALSE(VerifyPerson(key, kNamespace, "approve\n", ssh::Armour(ssh::kSigBegin, ssh::kSigEnd, changed))) << i;
    }
  }

  std::string dir_;
};

TEST_F(PersonKeyTest, TakesWhatOpenSshSignedWithAFile) {
  for (const char* type : {"ed25519", "ecdsa -b 256"}) {
    ASSERT_EQ(Run(std::string("rm -f key; ssh-keygen -q -N '' -f key -t ") + type), 0) << Read("log");
    const auto key = ParsePersonKey(Read("key.pub"));
    ASSERT_TRUE(key) << key.error().message;
    ExpectOnly(*key, SignWith("key"));
    ASSERT_EQ(Run(std::string("rm -f other; ssh-keygen -q -N '' -f other -t ") + type), 0);
    EXPECT_EQ(VerifyPerson(*ParsePersonKey(Read("other.pub")), kNamespace, "approve\n", Read("message.sig")).error().message,
              "signature: made by another key");
  }
}

// Many, because numbers with a leading zero or one come up by chance only.
TEST_F(PersonKeyTest, TakesEveryEcdsaSignatureOfOpenSsh) {
  ASSERT_EQ(Run("ssh-keygen -q -t ecdsa -b 256 -N '' -f key"), 0);
  const PersonKey key = *ParsePersonKey(Read("key.pub"));
  for (int i = 0; i < 40; ++i) EXPECT_TRUE(VerifyPerson(key, kNamespace, "approve\n", SignWith("key"))) << Read("message.sig");
}

TEST_F(PersonKeyTest, AgreesWithTheHostsOwnSignatures) {
  const auto signer = CreateSigner(Path("host"), "host");
  const PersonKey key = *ParsePersonKey((*signer)->public_key().OpenSsh());
  EXPECT_EQ(key.OpenSsh(), (*signer)->public_key().OpenSsh());
  ExpectOnly(key, SshSign(**signer, kNamespace, "approve\n"));
}

TEST_F(PersonKeyTest, RefusesOtherTypesByName) {
  for (const auto& [type, name] : {std::pair("rsa", "ssh-rsa"), std::pair("ecdsa -b 384", "ecdsa-sha2-nistp384"),
                                   std::pair("ecdsa -b 521", "ecdsa-sha2-nistp521")}) {
    ASSERT_EQ(Run(std::string("rm -f key; ssh-keygen -q -N '' -f key -t ") + type), 0);
    for (const Error& refused : {ParsePersonKey(Read("key.pub")).error(), SignerKey(SignWith("key")).error()}) {
      EXPECT_EQ(refused.code, Code::kUnsupported);
      EXPECT_NE(refused.message.find(name), std::string::npos) << refused.message;
    }
  }
  std::string blob;
  ssh::PutString("sk-ecdsa-sha2-nistp256@openssh.com", blob);
  EXPECT_NE(ParsePersonKey("sk-ecdsa-sha2-nistp256@openssh.com " + Base64(blob)).error().message.find("sk-ecdsa"), std::string::npos);
}

TEST_F(PersonKeyTest, RefusesAPointThatIsNotOnTheCurve) {
  ASSERT_EQ(Run("ssh-keygen -q -t ecdsa -b 256 -N '' -f key"), 0);
  PersonKey key = *ParsePersonKey(Read("key.pub"));
  const std::string signature = SignWith("key");
  std::string bytes = *ssh::Unarmour(ssh::kSigBegin, ssh::kSigEnd, signature);
  const std::size_t at = bytes.find(key.blob);
  key.blob.back() = static_cast<char>(key.blob.back() ^ 1);
  bytes.replace(at, key.blob.size(), key.blob);
  EXPECT_EQ(VerifyPerson(key, kNamespace, "approve\n", ssh::Armour(ssh::kSigBegin, ssh::kSigEnd, bytes)).error().code, Code::kDenied);
}

// A token of SoftHSM's, whose key never leaves it, through ssh-agent.
TEST_F(PersonKeyTest, TakesWhatATokenBehindPkcs11Signed) {
  Write("softhsm2.conf", "directories.tokendir = " + dir_ + "/tokens\nobjectstore.backend = file\nlog.level = ERROR\n");
  Write("askpass", "#!/bin/sh\necho 1234\n");
  const std::string library = "/usr/lib/softhsm/libsofthsm2.so";
  ASSERT_EQ(Run("chmod 700 askpass && mkdir tokens && export SOFTHSM2_CONF=$PWD/softhsm2.conf && "
                "softhsm2-util --init-token --free --label t --so-pin 0000 --pin 1234 && "
                "openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out key.pem && "
                "softhsm2-util --import key.pem --token t --label k --id 01 --pin 1234 && rm key.pem && "
                "ssh-keygen -D " + library + " >token.pub"), 0) << Read("log");
  ASSERT_EQ(Run("export SOFTHSM2_CONF=$PWD/softhsm2.conf SSH_ASKPASS=$PWD/askpass SSH_ASKPASS_REQUIRE=force; "
                "eval $(ssh-agent -a $PWD/agent); ssh-add -s " + library + " </dev/null && "
                "ssh-keygen -Y sign -n canon@proofgate -f token.pub message; status=$?; ssh-agent -k; exit $status"), 0) << Read("log");
  const auto key = ParsePersonKey(Read("token.pub"));
  ASSERT_TRUE(key) << key.error().message;
  EXPECT_EQ(key->Type(), "ecdsa-sha2-nistp256");
  ExpectOnly(*key, Read("message.sig"));
  EXPECT_TRUE(OpenSshTakes(*key, Read("message.sig")));
}

// An authenticator in software: PROTOCOL.u2f of OpenSSH.
class Authenticator {
 public:
  explicit Authenticator(const std::string& path, std::string application = "ssh:")
      : signer_(*CreateSigner(path, "fido")), application_(std::move(application)) {}
  PersonKey key() const {
    PersonKey key;
    ssh::PutString("sk-ssh-ed25519@openssh.com", key.blob);
    ssh::PutString({reinterpret_cast<const char*>(signer_->public_key().bytes.data()), 32}, key.blob);
    ssh::PutString(application_, key.blob);
    return key;
  }
  std::string Sign(const std::string& message, std::uint8_t flags, std::uint32_t counter) const {
    std::string data(AsView(Sha256(application_)));
    data += static_cast<char>(flags);
    ssh::PutU32(counter, data);
    data += AsView(Sha256(ssh::SignedPart(kNamespace, message)));
    return Wrap(signer_->Sign(data), flags, counter);
  }
  std::string Wrap(const std::string& raw, std::uint8_t flags, std::uint32_t counter) const {
    std::string signature;
    ssh::PutString("sk-ssh-ed25519@openssh.com", signature);
    ssh::PutString(raw, signature);
    signature += static_cast<char>(flags);
    ssh::PutU32(counter, signature);
    return ssh::WriteSig(key().blob, kNamespace, signature);
  }
  const Signer& signer() const { return *signer_; }

 private:
  std::unique_ptr<Signer> signer_;
  std::string application_;
};

TEST_F(PersonKeyTest, TakesWhatATouchedFidoKeySigned) {
  const Authenticator fido(Path("fido"));
  const PersonKey key = fido.key();
  EXPECT_EQ(*ParsePersonKey(key.OpenSsh() + " alice@station\n"), key);
  const std::string touched = fido.Sign("approve\n", 0x01, 7);
  ExpectOnly(key, touched);
  EXPECT_TRUE(OpenSshTakes(key, touched)) << Read("log");
  EXPECT_TRUE(OpenSshTakes(key, fido.Sign("approve\n", 0x05, 0xfffffffe))) << Read("log");
  EXPECT_TRUE(VerifyPerson(key, kNamespace, "approve\n", fido.Sign("approve\n", 0x05, 0xfffffffe))) << "with a PIN";
  EXPECT_FALSE(OpenSshTakes(key, fido.Sign("another", 0x01, 7)));
}

TEST_F(PersonKeyTest, RefusesAFidoKeyThatNobodyTouched) {
  const Authenticator fido(Path("fido"));
  const auto refusal = [&](const std::string& signature) {
    const Status taken = VerifyPerson(fido.key(), kNamespace, "approve\n", signature);
    return taken ? std::string() : taken.error().message;
  };
  EXPECT_EQ(refusal(fido.Sign("approve\n", 0x01, 7)), "");
  EXPECT_EQ(refusal(fido.Sign("approve\n", 0x00, 7)), "signature: the FIDO key was not touched");
  EXPECT_EQ(refusal(fido.Sign("approve\n", 0x04, 7)), "signature: the FIDO key was not touched");
  EXPECT_EQ(refusal(fido.Sign("approve\n", 0x81, 7)), "signature: flags of the FIDO key that are not known");
  // Flags and counter that were not signed.
  const std::string raw = [&] {
    std::string data(AsView(Sha256("ssh:")));
    data += '\0';
    ssh::PutU32(7, data);
    data += AsView(Sha256(ssh::SignedPart(kNamespace, "approve\n")));
    return fido.signer().Sign(data);
  }();
  EXPECT_EQ(refusal(fido.Wrap(raw, 0x01, 7)), "signature: does not match the message") << "touched afterwards";
  EXPECT_EQ(refusal(fido.Wrap(fido.signer().Sign(ssh::SignedPart(kNamespace, "approve\n")), 0x01, 7)), "signature: does not match the message")
      << "a signature as of a plain key";
}

TEST_F(PersonKeyTest, RefusesTheFidoKeyOfAWebSite) {
  const Authenticator site(Path("fido"), "https://example.org");
  EXPECT_EQ(ParsePersonKey(site.key().OpenSsh()).error().code, Code::kInvalid);
  const Authenticator other(Path("fido2"), "ssh:work");
  EXPECT_TRUE(VerifyPerson(other.key(), kNamespace, "approve\n", other.Sign("approve\n", 1, 1)));
  EXPECT_FALSE(VerifyPerson(site.key(), kNamespace, "approve\n", site.Sign("approve\n", 1, 1)));
}

}  // namespace
}  // namespace proofgate
