#include "ledger/checkpoint.h"

#include <charconv>

namespace proofgate::ledger {

std::string CheckpointText(std::string_view origin, const Head& head) {
  return std::string(origin) + "\n" + std::to_string(head.size) + "\n" +
         Base64(AsView(head.root)) + "\n";
}

std::string SignCheckpoint(const Signer& signer, std::string_view origin, const Head& head) {
  return SignNote(signer, origin, CheckpointText(origin, head));
}

Result<Head> VerifyCheckpoint(const PublicKey& key, std::string_view origin,
                              std::string_view note) {
  const Note verified = TRY(VerifyNote(key, origin, note));
  const std::string& text = verified.text;
  const std::size_t first = text.find('\n');
  const std::size_t second = text.find('\n', first + 1);
  if (second == std::string::npos) return Fail(Code::kInvalid, "checkpoint: three lines expected");
  const std::string_view number = std::string_view(text).substr(first + 1, second - first - 1);
  Head head;
  const auto [end, error] = std::from_chars(number.begin(), number.end(), head.size);
  const std::size_t third = text.find('\n', second + 1);
  if (error != std::errc() || end != number.end() || third == std::string::npos)
    return Fail(Code::kInvalid, "checkpoint: size and root expected");
  const std::string root = TRY(ParseBase64(text.substr(second + 1, third - second - 1)));
  if (root.size() != head.root.size()) return Fail(Code::kInvalid, "checkpoint: root of 32 bytes expected");
  for (std::size_t i = 0; i < root.size(); ++i) head.root[i] = static_cast<std::uint8_t>(root[i]);
  if (CheckpointText(origin, head) != text)
    return Fail(Code::kInvalid, "checkpoint: not of " + std::string(origin));
  return head;
}

Result<std::string> ClaimedOrigin(std::string_view note) {
  const std::string_view origin = note.substr(0, note.find('\n'));
  if (!IsOrigin(origin)) return Fail(Code::kInvalid, "checkpoint: no origin in its first line");
  return std::string(origin);
}

bool IsOrigin(std::string_view origin) {
  if (origin.empty() || origin.size() > 100) return false;
  for (const char c : origin)
    if (c <= 0x20 || c > 0x7e || c == '+') return false;
  return true;
}

}  // namespace proofgate::ledger
