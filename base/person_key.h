// PersonKey: a key with which a person signs canon, wherever it is kept: a file,
// ssh-agent, a PKCS#11 token or a FIDO authenticator, all through
// `ssh-keygen -Y sign`. The host itself signs with Ed25519: base/signature.h.
//
// Types: ssh-ed25519; ecdsa-sha2-nistp256 (what OpenSSH before 10.1 takes from
// PKCS#11); sk-ssh-ed25519@openssh.com (FIDO; PROTOCOL.u2f), which must have been
// touched and made for OpenSSH. Others are refused by name. Any thread.

#ifndef PROOFGATE_BASE_PERSON_KEY_H_
#define PROOFGATE_BASE_PERSON_KEY_H_

#include <string>
#include <string_view>

#include "base/result.h"

namespace proofgate {

struct PersonKey {
  std::string blob;  // RFC 4253 section 6.6, checked; one form a key
  bool operator==(const PersonKey&) const = default;

  std::string_view Type() const;
  std::string OpenSsh() const;  // "ssh-ed25519 AAAA…", no comment
};

// kUnsupported: another type of key, named in the message; kInvalid: no key.
Result<PersonKey> ParsePersonKey(std::string_view line);
// The key that an armoured SSHSIG says it is by; VerifyPerson tells whether it is.
// Errors as above.
Result<PersonKey> SignerKey(std::string_view armoured);
// kInvalid: not an SSHSIG of this type of key, another namespace, a FIDO key that
// was not touched; kDenied: wrong signature or key.
Status VerifyPerson(const PersonKey& key, std::string_view name_space, std::string_view message,
                    std::string_view armoured);

}  // namespace proofgate

#endif  // PROOFGATE_BASE_PERSON_KEY_H_
