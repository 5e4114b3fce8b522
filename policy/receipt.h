// Receipt: a signed, scoped, time- and use-bounded authorisation.
//
// Its body is canonical JSON, its id the SHA-256 of the body, its signature
// SSHSIG in the namespace below: docs/format/receipt.md.

#ifndef PROOFGATE_POLICY_RECEIPT_H_
#define PROOFGATE_POLICY_RECEIPT_H_

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "policy/binding.h"
#include "policy/object.h"

namespace proofgate::policy {

inline constexpr std::string_view kReceiptNamespace = "receipt@proofgate";

struct Receipt {
  std::string tenant;
  std::string domain;
  std::string host;       // machine id
  std::string boot_id;    // the receipt is dead in any other boot
  std::string canon;      // SHA-256 of the canon's canonical JSON, hex
  std::string rule;       // rule or standing grant
  bool is_standing = false;
  std::string renews;     // id of the standing receipt that this one prolongs, or empty
  std::string principal;  // who asked: "uid:0", "daemon"
  Kind kind = Kind::kExec;
  std::vector<Object> objects;
  std::vector<std::string> except;
  std::string exe;        // only this program, or empty
  Binding binding;        // exec: how the program must run
  std::string session;    // that it was issued for, or empty; then:
  std::string run;        // the decision, SHA-256 in hex
  std::uint64_t step = 0; // of the chosen plan
  std::string parent;     // the session whose rights that one acts with, or empty
  std::string break_glass;  // id of the override that it was issued by, or empty
  std::uint64_t sequence = 0;  // counts receipts of this boot
  std::uint64_t not_before_boot_ns = 0;
  std::uint64_t expires_boot_ns = 0;
  std::string not_before_utc;  // for people
  std::string expires_utc;     // for people
  std::uint64_t uses = 0;
};

std::string EncodeReceipt(const Receipt& receipt);               // the bytes that are signed
Result<Receipt> ParseReceipt(std::string_view bytes);            // strict; kInvalid
std::string ReceiptId(std::string_view bytes);                   // hex SHA-256

}  // namespace proofgate::policy

#endif  // PROOFGATE_POLICY_RECEIPT_H_
