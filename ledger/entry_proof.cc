#include "ledger/entry_proof.h"

#include <algorithm>
#include <charconv>

namespace proofgate::ledger {
namespace {

constexpr std::string_view kFirstLine = "c2sp.org/tlog-proof@v1\n";
constexpr std::string_view kExtra = "extra ";
constexpr std::size_t kMaxHashLines = 63;

}  // namespace

Result<std::uint64_t> TakeNumberLine(std::string_view word, std::string_view& text) {
  const std::string_view line = text.substr(0, text.find('\n'));
  const std::string prefix = std::string(word) + " ";
  if (line.size() == text.size() || line.substr(0, prefix.size()) != prefix)
    return Fail(Code::kInvalid, "line '" + std::string(word) + " NUMBER' expected");
  const std::string_view number = line.substr(prefix.size());
  std::uint64_t value = 0;
  const auto [end, error] = std::from_chars(number.begin(), number.end(), value);
  if (error != std::errc() || end != number.end() || std::to_string(value) != number)
    return Fail(Code::kInvalid, std::string(word) + ": a decimal number expected");
  text.remove_prefix(line.size() + 1);
  return value;
}

Result<Proof> TakeHashLines(std::string_view& text) {
  Proof proof;
  for (;;) {
    const std::size_t end = text.find('\n');
    if (end == std::string_view::npos) return Fail(Code::kInvalid, "an empty line expected after the hashes");
    const std::string_view line = text.substr(0, end);
    text.remove_prefix(end + 1);
    if (line.empty()) return proof;
    const std::string bytes = TRY(ParseBase64(line));
    Digest hash{};
    if (bytes.size() != hash.size()) return Fail(Code::kInvalid, "a hash of 32 bytes expected");
    if (proof.size() == kMaxHashLines) return Fail(Code::kInvalid, "more than 63 hashes");
    std::copy(bytes.begin(), bytes.end(), hash.begin());
    proof.push_back(hash);
  }
}

std::string HashLines(const Proof& proof) {
  std::string out;
  for (const Digest& hash : proof) out += Base64(AsView(hash)) + "\n";
  return out + "\n";
}

Result<EntryProof> MakeEntryProof(std::uint64_t index, std::string leaf, const Head& head,
                                  std::string checkpoint, const NodeReader& read) {
  EntryProof proof{std::move(leaf), index, TRY(InclusionProof(index, head.size, read)), std::move(checkpoint)};
  // What does not verify is not handed out.
  TRY(VerifyInclusion(index, head.size, LeafHash(proof.leaf), proof.path, head.root));
  return proof;
}

std::string FormatEntryProof(const EntryProof& proof) {
  return std::string(kFirstLine) + std::string(kExtra) + Base64(proof.leaf) + "\nindex " +
         std::to_string(proof.index) + "\n" + HashLines(proof.path) + proof.checkpoint;
}

Result<EntryProof> ParseEntryProof(std::string_view file) {
  if (file.size() > kMaxProofBytes) return Fail(Code::kInvalid, "proof: larger than 1 MiB");
  if (file.substr(0, kFirstLine.size()) != kFirstLine) return Fail(Code::kInvalid, "proof: first line 'c2sp.org/tlog-proof@v1' expected");
  std::string_view rest = file.substr(kFirstLine.size());
  EntryProof proof;
  const std::string_view extra = rest.substr(0, rest.find('\n'));
  if (extra.size() == rest.size() || extra.substr(0, kExtra.size()) != kExtra)
    return Fail(Code::kInvalid, "proof: line 'extra ENTRY' expected");
  proof.leaf = TRY(ParseBase64(extra.substr(kExtra.size())));
  rest.remove_prefix(extra.size() + 1);
  proof.index = TRY(TakeNumberLine("index", rest));
  proof.path = TRY(TakeHashLines(rest));
  proof.checkpoint = rest;
  return proof;
}

Result<Head> VerifyEntryProof(const EntryProof& proof, const PublicKey& key, std::string_view origin) {
  const Head head = TRY(VerifyCheckpoint(key, origin, proof.checkpoint));
  TRY(VerifyInclusion(proof.index, head.size, LeafHash(proof.leaf), proof.path, head.root));
  return head;
}

}  // namespace proofgate::ledger
