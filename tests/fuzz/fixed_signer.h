// FixedSigner: one key for every run, so that inputs found once stay found.

#ifndef PROOFGATE_TESTS_FUZZ_FIXED_SIGNER_H_
#define PROOFGATE_TESTS_FUZZ_FIXED_SIGNER_H_

#include <sodium.h>

#include <array>
#include <string>

#include "base/signature.h"

namespace proofgate {

class FixedSigner final : public Signer {
 public:
  FixedSigner() {
    const std::array<unsigned char, crypto_sign_SEEDBYTES> seed{};
    crypto_sign_seed_keypair(key_.bytes.data(), secret_.data(), seed.data());
  }
  const PublicKey& public_key() const override { return key_; }
  std::string Sign(std::string_view message) const override {
    std::string signature(crypto_sign_BYTES, '\0');
    crypto_sign_detached(reinterpret_cast<unsigned char*>(signature.data()), nullptr,
                         reinterpret_cast<const unsigned char*>(message.data()), message.size(),
                         secret_.data());
    return signature;
  }

 private:
  std::array<unsigned char, crypto_sign_SECRETKEYBYTES> secret_{};
  PublicKey key_;
};

}  // namespace proofgate

#endif  // PROOFGATE_TESTS_FUZZ_FIXED_SIGNER_H_
