#include "ledger/witness.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "ledger/entry_proof.h"

namespace proofgate::ledger {
namespace {

constexpr std::uint8_t kSigns = 1;
constexpr std::uint8_t kCosigns = 4;
constexpr std::string_view kDash = "\xe2\x80\x94 ";
constexpr std::size_t kMaxNoteBytes = 1 << 16;
constexpr std::size_t kMaxPolicyBytes = 1 << 16;
constexpr std::size_t kMaxNames = 256;

std::string Big64(std::uint64_t value) {
  std::string out;
  for (int shift = 56; shift >= 0; shift -= 8) out += static_cast<char>((value >> shift) & 0xff);
  return out;
}

std::string KeyBytes(const PublicKey& key) { return {key.bytes.begin(), key.bytes.end()}; }

std::string KeyId(const VerifierKey& key) {
  const std::string type(1, static_cast<char>(key.type));
  return std::string(AsView(Sha256({key.name, "\n", type, KeyBytes(key.key)})).substr(0, 4));
}

std::string SignedText(std::uint64_t time_s, std::string_view text) {
  return fmt::format("cosignature/v1\ntime {}\n{}", time_s, text);
}

// Signed text and signature lines.
Result<std::pair<std::string_view, std::string_view>> Split(std::string_view note) {
  if (note.size() > kMaxNoteBytes) return Fail(Code::kInvalid, "note: too long");
  const std::size_t split = note.rfind("\n\n");
  if (split == std::string_view::npos || note.back() != '\n')
    return Fail(Code::kInvalid, "note: text, blank line, signatures expected");
  return std::make_pair(note.substr(0, split + 1), note.substr(split + 2));
}

Result<std::vector<Cosignature>> VerifyLines(std::string_view text, std::string_view lines,
                                             const std::vector<VerifierKey>& witnesses) {
  std::map<std::string, Cosignature> newest;
  while (!lines.empty()) {
    const std::size_t end = lines.find('\n');
    if (end == std::string_view::npos || lines.substr(0, kDash.size()) != kDash)
      return Fail(Code::kInvalid, "cosignature: signature line expected");
    const std::string_view line = lines.substr(0, end);
    lines.remove_prefix(end + 1);
    const std::size_t space = line.rfind(' ');
    const std::string_view name = space < kDash.size() ? "" : line.substr(kDash.size(), space - kDash.size());
    for (const VerifierKey& witness : witnesses) {
      if (witness.name != name || witness.type != kCosigns) continue;
      const std::string bytes = TRY(ParseBase64(line.substr(space + 1)));
      if (bytes.size() != 4 + 8 + 64 || bytes.substr(0, 4) != KeyId(witness)) continue;
      std::uint64_t time_s = 0;
      for (std::size_t i = 4; i < 12; ++i) time_s = time_s << 8 | static_cast<unsigned char>(bytes[i]);
      if (time_s >> 63 != 0 || !VerifyEd25519(witness.key, SignedText(time_s, text), std::string_view(bytes).substr(12)))
        return Fail(Code::kDenied, "cosignature of " + witness.name + ": does not match the checkpoint");
      Cosignature& found = newest[witness.name];
      if (found.line.empty() || found.time_s < time_s) found = {witness.name, time_s, std::string(line) + "\n"};
    }
  }
  std::vector<Cosignature> out;
  for (auto& [name, cosignature] : newest) out.push_back(std::move(cosignature));
  return out;
}

bool IsPolicyName(std::string_view name) { return IsOrigin(name) && name != "none"; }

}  // namespace

std::string FormatAddCheckpoint(const AddCheckpoint& request) {
  return fmt::format("old {}\n", request.old_size) + HashLines(request.proof) + request.checkpoint;
}

Result<AddCheckpoint> ParseAddCheckpoint(std::string_view body) {
  if (body.size() > kMaxNoteBytes) return Fail(Code::kInvalid, "add-checkpoint: too long");
  AddCheckpoint request;
  request.old_size = TRY(TakeNumberLine("old", body));
  request.proof = TRY(TakeHashLines(body));
  request.checkpoint = body;
  return request;
}

Result<Head> VerifyAddCheckpoint(const AddCheckpoint& request, const Head& old_head,
                                 const PublicKey& key, std::string_view origin) {
  const Head head = TRY(VerifyCheckpoint(key, origin, request.checkpoint));
  if (request.old_size != old_head.size)
    return Fail(Code::kDenied, fmt::format("add-checkpoint: from size {}, the known head has {}", request.old_size, old_head.size));
  if (old_head.size == 0) {
    if (!request.proof.empty()) return Fail(Code::kDenied, "add-checkpoint: no proof expected from size 0");
    return head;
  }
  TRY(VerifyConsistency(old_head.size, head.size, request.proof, old_head.root, head.root));
  return head;
}

Result<VerifierKey> ParseVerifierKey(std::string_view text) {
  const std::size_t first = text.find('+');
  const std::size_t second = text.find('+', first == std::string_view::npos ? first : first + 1);
  if (second == std::string_view::npos) return Fail(Code::kInvalid, "verifier key: name+keyid+base64 expected");
  VerifierKey key;
  key.name = text.substr(0, first);
  const std::string bytes = TRY(ParseBase64(text.substr(second + 1)));
  if (!IsOrigin(key.name) || bytes.size() != 33 || (bytes[0] != kSigns && bytes[0] != kCosigns))
    return Fail(Code::kInvalid, "verifier key: an Ed25519 key of type 1 or 4 expected");
  key.type = static_cast<std::uint8_t>(bytes[0]);
  std::copy(bytes.begin() + 1, bytes.end(), key.key.bytes.begin());
  if (FormatVerifierKey(key) != text) return Fail(Code::kInvalid, "verifier key: the key id is not that of the key");
  return key;
}

std::string FormatVerifierKey(const VerifierKey& key) {
  return key.name + "+" + Hex(KeyId(key)) + "+" + Base64(std::string(1, static_cast<char>(key.type)) + KeyBytes(key.key));
}

std::string Cosign(const Signer& signer, std::string_view name, std::uint64_t time_s, std::string_view text) {
  const VerifierKey key{std::string(name), kCosigns, signer.public_key()};
  return std::string(kDash) + key.name + " " +
         Base64(KeyId(key) + Big64(time_s) + signer.Sign(SignedText(time_s, text))) + "\n";
}

Result<std::vector<Cosignature>> VerifyCosignatures(std::string_view note, const std::vector<VerifierKey>& witnesses) {
  const auto [text, lines] = TRY(Split(note));
  return VerifyLines(text, lines, witnesses);
}

Result<std::string> AddCosignatures(std::string_view note, std::string_view reply,
                                    const std::vector<VerifierKey>& witnesses) {
  if (reply.size() > kMaxNoteBytes) return Fail(Code::kInvalid, "reply: too long");
  const auto [text, lines] = TRY(Split(note));
  const std::vector<Cosignature> fresh = TRY(VerifyLines(text, reply, witnesses));
  if (fresh.empty()) return Fail(Code::kDenied, "reply: no cosignature by a witness of the policy");
  std::string out(note);
  for (const Cosignature& cosignature : fresh)
    if (note.find(cosignature.line) == std::string_view::npos) out += cosignature.line;
  if (out.size() > kMaxNoteBytes) return Fail(Code::kInvalid, "checkpoint: too many signature lines");
  return out;
}

Result<Quorum> Quorum::Parse(std::string_view text) {
  if (text.size() > kMaxPolicyBytes) return Fail(Code::kInvalid, "policy: larger than 64 KiB");
  Quorum policy;
  for (int number = 1; !text.empty(); ++number) {
    std::string_view line = text.substr(0, text.find('\n'));
    text.remove_prefix(std::min(text.size(), line.size() + 1));
    const auto wrong = [number](const std::string& what) { return Fail(Code::kInvalid, fmt::format("line {}: {}", number, what)); };
    std::vector<std::string> words;
    while (!line.empty()) {
      const std::size_t end = line.find_first_of(" \t");
      if (end != 0) words.emplace_back(line.substr(0, end));
      line.remove_prefix(end == std::string_view::npos ? line.size() : end + 1);
    }
    if (words.empty() || words[0].front() == '#') continue;
    const auto known = [&policy](const std::string& name) {
      return policy.witness_names_.contains(name) ||
             std::any_of(policy.groups_.begin(), policy.groups_.end(), [&name](const auto& group) { return group.first == name; });
    };
    if (words[0] == "quorum") {
      if (!policy.quorum_.empty()) return wrong("a second quorum");
      if (words.size() != 2 || (words[1] != "none" && !known(words[1])))
        return wrong("'quorum NAME' of a witness or group above, or 'quorum none', expected");
      policy.quorum_ = words[1];
      continue;
    }
    if (words[0] != "witness" && words[0] != "group") return wrong("witness, group or quorum expected");
    if (words.size() < 3 || !IsPolicyName(words[1])) return wrong("a name and what it stands for expected");
    if (known(words[1])) return wrong("'" + words[1] + "' is there already");
    if (policy.witness_names_.size() + policy.groups_.size() == kMaxNames) return wrong("more than 256 names");
    if (words[0] == "witness") {
      const auto key = ParseVerifierKey(words[2]);
      if (!key) return wrong(key.error().message);
      if (words.size() != 3 || key->type != kCosigns) return wrong("'witness NAME VKEY' with a cosigning key (type 4) expected");
      // One owner with two names would count twice.
      for (const VerifierKey& other : policy.keys_)
        if (other.key == key->key || other.name == key->name) return wrong("this key, or its name, is there already");
      policy.witness_names_[words[1]] = key->name;
      policy.keys_.push_back(*key);
      continue;
    }
    Group group;
    for (std::size_t i = 3; i < words.size(); ++i) {
      if (!known(words[i])) return wrong("no witness or group '" + words[i] + "' above");
      if (!group.members.insert(words[i]).second) return wrong("'" + words[i] + "' twice");
    }
    const std::string& count = words[2];
    const auto [end, error] = std::from_chars(count.data(), count.data() + count.size(), group.needed);
    if (count == "all") group.needed = group.members.size();
    else if (count == "any") group.needed = 1;
    else if (error != std::errc() || end != count.data() + count.size()) return wrong("all, any or a number expected");
    if (group.needed == 0 || group.needed > group.members.size())
      return wrong(fmt::format("from 1 to {} members can be needed", group.members.size()));
    policy.groups_.emplace_back(words[1], std::move(group));
  }
  if (policy.quorum_.empty()) return Fail(Code::kInvalid, "policy: no quorum line");
  return policy;
}

bool Quorum::SatisfiedBy(const std::vector<Cosignature>& cosignatures) const {
  if (quorum_ == "none") return true;
  std::set<std::string> signers;
  for (const Cosignature& cosignature : cosignatures) signers.insert(cosignature.witness);
  std::set<std::string> holding;
  for (const auto& [name, key_name] : witness_names_)
    if (signers.contains(key_name)) holding.insert(name);
  for (const auto& [name, group] : groups_) {
    const auto count = std::count_if(group.members.begin(), group.members.end(),
                                     [&holding](const std::string& member) { return holding.contains(member); });
    if (static_cast<std::size_t>(count) >= group.needed) holding.insert(name);
  }
  return holding.contains(quorum_);
}

}  // namespace proofgate::ledger
