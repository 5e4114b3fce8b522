#include "policy/canon_leaf.h"

#include <fmt/format.h>

#include "base/bytes.h"

namespace proofgate::policy {

CanonLeaves WriteCanonLeaves(const Canon& canon) {
  CanonLeaves leaves;
  json::Value model = CanonJson(canon);
  const std::string text = json::Encode(model);
  leaves.body = {{"domain", canon.domain}, {"tenant", canon.tenant}, {"digest", Hex(Sha256(text))}};
  if (text.size() <= kMaxCanonPart) {
    leaves.body["canon"] = std::move(model);
    return leaves;
  }
  const std::size_t count = (text.size() + kMaxCanonPart - 1) / kMaxCanonPart;
  leaves.body["parts"] = json::Integer(count);
  for (std::size_t part = 0; part < count; ++part)
    leaves.parts.push_back({{"domain", canon.domain},
                            {"digest", leaves.body["digest"]},
                            {"part", json::Integer(part + 1)},
                            {"text", text.substr(part * kMaxCanonPart, kMaxCanonPart)}});
  return leaves;
}

bool CanonReader::HasModel(const json::Value& body) {
  return body.Find("canon") != nullptr || body.Find("parts") != nullptr;
}

Result<CanonReader> CanonReader::Begin(const json::Value& body) {
  CanonReader reader;
  reader.domain_ = TRY(json::GetString(body, "domain"));
  reader.digest_ = TRY(json::GetString(body, "digest"));
  if (const json::Value* const model = body.Find("canon")) {
    if (body.Find("parts") != nullptr) return Fail(Code::kInvalid, "canon: a model or parts expected, not both");
    reader.text_ = json::Encode(*model);
    return reader;
  }
  reader.parts_ = TRY(json::GetInteger(body, "parts"));
  if (reader.parts_ == 0 || reader.parts_ > kMaxCanonParts)
    return Fail(Code::kInvalid, fmt::format("canon: 1 to {} parts expected", kMaxCanonParts));
  return reader;
}

Status CanonReader::Take(const json::Value& part) {
  if (!needs_more()) return Fail(Code::kInvalid, "canon: a part too many");
  if (TRY(json::GetString(part, "digest")) != digest_ || TRY(json::GetInteger(part, "part")) != taken_ + 1)
    return Fail(Code::kInvalid, fmt::format("canon: part {} of {} expected", taken_ + 1, digest_));
  const std::string text = TRY(json::GetString(part, "text"));
  if (text.empty() || text.size() > kMaxCanonPart) return Fail(Code::kInvalid, "canon: a part of the wrong size");
  text_ += text;
  ++taken_;
  return {};
}

Result<CanonReader::Model> CanonReader::Finish() const {
  if (needs_more())
    return Fail(Code::kInvalid, fmt::format("canon: {} of {} parts of {} are there", taken_, parts_, digest_));
  Model model;
  model.digest = Hex(Sha256(text_));
  model.canon = TRY(ParseCanonJson(TRY(json::Parse(text_))));
  return model;
}

Result<std::optional<Canon>> ReadCanonAt(std::uint64_t index, const ReadBody& read_body) {
  const json::Value body = TRY(read_body(index));
  if (!CanonReader::HasModel(body)) return std::optional<Canon>();
  CanonReader reader = TRY(CanonReader::Begin(body));
  while (reader.needs_more()) TRY(reader.Take(TRY(read_body(++index))));
  CanonReader::Model model = TRY(reader.Finish());
  if (model.digest != reader.digest()) return Fail(Code::kInvalid, "canon: not what its digest says");
  return std::optional<Canon>(std::move(model.canon));
}

}  // namespace proofgate::policy
